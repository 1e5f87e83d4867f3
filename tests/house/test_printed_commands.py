"""Every `recsys` command that is printed, documented or written in a template exists, with its options."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import typer.main

from movielens_recsys.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
OPTIONS_OF_ALL = {"--help", "-h", "--debug"}
OF_FORMER_NAMES = {"CHANGELOG.md", "docs/reference/renames.md", "docs/lab-log.md"}
"""Pages that quote what was."""


def test_every_command_exists_with_its_options() -> None:
    commands = list(printed_commands())
    wrong = {f"{place}: {command}: {why}" for place, command in commands if (why := complaint(command))}
    assert wrong == set()
    assert len(commands) > 200
    assert len({place for place, _ in commands}) > 50


def test_wrong_commands_are_found() -> None:
    assert complaint("recsys experiment runs ID") == "no command runs"
    assert complaint("recsys experiment run ID --dry") == "no option --dry"
    assert complaint("recsys data import FILE --columns a:b --name NAME") == ""
    assert complaint("recsys experiment create T N -m '{\"a\": 1}' --set k=1") == ""


def complaint(command: str) -> str:
    """Return what of a command line does not exist; empty if all of it does."""
    _, *words = split_words(command)
    node = root_command()
    while words and getattr(node, "commands", None) and not words[0].startswith("-"):
        name = words.pop(0)
        if name not in node.commands:
            return "" if is_placeholder(name) else f"no command {name}"
        node = node.commands[name]
    known = OPTIONS_OF_ALL | {option for parameter in node.params for option in parameter.opts}
    for word in words:
        option = word.partition("=")[0]
        if re.fullmatch(r"--?[a-z][a-z-]*", option) and option not in known:
            return f"no option {option}"
    return ""


@lru_cache
def root_command() -> Any:
    return typer.main.get_command(app)


def split_words(command: str) -> list[str]:
    """Return the words of a command line; of one that is cut off inside quotes, those before them."""
    command = re.split(r"\s[|>#&;]", command)[0]
    try:
        return shlex.split(command)
    except ValueError:
        return command.partition("'")[0].split()


def is_placeholder(word: str) -> bool:
    return word.upper() == word or word in {"..."}


def printed_commands() -> Iterator[tuple[str, str]]:
    """Yield each command with the file that holds it."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        for text in texts_of(path):
            for command in commands_in(text):
                yield path.relative_to(ROOT).as_posix(), command
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.j2")]
    for path in sorted(pages):
        place = path.relative_to(ROOT).as_posix()
        if place not in OF_FORMER_NAMES:
            text = path.read_text(encoding="utf-8").replace("\\\n", " ")
            for command in [*commands_in(text), *lines_of_blocks(text)]:
                yield place, command


def texts_of(path: Path) -> Iterator[str]:
    """Yield every string of a module, with ``X`` in place of what an f-string computes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "X" for part in node.values]
            inside |= {id(part) for part in node.values}
            yield "".join(str(part) for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def commands_in(text: str) -> list[str]:
    """Return the commands of a text: those in backquotes, and a text that is or ends with one."""
    text = re.sub(r"\s+", " ", text)
    quoted = re.findall(r"`(recsys [^`]+)`", text)
    bare = re.fullmatch(r"(?:[^`]*: )?(recsys [a-z][^`.]*)", text)
    return [*quoted, *([bare[1]] if bare else [])]


def lines_of_blocks(text: str) -> list[str]:
    """Return the lines of a page's code blocks that call the command, without prompts."""
    blocks = re.findall(r"^```(?:bash|console|sh)?\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ").strip() for block in blocks for line in block.splitlines()]
    return [re.sub(r"^.*?(?=\brecsys )", "", line) for line in lines if re.match(r"(\S+=\S+ )*recsys ", line)]
