"""`recsys experiment`: most commands in this process, some as the scripts of the project's root."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from movielens_recsys.cli.main import main
from movielens_recsys.runs import store
from movielens_recsys.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent.parent
Recsys = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RECSYS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RECSYS_DATA_PATH", "")
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path / "home"


@pytest.fixture
def recsys(capsys: pytest.CaptureFixture[str]) -> Recsys:
    """Type a line; get exit code, standard output and standard error."""

    def type_line(*words: str) -> tuple[int, str, str]:
        code = main(["experiment", *words])
        return code, *capsys.readouterr()

    return type_line


@pytest.fixture
def created(recsys: Recsys) -> Callable[..., str]:
    def make(template: str, name: str, *words: str) -> str:
        code, out, err = recsys("create", template, name, *words, "--json")
        assert (code, err) == (0, "")
        return str(json.loads(out)["id"])

    return make


@pytest.fixture
def small_ratings(tmp_path: Path) -> str:
    """Modifications that put a rating file of 20 users and 10 items in place of the template's data."""
    lines = ["user,item,rating,timestamp"]
    for user in range(1, 21):
        lines += [f"{user},{item},{1 + (user * item) % 5},{10**9 + item}" for item in range(1, 11)]
    (tmp_path / "small.csv").write_text("\n".join(lines) + "\n")
    return json.dumps(
        {"data": {"path": str(tmp_path / "small.csv")}, "evaluation": {"bootstrap_samples": 100}}
    )


