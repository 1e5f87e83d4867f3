"""Tables on real terminals of several widths, and in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from rich.console import Console

from movielens_recsys.cli.fitted_table import FittedTable, aligned
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings

NAME = "a_name_of_30_characters_[_____"
ROWS = [(NAME, "1.2345 [1.1111, 1.3333]", "why " * 20, "last"), ("b", "2", "because", "x")]
TABLE = FittedTable(
    "Title [a]",
    ["name", "value", "reason", "tags"],
    ROWS,
    caption="caption",
    lesser=["tags", "value"],
    wrapped=["reason"],
    narrow=[(NAME, "1.23", "why " * 20, "last"), ("b", "2", "because", "x")],
)


def shown(width: int, table: FittedTable = TABLE, *, terminal: bool = True) -> list[str]:
    console = Console(width=width, force_terminal=terminal, color_system=None, soft_wrap=True)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_a_wide_terminal_has_everything() -> None:
    lines = shown(200)
    assert lines[:3] == ["Title [a]", "", "name" + " " * 46 + "value  reason" + " " * 76 + "tags"]
    assert lines[4].startswith(f"{NAME}  1.2345 [1.1111, 1.3333]  why why")
    assert lines[-3:] == ["", "caption", ""]


@pytest.mark.parametrize(
    ("width", "value", "missing"),
    [
        (95, "1.2345", ""),
        (90, "1.23", ""),
        (72, "1.23", "tags"),
        (64, "", "tags, value"),
        (20, "", "tags, value"),
    ],
)
def test_a_narrow_one_shortens_cells_then_drops_columns_and_never_breaks_a_name(
    width: int, value: str, missing: str
) -> None:
    lines = shown(width)
    (line,) = [line for line in lines if NAME in line]
    assert re.findall(r"1\.2\d*", line) == ([value] if value else [])
    assert ("not shown at this width: " + missing in lines) == bool(missing)
    assert max(map(len, lines)) <= max(width, 62)
    assert line.count("why") > 3


def test_a_pipe_has_whole_lines_in_columns() -> None:
    header, first, second = shown(80, terminal=False)[1:4]
    assert header.split() == ["name", "value", "reason", "tags"]
    assert first == f"{NAME}  1.2345 [1.1111, 1.3333]  {'why ' * 20}  last"
    assert second.index("because") == first.index("why") == header.index("reason")


def test_columns_are_aligned_and_end_without_spaces() -> None:
    assert aligned([["id", "state"], ["x" * 50, "ok"], ["y", "done"]]) == [
        "id" + " " * 50 + "state",
        "x" * 50 + "  ok",
        "y" + " " * 51 + "done",
    ]


def on_terminal(width: int, *words: str) -> list[str]:
    """Return the lines of a command on a terminal of its own."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    command = [sys.executable, "-m", "movielens_recsys", *words]
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    with subprocess.Popen(command, **streams, env=environment):
        os.close(theirs)
        text = b""
        try:
            while part := os.read(ours, 65536):
                text += part
        except OSError:  # its other side is closed
            pass
    os.close(ours)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text.decode())
    return [line.rstrip() for line in plain.splitlines()]


@pytest.fixture
def home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECSYS_HOME", str(settings.home))
    monkeypatch.setenv("RECSYS_DATA", str(settings.data))
    return settings.home


@pytest.mark.usefixtures("home")
def test_ids_and_names_are_whole_at_80_columns(settings: Settings) -> None:
    name = "hybrid_vae_attention_large_with_a_name"
    run_id = store.create_run(config_from_template("hybrid_vae_attention_large", name), settings).id
    listed = on_terminal(80, "experiment", "list")
    assert max(map(len, listed)) <= 80
    assert any(line.startswith(f"{run_id}  planned") for line in listed)
    assert listed[-1].startswith("not shown at this width: tags")
    folder = settings.data / "sets" / "ml-100k"
    folder.mkdir(parents=True)
    (folder / "u.data").write_text("1\t1\t5\t1\n")
    assert any(str(folder) in line for line in on_terminal(80, "data", "list"))
    templates = on_terminal(80, "experiment", "templates")
    assert max(map(len, templates)) <= 80
    assert any(line.startswith("hybrid_vae_attention_large  ") for line in templates)


def test_columns_of_text_are_left_aligned_and_numbers_right() -> None:
    table = FittedTable("", ["name", "count", "genres"], [("a", 1, "Drama"), ("b", 100, "Comedy, Drama")])
    header, _, first, _ = shown(80, table)
    assert header.index("genres") == first.index("Drama")
    assert first.index("1") == header.index("count") + len("count") - 1
