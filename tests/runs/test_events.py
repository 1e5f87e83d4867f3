import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from movielens_recsys.errors import ExperimentError, StorageError
from movielens_recsys.runs.events import EventWriter, new_event, read_events


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(new_event(1, "created", {"name": "a"}).to_line())
    return path


def test_events_come_back_in_order_with_their_data(log: Path) -> None:
    with EventWriter(log) as writer:
        writer.append("epoch", {"epoch": 1, "val_rmse": 0.95})
        writer.append("failed", {"reason": "é\n\u2028"})
    events = read_events(log)
    assert [(event.sequence, event.kind) for event in events] == [(1, "created"), (2, "epoch"), (3, "failed")]
    assert events[1].data == {"epoch": 1, "val_rmse": 0.95}
    assert events[2].data == {"reason": "é\n\u2028"}
    assert events[0].time <= events[1].time <= events[2].time


def test_a_number_that_is_no_number_becomes_null_and_the_log_stays_json(log: Path) -> None:
    with EventWriter(log) as writer:
        writer.append("epoch", {"values": (float("nan"), {"inner": float("inf")})})
        assert writer.events == read_events(log), "the writer knows what a reader does"
    assert json.loads(log.read_text().splitlines()[1])["data"] == {"values": [None, {"inner": None}]}


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


@pytest.mark.parametrize("damage", [b"not json\n", b"[1]\n", b'{"sequence":2}\n', b"\n"])
def test_a_damaged_line_in_the_middle_is_an_error_that_names_it(log: Path, damage: bytes) -> None:
    with log.open("ab") as file:
        file.write(damage + new_event(3, "started", {}).to_line())
    with pytest.raises(ExperimentError, match=r"events\.jsonl line 2"):
        read_events(log)


def test_a_missing_line_is_noticed(log: Path) -> None:
    with log.open("ab") as file:
        file.write(new_event(3, "started", {}).to_line())
    with pytest.raises(ExperimentError, match="line 2 carries sequence number 3"):
        read_events(log)


def test_a_full_disk_is_an_error_and_leaves_the_log_as_it_was(log: Path) -> None:
    program = textwrap.dedent(
        """
        import resource, signal, sys
        from pathlib import Path
        from movielens_recsys.errors import StorageError
        from movielens_recsys.runs.events import EventWriter

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


def test_a_kind_can_be_passed_over_unread_and_damage_is_still_found_at_its_line(log: Path) -> None:
    with EventWriter(log) as writer:
        writer.append("utilization", {"epoch": 1})
        writer.append("failed", {"reason": '"kind":"utilization","data":'})
    assert [event.sequence for event in read_events(log, without="utilization")] == [1, 3]
    with log.open("a") as file:
        file.write("nothing\n")
    with pytest.raises(ExperimentError, match="line 4 is not an event"):
        read_events(log, without="utilization")


def test_two_events_on_one_line_are_damage(log: Path) -> None:
    second = new_event(2, "failed", {"reason": ""}).to_line()
    log.write_bytes(log.read_bytes().rstrip(b"\n") + b"," + second)
    with pytest.raises(ExperimentError, match="line 1 is not an event"):
        read_events(log)
