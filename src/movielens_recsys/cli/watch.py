"""`recsys watch`: a live view of a run in any process; only its folder is read."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from movielens_recsys.cli.arguments import Id, find_run
from movielens_recsys.cli.output import Json, emit

if TYPE_CHECKING:
    from rich.console import RenderableType

    from movielens_recsys.settings import Settings

REFRESH_INTERVAL_S = 1.0


def watch(
    id: Id,
    once: Annotated[bool, typer.Option("--once", help="Show the current state once.")] = False,
    json: Json = False,
) -> None:
    """Watch a run: curves, warnings, hardware, time left and cost. Ctrl-C does not stop the run.

    Without a terminal, and with --once or --json, it is shown once.
    """
    from rich.console import Console

    from movielens_recsys.settings import load_settings

    terminal, settings = Console(), load_settings()
    view = RunView(find_run(id, settings), settings)
    if once or json or not terminal.is_terminal or terminal.is_dumb_terminal:
        emit(view.to_json(), as_json=json, render=lambda: terminal.print(view.render()))
        return
    from rich.live import Live

    try:
        with Live(view.render(), console=terminal, auto_refresh=False) as live:
            while view.is_active:
                time.sleep(REFRESH_INTERVAL_S)
                view.refresh()
                live.update(view.render(), refresh=True)
    except KeyboardInterrupt:
        terminal.print("the run goes on", style="dim")


class RunView:
    """The state of a run as its folder shows it; `refresh` reads it again."""

    def __init__(self, run_id: str, settings: Settings) -> None:
        from movielens_recsys.runs.store import load_config, run_folder
        from movielens_recsys.training.budget import budget_for

        self._id, self._settings = run_id, settings
        self._folder = run_folder(run_id, settings)
        self._config = load_config(run_id, settings)
        self._budget = budget_for(self._config.model, self._config.training)
        self._size = -1
        self.refresh()

    def refresh(self) -> None:
        """Read the log, if it has changed, and the last heartbeat."""
        from movielens_recsys.runs.event_writer import is_held
        from movielens_recsys.runs.events import FILE_NAME, read_events
        from movielens_recsys.runs.heartbeat import read_heartbeat
        from movielens_recsys.runs.progress import progress_of
        from movielens_recsys.runs.replay import replay
        from movielens_recsys.runs.runtime import seconds_of

        path = self._folder / FILE_NAME
        size = path.stat().st_size if path.exists() else 0
        if size != self._size:
            self._events, self._size = read_events(path), size
            self._run = replay(self._id, self._events)
        held = is_held(self._id, self._settings, patience_s=0)
        self._process_gone = self._run.state == "running" and not held
        self._heartbeat = read_heartbeat(self._folder)
        self._run = replace(self._run, seconds=seconds_of(self._run, self._folder))
        now = datetime.now(UTC)
        self._progress = progress_of(self._run, self._events, self._budget, self._heartbeat, now, held=held)

    @property
    def is_active(self) -> bool:
        """Whether a process works on the run, or it has not started yet."""
        return self._run.state == "planned" or self._progress.phase is not None

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON values."""
        utilization = self._heartbeat.utilization if self._heartbeat else None
        progress = self._progress.to_json()
        return {
            "run": self._run.to_json(),
            "process_gone": self._process_gone,
            "progress": progress,
            "now": utilization,
        }

    def render(self) -> RenderableType:
        """Return the view for a terminal of any width."""
        from movielens_recsys.cli.watch_view import run_panel

        return run_panel(self._run, self._config, self._progress, self._heartbeat, gone=self._process_gone)
