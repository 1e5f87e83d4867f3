"""Ensembles on disk: one folder each, with a plan that is written first and a report that is written last.

    .recsys/ensembles/NAME/ensemble.json    the plan: member experiments, the request, the blend
                           bundle/          the blended recommender, once all members are completed
                           report.json      every metric; an ensemble that has it is completed
                           report.html, per_user_validation.npz, per_user_test.npz

The state of a member is in its own event log and not repeated here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from movielens_recsys.errors import ExperimentError, UnknownNameError
from movielens_recsys.files import write_atomically
from movielens_recsys.locks import lock
from movielens_recsys.settings import Settings

PLAN, REPORT = "ensemble.json", "report.json"
BlendChoice = Literal["auto", "mean", "ridge", "gbm"]


@dataclass(frozen=True, slots=True)
class EnsemblePlan:
    """An ensemble as it was planned.

    ``members`` are the ids of experiments; ``member_specs`` is the request as plain JSON values, by which the
    same request is recognised.
    """

    name: str
    created: str
    members: tuple[str, ...]
    blend: BlendChoice
    member_specs: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON values."""
        return {
            "name": self.name,
            "created": self.created,
            "members": list(self.members),
            "blend": self.blend,
            "wishes": self.member_specs,
        }


def ensemble_folder(name: str, settings: Settings) -> Path:
    """Return the folder of an ensemble."""
    return settings.ensembles / name


def ensemble_names(settings: Settings) -> list[str]:
    """Return the names of all ensembles, sorted."""
    return sorted(path.parent.name for path in settings.ensembles.glob(f"*/{PLAN}"))


def ensembles_with(run_id: str, settings: Settings) -> dict[str, str]:
    """Return the state of each ensemble, by name, of which the experiment is a member."""
    names = ensemble_names(settings)
    return {name: state_of(name, settings) for name in names if run_id in load_plan(name, settings).members}


def find_ensemble(name: str, settings: Settings) -> EnsemblePlan:
    """Return the plan of the ensemble ``name``.

    Raises
    ------
    UnknownNameError
        There is none; the message names the nearest one.
    """
    known = ensemble_names(settings)
    if name not in known:
        raise UnknownNameError(
            "ensemble", name, known, next_step=f"`recsys ensemble list` lists those in {settings.ensembles}"
        )
    return load_plan(name, settings)


def load_plan(name: str, settings: Settings) -> EnsemblePlan:
    """Return the plan of an existing ensemble.

    Raises
    ------
    ExperimentError
        Its file cannot be read.
    """
    path = ensemble_folder(name, settings) / PLAN
    try:
        values = json.loads(path.read_bytes())
        specs = values.pop("wishes")
        return EnsemblePlan(**{**values, "members": tuple(values["members"]), "member_specs": specs})
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise ExperimentError(
            f"cannot use {path} ({exc})", next_step="restore the file, or move the folder away"
        ) from exc


def save_plan(
    name: str, members: Sequence[str], blend: BlendChoice, specs: list[dict[str, Any]], settings: Settings
) -> EnsemblePlan:
    """Write the plan of a new ensemble."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    plan = EnsemblePlan(name, now, tuple(members), blend, specs)
    write_plan(plan, settings)
    return plan


def write_plan(plan: EnsemblePlan, settings: Settings) -> None:
    """Write a plan atomically, in place of an earlier one."""
    content = (json.dumps(plan.to_json(), indent=2) + "\n").encode()
    write_atomically(ensemble_folder(plan.name, settings) / PLAN, content)


def load_report(name: str, settings: Settings) -> dict[str, Any] | None:
    """Return the report of a completed ensemble; None if it is not completed.

    Raises
    ------
    ExperimentError
        The file cannot be read.
    """
    path = ensemble_folder(name, settings) / REPORT
    try:
        return dict(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        raise ExperimentError(
            f"cannot use {path} ({exc})", next_step=f"remove it and run `recsys ensemble run {name}` again"
        ) from exc


def state_of(name: str, settings: Settings) -> str:
    """Return ``completed``, ``running``, or ``unfinished`` for one that can be resumed."""
    folder = ensemble_folder(name, settings)
    if (folder / REPORT).exists():
        return "completed"
    with lock(folder, patience_s=0) as free:
        return "unfinished" if free else "running"


@contextmanager
def ensemble_lock(name: str, settings: Settings) -> Iterator[None]:
    """Hold the lock of the process that runs the ensemble.

    Raises
    ------
    ExperimentError
        Another process holds it.
    """
    folder = ensemble_folder(name, settings)
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder) as held:
        if not held:
            raise ExperimentError(
                f"ensemble {name} is being run by another process",
                next_step=f"wait for it, or look: `recsys ensemble show {name}`",
            )
        try:
            yield
        finally:
            if not (folder / PLAN).exists():  # the request was refused
                with suppress(OSError):
                    folder.rmdir()
