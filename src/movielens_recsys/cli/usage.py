"""Groups of commands, and wrong command lines in the project's form of errors.

Typer's errors are recognised by their attributes, since it does not publish their classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from typer.core import TyperGroup
from typer.exceptions import TyperException

from movielens_recsys.errors import UsageError, nearest, shorten

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "add": ("import", "create"),
    "delete": ("remove",),
    "describe": ("show",),
    "download": ("fetch",),
    "fit": ("auto", "run"),
    "info": ("show", "describe"),
    "init": ("create",),
    "load": ("import",),
    "ls": ("list",),
    "new": ("create",),
    "open": ("report",),
    "remove": ("delete",),
    "rm": ("remove", "delete"),
    "start": ("run", "auto"),
    "status": ("show", "watch"),
    "train": ("auto", "run"),
    "view": ("show", "report"),
}
"""Words for commands that other tools use, and the last words of ours."""
MOST_SUGGESTED = 4


class CommandGroup(TyperGroup):
    """Commands below one word, which alone prints their help; an unknown one is answered with what exists."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options of the group; without any word, ask for the help."""
        bare = not args and not ctx.resilient_parsing
        return super().parse_args(ctx, ["--help"] if bare else args)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that the first word names.

        Raises
        ------
        UsageError
            There is none; the message has the commands of the group and those that may be meant.
        """
        word = args[0]
        if word not in self.commands and not ctx.resilient_parsing:
            raise _unknown_command(ctx, word)
        return super().resolve_command(ctx, args)


def _unknown_command(ctx: Any, word: str) -> UsageError:
    here = ctx.command_path
    meant = " or ".join(f"`{path}`" for path in suggested_commands(ctx, word))
    return UsageError(
        f"unknown command '{here} {shorten(word)}'",
        expected=f"one of {', '.join(ctx.command.commands)}",
        next_step=f"did you mean {meant}?" if meant else f"`{here} --help` describes them",
    )


def suggested_commands(ctx: Any, word: str) -> list[str]:
    """Return the commands that an unknown ``word`` may mean, as they are typed, the most likely first.

    Those with that name or a synonym of it, of this group and then of others; or else those with the nearest
    name, of this group or else of any.
    """
    root = ctx.find_root()
    paths = list(_command_paths(root.command, root.command_path))
    here = [path for path in paths if _group_of(path) == ctx.command_path]
    names = (word, *SYNONYMS.get(word, ()))
    found = [path for known in (here, paths) for name in names for path in known if _last_word(path) == name]
    for known in (here, paths):
        if not found:
            guess = nearest(word, map(_last_word, known))
            found = [path for path in known if _last_word(path) == guess]
    return list(dict.fromkeys(found))[:MOST_SUGGESTED]


def _command_paths(command: Any, path: str) -> Iterator[str]:
    for name, child in getattr(command, "commands", {}).items():
        yield f"{path} {name}"
        yield from _command_paths(child, f"{path} {name}")


def _group_of(path: str) -> str:
    return path.rpartition(" ")[0]


def _last_word(path: str) -> str:
    return path.rpartition(" ")[2]


def wrong_usage(exc: TyperException) -> UsageError:
    """Return Typer's error of a command line in the project's form, with the usage of the command."""
    ctx: Any = getattr(exc, "ctx", None)
    found = " ".join(exc.format_message().split()).rstrip(".").replace("Value error, ", "")
    if ctx is None:
        return UsageError(found)
    if hasattr(exc, "possibilities"):
        return _unknown_option(exc.option_name, ctx)  # type: ignore[attr-defined]
    *_, extra = found.partition("unexpected extra argument(s) (")
    if extra:
        found = f"nothing takes {shorten(extra.removesuffix(')'))!r}"
    if hasattr(exc, "param_type"):
        parameter: Any = exc.param  # type: ignore[attr-defined]
        found = f"missing argument {_spelling(parameter)} ({(parameter.help or '').rstrip('.')})"
    return UsageError(f"{found}; {_usage(ctx)}", next_step=f"`{ctx.command_path} --help` shows all arguments")


def _unknown_option(name: str, ctx: Any) -> UsageError:
    parameters = ctx.command.get_params(ctx)
    known = [option for parameter in parameters for option in parameter.opts if option.startswith("--")]
    guess = nearest(name, known)
    advice = f"did you mean {guess!r}?" if guess else f"`{ctx.command_path} --help` describes them"
    keys = _keys_named(name) if "--set" in known else []
    if keys:
        advice = f"did you mean {' or '.join(f'--set {key}=VALUE' for key in keys)}?"
    return UsageError(
        f"unknown option {shorten(name)} of `{ctx.command_path}`",
        expected=f"one of {', '.join(sorted(known))}",
        next_step=advice,
    )


def _keys_named(option: str) -> list[str]:
    """Return the keys of a configuration that are named as an option is, the least nested first."""
    from movielens_recsys.config import config_fields
    from movielens_recsys.runs.config import ExperimentConfig

    name = option.strip("-").replace("-", "_")
    paths = {field.path: None for field in config_fields(ExperimentConfig) if field.name == name}
    return sorted((path for path in paths if "[]" not in path), key=lambda path: path.count("."))[:3]


def _usage(ctx: Any) -> str:
    """Return how the command is typed, with its required options; optional arguments are in brackets."""
    words = []
    for parameter in ctx.command.get_params(ctx):
        spelling = _spelling(parameter)
        if spelling.startswith("--"):
            words += [f"{spelling} {parameter.name.upper()}"] if parameter.required else []
        else:
            words.append(spelling if parameter.required else f"[{spelling.strip('[]')}]")
    return f"usage: {' '.join([ctx.command_path, *words, '[OPTIONS]'])}"


def _spelling(parameter: Any) -> str:
    """Return an argument in capital letters, or the long form of an option."""
    options = [option for option in parameter.opts if option.startswith("-")]
    return max(options, key=len) if options else str(parameter.metavar or parameter.name).upper()
