"""Deleting archived experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from movielens_recsys.cli.arguments import UniqueId, Yes, confirm, find_run
from movielens_recsys.cli.output import Json, echo, emit
from movielens_recsys.errors import ExperimentError

if TYPE_CHECKING:
    from movielens_recsys.settings import Settings


def delete(id: UniqueId, yes: Yes = False, json: Json = False) -> None:
    """Delete an archived experiment with its model and report, for good; MLflow and W&B keep their copies."""
    from movielens_recsys.runs import deletion, store
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    run_id = find_run(id, settings, unique=True)
    deletion.check_deletable(store.load_run(run_id, settings))
    ensembles = _ensembles_with(run_id, settings)
    kept = f"; the ensembles {', '.join(ensembles)} keep their own copy" if ensembles else ""
    confirm(f"Delete {run_id} with its model and report in {store.run_folder(run_id, settings)}{kept}?", yes)
    deletion.delete_run(run_id, settings)
    emit({"id": run_id, "deleted": True}, as_json=json, render=lambda: echo(f"deleted {run_id}"))


def _ensembles_with(run_id: str, settings: Settings) -> list[str]:
    """Return the completed ensembles that have the experiment as a member.

    Raises
    ------
    ExperimentError
        One that is not completed needs it.
    """
    from movielens_recsys.ensembles.store import ensembles_with

    found = ensembles_with(run_id, settings)
    for name, state in found.items():
        if state != "completed":
            raise ExperimentError(
                f"experiment {run_id} is a member of the ensemble {name}, which is {state}",
                next_step=f"complete that first: `recsys ensemble run {name}`",
            )
    return list(found)
