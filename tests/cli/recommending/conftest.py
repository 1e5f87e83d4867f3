"""A home with completed experiments on ratings with titles, made once, and commands in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.shared import make_once

from movielens_recsys.cli.main import main
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.experiments.execute import execute
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings

Recsys = Callable[..., tuple[int, str, str]]
TEMPLATES = {
    "biases": "user_item_bias",
    "choices": "ease",
    "both": "stars_and_lists",
    "network": "quickstart",
}
SMALL = {
    "biases": {},
    "choices": {},
    "both": {"model": {"stars": {"n_factors": 2, "sweeps": 8, "burn_in": 4, "n_posterior_samples": 4}}},
    "network": {"training": {"epochs": 1, "batch_size": 512}},
}


def make_home(root: Path) -> None:
    """Write ratings in MovieLens' own layout, and run an experiment of each kind on them."""
    films = root / "films"
    films.mkdir()
    ratings = synthetic_ratings(40, 60, 1_200, seed=4).ratings
    assert ratings.timestamps is not None
    assert ratings.item_table is not None
    rows = zip(ratings.users + 1, ratings.items + 1, ratings.ratings, ratings.timestamps, strict=True)
    lines = ["userId,movieId,rating,timestamp", *(",".join(map(str, row)) for row in rows)]
    (films / "ratings.csv").write_text("\n".join(lines) + "\n")
    titles = [f"{item + 1},Film number {item + 1} (1990),Comedy|Drama" for item in range(ratings.n_items)]
    (films / "movies.csv").write_text("\n".join(["movieId,title,genres", *titles]) + "\n")
    settings = settings_of(root)
    for name, template in TEMPLATES.items():
        changes = {"data": {"path": str(films)}, "evaluation": {"bootstrap_samples": 100}, **SMALL[name]}
        run = store.create_run(config_from_template(template, name, changes), settings)
        execute(run.id, settings)
    store.create_run(config_from_template("ease", "planned", {"data": {"path": str(films)}}), settings)


def settings_of(root: Path) -> Settings:
    return Settings(home=root / "home", data=root / "data", data_path="")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the home; not to be changed."""
    return make_once(tmp_path_factory, "recommending", make_home)


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy of the folder, to be changed; its experiments still name the ratings of the original."""
    return shutil.copytree(made, tmp_path / "copy")


@pytest.fixture
def recsys(made: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Recsys:
    """Run a command in this process, in the home of ``made``; return exit code and both outputs."""
    monkeypatch.setenv("RECSYS_HOME", str(made / "home"))
    monkeypatch.setenv("RECSYS_DATA", str(made / "data"))
    monkeypatch.setenv("RECSYS_DATA_PATH", "")
    monkeypatch.setenv("COLUMNS", "150")

    def type_line(*words: str) -> tuple[int, str, str]:
        code = main(words)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return type_line
