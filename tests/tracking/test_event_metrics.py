"""Trackers show the metrics of the last start, under names that no two quantities share."""

from __future__ import annotations

from movielens_recsys.runs.events import Event
from movielens_recsys.tracking.event_metrics import count_starts, metrics_of, since_last_start


def log(*kinds: str) -> list[Event]:
    return [Event(number, "", kind, {}) for number, kind in enumerate(kinds, start=1)]


def test_utilization_has_a_mean_and_a_maximum() -> None:
    event = Event(3, "", "utilization", {"epoch": 1, "quantities": {"cpu_percent": [50, 90.5]}})
    assert metrics_of(event) == {"utilization/cpu_percent_mean": 50.0, "utilization/cpu_percent_max": 90.5}


def test_an_evaluation_is_named_by_its_part_and_left_out_where_nothing_was_measured() -> None:
    figures = {"rmse": {"value": 0.9, "low": 0.8, "high": 1.0}, "r2": {"value": None}}
    assert metrics_of(Event(9, "", "evaluated", {"part": "validation", "figures": figures})) == {
        "evaluation/val_rmse": 0.9
    }


def test_whole_numbers_and_flags_of_an_epoch_are_no_metrics() -> None:
    data = {"epoch": 2, "val_rmse": 0.95, "val_kl": None, "improved": True, "sweeps": 40}
    assert metrics_of(Event(4, "", "epoch", data)) == {"val_rmse": 0.95}
    assert metrics_of(Event(5, "", "completed", {"run_seconds": 2.0})) == {}


def test_a_resumption_continues_a_start() -> None:
    events = log("created", "started", "epoch", "failed", "started", "epoch", "stopped", "resumed", "epoch")
    assert count_starts(events) == 2
    assert [event.sequence for event in since_last_start(events)] == [5, 6, 7, 8, 9]
    planned = log("created")
    assert (count_starts(planned), since_last_start(planned)) == (0, planned)
