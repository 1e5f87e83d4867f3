"""What tests of stopping and resuming share: a stop at a given step, and sameness bit for bit."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from movielens_recsys.models.base import Model
from movielens_recsys.training.history import FitResult

Fitted = tuple[Model, FitResult]


def after(steps: int) -> Callable[[], bool]:
    """Say stop once that many steps, or sweeps, are done."""
    counter = iter(range(1, 1_000_000))
    return lambda: next(counter) >= steps


def assert_same(resumed: Fitted, uninterrupted: Fitted) -> None:
    """Weights, histories and what was found of them, bit for bit; speed may differ."""
    for name, array in uninterrupted[0].state().items():
        np.testing.assert_array_equal(resumed[0].state()[name], array, err_msg=name)
    ours, theirs = (
        [replace(record, samples_per_s=0.0) for record in result.history]
        for result in (resumed[1], uninterrupted[1])
    )
    assert ours == theirs
    assert resumed[1].best_epoch == uninterrupted[1].best_epoch
    assert resumed[1].convergence == uninterrupted[1].convergence
