"""Running experiments, and resuming them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from movielens_recsys.errors import CapReachedError, TrainingStopped, UsageError
from movielens_recsys.training.history import EpochMetrics, TrainingCallback

if TYPE_CHECKING:
    from movielens_recsys.runs.run import Run
    from movielens_recsys.settings import Settings


def run(
    id: IdOrTemplate,
    data: Data = "",
    name: NewName = "",
    modifications: Modifications = None,
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
    request = NewExperiment(id, name, data, modifications or (), assignments or (), accept or ())
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
        _run(run_id, settings, dry, devices, json, created=True)


def _run(
    run_id: str, settings: Settings, dry: bool, devices: int, as_json: bool, *, created: bool = False
) -> None:
    """Run an experiment or show what it would do; of one ``created`` for a dry run, nothing stays."""
    if not dry:
        run_with_progress(run_id, settings, resume=False, devices=devices, as_json=as_json)
        return
    from movielens_recsys.cli.experiment.tables import print_dry_run
    from movielens_recsys.experiments.dry_run import dry_run
    from movielens_recsys.runs import event_writer, store, transitions
    from movielens_recsys.runs.cost import resume_command

    run = store.load_run(run_id, settings)
    transitions.check_runnable(run)
    gone = event_writer.is_orphaned(run, settings)
    plan = {**dry_run(run_id, settings), "process_gone": gone}
    if created:
        plan |= {"id": None, "state": None}
    if gone:
        warn(f"the process of {run_id} is gone; go on with it: `{resume_command(run)}`, or start it over")
    emit(plan, as_json=as_json, render=lambda: print_dry_run(plan))


def resume(
    id: Id,
    cap_usd: CapUsd = None,
    devices: Devices = 1,
    force: Annotated[
        bool, typer.Option("--force", help="Also a run that has failed for good, e.g. after an upgrade.")
    ] = False,
    json: Json = False,
) -> None:
    """Resume a run that was stopped or whose process died; its result is that of an uninterrupted run."""
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    run_id = find_run(id, settings)
    run_with_progress(
        run_id, settings, resume=True, devices=devices, cap_usd=cap_usd, force=force, as_json=json
    )


def evaluate(
    id: Id,
    modifications: Modifications = None,
    assignments: Assignments = None,
    cap_usd: CapUsd = None,
    json: Json = False,
) -> None:
    """Evaluate a run whose training is complete and whose evaluation failed or was interrupted."""
    from movielens_recsys.experiments.modifications import read_modifications
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    changes = read_modifications(modifications or (), assignments or ())
    others = sorted(changes.keys() - {"evaluation"})
    if others or not isinstance(changes.get("evaluation", {}), dict):
        raise UsageError(
            f"the training is complete, and {', '.join(others) or 'evaluation'} cannot be changed so",
            expected="keys of the evaluation, such as evaluation.relevance_threshold",
            next_step="for another training, clone the experiment",
        )
    evaluation = changes.get("evaluation", {})
    run_id = find_run(id, settings)
    run_with_progress(run_id, settings, resume=True, cap_usd=cap_usd, evaluation=evaluation, as_json=json)


def run_with_progress(
    run_id: str,
    settings: Settings,
    *,
    resume: bool,
    devices: int = 1,
    cap_usd: float | None = None,
    force: bool = False,
    evaluation: Mapping[str, Any] | None = None,
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
    if evaluation is not None:
        transitions.check_evaluable(run, evaluation)
    transitions.check_runnable(run, resume=resume, force=force)
    event_writer.check_free(run, settings)
    apply_cap(run, cap_usd)
    config = store.load_config(run_id, settings)
    epochs = budget_for(config.model, config.training).epochs
    try:
        with (
            GracefulStop() as stop,
            TrackerProcesses(run_id, settings, warn),
            notifications_for(run_id, settings),
            TrainingProgress(epochs) as bar,
        ):
            from movielens_recsys.experiments.execute import execute
            from movielens_recsys.training.session import TrainingSession

            session = TrainingSession(callbacks=[bar], devices=devices, resume=resume, stop=stop)
            with _stop_comes_too_late(run_id, settings):
                execute(
                    run_id,
                    settings,
                    session,
                    warn=warn,
                    cap_usd=cap_usd,
                    force=force,
                    evaluation=evaluation,
                )
            stop.finish()
    except CapReachedError:
        raise  # its message has the command to resume
    except BaseException:
        _advise(store.load_run(run_id, settings))
        raise
    run, folder = store.load_run(run_id, settings), store.run_folder(run_id, settings)
    config = store.load_evaluated_config(run, settings)
    emit(
        {**run.to_json(), "process_gone": False, "folder": str(folder)},
        as_json=as_json,
        render=lambda: print_run(run, config, folder, False),
    )


@contextmanager
def _stop_comes_too_late(run_id: str, settings: Settings) -> Iterator[None]:
    """Ignore a signal to stop that came after the last event of the run was written."""
    from movielens_recsys.runs import store

    try:
        yield
    except TrainingStopped:
        if store.load_run(run_id, settings).state != "completed":
            raise


def _advise(run: Run) -> None:
    """Say how to go on with a run that was stopped; one that was refused says it by its error."""
    if run.state == "stopped" and run.refused is None:
        saved = "its training is complete and saved; evaluate" if run.fitted else "saved; resume"
        command = "evaluate" if run.fitted else "resume"
        err_console.print(f"{saved} it with: recsys experiment {command} {run.id}", highlight=False)


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
