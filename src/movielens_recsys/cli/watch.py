"""`recsys watch`: a run before one's eyes, whichever process it is in; only its folder is read."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from movielens_recsys.cli.arguments import Id
from movielens_recsys.cli.output import Json, emit

if TYPE_CHECKING:
    from rich.console import RenderableType

    from movielens_recsys.settings import Settings

SECONDS_BETWEEN_LOOKS = 1.0


def watch(
    id: Id,
    once: Annotated[bool, typer.Option("--once", help="Show how it stands now, and stop.")] = False,
    json: Json = False,
) -> None:
    """Watch a run: curves, warnings, the machine, time left and cost. Ctrl-C leaves the run alone.

    Without a terminal, and with --once or --json, it is shown once.
    """
    from rich.console import Console

    from movielens_recsys.runs import store
    from movielens_recsys.settings import load_settings

    terminal, settings = Console(), load_settings()
    window = RunView(store.find_run(id, settings), settings)
    if once or json or not terminal.is_terminal:
        emit(window.to_json(), as_json=json, render=lambda: terminal.print(window.render()))
        return
    from rich.live import Live

    try:
        with Live(window.render(), console=terminal, auto_refresh=False) as live:
            while window.goes_on:
                time.sleep(SECONDS_BETWEEN_LOOKS)
                window.look()
                live.update(window.render(), refresh=True)
    except KeyboardInterrupt:
        terminal.print("the run goes on without being watched", style="dim")


class RunView:
    """What can be seen of a run from outside; `look` again for what has changed."""

    def __init__(self, run_id: str, settings: Settings) -> None:
        from movielens_recsys.runs.store import load_config, run_folder
        from movielens_recsys.training.budget import budget_for

        self._id, self._settings = run_id, settings
        self._folder = run_folder(run_id, settings)
        self._config = load_config(run_id, settings)
        self._course = budget_for(self._config.model, self._config.training)
        self._size = -1
        self.look()

    def look(self) -> None:
        """Read the log, if it has changed, and the last sign of life."""
        from movielens_recsys.runs.events import FILE_NAME, read_events
        from movielens_recsys.runs.heartbeat import read_heartbeat
        from movielens_recsys.runs.progress import progress_of
        from movielens_recsys.runs.run import replay
        from movielens_recsys.runs.runtime import seconds_of
        from movielens_recsys.runs.writing import is_orphaned

        path = self._folder / FILE_NAME
        size = path.stat().st_size if path.exists() else 0
        if size != self._size:
            self._events, self._size = read_events(path), size
            self._run = replay(self._id, self._events)
        self._gone = is_orphaned(self._run, self._settings)
        self._beat = read_heartbeat(self._folder)
        self._run = replace(self._run, seconds=seconds_of(self._run, self._folder))
        now = datetime.now(UTC)
        self._progress = progress_of(self._run, self._events, self._course, self._beat, now)

    @property
    def goes_on(self) -> bool:
        """Whether there is anything to wait for: a run that trains, or one that has not begun."""
        return self._run.state in {"planned", "running"} and not self._gone

    def to_json(self) -> dict[str, Any]:
        """Return what is seen as plain JSON values."""
        machine = self._beat.utilization if self._beat else None
        progress = self._progress.to_json()
        return {"run": self._run.to_json(), "process_gone": self._gone, "progress": progress, "now": machine}

    def render(self) -> RenderableType:
        """Return what is seen, as wide as the terminal."""
        from movielens_recsys.cli.watch_view import view

        return view(self._run, self._config, self._progress, self._beat, gone=self._gone)
