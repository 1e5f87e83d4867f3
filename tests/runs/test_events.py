from pathlib import Path

import pytest

from movielens_recsys.errors import ExperimentError
from movielens_recsys.runs.events import new_event, read_events


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(new_event(1, "created", {"name": "a"}).to_line())
    return path


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


def test_a_kind_can_be_skipped_and_damage_is_still_found_at_its_line(log: Path) -> None:
    with log.open("ab") as file:
        file.write(new_event(2, "utilization", {"epoch": 1}).to_line())
        file.write(new_event(3, "failed", {"reason": '"kind":"utilization","data":'}).to_line())
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
