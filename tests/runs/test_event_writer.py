import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from movielens_recsys.errors import ExperimentError, StorageError
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import event_writer, store, transitions
from movielens_recsys.runs.event_writer import EventWriter
from movielens_recsys.runs.events import new_event, read_events
from movielens_recsys.runs.replay import replay
from movielens_recsys.runs.run import EPOCH_METRICS
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

HOLD = """
import sys, time
from pathlib import Path
from movielens_recsys.runs import transitions, store, event_writer
from movielens_recsys.settings import Settings

settings = Settings(home=Path(sys.argv[1]))
with event_writer.open_log(sys.argv[2], settings) as writer:
    transitions.start_run(store.load_run(sys.argv[2], settings), writer, {})
    print("running", flush=True)
    time.sleep(600)
"""

CREATED = {
    "name": "a",
    "template": "quickstart",
    "description": "",
    "tags": [],
    "model": "hybrid_vae",
    "config_hash": "",
}
EPOCH = {**dict.fromkeys(EPOCH_METRICS, 0.95), "epoch": 1, "improved": True}


def test_two_processes_cannot_run_one_experiment(settings: Settings) -> None:
    run = store.create_run(config_from_template("user_item_bias", "contested"), settings)
    command = [sys.executable, "-c", HOLD, str(settings.home), run.id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "running\n"
        with (
            pytest.raises(ExperimentError, match="run by another process"),
            event_writer.open_log(run.id, settings),
        ):
            pass
        with pytest.raises(ExperimentError, match="run by another process"):
            transitions.archive_run(run.id, settings)
        running = store.load_run(run.id, settings)
        assert running.state is RunState.RUNNING
        assert not event_writer.is_orphaned(running, settings)
        holder.kill()
    assert event_writer.is_orphaned(store.load_run(run.id, settings), settings)
    with event_writer.open_log(run.id, settings) as writer:
        transitions.start_run(writer.run, writer, {})
    assert store.load_run(run.id, settings).attempts == 2


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(new_event(1, "created", CREATED).to_line())
    return path


def test_events_come_back_in_order_with_their_data(log: Path) -> None:
    with EventWriter(log) as writer:
        writer.append("epoch", EPOCH)
        writer.append("failed", {"reason": "é\n\u2028"})
    events = read_events(log)
    assert [(event.sequence, event.kind) for event in events] == [(1, "created"), (2, "epoch"), (3, "failed")]
    assert events[1].data == EPOCH
    assert events[2].data == {"reason": "é\n\u2028"}
    assert events[0].time <= events[1].time <= events[2].time


def test_a_number_that_is_not_finite_becomes_null(log: Path) -> None:
    with EventWriter(log) as writer:
        writer.append("gate", {"targets": (float("nan"), {"inner": float("inf")})})
        assert writer.events == read_events(log), "the writer knows what a reader does"
    assert json.loads(log.read_text().splitlines()[1])["data"] == {"targets": [None, {"inner": None}]}


@pytest.mark.parametrize("torn", [b'{"sequence":2,"ti', b"{", b"\x00\x00\x00"])
def test_a_torn_last_line_is_dropped_by_readers_and_removed_by_the_next_writer(
    log: Path, torn: bytes
) -> None:
    with log.open("ab") as file:
        file.write(torn)
    assert len(read_events(log)) == 1
    with EventWriter(log) as writer:
        writer.append("started", {})
    assert [event.kind for event in read_events(log)] == ["created", "started"]


def test_a_full_disk_is_an_error_and_leaves_the_log_as_it_was(log: Path) -> None:
    program = textwrap.dedent(
        """
        import resource, signal, sys
        from pathlib import Path
        from movielens_recsys.errors import StorageError
        from movielens_recsys.runs.event_writer import EventWriter

        path = Path(sys.argv[1])
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with EventWriter(path) as writer:
            writer.append("started", {})
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50, resource.RLIM_INFINITY))
            try:
                writer.append("epoch", {"padding": "x" * 200})
            except StorageError as error:
                print(error)
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            writer.append("completed", {})
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(log)], capture_output=True, text=True, check=True, env=os.environ
    )
    assert "cannot write" in done.stdout
    assert [event.kind for event in read_events(log)] == ["created", "started", "completed"]


def test_a_log_that_cannot_be_written_is_a_storage_error(log: Path) -> None:
    log.chmod(0o444)
    if os.access(log, os.W_OK):
        pytest.skip("this user may write read-only files")
    with pytest.raises(StorageError, match="cannot write"):
        EventWriter(log)


def append(log: Path) -> None:
    with EventWriter(log) as another:
        another.append("resumed", {})


def restore_a_copy(log: Path) -> None:
    content = log.read_bytes()
    log.unlink()
    log.write_bytes(content)


@pytest.mark.parametrize("take_over", [append, restore_a_copy, Path.unlink])
def test_a_log_that_was_taken_over_is_left_alone(take_over: Callable[[Path], None], log: Path) -> None:
    with EventWriter(log) as writer:
        writer.append("started", {})
        writer.ensure_owner()
        take_over(log)
        before = log.read_bytes() if log.exists() else None
        for intrude in (writer.ensure_owner, lambda: writer.append("epoch", {})):
            with pytest.raises(ExperimentError, match="taken over by another process"):
                intrude()
        assert (log.read_bytes() if log.exists() else None) == before


def test_the_writer_keeps_the_state_that_its_log_replays_to(log: Path) -> None:
    with EventWriter(log, run_seconds=lambda: 2.5) as writer:
        planned = writer.run
        writer.append("started", {})
        writer.append("failed", {"reason": "it broke", "loss": float("nan")})
        assert writer.run == replay(log.parent.name, read_events(log))
    assert (planned.state, planned.seconds) == (RunState.PLANNED, 0.0), "an earlier state stays as it was"
    assert (writer.run.state, writer.run.reason, writer.run.seconds) == (RunState.FAILED, "it broke", 2.5)
