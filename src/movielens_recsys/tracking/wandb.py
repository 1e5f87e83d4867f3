"""`WandbTracker`: a copy of a run in Weights & Biases, over the network or, without a key, as local files.

The library is configured to send metrics and nothing else: it captures no console, code, git state or machine
name, sends no reports of its own errors, and runs in a separate process (`worker`).

The id in W&B is the run's id, and W&B's steps are the sequence numbers of events, so that an event sent twice
is stored once: the server says which step a run has reached, and earlier steps are skipped. `wandb.json` in
the run's folder says what is complete, and is the lock of the sync. An offline copy is written anew each
time, so that one folder always holds the whole run.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from movielens_recsys.errors import TrackingError
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.events import FILE_NAME, Event, read_events
from movielens_recsys.runs.replay import replay
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.store import load_config, run_folder
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings
from movielens_recsys.tracking import wandb_state
from movielens_recsys.tracking.event_metrics import count_starts, metrics_of, since_last_start
from movielens_recsys.tracking.wandb_state import SyncLock, SyncState

PATIENCE_S = 20.0
_FOLDER_PATTERN = r"(offline-)?run-\d{8}_\d{6}-"
_RESUMABLE = {RunState.RUNNING, RunState.STOPPED}


class WandbTracker:
    """Weights & Biases, online if the environment has a key, else offline.

    Parameters
    ----------
    settings
        Where runs are stored, and the key.
    patience_s
        How long to wait for the server when a sync begins, and again when it is closed.

    Raises
    ------
    TrackingError
        The library is not installed.
    """

    def __init__(self, settings: Settings, patience_s: float = PATIENCE_S) -> None:
        self._settings, self._patience_s = settings, patience_s
        self._mode = settings.wandb_copies()
        self.notice = _offline_notice(settings) if self._mode == "offline" else ""
        self._wandb = _load_library(settings)
        self._open: _OpenCopy | None = None

    def sync(self, run_id: str) -> bool:
        """Bring the copy of a run up to date, and return whether anything was new.

        An experiment that has not started, or has no W&B project, has no copy there; where W&B is switched
        off, none has.
        """
        events = read_events(run_folder(run_id, self._settings) / FILE_NAME)
        config, key = load_config(run_id, self._settings), _key(run_id, events)
        if self._mode == "off" or not config.tracking.wandb_project or not count_starts(events):
            return False
        try:
            if self._open is not None and self._open.key != key:
                self.close()
            if self._open is None:
                lock = SyncLock(run_folder(run_id, self._settings) / wandb_state.FILE_NAME)
                if self._is_complete(lock.state, key, len(events)):
                    lock.close()
                    return False
                self._open = _OpenCopy(run_id, key, lock)
                self._begin(replay(run_id, events), config)
            return self._open.send(events)
        except Exception as exc:  # the library raises its own errors, asyncio's and the system's
            raise self._failure(exc) from exc

    def close(self) -> None:
        """Return once everything sent has arrived; only then is it recorded as synced."""
        if self._open is None:
            return
        try:
            self._open.finish(self._mode)
        except Exception as exc:
            raise self._failure(exc) from exc
        if self._mode == "online":
            self._remove_files(self._open.key)
        self._open = None

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

    def _is_complete(self, state: SyncState, key: str, sequence: int) -> bool:
        """Whether these events are synced already, as the local record says; the server is not contacted."""
        if state.key != key or state.sequence < sequence:
            return False
        return state.mode == "online" or (self._mode == "offline" and bool(self._files(key)))

    def _files(self, key: str) -> list[Path]:
        pattern = re.compile(_FOLDER_PATTERN + re.escape(key))
        return [path for path in self._settings.wandb.glob("*run-*") if pattern.fullmatch(path.name)]

    def _remove_files(self, key: str) -> None:
        """Remove the files of earlier copies of the run; each copy is complete in itself."""
        for path in self._files(key):
            shutil.rmtree(path, ignore_errors=True)

    def _failure(self, exc: Exception) -> TrackingError:
        """Abandon the sync and return the error to raise, which does not contain the key."""
        if self._open is not None:
            self._open.lock.close()
            self._open = None
            with suppress(Exception):
                self._wandb.teardown()
        if isinstance(exc, TrackingError):
            return exc
        reason = " ".join(f"{type(exc).__name__}: {exc}".split())
        key = self._settings.wandb_api_key.get_secret_value()
        return TrackingError(
            f"syncing to W&B failed ({reason.replace(key, '***') if key else reason})"[:300],
            next_step="nothing is lost: run `recsys experiment sync` later",
        )


class _OpenCopy:
    """One run while it is synced: the library's run object, and how many events were sent."""

    def __init__(self, run_id: str, key: str, lock: SyncLock) -> None:
        self.key, self.lock = key, lock
        self.run: Any = None
        self._run_id = run_id
        self._events: Sequence[Event] = ()
        self._n_sent = 0

    def send(self, events: Sequence[Event]) -> bool:
        """Send the new events, and return whether there were any."""
        new = [event for event in since_last_start(events) if event.sequence > self._n_sent]
        for event in new:
            values = metrics_of(event)
            if event.kind == "data":
                hashes = {f"{name}_hash": event.data[name]["hash"] for name in ("data", "split")}
                self.run.config.update(hashes, allow_val_change=True)
            elif event.kind == "evaluated":
                self.run.summary.update(values)
            elif values:
                times = {"_timestamp": datetime.fromisoformat(event.time).timestamp()}
                self.run.log({"epoch": event.data["epoch"], **times, **values}, step=event.sequence)
        if new:
            self._events, self._n_sent = events, len(events)
            self.run.summary.update(_summary(replay(self._run_id, events)))
        return bool(new)

    def finish(self, mode: str) -> None:
        """Wait until everything has arrived, and record it as synced."""
        state = replay(self._run_id, self._events).state
        if state in _RESUMABLE:
            self.run.mark_preempting()
        self.run.finish(exit_code=int(state in {RunState.FAILED, *_RESUMABLE}))
        self.lock.write(SyncState(self.key, self._n_sent, mode))
        self.lock.close()


def _summary(run: Run) -> dict[str, Any]:
    """Return the summary columns of a run in W&B's table of runs."""
    return {
        "recsys/state": run.state.value,
        "recsys/attempts": run.attempts,
        "recsys/seconds": run.seconds,
        "recsys/best_epoch": run.best_epoch,
        "recsys/warnings": ", ".join(finding["name"] for finding in run.findings),
        "recsys/reason": run.reason,
    }


def _key(run_id: str, events: Sequence[Event]) -> str:
    """Return the id in W&B: the run's id, with a number appended if the run was started more than once."""
    number = count_starts(events)
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
            "the experiment has a W&B project (tracking.wandb_project), but wandb is not installed",
            next_step="pip install 'movielens-recsys[wandb]', then `recsys experiment sync`",
        ) from exc
    return wandb


def _offline_notice(settings: Settings) -> str:
    has_key = settings.wandb_api_key.get_secret_value()
    why = f"WANDB_MODE is {settings.wandb_mode.strip()}" if has_key else "WANDB_API_KEY is not set"
    return (
        f"{why}: the W&B copy stays in {settings.wandb}; to upload it, set the key and run "
        "`recsys experiment sync`, or `wandb sync` on that folder"
    )
