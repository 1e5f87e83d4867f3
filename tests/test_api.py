"""The package as Python users see it: its names, the time to import it, and what the functions refuse."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from tests.example_runs import Finish

import movielens_recsys as mr
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import BundleError, DataError, EvaluationError, ModelError, UsageError
from movielens_recsys.models.bayesian.config import BayesianMFConfig

PAGE = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "use-from-python.md"


@pytest.fixture(scope="module")
def split() -> mr.Split:
    return mr.make_split(synthetic_ratings(60, 40, 1_000, seed=3).ratings)


@pytest.fixture(scope="module")
def biases(split: mr.Split) -> mr.Recommender:
    return mr.fit("user_item_bias", split)


def test_names_are_sorted_and_each_is_there() -> None:
    assert mr.__all__ == sorted(mr.__all__)
    assert set(mr.__all__) == mr._HOMES.keys()
    for name in mr.__all__:
        assert getattr(import_module(f"movielens_recsys.{mr._HOMES[name]}"), name) is getattr(mr, name)
    assert set(dir(mr)) == {"__version__", *mr.__all__}


def test_type_checkers_see_the_same_names() -> None:
    lines = Path(mr.__file__).read_text(encoding="utf-8").splitlines()
    imported = {
        (line.split()[1].removeprefix("movielens_recsys."), name.strip())
        for line in lines
        if line.startswith("    from movielens_recsys.")
        for name in line.partition(" import ")[2].split(",")
    }
    assert imported == {(module, name) for name, module in mr._HOMES.items()}


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'load_rating'"):
        mr.load_rating  # noqa: B018


def test_the_import_loads_nothing_else() -> None:
    program = """
        import sys
        import movielens_recsys
        heavy = {"numpy", "polars", "torch", "scipy", "pydantic", "movielens_recsys.api"}
        print(*sorted(heavy & sys.modules.keys()))
    """
    program = "\n".join(line.strip() for line in program.splitlines())
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""


def test_seeds_and_templates(split: mr.Split) -> None:
    quick = mr.TrainingConfig(epochs=1, batch_size=512)
    users, items = split.ratings.users[split.test], split.ratings.items[split.test]
    first, again, other = (
        mr.fit("quickstart", split, training=quick, seed=seed).predict(users, items) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    with pytest.raises(UsageError, match="did you mean 'quickstart'"):
        mr.fit("quickstrat", split)


def test_settings_that_need_timestamps_are_named(split: mr.Split) -> None:
    bare = mr.make_split(replace(split.ratings, timestamps=None))
    config = BayesianMFConfig(n_factors=2, sweeps=4, burn_in=2)
    with pytest.warns(UserWarning, match="no timestamps: time_effects, sessions"):
        mr.fit(config, bare)


def test_two_models_are_compared_user_by_user(split: mr.Split, biases: mr.Recommender) -> None:
    mean = mr.evaluate(mr.fit("global_mean", split), split)
    report = mr.evaluate(biases, split)
    difference = mr.compare(report, mean)
    assert difference.difference == pytest.approx(
        report.metric_value("rmse").value - mean.metric_value("rmse").value
    )
    assert difference.better == "a"
    with pytest.raises(EvaluationError, match="evaluate both models again"):
        mr.compare(mr.Report.from_json(report.to_json()), mean)


def test_recommendations_leave_out_what_was_rated(split: mr.Split, biases: mr.Recommender) -> None:
    ratings = split.ratings
    user = ratings.user_ids[5]
    rated = set(ratings.item_ids[ratings.items[ratings.users == 5]].tolist())
    found = mr.recommend(biases, ratings, user=str(user), k=1_000)
    assert len(found) == ratings.n_items - len(rated)
    assert not rated & {item.item_id for item in found}
    assert mr.recommend(biases, ratings, user=int(user), k=3) == found[:3]


@pytest.mark.parametrize("template", ["user_item_bias", "ease"])
def test_a_new_user_is_recommended_from_a_history(split: mr.Split, template: str) -> None:
    model = mr.fit(template, split)
    first, second, *_ = split.ratings.item_ids
    found = mr.recommend(model, split.ratings, history={first: 5, str(second): 1})
    assert len(found) == 10
    assert not {first, second} & {item.item_id for item in found}
    assert all(np.isfinite(item.predicted) for item in found)
    assert len(mr.recommend(model, split.ratings, history={}, k=4)) == 4


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({}, UsageError, "neither user nor history"),
        ({"user": 1, "history": {}}, UsageError, "both user and history"),
        ({"user": 1, "k": 0}, UsageError, "k=0"),
        ({"user": "missing"}, DataError, "no user 'missing' in synthetic"),
        ({"history": {"999999": 5}}, DataError, "no item '999999' in synthetic"),
        ({"history": {1: float("nan")}}, ModelError, "a rating of nan"),
        ({"history": {1: 100}}, ModelError, "a rating of 100"),
        ({"history": {1: "5"}}, UsageError, "rating is '5', a str; expected a number"),
        ({"history": {1: None}}, UsageError, "rating is None"),
        ({"history": [1, 2]}, UsageError, "history is .*, a list; expected a mapping"),
        ({"user": 1, "k": 2.5}, UsageError, "k is 2.5, a float"),
    ],
)
def test_what_makes_no_sense_is_refused(
    split: mr.Split, biases: mr.Recommender, arguments: dict, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        mr.recommend(biases, split.ratings, **arguments)


def test_an_argument_of_another_type_is_named(split: mr.Split, biases: mr.Recommender) -> None:
    with pytest.raises(UsageError, match=r"split is .*, a Ratings; expected what `make_split` returns"):
        mr.fit("global_mean", split.ratings)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"report is .*; expected what `evaluate` returns"):
        mr.compare(biases, biases)  # type: ignore[arg-type]


def test_a_bundle_replaces_a_bundle_and_nothing_else(
    split: mr.Split, biases: mr.Recommender, tmp_path: Path
) -> None:
    thesis = tmp_path / "work" / "thesis.tex"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    for place in (thesis.parent, thesis):
        with pytest.raises(BundleError, match="holds something else than a bundle"):
            mr.save_bundle(biases, split.ratings, place)
    assert thesis.read_text() == "years of work"
    for _ in range(2):
        mr.save_bundle(biases, split.ratings, tmp_path / "model")
    other = synthetic_ratings(61, 40, 1_000, seed=3).ratings
    with pytest.raises(BundleError, match="61 users and 40 items"):
        mr.save_bundle(biases, other, tmp_path / "model")
    assert mr.load_bundle(tmp_path / "model").recommender.n_users == 60


def test_a_bundle_knows_whose_ids_it_has(split: mr.Split, biases: mr.Recommender, tmp_path: Path) -> None:
    folder = mr.save_bundle(biases, split.ratings, tmp_path / "biases")
    bundle = mr.load_bundle(str(folder))
    user = split.ratings.user_ids[0]
    assert mr.recommend(bundle, split.ratings, user=user) == mr.recommend(biases, split.ratings, user=user)
    other = synthetic_ratings(61, 40, 1_000, seed=3).ratings
    with pytest.raises(BundleError, match="not those that the model was fitted to"):
        mr.recommend(bundle, other, user=1)


def test_a_run_is_loaded_by_the_beginning_of_its_id(finish: Finish, settings: mr.Settings) -> None:
    run = finish("own", {"rmse": 0.9})
    assert mr.load_run("own", settings) == mr.load_run(run.id, settings) == run
    assert repr(run) == f"Run({run.id!r}: completed, 2 epochs, {len(run.metrics)} metrics)"
    with pytest.raises(mr.RecsysError, match="unknown experiment 'other'"):
        mr.load_run("other", settings)


def test_the_page_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: mr.Settings
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_DATA", str(settings.data))
    ratings = synthetic_ratings(60, 80, 1_500, seed=3).ratings
    assert ratings.timestamps is not None
    rows = zip(ratings.users, ratings.titles(ratings.items), ratings.ratings, ratings.timestamps, strict=True)
    lines = [f"reader{user},{title},{rating:g},{time}" for user, title, rating, time in rows]
    (tmp_path / "ratings.csv").write_text("\n".join(["reader,book,stars,when", *lines]) + "\n")
    scripts = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(scripts) >= 5
    names: dict[str, object] = {}
    for script in scripts:
        exec(compile(script, str(PAGE), "exec"), names)
    assert len(names["for_a_user"]) == len(names["for_a_new_user"]) == 10  # type: ignore[arg-type]
    assert names["again"] == names["for_a_user"]
