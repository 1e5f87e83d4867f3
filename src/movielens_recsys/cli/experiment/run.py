"""Running experiments to their end, or on from where they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from movielens_recsys.cli.arguments import CapUsd, Devices, Id
from movielens_recsys.cli.output import Json, emit, err_console, progress, warn
from movielens_recsys.errors import CapReachedError
from movielens_recsys.training.records import EpochRecord, TrainingCallback

if TYPE_CHECKING:
    from movielens_recsys.settings import Settings


def run(
    id: Id,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    devices: Devices = 1,
    json: Json = False,
) -> None:
    """Run a planned experiment to its end, or start one over whose process died."""
    from movielens_recsys.experiments import registry
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    run_id = registry.find(id, settings)
    if not dry_run:
        carry_out(run_id, settings, resume=False, devices=devices, as_json=json)
        return
    from movielens_recsys.cli.experiment.view import print_rehearsal
    from movielens_recsys.experiments.rehearsal import rehearse

    registry.check_runnable(registry.load(run_id, settings))
    plan = rehearse(run_id, settings)
    emit(plan, as_json=json, render=lambda: print_rehearsal(plan))


def resume(
    id: Id,
    cap_usd: CapUsd = None,
    devices: Devices = 1,
    json: Json = False,
) -> None:
    """Go on with a run that was stopped or whose process died; it ends as if never interrupted."""
    from movielens_recsys.experiments import registry
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    run_id = registry.find(id, settings)
    carry_out(run_id, settings, resume=True, devices=devices, cap_usd=cap_usd, as_json=json)


def carry_out(
    run_id: str,
    settings: Settings,
    *,
    resume: bool,
    devices: int = 1,
    cap_usd: float | None = None,
    as_json: bool = False,
) -> None:
    """Run or resume an experiment before a person's eyes: progress, notifications, SIGTERM and the outcome.

    Whatever would refuse the run does so before anything heavy is loaded.

    Raises
    ------
    RecsysError
        What `execute` raises; a run that was stopped has been said to be saved by then.
    """
    from movielens_recsys.cli.experiment.view import print_run
    from movielens_recsys.cli.notify import telling
    from movielens_recsys.cli.termination import Termination
    from movielens_recsys.experiments import locks, registry
    from movielens_recsys.experiments.sinks.live import LiveCopies
    from movielens_recsys.experiments.spending import agree_on_cap
    from movielens_recsys.training.course import course_of

    run = registry.load(run_id, settings)
    registry.check_runnable(run, resume=resume)
    locks.check_free(run, settings)
    agree_on_cap(run, cap_usd)
    config = registry.load_config(run_id, settings)
    epochs = course_of(config.model, config.training).epochs
    try:
        with (
            LiveCopies(run_id, settings, warn),
            telling(run_id, settings),
            Termination() as stop,
            TrainingProgress(epochs) as bar,
        ):
            from movielens_recsys.experiments.run import execute

            outcome = execute(
                run_id,
                settings,
                callbacks=[bar],
                warn=warn,
                devices=devices,
                resume=resume,
                stop=stop,
                cap_usd=cap_usd,
            )
    except CapReachedError:
        raise  # it says itself how to go on
    except BaseException:
        if registry.load(run_id, settings).state == "stopped":
            err_console.print(f"saved; go on with: recsys experiment resume {run_id}", highlight=False)
        raise
    emit(
        {**outcome.run.to_json(), "process_gone": False, "folder": str(outcome.folder)},
        as_json=as_json,
        render=lambda: print_run(outcome.run, outcome.config, outcome.folder, False),
    )


class TrainingProgress(TrainingCallback):
    """A progress bar over a training's epochs and steps; without a terminal, a line per epoch."""

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
        """Move the bar."""
        self._progress.update(
            self._task,
            description=f"epoch {epoch}/{self._epochs}",
            completed=(epoch - 1) * steps + step,
            total=self._epochs * steps,
            note=self._note,
        )

    def on_epoch(self, record: EpochRecord, *, improved: bool) -> None:
        """Show the figures of the epoch."""
        self._note = f"val_rmse {record.val_rmse:.4f}  val_loss {record.val_loss:.4f}"
        if not err_console.is_terminal:
            mark = " *" if improved else ""
            err_console.print(f"epoch {record.epoch}/{self._epochs}  {self._note}{mark}", highlight=False)
