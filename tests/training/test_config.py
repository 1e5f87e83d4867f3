"""Values of training that exclude each other, and the rows of a step."""

from __future__ import annotations

from typing import Any

import pytest

from movielens_recsys.errors import ConfigError
from movielens_recsys.training.config import TrainingConfig


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"swa": {}, "ema": {}}, "swa and ema are both set; expected at most one"),
        ({"kl_weight": 0.01, "kl_annealing": {"beta_min": 0.02}}, "beta_min 0.02 is above kl_weight 0.01"),
        ({"batch_fraction": 0.6}, "batch_fraction"),
        ({"micro_batch_size": 1}, "micro_batch_size"),
        ({"loss_spike": 1.0}, "loss_spike"),
        ({"swa": {"start": 1.0}}, "swa.start"),
    ],
)
def test_what_no_training_could_do_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainingConfig.parse(values)


def test_an_annealing_may_begin_at_its_end() -> None:
    assert TrainingConfig.parse({"kl_weight": 0.02, "kl_annealing": {"beta_min": 0.02}}).kl_annealing


@pytest.mark.parametrize(("fraction", "rows"), [(None, 64), (0.1, 101), (0.5, 501), (1e-9, 1)])
def test_a_fraction_of_the_rows_is_rounded_up(fraction: float | None, rows: int) -> None:
    assert TrainingConfig(batch_size=64, batch_fraction=fraction).batch_rows(1_001) == rows
