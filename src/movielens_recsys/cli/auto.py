"""`recsys auto`: train an experiment to its end, with a restart after each crash."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from movielens_recsys.cli.arguments import Assignments, CapUsd, Data, Devices, Modifications, announce
from movielens_recsys.cli.experiment.one_step import IdOrTemplate, NewExperiment, NewName
from movielens_recsys.cli.output import Json, echo, emit, err_console, warn
from movielens_recsys.errors import ExperimentError, RecsysError, SourceError, UsageError

if TYPE_CHECKING:
    from movielens_recsys.runs.run import Run
    from movielens_recsys.settings import Settings

_RECSYS = (sys.executable, "-m", "movielens_recsys")
_PATIENT = "--wait-for-data"


def auto(
    id: IdOrTemplate = "",
    data: Data = "",
    name: NewName = "",
    modifications: Modifications = None,
    assignments: Assignments = None,
    detach: Annotated[bool, typer.Option("--detach", help="Train in the background, and return.")] = False,
    resume_all: Annotated[
        bool,
        typer.Option("--resume-all", help="Resume in the background all runs whose process died."),
    ] = False,
    devices: Devices = 1,
    cap_usd: CapUsd = None,
    wait_for_data: Annotated[
        bool,
        typer.Option(
            "--wait-for-data", help="Wait for data that cannot be reached yet, e.g. after a reboot."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Train an experiment to its end: start or resume it, and restart it after each crash.

    A template's name stands for a new experiment, unless one of that name is planned.
    """
    from movielens_recsys.runs import store
    from movielens_recsys.settings import load_settings

    if resume_all == bool(id) or (resume_all and detach):
        raise UsageError(
            "either an ID, with or without --detach, or --resume-all alone",
            next_step="for example recsys auto ID --detach",
        )
    settings = load_settings()
    if resume_all:
        _resume_all(settings, json)
        return
    request = NewExperiment(id, name, data, modifications or (), assignments or (), ())
    run_id = request.existing(settings)
    if run_id is None:
        run_id = request.create(settings)
        announce(f"created {run_id} from template {id}")
    run = store.load_run(run_id, settings)
    if run.state == "completed":
        err_console.print(f"{run.id} is completed already", highlight=False)
        _show(run.id, settings, json)
        return
    _check(run, settings, cap_usd)
    if not wait_for_data:
        _check_reachable(run, settings)
    options = ["--devices", f"{devices}", *([] if cap_usd is None else ["--cap-usd", f"{cap_usd}"])]
    if detach:
        _detach(run.id, settings, [*options, _PATIENT], json)
    else:
        _supervise(run.id, settings, options, devices, wait_for_data, json)


def _check(run: Run, settings: Settings, cap_usd: float | None) -> None:
    """Refuse an experiment that cannot be trained, before a process is started for it."""
    from movielens_recsys.runs import event_writer, store, transitions
    from movielens_recsys.runs.cost import apply_cap
    from movielens_recsys.tracking.names import trackers_for

    if run.state == "failed" and run.final:
        raise ExperimentError(
            f"experiment {run.id} has failed: {run.reason}",
            next_step=f"run a copy that avoids it: `recsys experiment clone {run.id} NEW_NAME`",
        )
    if run.state == "planned" and cap_usd is not None:
        raise UsageError(
            f"experiment {run.id} has not started",
            expected="resources.cap_usd in its modifications at creation",
        )
    transitions.check_runnable(run, resume=run.state != "planned")
    event_writer.check_free(run, settings)
    apply_cap(run, cap_usd)
    trackers_for(store.load_config(run.id, settings), settings)
    if run.state == "planned":
        from movielens_recsys.experiments.data_facts import known_facts
        from movielens_recsys.experiments.requirements import check_requirements
        from movielens_recsys.experiments.unmet_requirement import set_in_clone

        config = store.load_config(run.id, settings)
        check_requirements(config, known_facts(config, settings), set_in_clone(run.id))


def _check_reachable(run: Run, settings: Settings) -> None:
    """Refuse a run whose data cannot be reached now; it stays as it is."""
    missing = _missing_data(run, settings)
    if missing:
        raise SourceError(
            f"the data of experiment {run.id} cannot be reached: {missing}",
            next_step=f"bring them back, or wait for them: `recsys auto {run.id} --wait-for-data`",
        )


def _why_waiting(run: Run, settings: Settings, pid: int) -> str:
    """Return what a process that has just been started waits for; empty if it can go on at once."""
    missing = _missing_data(run, settings)
    return f"process {pid} waits for its data, which cannot be reached: {missing}" if missing else ""


