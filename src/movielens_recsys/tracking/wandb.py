"""A copy of a run in Weights & Biases, over the network or, without a key, as files here.

The library is told to do nothing but carry figures: it captures no console, no code, no git state, no
machine's name, sends no reports of its own errors, and it runs in a process of its own (`follow`).

The run's id follows from ours and W&B's steps are our events, so that what is handed over twice is there
once: the server says which step a run has reached, and earlier ones are passed over. What is complete stands
in `wandb.json` in the run's folder, which also is the lock of the copy. Offline, a copy is made
anew, so that there is always one folder with the whole run in it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from movielens_recsys.errors import TrackingError
from movielens_recsys.files import overwrite_durably
from movielens_recsys.locks import acquire
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.events import FILE_NAME, Event, read_events
from movielens_recsys.runs.run import Run, replay
from movielens_recsys.runs.store import load_config, run_folder
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.tracker import metrics_of, since_last_start, starts

MARK_NAME = "wandb.json"
PATIENCE_S = 20.0
_FOLDER = r"(offline-)?run-\d{8}_\d{6}-"
_TO_BE_RESUMED = {RunState.RUNNING, RunState.STOPPED}


class WandbTracker:
    """Weights & Biases, as the environment says: online with a key, else offline.

    Parameters
    ----------
    settings
        Where runs lie, and the key.
    patience_s
        How long to wait for the server when a copy is begun, and again when it is closed.

    Raises
    ------
    TrackingError
        The library is not installed.
    """

    def __init__(self, settings: Settings, patience_s: float = PATIENCE_S) -> None:
        self._settings, self._patience_s = settings, patience_s
        self.notice = "" if settings.wandb_online else _offline_notice(settings)
        self._wandb = _load_library(settings)
        self._open: _OpenCopy | None = None

    def sync(self, run_id: str) -> bool:
        """Bring the copy of a run up to date, and return whether anything was new.

        An experiment that has not begun, or does not ask for W&B, has no copy there.
        """
        events = read_events(run_folder(run_id, self._settings) / FILE_NAME)
        config, key = load_config(run_id, self._settings), _key(run_id, events)
        if not config.tracking.wandb_project or not starts(events):
            return False
        try:
            if self._open is not None and self._open.key != key:
                self.close()
            if self._open is None:
                mark = SyncLock(run_folder(run_id, self._settings) / MARK_NAME)
                if self._is_complete(mark.done, key, len(events)):
                    mark.close()
                    return False
                self._open = _OpenCopy(run_id, key, mark)
                self._begin(replay(run_id, events), config)
            return self._open.take(events)
        except Exception as exc:  # the library raises its own errors, asyncio's and the system's
            raise self._failure(exc) from exc

    def close(self) -> None:
        """Return once all that was handed over has arrived; only then is it marked as copied."""
        if self._open is None:
            return
        try:
            self._open.finish(self._mode)
        except Exception as exc:
            raise self._failure(exc) from exc
        if self._settings.wandb_online:
            self._remove_files(self._open.key)
        self._open = None

    @property
    def _mode(self) -> str:
        return "online" if self._settings.wandb_online else "offline"

    def _begin(self, run: Run, config: ExperimentConfig) -> None:
        assert self._open is not None
        self._remove_files(self._open.key)
        self._settings.home.mkdir(parents=True, exist_ok=True)
        self._open.run = self._wandb.init(
            project=config.tracking.wandb_project,
            entity=config.tracking.wandb_entity,
            id=self._open.key,
            resume="allow",
            name=run.id,
            notes=run.description or None,
            tags=run.tags,
            config={**config.model_dump(mode="json", exclude={"tracking"}), "config_hash": run.config_hash},
            mode=self._mode,
            dir=str(self._settings.home.resolve()),
            settings=self._wandb.Settings(
                api_key=self._settings.wandb_api_key.get_secret_value() or None,
                console="off",
                disable_code=True,
                disable_git=True,
                disable_job_creation=True,
                finish_timeout=self._patience_s,
                finish_timeout_raises=True,
                init_timeout=self._patience_s,
                login_timeout=self._patience_s,
                program="recsys",
                save_code=False,
                silent=True,
                stop_fn=lambda: None,
                symlink=False,
                x_disable_machine_info=True,
                x_disable_meta=True,
                x_disable_stats=True,
                x_disable_viewer=True,
                x_save_requirements=False,
            ),
        )
        self._open.run.define_metric("*", step_metric="epoch")

    def _is_complete(self, done: SyncState, key: str, sequence: int) -> bool:
        """Whether these events are where they should be; of what was sent, the server is asked nothing."""
        if done.key != key or done.sequence < sequence:
            return False
        return done.mode == "online" or (self._mode == "offline" and bool(self._files(key)))

    def _files(self, key: str) -> list[Path]:
        pattern = re.compile(_FOLDER + re.escape(key))
        return [path for path in self._settings.wandb.glob("*run-*") if pattern.fullmatch(path.name)]

    def _remove_files(self, key: str) -> None:
        """Remove what earlier copies of the run left here; each copy is complete."""
        for path in self._files(key):
            shutil.rmtree(path, ignore_errors=True)

    def _failure(self, exc: Exception) -> TrackingError:
        """Give the copy up and return the error to raise, which quotes no key."""
        if self._open is not None:
            self._open.mark.close()
            self._open = None
            with suppress(Exception):
                self._wandb.teardown()
        if isinstance(exc, TrackingError):
            return exc
        reason = " ".join(f"{type(exc).__name__}: {exc}".split())
        key = self._settings.wandb_api_key.get_secret_value()
        return TrackingError(
            f"the copy to W&B failed ({reason.replace(key, '***') if key else reason})"[:300],
            next_step="nothing is lost: `recsys experiment sync` copies it later",
        )


class _OpenCopy:
    """One run while it is being copied: the library's run, and how many events it was given."""

    def __init__(self, run_id: str, key: str, mark: SyncLock) -> None:
        self.key, self.mark = key, mark
        self.run: Any = None
        self._run_id = run_id
        self._events: Sequence[Event] = ()
        self._taken = 0

    def take(self, events: Sequence[Event]) -> bool:
        """Hand over what is new, and return whether anything was."""
        new = [event for event in since_last_start(events) if event.sequence > self._taken]
        for event in new:
            values = metrics_of(event)
            if event.kind == "data":
                hashes = {f"{name}_hash": event.data[name]["hash"] for name in ("data", "split")}
                self.run.config.update(hashes, allow_val_change=True)
            elif event.kind == "evaluated":
                self.run.summary.update(values)
            elif values:
                self.run.log({"epoch": event.data["epoch"], **values}, step=event.sequence)
        if new:
            self._events, self._taken = events, len(events)
            self.run.summary.update(_summary(replay(self._run_id, events)))
        return bool(new)

    def finish(self, mode: str) -> None:
        """Wait until all has arrived, and mark it."""
        state = replay(self._run_id, self._events).state
        if state in _TO_BE_RESUMED:
            self.run.mark_preempting()
        self.run.finish(exit_code=int(state in {RunState.FAILED, *_TO_BE_RESUMED}))
        self.mark.write(SyncState(self.key, self._taken, mode))
        self.mark.close()


