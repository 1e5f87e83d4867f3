"""Experiments as text: each value under its name, and a dash where nothing was measured."""

from __future__ import annotations

import pytest

from movielens_recsys.cli.experiment.tables import (
    contingency_lines,
    metrics_table,
    print_dry_run,
    runs_table,
    targets_table,
)
from movielens_recsys.cli.output import console
from movielens_recsys.runs.run import Run, RunMetric
from movielens_recsys.schema import RunState

TARGET = {"metric": "rmse", "protocol": "random split", "target": "< 0.9"}


def shown(table: object) -> str:
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_a_line_has_the_metric_that_it_is_sorted_by() -> None:
    metrics = {"val_rmse": RunMetric(0.91239), "val_ndcg_at_10_full": RunMetric(0.25)}
    runs = [Run("a_1", state=RunState.RUNNING, metrics=metrics, tags=("x", "y")), Run("b_1")]
    header, first, second = (
        line.split() for line in shown(runs_table(runs, {"a_1"}, "val_ndcg_at_10_full")).splitlines()
    )
    assert header[3:6] == ["val_rmse", "test_rmse", "val_ndcg_at_10_full"]
    assert first[:4] == ["a_1", "running", "(process", "gone)"]
    assert first[5:8] == ["0.9124", "–", "0.2500"]
    assert first[-2:] == ["x,", "y"]
    assert second[3:6] == ["–", "–", "–"]
    assert "val_ndcg" not in shown(runs_table(runs, set(), ""))


def test_metrics_stand_in_columns_by_part_and_training_metrics_apart() -> None:
    metrics = {
        "test_rmse": RunMetric(0.92, 0.9, 0.94),
        "val_rmse": RunMetric(0.91),
        "train_loss": RunMetric(0.8),
    }
    run = Run("a", metrics=metrics, split={"name": "random"}, data={"name": "ml-100k"})
    text = shown(metrics_table(run, 0.9))
    assert "Metrics [90% interval]: random of ml-100k" in text
    (line,) = [line for line in text.splitlines() if line.strip().startswith("rmse")]
    assert line.split() == ["rmse", "0.9100", "0.9200", "[0.9000,", "0.9400]"]
    assert "loss" not in text


@pytest.mark.parametrize(("met", "word"), [(True, "met"), (False, "missed"), (None, "not measured")])
def test_a_target_shows_its_result_and_the_loss_apart(met: bool | None, word: str) -> None:
    text = shown(targets_table([{**TARGET, "validation": 0.91, "met": met, "test": None}]))
    (line,) = [line for line in text.splitlines() if line.strip().startswith("rmse")]
    assert word in line
    assert line.split()[-2:] == ["–", "–"]
    assert "val_loss is not an RMSE" in text


def test_a_contingency_shows_its_changes_or_its_commands() -> None:
    row = {"epoch": 4, "cause": "instability", "action": "lower KL weight", "commands": []}
    changes = {"kl_weight": {"old": 0.01, "new": 0.005}}
    assert contingency_lines({**row, "mode": "auto", "changes": changes}) == [
        "contingency taken at epoch 4 for instability: lower KL weight",
        "  training.kl_weight: 0.01 -> 0.005",
    ]
    suggested = contingency_lines(
        {**row, "mode": "suggest", "changes": {}, "commands": ["recsys data check x"]}
    )
    assert suggested[0].startswith("contingency suggested at epoch 4")
    assert suggested[1:] == ["  recsys data check x"]


def test_a_dry_run_shows_sizes_time_and_cost(capsys: pytest.CaptureFixture[str]) -> None:
    print_dry_run(
        {
            "id": "a_1",
            "name": "a",
            "process_gone": False,
            "state": "planned",
            "data": {"name": "ml-100k", "ratings": 100_000, "users": 943, "items": 1_682, "hash": "d" * 64},
            "split": {"name": "random", "train": 8, "validation": 1, "test": 1, "hash": "5" * 64},
            "model": {"name": "hybrid_vae"},
            "parameters": 1_234_567,
            "epochs_at_most": 50,
            "steps_an_epoch": 40,
            "seconds_at_most": 125.4,
            "usd_at_most": 1.5,
            "notices": ["it learns 20 bins"],
            "targets": {"rmse": 0.9},
        }
    )
    text, said = capsys.readouterr()
    assert "warning: it learns 20 bins" in said
    assert "nothing was changed" in text
    assert "1,234,567 parameters" in text
    assert "at most 50 epochs of 40 steps, about 125 s on this machine, $1.50" in text
    assert "target rmse 0.9" in text