def _missing_data(run: Run, settings: Settings) -> str:
    """Return where the data of a run would be, if they cannot be reached now; else an empty text."""
    from movielens_recsys.data.sources.location import can_be_reached
    from movielens_recsys.runs.store import load_config

    data = load_config(run.id, settings).data
    if can_be_reached(data, settings):
        return ""
    place = f"nothing at {data.path}" if data.path else f"no data set {data.name} under {settings.data}"
    was = f", they were at {run.location}" if run.location and run.location != str(data.path) else ""
    return place + was


def _start_in_background(run_id: str, settings: Settings, options: Sequence[str]) -> int:
    """Start a process that runs this command without ``--detach``, and return its process id."""
    from movielens_recsys.experiments.supervision import detach

    return detach(run_id, settings, [*_RECSYS, "auto", run_id, *options])


def _detach(run_id: str, settings: Settings, options: Sequence[str], as_json: bool) -> None:
    from movielens_recsys.cli.notifications import warn_if_no_webhook
    from movielens_recsys.experiments.supervision import LOG_NAME

    warn_if_no_webhook(settings)
    pid = _start_in_background(run_id, settings, options)
    log = settings.runs / run_id / LOG_NAME
    commands = [f"recsys watch {run_id}", f"recsys experiment show {run_id}", f"tail -f {log}"]
    lines = [f"process {pid} trains {run_id}; `kill {pid}` saves and stops it", "follow it with:"]
    lines += [f"  {command}" for command in commands]
    emit(
        {"id": run_id, "pid": pid, "log": str(log), "follow": commands},
        as_json=as_json,
        render=lambda: echo("\n".join(lines)),
    )


def _supervise(
    run_id: str, settings: Settings, options: Sequence[str], devices: int, patient: bool, as_json: bool
) -> None:
    from movielens_recsys.cli.notifications import deliver_remaining, warn_if_no_webhook
    from movielens_recsys.experiments.supervision import LOG_NAME, supervising
    from movielens_recsys.experiments.supervisor import Supervisor

    with supervising(run_id, settings, devices):
        warn_if_no_webhook(settings)
        echo = _LogEcho(settings.runs / run_id / LOG_NAME)
        command = [*_RECSYS, "experiment"]
        code = Supervisor(run_id, settings, command, options, echo.show, patient=patient).run()
    if code < 128:
        deliver_remaining(run_id, settings, patient=echo.silent)
    if code:
        raise typer.Exit(code)
    _show(run_id, settings, as_json)


class _LogEcho:
    """Copies new lines of a log to standard error, unless standard error is that log."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._log = path.open("rb")
        self._log.seek(0, os.SEEK_END)
        self.silent = os.path.sameopenfile(self._log.fileno(), 2)

    def show(self) -> None:
        """Show the new lines; after an error, for example a closed terminal, show no more."""
        if not self.silent:
            try:
                typer.echo(self._log.read(), err=True, nl=False)
            except OSError:
                self.silent = True


def _show(run_id: str, settings: Settings, as_json: bool) -> None:
    from movielens_recsys.cli.experiment.tables import print_run
    from movielens_recsys.runs import store

    run = store.load_run(run_id, settings)
    folder = store.run_folder(run_id, settings)
    emit(
        {**run.to_json(), "process_gone": False, "folder": str(folder)},
        as_json=as_json,
        render=lambda: print_run(run, store.load_config(run_id, settings), folder, False),
    )


def _resume_all(settings: Settings, as_json: bool) -> None:
    from movielens_recsys.experiments.supervision import supervisor_of, why_not_resumed
    from movielens_recsys.runs.store import load_run, load_runs

    resumed: list[dict[str, object]] = []
    not_resumed: list[dict[str, str]] = []
    failed: list[dict[str, str]] = []
    runs, errors = load_runs(settings)
    for error in errors:
        warn(f"skipped: {error}")
    for run in runs:
        record = supervisor_of(run.id, settings)
        if record is None:
            continue
        reason = why_not_resumed(run, settings)
        if not reason:
            try:
                pid = _start_in_background(run.id, settings, ["--devices", f"{record.devices}", _PATIENT])
            except RecsysError as exc:
                # Another --resume-all may have resumed it first.
                reason = why_not_resumed(load_run(run.id, settings), settings)
                if not reason:
                    failed.append({"id": run.id, "why": str(exc)})
            else:
                reason = _why_waiting(run, settings, pid)
                if not reason:
                    resumed.append({"id": run.id, "pid": pid})
        if reason:
            not_resumed.append({"id": run.id, "why": reason})
    lines = [f"resumed {run['id']}, process {run['pid']}" for run in resumed]
    lines += [f"not resumed {run['id']}: {run['why']}" for run in not_resumed]
    lines += [f"cannot resume {run['id']}: {run['why']}" for run in failed]
    emit(
        {"resumed": resumed, "left": not_resumed, "failed": failed},
        as_json=as_json,
        render=lambda: echo("\n".join(lines) or "no run needs to be resumed"),
    )
    if failed:
        raise typer.Exit(1)
