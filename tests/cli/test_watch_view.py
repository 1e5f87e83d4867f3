"""The view of a run: its parts in every state, the newest warnings, and time and cost in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console
from tests.example_runs import epoch_record

from movielens_recsys.cli.watch_view import WARNINGS_SHOWN, describe_seconds, run_panel
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs.heartbeat import HeartbeatRecord
from movielens_recsys.runs.progress import Progress
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState

CONFIG = config_from_template("quickstart", "demo")


def view(run: Run, *, gone: bool = False, heartbeat: HeartbeatRecord | None = None, **progress: Any) -> str:
    console = Console(width=120, force_terminal=False)
    position = Progress(epochs_done=len(run.history), epochs=60, step=0, steps=0, waited=0, patience=None)
    with console.capture() as capture:
        console.print(run_panel(run, CONFIG, replace(position, **progress), heartbeat, gone=gone))
    return capture.get()


def running(**fields: Any) -> Run:
    history = tuple(epoch_record(epoch) for epoch in (1, 2, 3))
    return Run("demo_1", state=RunState.RUNNING, attempts=1, history=history, **fields)


def test_a_planned_run_has_neither_progress_nor_curves() -> None:
    lines = view(Run("demo_1")).splitlines()
    assert len(lines) == 2
    assert "recsys experiment run demo_1" in lines[1]


@pytest.mark.parametrize(
    ("state", "gone", "words"),
    [
        (RunState.RUNNING, True, ["its process is gone", "resume it: "]),
        (RunState.STOPPED, False, ["stopped", "resume it: "]),
        (RunState.COMPLETED, False, ["completed", "recsys experiment show demo_1"]),
        (RunState.FAILED, False, ["failed", "out of disk", "recsys experiment show demo_1"]),
    ],
)
def test_the_next_step_is_that_of_the_state(state: RunState, gone: bool, words: list[str]) -> None:
    reason = "out of disk" if state is RunState.FAILED else ""
    text = view(Run("demo_1", state=state, attempts=1, reason=reason), gone=gone)
    for word in words:
        assert word in text


def test_the_time_left_has_two_ends_and_silence_is_said() -> None:
    text = view(running(), left_at_most_s=3725.0, left_if_no_better_s=59.0, silent_s=11.0)
    assert "at most 1:02:05 of training left; 59 s if no further epoch improves" in text
    assert "last heartbeat 11 s ago" in text
    same = view(running(), left_at_most_s=59.0, left_if_no_better_s=59.0, silent_s=2.0)
    assert "if no further epoch" not in same
    assert "heartbeat" not in same


def test_curves_name_the_lowest_value_and_its_epoch() -> None:
    text = view(running())
    assert "val_rmse  last 0.9970, lowest 0.9970 at epoch 3  in ratings" in text
    assert "× KL, not an RMSE" in text
    without_kl = tuple({**record, "val_kl": 0.0} for record in running().history)
    assert "MSE, not an RMSE" in view(replace(running(), history=without_kl))


def test_the_newest_warnings_are_shown_in_the_order_of_their_epochs() -> None:
    finding = {"name": "loss_gap", "value": 0.2, "threshold": 0.15, "advice": "rest"}
    findings = tuple({**finding, "epoch": epoch} for epoch in range(1, WARNINGS_SHOWN + 2))
    taken = {"epoch": 2.5, "cause": "instability", "action": "half the learning rate", "mode": "auto"}
    preflight = {**finding, "name": "capacity", "accepted": True}
    text = view(running(findings=(preflight, *findings), contingencies=(taken,)))
    shown = [line for line in text.splitlines() if line.startswith("epoch ")]
    assert len(shown) == WARNINGS_SHOWN
    assert shown[0] == "epoch 2.5: instability: half the learning rate (taken)"
    assert shown[-1] == f"epoch {WARNINGS_SHOWN + 1}: loss_gap 0.2 against 0.15: rest"
    assert "capacity" not in text


def test_hardware_is_that_of_the_last_heartbeat_or_the_mean_of_the_run() -> None:
    events = ({"epoch": 1, "readings": 2, "quantities": {"cpu_percent": [50.0, 90.0]}},)
    assert "machine, mean: " in view(running(utilization=events))
    heartbeat = HeartbeatRecord("2026-11-23T12:00:00+00:00", 4, 1, 2, {"cpu_percent": 71.0})
    now = view(running(utilization=events), heartbeat=heartbeat)
    assert "machine, now: " in now
    assert "71 %" in now


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (60, "0:01:00"), (86_400.2, "1 day, 0:00:00")]
)
def test_durations_are_words(seconds: float, text: str) -> None:
    assert describe_seconds(seconds) == text
