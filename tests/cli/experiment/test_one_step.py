"""From a template to a finished run in one command, and which word stands for what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.experiment.conftest import Create, Recsys

from movielens_recsys.data.sources.user_datasets import register_dataset
from movielens_recsys.runs import event_writer, store
from movielens_recsys.settings import load_settings

QUICK = ("--set", "evaluation.bootstrap_samples=100")


@pytest.fixture
def books(small_ratings: str) -> Path:
    """A rating file that is imported as books."""
    path = Path(json.loads(small_ratings)["data"]["path"])
    register_dataset(path, "books", load_settings())
    return path


@pytest.mark.usefixtures("with_store")
def test_a_template_and_data_are_run_in_one_step(recsys: Recsys, books: Path) -> None:
    code, out, err = recsys("run", "user_item_bias", "--data", "books", *QUICK)
    (run_id,) = store.run_ids(load_settings())
    assert code == 0
    assert err.splitlines()[0] == f"created {run_id} from template user_item_bias"
    assert out.startswith(f"{run_id}  completed")
    code, out, err = recsys("run", "user_item_bias", "--data", str(books), "--name", "mine", *QUICK, "--json")
    assert (code, json.loads(out)["name"], json.loads(out)["state"]) == (0, "mine", "completed")
    assert store.load_config(json.loads(out)["id"], load_settings()).data.path == books


def test_a_dry_run_of_a_template_leaves_nothing(recsys: Recsys, books: Path, home: Path) -> None:
    code, out, err = recsys("run", "ease", "--data", "books", "--dry-run")
    assert (code, err) == (0, "")
    assert "books: 200 ratings" in out
    assert out.startswith("ease  a new experiment; nothing was created\n")
    plan = json.loads(recsys("run", "ease", "--data", "books", "--dry-run", "--json")[1])
    assert (plan["id"], plan["name"]) == (None, "ease")
    assert not (home / "runs").exists()


def test_a_dry_run_of_a_killed_run_says_so(recsys: Recsys, created: Create, books: Path) -> None:
    run_id = created("ease", "mine", "--data", str(books))
    with event_writer.open_log(run_id, load_settings()) as writer:
        writer.append("started", {"attempt": 1, "pid": 1, "code": {}})
    code, out, err = recsys("run", run_id, "--dry-run")
    assert (code, out.splitlines()[0]) == (0, f"{run_id}  running (process gone); nothing was changed")
    assert f"the process of {run_id} is gone; go on with it: `recsys experiment resume {run_id}`" in err


@pytest.mark.parametrize("command", [["run", "ease"], ["create", "ease", "new"], ["clone", "mine", "new"]])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--set", "data.typo=7"], "unknown key 'data.typo'; expected one of name, path"),
        (["--modifications", '{"data": {"foo": 1}}'], "unknown key 'data.foo'"),
        (["--set", "data.split.fold=12"], "unknown key 'data.split'"),
        (["--set", "data.path=/no"], "--data books beside a change to data.path"),
        (["-m", '{"data": {"name": "other"}}'], "--data books beside a change to data.name"),
    ],
)
@pytest.mark.usefixtures("books")
def test_changes_beside_data_are_not_lost(
    command: list[str], changes: list[str], message: str, recsys: Recsys, created: Create
) -> None:
    run_id = created("ease", "mine")
    code, out, err = recsys(*command, "--data", "books", *changes)
    assert (code, out) == (2, "")
    assert message in err
    assert store.run_ids(load_settings()) == [run_id]


@pytest.mark.usefixtures("books")
def test_data_are_a_name_or_a_path(created: Create, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    named, at_path = created("ease", "a", "--data", "books"), created("ease", "b", "--data", "small.csv")
    official = created("ease", "c", "--data", "ml-1m")
    configs = [store.load_config(run_id, load_settings()).data for run_id in (named, at_path, official)]
    assert [(data.name, data.path) for data in configs] == [
        ("books", None),
        ("small", tmp_path / "small.csv"),
        ("ml-1m", None),
    ]


def test_a_planned_experiment_named_like_its_template_is_run_not_another(recsys: Recsys) -> None:
    for name in ("ease_books", "ease"):
        assert recsys("create", "ease", name, "--set", "data.path=nothing.csv")[0] == 0
    (planned,) = store.matching_runs("ease", load_settings())
    code, _, err = recsys("run", "ease", "--dry-run")
    assert code == 1
    assert err.splitlines()[0] == f"ease stands for {planned}, which is planned; --name NAME creates another"
    assert "nothing.csv" in err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["run", "mine", "--data", "books"], 2, "the same options: `recsys experiment clone mine_"),
        (["run", "eas"], 2, "did you mean 'ease'"),
        (["run", "nothing"], 2, "unknown experiment or template 'nothing'"),
        (["run", "ease", "--data", "book"], 2, "unknown data set 'book'; expected one of books, ml-100k"),
        (["run", "ease", "--data", "book.csv"], 1, "book.csv; expected a rating file"),
        (["create", "ease", "x", "--data", "book"], 2, "did you mean 'books'?"),
        (["run", "ease", "--data", "books", "--set", "epochs=5"], 2, "did you mean 'training.epochs'"),
    ],
)
@pytest.mark.usefixtures("books")
def test_wrong_words_are_refused_before_anything_is_created(
    words: list[str], code: int, message: str, recsys: Recsys, created: Create
) -> None:
    run_id = created("ease", "mine")
    got, out, err = recsys(*words)
    assert (got, out) == (code, "")
    assert message in err
    assert store.run_ids(load_settings()) == [run_id]
