"""Listing, searching, showing, ranking, comparing and exporting experiments."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.experiment.conftest import Recsys

from movielens_recsys.runs import store
from movielens_recsys.settings import load_settings


def test_lists_and_searches_do_not_wrap_ids(recsys: Recsys, created: Callable[..., str], home: Path) -> None:
    first, second = created("quickstart", "first"), created("hybrid_vae_optimized", "x" * 80, "--tag", "mine")
    _, out, _ = recsys("list")
    assert all(any(run_id in line for line in out.splitlines()) for run_id in (first, second))
    assert second not in recsys("list", "--template", "quickstart")[1]
    assert first not in recsys("search", "xx", "--tag", "mine")[1]
    found = recsys("search", "--since", "2999-01-01")[1]
    assert found == f"none of the 2 in {home / 'runs'}; `recsys experiment list --all` shows all\n"
    nothing = recsys("list", "--tag", "no_such")[1]
    assert nothing.startswith("no experiment has the tag 'no_such'; the tags are ")
    assert "mine" in nothing


def test_nothing_found_says_where_it_looked(recsys: Recsys, home: Path) -> None:
    for words in (("list",), ("search", "x")):
        out = recsys(*words)[1]
        assert out.startswith(f"no experiments in {home / 'runs'} (RECSYS_HOME sets the folder); `recsys ")
    assert str(home / "runs") in recsys("show", "x")[2]


@pytest.mark.usefixtures("with_store")
def test_a_run_is_shown_ranked_compared_exported_and_synchronised(
    recsys: Recsys, created: Callable[..., str], small_ratings: str, tmp_path: Path
) -> None:
    targets = {**json.loads(small_ratings), "targets": {"rmse": 9.0, "ndcg_at_10": 0.99}}
    first = created("user_item_bias", "first", "-m", json.dumps(targets))
    second = created("global_mean", "second", "-m", small_ratings)
    for run_id in (first, second):
        assert recsys("run", run_id)[0] == 0
    code, out, _ = recsys("show", "first")
    assert code == 0
    assert "Targets, checked on validation" in out
    assert "met" in out
    assert "missed" in out
    ranking = json.loads(recsys("best", "--metric", "test_rmse", "--json")[1])
    assert {run["id"] for run in ranking["runs"]} == {first, second}
    assert ranking["what"].startswith("rmse on the test part, random split ")
    assert "rmse on the test part" in recsys("best", "--metric", "test_rmse")[1]
    assert "Targets, checked on validation" in recsys("compare", "first", "second")[1]
    found = recsys("search", "--where", "val_rmse<9", "--where", "test_rmse<9", "--sort", "val_rmse")[1]
    assert first in found
    table = tmp_path / "out.csv"
    assert recsys("export", "--format", "csv", "-o", str(table))[0] == 0
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["id"] for row in rows] == [first, second]
    assert float(rows[0]["figure.test_rmse.low"]) < float(rows[0]["figure.test_rmse"])
    everything = json.loads(recsys("export", "first")[1])
    assert everything[0]["config"]["model"]["name"] == "user_item_bias"
    assert recsys("sync")[1].startswith("MLflow: 0 copied, 2 up to date")
    code, _, err = recsys("run", "first")
    assert (code, "clone" in err) == (1, True)
    copy = json.loads(recsys("clone", "first", "third", "-m", '{"training": {"seed": 3}}', "--json")[1])
    assert copy["state"] == "planned"
    assert store.load_config(copy["id"], load_settings()).targets.rmse == 9.0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["show", "nothing"], 2, "unknown experiment 'nothing'"),
        (["run", "../../etc"], 2, "unknown experiment or template"),
        (["compare", "nothing"], 2, "unknown experiment"),
        (["list", "--status", "compleet"], 2, "unknown status"),
        (["search", "--where", "rmse"], 2, "cannot read the condition"),
        (["search", "--since", "soon"], 2, "not a date"),
        (["best", "--metric", "val_rsme"], 2, "did you mean 'val_rmse'"),
        (["best"], 1, "no completed run has val_rmse"),
        (["best", "--data", "nix"], 2, "unknown data set 'nix'"),
        (["export", "--format", "xml"], 2, "unknown format"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line_and_change_nothing(
    words: list[str], code: int, message: str, recsys: Recsys, home: Path
) -> None:
    got, out, err = recsys(*words)
    assert (got, out) == (code, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert err.startswith("error: ")
    assert not home.exists()


def test_a_damaged_experiment_gives_a_warning_and_the_rest_is_listed(
    recsys: Recsys, created: Callable[..., str], home: Path
) -> None:
    good, bad = created("quickstart", "good"), created("quickstart", "bad")
    (home / "runs" / bad / "events.jsonl").write_text("x\n")
    code, out, err = recsys("list", "--json")
    assert (code, [run["id"] for run in json.loads(out)]) == (0, [good])
    assert "line 1 is not an event" in err
    assert recsys("show", "bad")[0] == 1


def test_listing_imports_neither_torch_nor_mlflow() -> None:
    program = (
        "import sys; from movielens_recsys.cli.main import main; main(['experiment', 'list']);"
        "assert not {'torch', 'mlflow', 'polars', 'scipy', 'pandera'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=dict(os.environ), capture_output=True)


def test_export_into_a_missing_folder_is_refused(recsys: Recsys, tmp_path: Path) -> None:
    code, _, err = recsys("export", "--output", str(tmp_path / "no" / "x.csv"))
    assert code == 2
    assert str(tmp_path / "no") in err
    assert not (tmp_path / "no").exists()
