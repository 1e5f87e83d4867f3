"""Arguments that several commands have, and the experiments that they name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from movielens_recsys.cli import completion
from movielens_recsys.cli.output import err_console
from movielens_recsys.errors import UsageError

if TYPE_CHECKING:
    from movielens_recsys.settings import Settings

Id = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="An experiment's id or a unique beginning of it; a name: the newest of that name.",
        autocompletion=completion.runs,
    ),
]
Devices = Annotated[
    int, typer.Option(min=1, max=64, help="Number of GPUs, or of CPU processes, that share each batch.")
]
CapUsd = Annotated[
    float | None, typer.Option("--cap-usd", help="New spending cap of the run in USD, over all its attempts.")
]
Ids = Annotated[
    list[str],
    typer.Argument(
        metavar="ID...",
        help="Ids, unique beginnings of them, or names.",
        autocompletion=completion.runs,
    ),
]
SomeIds = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID...]", help="Default: all.", autocompletion=completion.runs),
]
Modifications = Annotated[
    str,
    typer.Option(
        "--modifications",
        "-m",
        metavar="JSON",
        help='Changes to the configuration, e.g. \'{"training": {"seed": 42}}\', or @FILE with them.',
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A change to one key of `recsys experiment keys`, e.g. training.epochs=5; may be repeated.",
        autocompletion=completion.assignments,
    ),
]


Data = Annotated[
    str,
    typer.Option(
        "--data",
        metavar="NAME|PATH",
        help="Its ratings: a name of `recsys data list`, or a file or folder.",
        autocompletion=completion.datasets,
    ),
]


Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def confirm(question: str, yes: bool) -> None:
    """Ask before something is lost, unless the user has said yes; at "no", end with exit code 1."""
    if not yes:
        typer.confirm(question, abort=True, err=True)


def announce(line: str) -> None:
    """Print what a command does, to standard error."""
    err_console.print(line, highlight=False, markup=False)


def find_run(word: str, settings: Settings, *, unique: bool = False) -> str:
    """Return the id that ``word`` stands for, see `runs.store.find_run`; say which, if there was a choice."""
    from movielens_recsys.runs import store

    run_id = store.find_run(word, settings, unique=unique)
    if len(store.matching_runs(word, settings)) > 1:
        announce(f"{word} stands for {run_id}, the newest of that name")
    return run_id


def refuse_idle(options: Mapping[str, object], why: str) -> None:
    """Refuse ``options`` that are stated and cannot have an effect; ``why`` says so after their names.

    Raises
    ------
    UsageError
        One of them is stated.
    """
    stated = [name for name, value in options.items() if value]
    if stated:
        names = " and ".join(stated)
        raise UsageError(f"{names} without effect: {why}", next_step=f"leave {names} out")
