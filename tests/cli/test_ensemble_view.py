"""Ensembles as text: what is not measured yet is a dash, and differences have their intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from movielens_recsys.cli.ensemble_view import print_dry_run, print_ensemble, print_ensembles
from movielens_recsys.runs.run import Run, RunMetric
from movielens_recsys.schema import RunState

PLAN = {"name": "both", "state": "unfinished", "created": "2026-11-23T12:00:00+00:00", "folder": "/a/[b]"}
ROW = {"name": "both", "state": "completed", "members": ["a", "b"], "blend": "mean"}


def test_a_list_has_a_line_for_each_ensemble(capsys: pytest.CaptureFixture[str]) -> None:
    open_one = {**ROW, "name": "x", "state": "unfinished", "val_rmse": None, "test_rmse": None}
    print_ensembles([{**ROW, "val_rmse": 0.91239, "test_rmse": 0.92}, open_one], Path("ensembles"))
    header, first, second = (line.split() for line in capsys.readouterr().out.splitlines())
    assert header == ["name", "state", "members", "blend", "val_rmse", "test_rmse"]
    assert first == ["both", "completed", "2", "mean", "0.9124", "0.9200"]
    assert second[-2:] == ["–", "–"]
    print_ensembles([], Path("here/ensembles"))
    assert "no ensembles in here/ensembles; `recsys ensemble run NAME" in capsys.readouterr().out


def test_an_unfinished_ensemble_shows_its_members_and_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    done = Run("a_1", template="quickstart", state=RunState.COMPLETED, metrics={"val_rmse": RunMetric(0.9)})
    print_ensemble(PLAN, [done, Run("b_1", template="popularity")])
    text = capsys.readouterr().out
    assert "/a/[b]" in text
    assert "0.9000" in text
    assert "resume it: recsys ensemble run both" in text
    print_ensemble({**PLAN, "state": "running"}, [done])
    assert "resume it" not in capsys.readouterr().out


def test_a_completed_ensemble_shows_what_each_member_adds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    better = {"difference": -0.01, "low": -0.02, "high": -0.001}
    member = {
        "run": "a_1",
        "weight": 0.25,
        "rmse": {"test": 0.93},
        "without": {"test": 0.94},
        "adds": {"test": better},
        "same_as": "b_1",
    }
    report: dict[str, Any] = {
        **PLAN,
        "state": "completed",
        "data": {"name": "ml-100k", "hash": "d" * 64},
        "split": {"name": "random 80/10/10", "hash": "5" * 64},
        "blend": "ridge",
        "asked_blend": "auto",
        "blends": {"ridge": {"test": 0.92}},
        "best_member": "a_1",
        "against_best": {"test": better},
        "members": [member],
        "figures": {"test_rmse": {"value": 0.92, "low": 0.9, "high": 0.94}},
        "reports": {"test": {"confidence": 0.9}},
        "gate": [],
    }
    print_ensemble(report, [])
    text = capsys.readouterr().out
    assert "Blend: ridge, the best of these on validation" in text
    assert "test: -0.0100 [-0.0200, -0.0010] compared with the best member, a_1" in text
    assert "0.9400 (-0.0100 [-0.0200, -0.0010])" in text
    assert "a_1 predicts the same ratings as b_1: one of them is enough" in text
    assert "Metrics [90% interval]" in text
    assert "0.9200 [0.9000, 0.9400]" in text


def test_a_dry_run_says_that_nothing_was_changed(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"member": "both_1", "state": "new", "template": "quickstart", "model": "hybrid_vae", "seed": 42}
    data = {"name": "ml-100k", "path": None}
    print_dry_run(
        {"name": "both", "data": data, "split": {"protocol": "random"}, "blend": "auto", "members": [row]}
    )
    text = capsys.readouterr().out
    assert "nothing was changed" in text
    assert "data ml-100k, split random, blend auto" in text
    assert "both_1" in text
    assert "42" in text
