"""Running experiments, and resuming them."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from movielens_recsys.cli.arguments import (
    Assignments,
    CapUsd,
    Data,
    Devices,
    Id,
    Modifications,
    announce,
    find_run,
)
from movielens_recsys.cli.experiment.create import Accept
from movielens_recsys.cli.experiment.one_step import IdOrTemplate, NewExperiment, NewName
from movielens_recsys.cli.output import Json, emit, err_console, progress, warn
from movielens_recsys.errors import CapReachedError
from movielens_recsys.training.history import EpochMetrics, TrainingCallback

if TYPE_CHECKING:
    from movielens_recsys.settings import Settings


def run(
    id: IdOrTemplate,
    data: Data = "",
    name: NewName = "",
    modifications: Modifications = "",
    assignments: Assignments = None,
    accept: Accept = None,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")
    ] = False,
    devices: Devices = 1,
    json: Json = False,
) -> None:
    """Run a planned experiment, or start one over whose process died; or create one from a template first.

    A template's name stands for a new experiment, unless one of that name is planned.
    """
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    request = NewExperiment(id, name, data, modifications, assignments or (), accept or ())
    run_id = request.existing(settings)
    if run_id is not None:
        _run(run_id, settings, dry, devices, json)
        return
    # A dry run needs an experiment too: one in a home that is thrown away.
    with tempfile.TemporaryDirectory() if dry else nullcontext(settings.home) as home:
        settings = settings.model_copy(update={"home": Path(home)})
        run_id = request.create(settings)
        if not dry:
            announce(f"created {run_id} from template {id}")
        _run(run_id, settings, dry, devices, json)


def _run(run_id: str, settings: Settings, dry: bool, devices: int, as_json: bool) -> None:
    if not dry:
        run_with_progress(run_id, settings, resume=False, devices=devices, as_json=as_json)
        return
    from movielens_recsys.cli.experiment.tables import print_dry_run
    from movielens_recsys.experiments.dry_run import dry_run
    from movielens_recsys.runs import store, transitions

    transitions.check_runnable(store.load_run(run_id, settings))
    plan = dry_run(run_id, settings)
    emit(plan, as_json=as_json, render=lambda: print_dry_run(plan))


def resume(
    id: Id,
    cap_usd: CapUsd = None,
    devices: Devices = 1,
    json: Json = False,
) -> None:
    """Resume a run that was stopped or whose process died; its result is that of an uninterrupted run."""
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    run_id = find_run(id, settings)
    run_with_progress(run_id, settings, resume=True, devices=devices, cap_usd=cap_usd, as_json=json)


def run_with_progress(
    run_id: str,
    settings: Settings,
    *,
    resume: bool,
    devices: int = 1,
    cap_usd: float | None = None,
    as_json: bool = False,
) -> None:
    """Run or resume an experiment with progress, trackers and notifications, and show its result.

    A run that cannot start is refused before any large library is loaded.

    Raises
    ------
    RecsysError
        `execute` fails or the run is stopped; a stopped run is reported as saved.
    """
    from movielens_recsys.cli.experiment.tables import print_run
    from movielens_recsys.cli.notifications import notifications_for
    from movielens_recsys.cli.termination import GracefulStop
    from movielens_recsys.runs import event_writer, store, transitions
    from movielens_recsys.runs.cost import apply_cap
    from movielens_recsys.tracking.processes import TrackerProcesses
    from movielens_recsys.training.budget import budget_for

    run = store.load_run(run_id, settings)
    transitions.check_runnable(run, resume=resume)
    event_writer.check_free(run, settings)
    apply_cap(run, cap_usd)
    config = store.load_config(run_id, settings)
    epochs = budget_for(config.model, config.training).epochs
    try:
        with (
            TrackerProcesses(run_id, settings, warn),
            notifications_for(run_id, settings),
            GracefulStop() as stop,
            TrainingProgress(epochs) as bar,
        ):
            from movielens_recsys.experiments.execute import execute
            from movielens_recsys.training.session import TrainingSession

            session = TrainingSession(callbacks=[bar], devices=devices, resume=resume, stop=stop)
            completed = execute(run_id, settings, session, warn=warn, cap_usd=cap_usd)
    except CapReachedError:
        raise  # its message has the command to resume
    except BaseException:
        if store.load_run(run_id, settings).state == "stopped":
            err_console.print(f"saved; resume it with: recsys experiment resume {run_id}", highlight=False)
        raise
    emit(
        {**completed.run.to_json(), "process_gone": False, "folder": str(completed.folder)},
        as_json=as_json,
        render=lambda: print_run(completed.run, completed.config, completed.folder, False),
    )


class TrainingProgress(TrainingCallback):
    """A progress bar of epochs and steps; without a terminal, a line per epoch."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._progress = progress()
        self._task = self._progress.add_task("training", total=None, note="")
        self._note = ""

    def __enter__(self) -> TrainingProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def on_step(self, epoch: int, step: int, steps: int) -> None:
        """Update the bar."""
        self._progress.update(
            self._task,
            description=f"epoch {epoch}/{self._epochs}",
            completed=(epoch - 1) * steps + step,
            total=self._epochs * steps,
            note=self._note,
        )

    def on_epoch(self, record: EpochMetrics, *, improved: bool) -> None:
        """Show the metrics of the epoch."""
        self._note = f"val_rmse {record.val_rmse:.4f}  val_loss {record.val_loss:.4f}"
        if not err_console.is_terminal:
            mark = " *" if improved else ""
            err_console.print(f"epoch {record.epoch}/{self._epochs}  {self._note}{mark}", highlight=False)
