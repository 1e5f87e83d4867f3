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
UniqueId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="An experiment's id, or a unique beginning of it, such as a name that only one has.",
        autocompletion=completion.runs,
    ),
]
UniqueIds = Annotated[
    list[str],
    typer.Argument(
        metavar="ID...",
        help="Ids, or unique beginnings of them, such as a name that only one has.",
        autocompletion=completion.runs,
    ),
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
    list[str] | None,
    typer.Option(
        "--modifications",
        "-m",
        metavar="JSON",
        help='Changes to the configuration, e.g. \'{"training": {"seed": 42}}\', or @FILE with them; '
        "may be repeated, a later one counts.",
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A change to one key of `recsys experiment keys`, e.g. training.epochs=5; may be repeated. "
        "It counts before --modifications.",
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
    """Ask before something is lost, unless the user has said yes; at "no", end with exit code 1.

    Raises
    ------
    UsageError
        Standard input holds no answer.
    """
    if yes:
        return
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort as exc:
        if isinstance(exc.__context__, KeyboardInterrupt):
            raise
        announce("")  # ends the line of the question
        raise UsageError(
            "nothing was deleted: no answer on standard input",
            expected="y or n",
            next_step="answer beforehand: add --yes",
        ) from exc
    if not agreed:
        announce("nothing was deleted")
        raise typer.Exit(1)


def announce(line: str) -> None:
    """Print what a command does, to standard error."""
    err_console.print(line, highlight=False, markup=False)


def find_run(word: str, settings: Settings, *, unique: bool = False, completed: bool = False) -> str:
    """Return the id that ``word`` stands for, see `runs.store.find_run`.

    Say which, if there was a choice or the word cannot be the whole id.
    """
    from movielens_recsys.runs import store

    run_id = store.find_run(word, settings, unique=unique, completed=completed)
    if len(store.matching_runs(word, settings)) > 1:
        is_completed = completed and store.load_run(run_id, settings).state == "completed"
        announce(f"{word} stands for {run_id}, the newest {'completed one ' * is_completed}of that name")
    elif word.endswith(store.PLACEHOLDER):
        announce(f"{word} stands for {run_id}")
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
