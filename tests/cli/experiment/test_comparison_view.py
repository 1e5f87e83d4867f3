"""Two experiments fit one screen; ids stay whole above letters that stand for them."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from movielens_recsys.cli.experiment import comparison_view
from movielens_recsys.cli.experiment.comparison_view import print_comparison

IDS = ["hybrid_vae_attention_large_20261128_113759", "a_20261128_113801"]
NAMES = [
    f"{part}_{name}"
    for part in ("val", "test")
    for name in (
        "rmse",
        "mae",
        "r2",
        *(
            f"{metric}_at_10_{protocol}"
            for protocol in ("full", "rated")
            for metric in ("ndcg", "precision", "recall", "coverage", "hit_rate", "popularity_bias")
        ),
    )
]
RESULT: dict[str, Any] = {
    "ids": IDS,
    "states": ["completed", "completed"],
    "configuration": {"model.name": ["hybrid_vae", "ease"], "model.regularization": [None, 300.0]},
    "figures": {name: [{"value": 0.5, "low": 0.4, "high": 0.6}, None] for name in ["val_loss", *NAMES]},
    "costs": {"spent_usd": [0.0, 1.5]},
    "relevance": ["relevant: 4 or more", "relevant: 3 or more"],
    "targets": {},
    "warnings": ["the splits differ"],
}


def shown(
    monkeypatch: pytest.MonkeyPatch, width: int = 80, result: dict[str, Any] = RESULT, **options: bool
) -> list[str]:
    console = Console(width=width, force_terminal=True, color_system=None, soft_wrap=True)
    monkeypatch.setattr(comparison_view, "console", console)
    with console.capture() as capture:
        print_comparison(result, **options)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_two_runs_fit_one_screen_of_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(monkeypatch)
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert lines[:2] == [f"A  {IDS[0]}  completed", f"B  {IDS[1]}  completed"]
    words = [line.split() for line in lines]
    assert ["model.name", "hybrid_vae", "ease"] in words
    assert ["model.regularization", "–", "300.0"] in words
    assert ["test_rmse", "0.5000", "[0.4000,", "0.6000]", "–"] in words
    assert ["spent_usd", "$0", "$1.50"] in words
    names = {line[0] for line in words if line}
    assert {"val_rmse", "test_ndcg_at_10_full", "test_recall_at_10_rated"} <= names
    assert not {"val_mae", "test_r2", "test_hit_rate_at_10_full", "val_loss"} & names
    assert lines[-4:-2] == ["A: relevant: 4 or more", "B: relevant: 3 or more"]
    assert lines[-2:] == ["--all shows 20 more metrics", ""]
    assert "the splits differ" in capsys.readouterr().err


def test_all_metrics_are_shown_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {line.split()[0] for line in shown(monkeypatch, everything=True) if line}
    assert set(RESULT["figures"]) <= names


def test_a_run_without_a_test_part_shows_its_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {name: row for name, row in RESULT["figures"].items() if not name.startswith("test_")}
    names = {line.split()[0] for line in shown(monkeypatch, result={**RESULT, "figures": figures}) if line}
    assert {"val_rmse", "val_ndcg_at_10_full"} <= names


def test_many_runs_leave_out_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {name: row[:1] * 30 for name, row in RESULT["figures"].items()}
    ids, relevance = [f"run_{n}" for n in range(30)], ["relevant: 4 or more"] * 30
    many = {"ids": ids, "states": ["completed"] * 30, "figures": figures, "relevance": relevance}
    lines = shown(monkeypatch, result={**RESULT, **many, "configuration": {}, "costs": {}})
    assert lines[29] == "30  run_29  completed"
    assert not any("[0.4000" in line for line in lines)
    assert "relevant: 4 or more" in lines
