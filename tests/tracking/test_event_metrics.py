"""Trackers show the metrics of the last start, under names that no two quantities share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from movielens_recsys.runs.events import Event
from movielens_recsys.tracking.event_metrics import count_starts, metrics_of, since_last_start, time_span


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


def at(hour: int, kind: str, **data: Any) -> Event:
    return Event(1, f"2026-11-23T{hour:02}:00:00+00:00", kind, data)


CREATED, STARTED = at(8, "created"), at(12, "started", run_seconds=0.5)


@pytest.mark.parametrize(
    ("events", "hour", "seconds"),
    [
        ([CREATED], 8, 0.0),
        ([CREATED, at(9, "archived")], 8, 0.0),
        ([CREATED, STARTED, at(13, "completed", run_seconds=4.0)], 12, 3.5),
        ([CREATED, STARTED, at(7, "completed", run_seconds=4.0)], 12, 3.5),
        ([CREATED, STARTED, at(13, "stopped", run_seconds=4.0), at(20, "resumed", run_seconds=4.0),
          at(21, "completed", run_seconds=6.0)], 12, 5.5),
        ([CREATED, STARTED, at(13, "failed", run_seconds=9.0), at(14, "started", run_seconds=9.0),
          at(15, "completed", run_seconds=10.0)], 14, 1.0),
        ([CREATED, at(12, "started"), at(13, "completed"), at(20, "archived")], 12, 3600.0),
        ([CREATED, at(12, "started"), at(7, "completed")], 12, 0.0),
    ],
    ids=["planned", "archived", "once", "clock back", "resumed", "over", "no meter", "no meter, back"],
)  # fmt: skip
def test_a_run_begins_at_its_last_start_and_lasts_as_long_as_it_was_worked_on(
    events: list[Event], hour: int, seconds: float
) -> None:
    began, ended = time_span(events)
    assert datetime.fromtimestamp(began, UTC).hour == hour
    assert ended - began == seconds
