"""`recsys experiment delete`: it asks, and minds ensembles."""

from __future__ import annotations

import io
import json

import pytest
from tests.cli.experiment.conftest import Create, Recsys

from movielens_recsys.ensembles.store import REPORT, ensemble_folder, save_plan
from movielens_recsys.runs import store
from movielens_recsys.settings import load_settings


@pytest.fixture
def run_id(recsys: Recsys, created: Create) -> str:
    """An archived experiment."""
    made = created("popularity", "old")
    assert recsys("archive", made)[0] == 0
    return made


@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 1, True), ("", 2, True), ("y\n", 0, False)])
def test_it_asks_first(
    answer: str, code: int, left: bool, run_id: str, recsys: Recsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    got, _, err = recsys("delete", "old")
    assert got == code
    assert f"Delete {run_id} with its model and report in " in err
    assert (run_id in store.run_ids(load_settings())) == left
    assert ("nothing was deleted" in err) == left
    assert ("error:" in err and "add --yes" in err) == (answer == "")


def test_yes_answers_the_question(run_id: str, recsys: Recsys) -> None:
    assert recsys("delete", "old", "--yes") == (0, f"deleted {run_id}\n", "")
    assert recsys("delete", "old", "--yes")[0] == 2


def test_only_one_archived_experiment_is_deleted(recsys: Recsys, created: Create, run_id: str) -> None:
    planned = created("popularity", "new")
    code, _, err = recsys("delete", "new", "--yes")
    assert (code, f"archive it first: `recsys experiment archive {planned}`" in err) == (1, True)
    created("popularity", "old")
    assert "2 experiments begin with 'old'" in recsys("delete", "old", "--yes")[2]
    assert len(store.run_ids(load_settings())) == 3


def test_an_open_ensemble_keeps_its_members_and_a_completed_one_does_without(
    run_id: str, recsys: Recsys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from movielens_recsys.cli.main import main

    settings = load_settings()
    save_plan("both", [run_id], "mean", [], settings)
    code, _, err = recsys("delete", run_id, "--yes")
    assert (code, "complete that first: `recsys ensemble run both`" in err) == (1, True)
    (ensemble_folder("both", settings) / REPORT).write_text("{}")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    code, _, err = recsys("delete", run_id)
    assert (code, "the ensembles both keep their own copy" in err) == (0, True)
    assert main(["ensemble", "show", "both", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["states"] == {run_id: "deleted"}
