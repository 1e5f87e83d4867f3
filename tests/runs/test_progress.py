"""Where a run stands, told from events at chosen moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.runs.events import Event
from movielens_recsys.runs.heartbeat import HeartbeatRecord
from movielens_recsys.runs.progress import Progress, progress_of
from movielens_recsys.runs.replay import replay
from movielens_recsys.training.budget import budget_for
from movielens_recsys.training.config import EarlyStopping, TrainingConfig

START = datetime(2026, 11, 24, tzinfo=UTC)
TRAINING = TrainingConfig(epochs=50, early_stopping=EarlyStopping(patience=8))


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


class Story:
    """Events at seconds since the start of the story."""

    def __init__(self) -> None:
        created = {"name": "a", "template": "t", "description": "", "model": "m", "config_hash": ""}
        self.events = [Event(1, at(0), "created", {**created, "tags": []})]

    def tell(self, moment: float, kind: str, /, **data: Any) -> Story:
        self.events.append(Event(len(self.events) + 1, at(moment), kind, data))
        return self

    def start(self, seconds: float, kind: str = "started") -> Story:
        self.tell(seconds, kind, attempt=1)
        return self.tell(seconds + 5, "data", data={"name": "d"}, split={})

    def epoch(self, seconds: float, number: int, *, improved: bool = True) -> Story:
        figures = dict.fromkeys(("train_loss", "val_loss", "val_mse", "val_rmse", "val_kl"), 1.0)
        return self.tell(seconds, "epoch", epoch=number, improved=improved, **figures)

    def progress(
        self, seconds: float, beat: HeartbeatRecord | None = None, training: TrainingConfig = TRAINING
    ) -> Progress:
        now = START + timedelta(seconds=seconds)
        return progress_of(
            replay("a", self.events), self.events, budget_for(HybridVAEConfig(), training), beat, now
        )


def beat(seconds: float, epoch: int, step: int) -> HeartbeatRecord:
    return HeartbeatRecord(at(seconds), epoch, step, 100, {})


def test_the_remaining_time_is_that_of_the_remaining_epochs() -> None:
    story = Story().start(0).epoch(35, 1).epoch(65, 2).tell(65, "utilization").epoch(95, 3, improved=False)
    now = story.progress(100)
    assert (now.epochs_done, now.waited, now.patience, now.seconds_an_epoch) == (3, 1, 8, 30)
    assert now.left_at_most_s == 47 * 30
    assert now.left_if_no_better_s == 7 * 30
    assert now.silent_s == 5
    within = story.progress(110, beat(109, 4, 50))
    assert (within.step, within.steps, within.share) == (50, 100, 3.5 / 50)
    assert within.left_at_most_s == 46.5 * 30
    assert within.left_if_no_better_s == 6.5 * 30
    assert within.silent_s == 1


def test_near_the_end_fewer_epochs_remain_than_patience() -> None:
    story = Story().start(0).epoch(35, 48).epoch(65, 49)
    now = story.progress(65)
    assert now.left_at_most_s == now.left_if_no_better_s == 30
    endless = TRAINING.model_copy(update={"early_stopping": None})
    assert story.progress(65, training=endless).left_if_no_better_s == 30


def test_the_first_epoch_is_estimated_from_its_steps() -> None:
    story = Story().start(0)
    assert story.progress(10).left_at_most_s is None
    now = story.progress(15, beat(15, 1, 25))
    assert now.seconds_an_epoch == 40
    assert now.left_at_most_s == pytest.approx(49.75 * 40)


def test_a_heartbeat_of_another_epoch_is_no_position() -> None:
    story = Story().start(0).epoch(35, 1).epoch(65, 2)
    assert story.progress(70, beat(64, 2, 99)).steps == 0


def test_an_interruption_is_no_long_epoch() -> None:
    story = Story().start(0).epoch(35, 1).epoch(65, 2).tell(70, "stopped", reason="x")
    stopped = story.progress(80)
    assert (stopped.epochs_done, stopped.left_at_most_s, stopped.silent_s) == (2, None, None)
    resumed = story.start(9000, "resumed").epoch(9035, 3)
    assert resumed.progress(9036).seconds_an_epoch == 30


def test_a_clock_that_was_set_back_gives_no_negative_times() -> None:
    story = Story().start(100).epoch(50, 1).epoch(20, 2)
    now = story.progress(0)
    assert (now.seconds_an_epoch, now.left_at_most_s, now.silent_s) == (None, None, 0)