def _summary(run: Run) -> dict[str, Any]:
    """Return what stands beside a run in W&B's table of runs."""
    return {
        "recsys/state": run.state.value,
        "recsys/attempts": run.attempts,
        "recsys/best_epoch": run.best_epoch,
        "recsys/warnings": ", ".join(finding["name"] for finding in run.findings),
        "recsys/reason": run.reason,
    }


class SyncState(NamedTuple):
    """Which copy is complete, up to which event, and where it went."""

    key: str = ""
    sequence: int = 0
    mode: str = ""


class SyncLock:
    """How far a run was copied, in a file that its one copier holds.

    Raises
    ------
    TrackingError
        Another process copies the run, or the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as exc:
            raise TrackingError(f"cannot write {path} ({exc.strerror})") from exc
        if not acquire(self._descriptor, patience_s=0):
            self.close()
            raise TrackingError(
                f"another process copies {path.parent.name} to W&B", next_step="leave it to that one"
            )
        try:
            self.done = SyncState(**json.loads(path.read_bytes()))
        except (OSError, TypeError, ValueError):
            self.done = SyncState()

    def write(self, done: SyncState) -> None:
        """Mark what is complete; a mark that is torn counts as none, and everything is copied again."""
        overwrite_durably(self._descriptor, json.dumps(done._asdict()).encode())

    def close(self) -> None:
        """Let another process copy the run."""
        os.close(self._descriptor)


def _key(run_id: str, events: Sequence[Event]) -> str:
    """Return the id in W&B: ours, with a number behind it for a run that started over."""
    number = starts(events)
    return run_id if number <= 1 else f"{run_id}-{number}"


def _load_library(settings: Settings) -> Any:
    scratch = settings.wandb.resolve() / ".scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    os.environ |= {
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_CACHE_DIR": str(scratch),
        "WANDB_DATA_DIR": str(scratch),
    }
    try:
        import wandb
    except ImportError as exc:
        raise TrackingError(
            "W&B is asked for (tracking.wandb_project), but the package wandb is not installed",
            next_step="pip install 'movielens-recsys[wandb]', then `recsys experiment sync`",
        ) from exc
    return wandb


def _offline_notice(settings: Settings) -> str:
    why = f"WANDB_MODE is {settings.wandb_mode}" if settings.wandb_api_key else "WANDB_API_KEY is not set"
    return (
        f"{why}: the copy for W&B stays in {settings.wandb}; to send it, set the key and `recsys experiment "
        "sync`, or `wandb sync` the folder there"
    )
