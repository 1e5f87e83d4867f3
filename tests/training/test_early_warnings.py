"""Each early warning comes when it should and not before, on recorded trainings and on made ones."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from movielens_recsys.errors import ConfigError
from movielens_recsys.training.early_warnings import WarningThresholds, checkpoint_age, detect, memory
from movielens_recsys.training.history import EpochMetrics

RECORDED = Path(__file__).parent / "histories"
THRESHOLDS = WarningThresholds()


def recorded(name: str) -> list[EpochMetrics]:
    return [EpochMetrics.from_json(values) for values in json.loads((RECORDED / f"{name}.json").read_text())]


def first_epochs(history: list[EpochMetrics], thresholds: WarningThresholds = THRESHOLDS) -> dict[str, int]:
    """Return each warning that comes while a training goes through ``history``, with its first epoch."""
    first: dict[str, int] = {}
    for end in range(1, len(history) + 1):
        for finding in detect(history[:end], thresholds):
            first.setdefault(finding.name, end)
    return first


def steady(epochs: int = 30) -> list[EpochMetrics]:
    """A training in which nothing is wrong."""
    return [
        EpochMetrics(
            epoch=epoch,
            train_loss=1.0 - epoch / 100,
            val_loss=1.0 - epoch / 150,
            val_mse=1.0 - epoch / 150,
            val_rmse=(1.0 - epoch / 150) ** 0.5,
            val_kl=0.4,
            learning_rate=1e-3,
            samples_per_s=1e5,
            gradient_norm=0.3,
        )
        for epoch in range(1, epochs + 1)
    ]


def changed(epochs: range, **values: float) -> list[EpochMetrics]:
    """The steady training with other figures in some of its epochs."""
    return [replace(record, **values) if record.epoch in epochs else record for record in steady()]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("quickstart_seed_0", {"loss_gap": 47}),
        ("quickstart_seed_1", {}),
        ("quickstart_seed_2", {"loss_gap": 43}),
        ("neural_cf", {"loss_gap": 19}),
        ("optimized", {"loss_gap": 9, "validation_plateau": 14}),
        ("word_for_word", {"gradient_norm": 5, "loss_gap": 6, "validation_plateau": 7}),
        ("collapsed", {"posterior_collapse": 11}),
        ("overfitting", {"loss_gap": 8, "validation_plateau": 9}),
        ("high_learning_rate", {"validation_plateau": 8}),
    ],
)
def test_recorded_trainings_get_the_expected_warnings(name: str, expected: dict[str, int]) -> None:
    assert first_epochs(recorded(name)) == expected


def test_a_good_or_empty_history_gives_no_warning() -> None:
    assert first_epochs(steady()) == {}
    assert detect([], THRESHOLDS) == []


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (changed(range(6, 31), val_rmse=0.99), {"validation_plateau": 10}),
        (changed(range(15, 31), val_rmse=0.99), {"validation_plateau": 19}),
        (changed(range(16, 31), val_rmse=0.99), {}),  # five epochs of it end at epoch 20
        (changed(range(1, 5), val_kl=1e-3), {}),
        (changed(range(1, 6), val_kl=1e-3), {"posterior_collapse": 5}),
        (changed(range(12, 31), val_kl=1e-3), {"posterior_collapse": 16}),
        (changed(range(20, 31), val_loss=0.96), {"loss_gap": 20}),
        (changed(range(3, 4), gradient_norm=11.0), {"gradient_norm": 3}),
        (changed(range(8, 9), train_loss=1.5), {"loss_spike": 8}),
        (changed(range(8, 9), samples_per_s=1e4), {}),
        (changed(range(8, 31), samples_per_s=4.9e4), {"throughput_fall": 9}),
        (changed(range(1, 3), samples_per_s=1e4), {}),
    ],
)
def test_each_warning_comes_at_its_epoch(history: list[EpochMetrics], expected: dict[str, int]) -> None:
    assert first_epochs(history) == expected


def test_models_without_a_latent_and_logs_without_a_norm_are_skipped() -> None:
    history = [replace(record, val_kl=0.0, gradient_norm=None) for record in steady()]
    assert first_epochs(history) == {}


def test_a_finding_has_value_and_threshold() -> None:
    (finding,) = detect(changed(range(3, 4), gradient_norm=12.5)[:3], THRESHOLDS)
    assert (finding.value, finding.threshold) == (12.5, 10.0)
    assert str(finding).startswith("gradient_norm 12.5 against 10: ")


def test_a_collapse_names_the_fraction_of_active_units() -> None:
    history = [replace(record, active_units=0.0625) for record in changed(range(1, 6), val_kl=1e-3)[:5]]
    (finding,) = detect(history, THRESHOLDS)
    assert "6% of its units are active" in finding.advice


@pytest.mark.parametrize("share", [None, 0.0, 0.9])
def test_memory_that_is_not_full_or_unknown_is_no_warning(share: float | None) -> None:
    assert memory(share, THRESHOLDS) is None


def test_memory_and_the_last_checkpoint_are_compared_with_their_thresholds() -> None:
    nearly_full = memory(0.93, THRESHOLDS)
    assert nearly_full is not None
    assert (nearly_full.name, nearly_full.value, nearly_full.threshold) == ("memory", 0.93, 0.9)
    assert checkpoint_age(900, THRESHOLDS) is None
    old = checkpoint_age(900.5, THRESHOLDS)
    assert old is not None
    assert (old.name, old.value, old.threshold) == ("checkpoint_age", 900.5, 900)


def test_thresholds_decide() -> None:
    strict = WarningThresholds(gradient_norm=0.2, loss_gap=0.051)
    assert first_epochs(steady(), strict) == {"gradient_norm": 1, "loss_gap": 16}
    with pytest.raises(ConfigError, match="did you mean 'loss_gap'"):
        WarningThresholds.parse({"los_gap": 0.1})


def test_the_plateau_is_measured_in_stars() -> None:
    history = changed(range(6, 31), val_rmse=0.99)
    percent = [replace(record, val_rmse=25 * record.val_rmse) for record in history]
    thresholds = WarningThresholds().in_ratings(25.0)
    assert [f.name for f in detect(percent[:10], thresholds)] == [
        f.name for f in detect(history[:10], WarningThresholds())
    ]
    assert thresholds.plateau_improvement == 25 * WarningThresholds().plateau_improvement


def test_a_record_survives_its_json_and_that_of_older_logs() -> None:
    record = steady(1)[0]
    assert EpochMetrics.from_json({**record.to_json(), "improved": True}) == record
    older = {key: value for key, value in record.to_json().items() if key != "gradient_norm"}
    assert EpochMetrics.from_json(older) == replace(record, gradient_norm=None)


def test_it_needs_no_torch() -> None:
    code = "import sys, movielens_recsys.training.early_warnings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
