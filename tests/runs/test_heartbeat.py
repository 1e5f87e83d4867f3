"""Signs of life while a run trains: beside the log, in it once per epoch, and gone when it ends."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.example_runs import epoch_record

from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import event_writer, store
from movielens_recsys.runs.events import read_events
from movielens_recsys.runs.heartbeat import FILE_NAME, Heartbeat, read_heartbeat
from movielens_recsys.settings import Settings
from movielens_recsys.training.history import EpochMetrics


def test_a_heartbeat_has_position_and_readings_and_an_epoch_their_summary(settings: Settings) -> None:
    run = store.create_run(config_from_template("quickstart", "a"), settings)
    folder = store.run_folder(run.id, settings)
    with event_writer.open_log(run.id, settings) as writer:
        with Heartbeat(folder, writer) as heartbeat:
            heartbeat.on_epoch(EpochMetrics.from_json(epoch_record(1)), improved=True)
            assert heartbeat.memory_share() is None
            heartbeat.on_step(2, 30, 100)
            while read_heartbeat(folder) is None:
                time.sleep(0.02)
            beat = read_heartbeat(folder)
            assert beat is not None
            assert (beat.epoch, beat.step, beat.steps) == (2, 30, 100)
            assert heartbeat.memory_share() == beat.utilization["memory_share"]
            heartbeat.on_epoch(EpochMetrics.from_json(epoch_record(2)), improved=True)
            heartbeat.on_epoch(EpochMetrics.from_json(epoch_record(3)), improved=True)
            assert heartbeat.memory_share() is not None
        assert not (folder / FILE_NAME).exists()
    (event,) = [event for event in read_events(folder / "events.jsonl") if event.kind == "utilization"]
    assert event.data["epoch"] == 2
    assert event.data["quantities"]["process_memory_bytes"][1] > 0
    assert store.load_run(run.id, settings).utilization == (event.data,)


def test_a_folder_that_cannot_be_written_does_not_disturb_the_run(settings: Settings, tmp_path: Path) -> None:
    run = store.create_run(config_from_template("quickstart", "a"), settings)
    with event_writer.open_log(run.id, settings) as writer, Heartbeat(tmp_path / "gone", writer) as heartbeat:
        while heartbeat.memory_share() is None:
            time.sleep(0.02)


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"epoch": 1}', '"x"'])
def test_an_unreadable_heartbeat_is_none(content: str, tmp_path: Path) -> None:
    assert read_heartbeat(tmp_path) is None
    (tmp_path / FILE_NAME).write_text(content)
    assert read_heartbeat(tmp_path) is None
