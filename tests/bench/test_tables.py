"""Tables of saved results: order of rows, differences, folds, failures, and the written pages."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.bench.conftest import write_models_file, write_ratings

from movielens_recsys.bench.config import OwnConfig, OwnModel, read_bench_models
from movielens_recsys.bench.markdown import START, brief, write_into
from movielens_recsys.bench.results import BenchResult, all_results
from movielens_recsys.bench.run import Options, run
from movielens_recsys.bench.tables import result_tables
from movielens_recsys.bench.tasks import Task
from movielens_recsys.data.config import KFoldSplit
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import make_split
from movielens_recsys.models.baselines import UserItemBias
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.settings import Settings

BIAS = OwnModel("user_item_bias", "user_item_bias", OwnConfig(suites=("accuracy",)))


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> list[BenchResult]:
    """The results of a run with a model of ours, two peers and a failing one."""
    folder = tmp_path_factory.mktemp("saved")
    peers = read_bench_models(write_models_file(folder / "peers", folder / "log.txt"))[0]
    task = Task("accuracy", str(write_ratings(folder / "small.csv")), KFoldSplit(folds=5))
    settings = Settings(home=folder / "home", data=folder / "data", data_path="")
    models = [BIAS, peers["mean"], peers["item_mean"], peers["crashing"]]
    run([task], models, settings, Options(), lambda line: None)
    return all_results(settings)


def test_rows_are_compared_with_the_best_peer_and_failures_come_last(saved):
    [result_table] = result_tables(saved)
    assert [row.name for row in result_table.rows] == ["user_item_bias", "item_mean", "mean", "crashing"]
    ours, best, worse, failed = result_table.rows
    assert ours.to_reference.to == "item_mean"
    assert ours.to_reference.better is True
    assert ours.to_reference.estimate.high < 0
    assert best.to_reference is None
    assert worse.to_reference.better is False
    assert "singular" in failed.failure
    assert worse.timings["samples_per_s"] > 0


def test_a_model_of_ours_is_fitted_on_the_same_rows(saved):
    [result] = [result for result in saved if result.key.name == "user_item_bias"]
    ratings = load_ratings(
        str(result.folder.parents[3] / "small.csv"), Settings(data=result.folder.parents[3] / "data")
    )
    split = make_split(ratings, KFoldSplit(folds=5))
    model = UserItemBias.fit(UserItemBiasConfig(), split.part("train"))
    test = split.part("test")
    with np.load(result.folder / "predictions.npz") as stored:
        np.testing.assert_allclose(stored["test"], model.predict(test.users, test.items), atol=1e-6)
    assert result.about["kind"] == "own"
    assert result.timings["passes"] == 1


def test_equal_information_excludes_peers_with_more_inputs(saved):
    informed = [
        dataclasses.replace(result, about={**result.about, "inputs": ["stars", "time"]})
        if result.key.name == "item_mean"
        else result
        for result in saved
    ]
    [result_table] = result_tables(informed)
    ours = result_table.rows[0]
    assert ours.to_reference.to == "item_mean"
    assert ours.to_equal.to == "mean"


def test_any_row_can_be_the_reference(saved):
    [result_table] = result_tables(saved, reference="user_item_bias")
    to = [row.to_reference and row.to_reference.to for row in result_table.rows]
    assert to == [None, "user_item_bias", "user_item_bias", None]


def test_the_latest_result_of_a_row_counts(saved):
    older = [dataclasses.replace(result, failure="an old one", timings=None) for result in saved]
    [result_table] = result_tables([*older, *saved])
    assert [row.failure is None for row in result_table.rows] == [True, True, True, False]


def test_the_table_of_all_folds_has_the_models_with_all_of_them(bench, settings, ratings_file):
    folds = [Task("accuracy", str(ratings_file), KFoldSplit(folds=5, fold=fold)) for fold in range(3)]
    bench("mean", tasks=folds)
    bench("item_mean", tasks=folds[:1])
    first, whole = sorted(
        result_tables(all_results(settings)), key=lambda result_table: len(result_table.split_hashes)
    )
    assert {row.name for row in first.rows} == {"mean", "item_mean"}
    assert [row.name for row in whole.rows] == ["mean"]
    assert whole.protocol == "mean of 3 of 5 folds, seed 0"


def test_a_page_keeps_the_text_outside_its_marks(saved, tmp_path):
    page = tmp_path / "small.md"
    page.write_text("# Results\n\nmine\n\n<!-- techniques -->\nrest\n<!-- end of techniques -->\n")
    assert write_into(tmp_path, result_tables(saved)) == [page]
    once = page.read_text()
    write_into(tmp_path, result_tables(saved))
    assert page.read_text() == once
    assert once.startswith("# Results\n\nmine\n\n<!-- techniques -->\nrest\n")
    assert once.count(START) == 1
    assert "| fake `crashing` | failed: its process ended with code 1: RuntimeError: the matrix" in once
    assert "| fake `crashing` | stars | – | – |" in once
    assert "better (`item_mean`)" in once
    assert "- `mean` (numpy " in once


def test_each_data_set_has_a_page_of_its_own(saved, tmp_path):
    [result_table] = result_tables(saved)
    other = dataclasses.replace(result_table, data={**result_table.data, "name": "a/b c"})
    paths = write_into(tmp_path / "pages", [result_table, other])
    assert [path.name for path in paths] == ["small.md", "a-b-c.md"]
    assert paths[1].read_text().startswith("# Results on a/b c\n")
    assert all(path.read_text().count("\n### Ratings: ") == 1 for path in paths)


def test_the_terminal_table_is_brief(saved):
    headers, rows = brief(result_tables(saved)[0])
    assert headers[:3] == ["row", "inputs", "RMSE"]
    assert rows[0][0] == "user_item_bias"
    assert rows[0][4].endswith(" better")
