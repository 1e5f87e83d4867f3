"""Metrics of epochs survive their JSON, in which older and newer versions may have other keys."""

from __future__ import annotations

import json

from movielens_recsys.training.history import Convergence, EpochMetrics, FitResult

FULL = EpochMetrics(3, 0.9, 0.8, 0.7, 0.84, 0.1, 1e-3, 5e4, 2.5, 0.01, 0.75, True, 120)


def test_a_record_survives_its_json() -> None:
    assert EpochMetrics.from_json(json.loads(json.dumps(FULL.to_json()))) == FULL


def test_other_keys_are_ignored_and_missing_ones_have_their_defaults() -> None:
    older = {key: value for key, value in FULL.to_json().items() if key not in {"gradient_norm", "sweeps"}}
    read = EpochMetrics.from_json({**older, "improved": True, "run_seconds": 4.5})
    assert (read.gradient_norm, read.sweeps, read.val_rmse) == (None, None, FULL.val_rmse)


def test_the_best_epoch_is_found_by_its_number() -> None:
    later = EpochMetrics.from_json({**FULL.to_json(), "epoch": 4, "val_rmse": 0.1})
    assert FitResult((FULL, later), 3, "", 1.0).best is FULL
    assert FitResult((), None, "", 1.0).best is None


def test_convergence_in_words_has_the_median_and_the_worst() -> None:
    text = str(Convergence(500, 80, 1.0021, 1.0987, 61.4, 12.6))
    assert "split R-hat of 500 predictions 1.002 in the median, 1.099 at worst" in text
    assert "80 draws" in text
    assert "61 " in text
    assert "13 at worst" in text
