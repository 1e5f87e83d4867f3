"""`recsys auto`: an experiment trained to its end whatever happens meanwhile, or at least explained."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from movielens_recsys.cli.arguments import CapUsd, Devices
from movielens_recsys.cli.output import Json, emit, err_console, warn
from movielens_recsys.errors import ExperimentError, RecsysError, UsageError

if TYPE_CHECKING:
    from movielens_recsys.runs.run import Run
    from movielens_recsys.settings import Settings

_RECSYS = (sys.executable, "-m", "movielens_recsys")
_PLACEHOLDER = "_TIMESTAMP"


def auto(
    id: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="An experiment's id, or the only beginning of one; NAME_TIMESTAMP: the newest of that name.",
        ),
    ] = "",
    detach: Annotated[bool, typer.Option("--detach", help="Train in the background, and return.")] = False,
    resume_all: Annotated[
        bool,
        typer.Option("--resume-all", help="Take up again, in the background, all that lost its process."),
    ] = False,
    devices: Devices = 1,
    cap_usd: CapUsd = None,
    json: Json = False,
) -> None:
    """Train an experiment to its end: start it, or go on with it, again each time that its process dies."""
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
    run = _find(id, settings)
    if run.state == "completed":
        err_console.print(f"{run.id} is completed already", highlight=False)
        _show(run.id, settings, json)
        return
    _check(run, settings, cap_usd)
    options = ["--devices", f"{devices}", *([] if cap_usd is None else ["--cap-usd", f"{cap_usd}"])]
    if detach:
        _detach(run.id, settings, options, json)
    else:
        _look_after(run.id, settings, options, devices, json)


def _find(id: str, settings: Settings) -> Run:
    """Return the experiment; for ``NAME_TIMESTAMP``, as the plan writes it, the newest of that name."""
    from movielens_recsys.runs import store

    name = id.removesuffix(_PLACEHOLDER)
    ids = store.run_ids(settings)
    if name == id or id in ids:
        return store.load_run(store.find_run(id, settings), settings)
    runs = [store.load_run(run_id, settings) for run_id in ids if run_id.startswith(f"{name}_")]
    named = [run for run in runs if run.name == name and run.state != "archived"]
    if not named:
        raise UsageError(
            f"no experiment is named {name!r}",
            next_step=f"create it: `recsys experiment create TEMPLATE {name}`",
        )
    newest = max(named, key=lambda run: (run.created, run.id))
    err_console.print(f"{id} stands for {newest.id}, the newest of that name", highlight=False)
    return newest


def _check(run: Run, settings: Settings, cap_usd: float | None) -> None:
    """Refuse what cannot be trained, before a process is started for it."""
    from movielens_recsys.runs import states, writing
    from movielens_recsys.runs.cost import apply_cap

    if run.state == "failed":
        raise ExperimentError(
            f"experiment {run.id} has failed: {run.reason}",
            next_step=f"run a copy that avoids it: `recsys experiment clone {run.id} NEW_NAME`",
        )
    if run.state == "planned" and cap_usd is not None:
        raise UsageError(
            f"experiment {run.id} has not begun",
            expected="resources.cap_usd in its modifications at creation",
        )
    states.check_runnable(run, resume=run.state != "planned")
    writing.check_free(run, settings)
    apply_cap(run, cap_usd)


def _in_background(run_id: str, settings: Settings, options: Sequence[str]) -> int:
    """Start a process that does what this command does without ``--detach``, and return its id."""
    from movielens_recsys.experiments.supervision import detach

    return detach(run_id, settings, [*_RECSYS, "auto", run_id, *options])


def _detach(run_id: str, settings: Settings, options: Sequence[str], as_json: bool) -> None:
    from movielens_recsys.cli.notifications import warn_if_no_webhook
    from movielens_recsys.experiments.supervision import LOG_NAME

    warn_if_no_webhook(settings)
    pid = _in_background(run_id, settings, options)
    log = settings.runs / run_id / LOG_NAME
    follow = [f"recsys watch {run_id}", f"recsys experiment show {run_id}", f"tail -f {log}"]
    lines = [f"process {pid} looks after {run_id}; `kill {pid}` saves and stops it", "follow it with:"]
    lines += [f"  {command}" for command in follow]
    emit(
        {"id": run_id, "pid": pid, "log": str(log), "follow": follow},
        as_json=as_json,
        render=lambda: typer.echo("\n".join(lines)),
    )


def _look_after(run_id: str, settings: Settings, options: Sequence[str], devices: int, as_json: bool) -> None:
    from movielens_recsys.cli.notifications import deliver_remaining, warn_if_no_webhook
    from movielens_recsys.experiments.supervision import LOG_NAME, supervising
    from movielens_recsys.experiments.supervisor import Supervisor

    with supervising(run_id, settings, devices):
        warn_if_no_webhook(settings)
        echo = _Echo(settings.runs / run_id / LOG_NAME)
        code = Supervisor(run_id, settings, [*_RECSYS, "experiment"], options, echo.show).run()
    if code < 128:
        deliver_remaining(run_id, settings, patient=echo.silent)
    if code:
        raise typer.Exit(code)
    _show(run_id, settings, as_json)


class _Echo:
    """Shows on standard error what a log grows by, unless standard error is that log."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._log = path.open("rb")
        self._log.seek(0, os.SEEK_END)
        self.silent = os.path.sameopenfile(self._log.fileno(), 2)

    def show(self) -> None:
        """Show what is new; a terminal that was closed is shown no more."""
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
    left: list[dict[str, str]] = []
    failed: list[dict[str, str]] = []
    runs, errors = load_runs(settings)
    for error in errors:
        warn(f"left out: {error}")
    for run in runs:
        care = supervisor_of(run.id, settings)
        if care is None:
            continue
        why = why_not_resumed(run, settings)
        if not why:
            try:
                pid = _in_background(run.id, settings, ["--devices", f"{care.devices}"])
            except RecsysError as exc:
                why = why_not_resumed(
                    load_run(run.id, settings), settings
                )  # another --resume-all may have been first
                if not why:
                    failed.append({"id": run.id, "why": str(exc)})
            else:
                resumed.append({"id": run.id, "pid": pid})
        if why:
            left.append({"id": run.id, "why": why})
    lines = [f"resumed {run['id']}, process {run['pid']}" for run in resumed]
    lines += [f"left {run['id']}: {run['why']}" for run in left]
    lines += [f"cannot resume {run['id']}: {run['why']}" for run in failed]
    emit(
        {"resumed": resumed, "left": left, "failed": failed},
        as_json=as_json,
        render=lambda: typer.echo("\n".join(lines) or "no run is to be resumed"),
    )
    if failed:
        raise typer.Exit(1)
