"""A tracker is opened by its name; tests/contracts/test_tracker.py opens each in its worker process."""

from __future__ import annotations

import pytest

from movielens_recsys.errors import UnknownNameError
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.mlflow import MLflowTracker
from movielens_recsys.tracking.names import MLFLOW
from movielens_recsys.tracking.opening import open_tracker


def test_opening_a_tracker_writes_nothing(settings: Settings) -> None:
    tracker = open_tracker(MLFLOW, settings)
    assert isinstance(tracker, MLflowTracker)
    tracker.close()
    assert not settings.home.exists()


def test_an_unknown_tracker_is_refused_with_the_nearest_name(settings: Settings) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'MLflow'"):
        open_tracker("MLflw", settings)
