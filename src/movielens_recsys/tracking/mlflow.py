"""`MLflowTracker`: a copy of every run in MLflow's SQLite store.

One process at a time writes to the store, under a lock of this project: MLflow's creation of a store and of
an experiment is not safe against a second creator. Each copy has the sequence number of the last synced
event as a tag, and metrics have the time of their event, so that syncing twice changes nothing and the next
sync adds what is missing. Nothing here contacts a host: MLflow's telemetry is switched off before its import.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from movielens_recsys.errors import RecsysError, TrackingError
from movielens_recsys.locks import lock
from movielens_recsys.runs.comparison import flatten
from movielens_recsys.runs.events import FILE_NAME, Event, read_events
from movielens_recsys.runs.replay import replay
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.store import load_config, run_folder
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.event_metrics import count_starts, metrics_of, since_last_start, time_span

EXPERIMENT = "movielens-recsys"
LOCK_PATIENCE_S = 30.0
_METRICS_PER_BATCH = 1000
_PARAMS_PER_BATCH = 100
_STATUS = {
    RunState.PLANNED: "SCHEDULED",
    RunState.RUNNING: "RUNNING",
    RunState.STOPPED: "KILLED",
    RunState.COMPLETED: "FINISHED",
    RunState.FAILED: "FAILED",
}


class MLflowTracker:
    """MLflow's store in the home folder, which stays open between syncs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.notice = _other_store_notice(settings)
        self._store: Any = None

    def prepare(self) -> None:
        """Create the store if there is none.

        Raises
        ------
        TrackingError
            It cannot be opened or written, or another process holds it for too long.
        """
        with self._locked_store():
            _experiment_id(self._store)

    def sync(self, run_id: str) -> bool:
        """Bring the copy of a run up to date, and return whether anything was new."""
        with self._locked_store():
            return _sync_run(run_id, self._store, _experiment_id(self._store), self._settings)

    def close(self) -> None:
        """Do nothing: everything synced is in the store."""

    @contextmanager
    def _locked_store(self) -> Iterator[None]:
        """Hold the open store alone; its errors become `TrackingError`, and the next sync opens it again."""
        path = self._settings.tracking_db
        lock_file = path.with_suffix(".lock")
        try:
            lock_file.parent.mkdir(parents=True, exist_ok=True)
            with lock(lock_file, LOCK_PATIENCE_S, create=True) as held:
                if not held:
                    raise TrackingError(
                        f"{lock_file} has been held by another process for {LOCK_PATIENCE_S:.0f} s",
                        next_step="wait for it, then `recsys experiment sync`",
                    )
                if self._store is None or not path.exists():
                    self._store = _open_store(self._settings)
                yield
        except RecsysError:
            raise
        except Exception as exc:  # MLflow, SQLAlchemy, Alembic and sqlite3 share no base class
            self._store = None
            reason = " ".join(str(exc).split())[:200]
            raise TrackingError(
                f"syncing to MLflow in {path} failed ({reason})",
                next_step="nothing is lost: repair or remove that file, then `recsys experiment sync`",
            ) from exc


def _other_store_notice(settings: Settings) -> str:
    """Return the notice for a user whose MLflow is elsewhere; empty if it is not."""
    uri, path = settings.mlflow_tracking_uri.strip(), settings.tracking_db.resolve()
    if not uri or uri.endswith(str(path)):
        return ""
    return (
        f"MLFLOW_TRACKING_URI is not used: copies for MLflow are in {path}; "
        f"to see them, mlflow ui --backend-store-uri sqlite:///{path}"
    )


def _open_store(settings: Settings) -> Any:
    _check_database(settings.tracking_db)
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    import mlflow  # noqa: F401  sets up its own logging, whose level is then raised
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return SqlAlchemyStore(  # type: ignore[no-untyped-call]
        f"sqlite:///{settings.tracking_db.resolve()}", str(settings.home.resolve() / "artifacts")
    )


def _check_database(path: Path) -> None:
    """Raise at once what MLflow raises only after two minutes of retries."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.rollback()


def _experiment_id(store: Any) -> str:
    experiment = store.get_experiment_by_name(EXPERIMENT)
    return str(experiment.experiment_id if experiment else store.create_experiment(EXPERIMENT))


def _sync_run(run_id: str, store: Any, experiment_id: str, settings: Settings) -> bool:
    events = read_events(run_folder(run_id, settings) / FILE_NAME)
    run, start = replay(run_id, events), count_starts(events)
    began, ended = (round(1000 * seconds) for seconds in time_span(events))
    copy, synced = _find_copy(store, experiment_id, run_id, start)
    if copy and synced >= len(events):
        return False
    if copy is None:
        created = store.create_run(experiment_id, "", began, _tags(run, start, 0), run.id)
        copy = str(created.info.run_id)
    if synced == 0:
        for params in _batches(_params(run_id, settings), _PARAMS_PER_BATCH):
            store.log_batch(copy, [], params, [])
    for metrics in _batches(_metrics(since_last_start(events), after=synced), _METRICS_PER_BATCH):
        store.log_batch(copy, metrics, [], [])
    if run.state in _STATUS:
        store.update_run_info(copy, _status(run.state), ended if run.ended else None, run.id)
    store.log_batch(copy, [], [], _tags(run, start, len(events)))
    return True


def _find_copy(store: Any, experiment_id: str, run_id: str, start: int) -> tuple[str | None, int]:
    """Return the copy's id and its last event's number; a copy from before the last start is deleted."""
    from mlflow.entities import ViewType

    found = store.search_runs([experiment_id], f"tags.`recsys.id` = '{run_id}'", ViewType.ACTIVE_ONLY)
    for copy in found:
        if copy.data.tags.get("recsys.start") == str(start):
            return str(copy.info.run_id), int(copy.data.tags.get("recsys.sequence", "0"))
        store.delete_run(copy.info.run_id)
    return None, 0


def _params(run_id: str, settings: Settings) -> list[Any]:
    from mlflow.entities import Param

    config = load_config(run_id, settings).model_dump(mode="json")
    return [Param(key, str(value)[:500]) for key, value in flatten(config).items()]


def _tags(run: Run, start: int, sequence: int) -> list[Any]:
    from mlflow.entities import RunTag

    values = {
        "recsys.id": run.id,
        "recsys.start": str(start),
        "recsys.sequence": str(sequence),
        "recsys.state": run.state.value,
        "recsys.seconds": f"{run.seconds:.3f}",
        "recsys.ended": run.ended,
        "recsys.template": run.template,
        "recsys.tags": ",".join(run.tags),
        "recsys.config_hash": run.config_hash,
        "recsys.data_hash": run.data.get("hash", ""),
        "recsys.split_hash": run.split.get("hash", ""),
        "mlflow.note.content": run.reason or run.description,
    }
    return [RunTag(key, value) for key, value in values.items()]


def _metrics(events: Sequence[Event], *, after: int) -> Iterator[Any]:
    from mlflow.entities import Metric

    for event in events:
        if event.sequence > after:
            timestamp, step = _milliseconds(event.time), event.data.get("epoch", 0)
            for name, value in metrics_of(event).items():
                yield Metric(name, value, timestamp, step)


def _batches(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    remaining = iter(values)
    while batch := list(islice(remaining, size)):
        yield batch


def _status(state: RunState) -> Any:
    from mlflow.entities import RunStatus

    return RunStatus.from_string(_STATUS[state])


def _milliseconds(time_iso: str) -> int:
    return int(datetime.fromisoformat(time_iso).timestamp() * 1000)
