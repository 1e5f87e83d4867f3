"""Removing imported data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from movielens_recsys.cli import completion
from movielens_recsys.cli.arguments import Yes, confirm
from movielens_recsys.cli.output import Json, echo, emit
from movielens_recsys.errors import UsageError

if TYPE_CHECKING:
    from movielens_recsys.runs.run import Run
    from movielens_recsys.settings import Settings


def remove(
    name: Annotated[
        str,
        typer.Argument(help="A data set that you imported.", autocompletion=completion.imported_datasets),
    ],
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Remove an imported data set; the file that it was copied from stays."""
    from movielens_recsys.data.sources.user_datasets import remove_dataset, user_dataset_names
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    if name in user_dataset_names(settings):
        runs = _runs_on(name, settings)
        _refuse_unfinished(name, runs)
        used = f" Finished experiments on it, which cannot be repeated then: {len(runs)}." if runs else ""
        confirm(f"Remove the data set {name} from {settings.data}?{used}", yes)
    remove_dataset(name, settings)
    emit({"name": name, "removed": True}, as_json=json, render=lambda: echo(f"removed {name}"))


def _runs_on(name: str, settings: Settings) -> list[Run]:
    """Return the experiments that are configured to use a data set by its name."""
    from movielens_recsys.runs.store import load_config, load_runs

    configs = [(run, load_config(run.id, settings).data) for run in load_runs(settings)[0]]
    return [run for run, data in configs if data.path is None and data.name == name]


def _refuse_unfinished(name: str, runs: list[Run]) -> None:
    unfinished = [run.id for run in runs if not run.state.finished]
    if unfinished:
        raise UsageError(
            f"unfinished experiments need the data set {name}: {', '.join(unfinished)}",
            next_step=f"finish them, or archive them: `recsys experiment archive {' '.join(unfinished)}`",
        )
