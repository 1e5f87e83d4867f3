"""`recsys data remove`: it asks, and minds the experiments that use the data."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from movielens_recsys.cli.main import main
from movielens_recsys.data.sources.user_datasets import register_dataset, user_dataset_names
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store, transitions
from movielens_recsys.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home, and data with the imported set books."""
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RECSYS_DATA", str(tmp_path / "data"))
    (tmp_path / "b.csv").write_text("user,item,rating\n1,1,1\n")
    register_dataset(tmp_path / "b.csv", "books", load_settings())
    return load_settings()


@pytest.mark.parametrize(("answer", "left"), [("n\n", ["books"]), ("y\n", [])])
def test_it_asks_first_and_leaves_the_users_file(
    answer: str, left: list[str], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert main(["data", "remove", "books"]) == len(left)
    assert user_dataset_names(settings) == left
    assert (tmp_path / "b.csv").exists()
    assert not [path for path in (settings.data / "imports").iterdir() if path.name not in left]


def test_experiments_that_need_it_are_named(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_from_template("popularity", "on_books", {"data": {"name": "books"}})
    run_id = store.create_run(config, settings).id
    store.create_run(config_from_template("popularity", "other"), settings)
    assert main(["data", "remove", "books", "--yes"]) == 2
    err = capsys.readouterr().err
    assert f"unfinished experiments need the data set books: {run_id}; " in err
    assert f"`recsys experiment archive {run_id}`" in err
    transitions.archive_run(run_id, settings)
    assert main(["data", "remove", "books", "--yes"]) == 0
    assert capsys.readouterr().out == "removed books\n"
    assert user_dataset_names(settings) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [("bookz", "did you mean 'books'?"), ("ml-1m", "is an official data set"), ("../x", "unknown imported")],
)
@pytest.mark.usefixtures("settings")
def test_other_names_are_refused(name: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "remove", name, "--yes"]) == 2
    assert message in capsys.readouterr().err