def script(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_plans_commands_work_verbatim(small_ratings: str) -> None:
    manager, runner = "experiments/experiment_manager.py", "experiments/run_experiment.py"
    assert script(manager, "create", "hybrid_vae_optimized", "rmse_breakthrough").returncode == 0
    modified = script(
        manager,
        "create",
        "hybrid_vae_optimized",
        "ensemble_model_1",
        "--modifications",
        '{"training": {"seed": 42}}',
    )
    assert modified.stdout.startswith("created ensemble_model_1_")
    made = script(
        manager, "create", "user_item_bias", "real", "-m", small_ratings, "--tag", "baseline", "--json"
    )
    run_id = json.loads(made.stdout)["id"]
    printed = script(runner, run_id, "--dry-run")
    assert "nothing was changed" in printed.stdout, printed.stderr
    ran = script(runner, run_id)
    assert (ran.returncode, "completed" in ran.stdout) == (0, True), ran.stderr
    listed = script(manager, "list", "--status", "completed", "--tag", "baseline", "--json")
    assert [run["id"] for run in json.loads(listed.stdout)] == [run_id]
    ids = store.run_ids(load_settings())
    compared = script(manager, "compare", *ids)
    assert (compared.returncode, "training.seed" in compared.stdout) == (0, True)


@pytest.mark.parametrize("name", ["experiment_manager.py", "run_experiment.py"])
def test_a_python_without_the_package_names_the_next_step(name: str) -> None:
    done = script("-I", "-S", f"experiments/{name}", "list")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "activate .venv, or run `make setup`" in done.stderr


def test_create_prints_the_id_and_the_next_command(recsys: Recsys) -> None:
    code, out, _ = recsys(
        "create", "quickstart", "a", "--description", "why [not]", "--tag", "x", "--tag", "y"
    )
    (run_id,) = store.run_ids(load_settings())
    assert (code, out.splitlines()) == (0, [f"created {run_id}", f"next:   recsys experiment run {run_id}"])
    _, shown, _ = recsys("show", "a")
    assert "why [not]" in shown
    assert "quickstart, x, y" in shown


def test_lists_and_searches_do_not_wrap_ids(recsys: Recsys, created: Callable[..., str]) -> None:
    first, second = created("quickstart", "first"), created("hybrid_vae_optimized", "x" * 80, "--tag", "mine")
    _, out, _ = recsys("list")
    assert all(any(run_id in line for line in out.splitlines()) for run_id in (first, second))
    assert second not in recsys("list", "--template", "quickstart")[1]
    assert first not in recsys("search", "xx", "--tag", "mine")[1]
    assert "none found" in recsys("search", "--since", "2999-01-01")[1]


def test_archived_experiments_are_searched_but_not_listed(
    recsys: Recsys, created: Callable[..., str]
) -> None:
    run_id = created("quickstart", "a")
    assert recsys("archive", "a")[:2] == (0, f"archived {run_id}\n")
    assert json.loads(recsys("list", "--json")[1]) == []
    for words in (("list", "--all"), ("list", "--status", "archived"), ("search",)):
        assert [run["id"] for run in json.loads(recsys(*words, "--json")[1])] == [run_id]


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
        (["create", "quikstart", "a"], 2, "did you mean 'quickstart'"),
        (["create", "quickstart", "a/b"], 2, "cannot be the name"),
        (["create", "quickstart", "a" * 300], 2, "(300 characters) cannot be the name"),
        (["create", "quickstart", ""], 2, "cannot be the name"),
        (["create", "quickstart", "a", "-m", "{training: 1}"], 2, "not JSON at line 1 column 2"),
        (["create", "quickstart", "a", "-m", "[]"], 2, "expected an object"),
        (["create", "quickstart", "a", "-m", '{"training": {"sed": 1}}'], 2, "did you mean 'seed'"),
        (["create", "hybrid_vae_optimized", "a", "-m", '{"training": {"swa": true}}'], 2, "training.swa"),
        (["create", "quickstart"], 2, "name"),
        (["create", "quickstart", "a", "--accept", "batchsize"], 2, "did you mean 'batch_size'"),
        (["show", "nothing"], 2, "unknown experiment 'nothing'"),
        (["run", "../../etc"], 2, "unknown experiment"),
        (["compare", "nothing"], 2, "unknown experiment"),
        (["list", "--status", "compleet"], 2, "unknown status"),
        (["search", "--where", "rmse"], 2, "cannot read the condition"),
        (["search", "--since", "soon"], 2, "not a date"),
        (["best", "--metric", "val_rsme"], 2, "did you mean 'val_rmse'"),
        (["best"], 1, "no completed run has val_rmse"),
        (["export", "--format", "xml"], 2, "unknown format"),
        (["creat"], 2, "creat"),
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


def test_templates_are_listed_with_their_descriptions(recsys: Recsys) -> None:
    answer: list[dict[str, Any]] = json.loads(recsys("templates", "--json")[1])
    assert {"quickstart", "hybrid_vae_word_for_word"} <= {row["name"] for row in answer}
    assert "quickstart" in recsys("templates")[1]


def test_an_unknown_data_set_is_refused_before_anything_is_created(recsys: Recsys, home: Path) -> None:
    code, out, err = recsys("create", "quickstart", "lost", "-m", '{"data": {"name": "ml-100"}}')
    assert (code, out) == (2, "")
    assert "did you mean 'ml-10" in err
    assert not (home / "runs").exists()


def test_export_into_a_missing_folder_is_refused(recsys: Recsys, tmp_path: Path) -> None:
    code, _, err = recsys("export", "--output", str(tmp_path / "no" / "x.csv"))
    assert code == 2
    assert str(tmp_path / "no") in err
    assert not (tmp_path / "no").exists()


def test_preflight_findings_are_warned_of_and_shown_as_accepted(recsys: Recsys) -> None:
    changes = json.dumps({"training": {"kl_weight": 0.02, "batch_size": 1024}})
    code, out, err = recsys("create", "quickstart", "bold", "-m", changes, "--accept", "batch_size")
    assert (code, out.splitlines()[0].startswith("created bold_")) == (0, True)
    assert "kl_weight 0.02 against 0.015" in err
    assert "batch_size" not in err
    code, out, err = recsys("clone", "bold", "bolder", "-m", '{"model": {"n_factors": 64}}', "--json")
    assert [row["name"] for row in json.loads(out)["findings"]] == ["kl_weight", "batch_size", "capacity"]
    assert len(err.splitlines()) == 3
    shown = recsys("show", "bold_")[1]
    assert "creation, accepted" in shown
    found = json.loads(recsys("show", "bold_", "--json")[1])["findings"]
    assert [(row["name"], row["accepted"]) for row in found] == [("kl_weight", False), ("batch_size", True)]
