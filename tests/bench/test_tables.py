"""The table from kept cells: rows in order, differences, folds, failures, and the document it stands in."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.bench.conftest import write_entrants, write_ratings

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
def kept(tmp_path_factory) -> list[BenchResult]:
    """What one run with a model of ours, two peers and a failing one leaves."""
    folder = tmp_path_factory.mktemp("kept")
    peers = read_bench_models(write_entrants(folder / "peers", folder / "log.txt"))[0]
    task = Task("accuracy", str(write_ratings(folder / "small.csv")), KFoldSplit(folds=5))
    settings = Settings(home=folder / "home", data=folder / "data", data_path="")
    entrants = [BIAS, peers["mean"], peers["item_mean"], peers["crashing"]]
    run([task], entrants, settings, Options(), lambda words: None)
    return all_results(settings)


def test_rows_are_held_against_the_best_peer_and_a_failed_one_stands_last(kept):
    [section] = result_tables(kept)
    assert [row.name for row in section.rows] == ["user_item_bias", "item_mean", "mean", "crashing"]
    ours, best, worse, failed = section.rows
    assert ours.to_reference.to == "item_mean"
    assert ours.to_reference.better is True
    assert ours.to_reference.estimate.high < 0
    assert best.to_reference is None
    assert worse.to_reference.better is False
    assert "singular" in failed.failure
    assert worse.account["samples_per_s"] > 0


def test_a_model_of_ours_went_through_fit_on_the_same_rows(kept):
    [cell] = [cell for cell in kept if cell.key.name == "user_item_bias"]
    ratings = load_ratings(
        str(cell.folder.parents[3] / "small.csv"), Settings(data=cell.folder.parents[3] / "data")
    )
    split = make_split(ratings, KFoldSplit(folds=5))
    model = UserItemBias.fit(UserItemBiasConfig(), split.part("train"))
    test = split.part("test")
    with np.load(cell.folder / "predictions.npz") as stored:
        np.testing.assert_allclose(stored["test"], model.predict(test.users, test.items), atol=1e-6)
    assert cell.about["kind"] == "own"
    assert cell.account["passes"] == 1


def test_equal_information_leaves_out_peers_that_know_more(kept):
    informed = [
        dataclasses.replace(cell, about={**cell.about, "given": ["stars", "time"]})
        if cell.key.name == "item_mean"
        else cell
        for cell in kept
    ]
    [section] = result_tables(informed)
    ours = section.rows[0]
    assert ours.to_reference.to == "item_mean"
    assert ours.to_equal.to == "mean"


def test_any_row_can_be_the_reference(kept):
    [section] = result_tables(kept, reference="user_item_bias")
    to = [row.to_reference and row.to_reference.to for row in section.rows]
    assert to == [None, "user_item_bias", "user_item_bias", None]


def test_the_latest_cell_of_a_row_counts(kept):
    older = [dataclasses.replace(cell, failure="an old one", account=None) for cell in kept]
    [section] = result_tables([*older, *kept])
    assert [row.failure is None for row in section.rows] == [True, True, True, False]


def test_folds_make_a_section_of_those_who_have_them_all(bench, settings, ratings_file):
    folds = [Task("accuracy", str(ratings_file), KFoldSplit(folds=5, fold=fold)) for fold in range(3)]
    bench("mean", tasks=folds)
    bench("item_mean", tasks=folds[:1])
    first, whole = sorted(result_tables(all_results(settings)), key=lambda section: len(section.split_hashes))
    assert {row.name for row in first.rows} == {"mean", "item_mean"}
    assert [row.name for row in whole.rows] == ["mean"]
    assert whole.protocol == "mean of 3 of 5 folds, seed 0"


def test_a_page_keeps_what_is_outside_its_marks(kept, tmp_path):
    page = tmp_path / "small.md"
    page.write_text("# Results\n\nmine\n\n<!-- techniques -->\nkept\n<!-- end of techniques -->\n")
    assert write_into(tmp_path, result_tables(kept)) == [page]
    once = page.read_text()
    write_into(tmp_path, result_tables(kept))
    assert page.read_text() == once
    assert once.startswith("# Results\n\nmine\n\n<!-- techniques -->\nkept\n")
    assert once.count(START) == 1
    assert "| fake `crashing` | failed: its process ended with code 1: RuntimeError: the matrix" in once
    assert "| fake `crashing` | stars | – | – |" in once
    assert "better (`item_mean`)" in once
    assert "- `mean` (numpy " in once


def test_each_data_set_has_a_page_of_its_own(kept, tmp_path):
    [section] = result_tables(kept)
    other = dataclasses.replace(section, data={**section.data, "name": "a/b c"})
    paths = write_into(tmp_path / "pages", [section, other])
    assert [path.name for path in paths] == ["small.md", "a-b-c.md"]
    assert paths[1].read_text().startswith("# Results on a/b c\n")
    assert all(path.read_text().count("\n### Ratings: ") == 1 for path in paths)


def test_the_terminal_gets_what_it_has_room_for(kept):
    heads, rows = brief(result_tables(kept)[0])
    assert heads[:3] == ["row", "given", "RMSE"]
    assert rows[0][0] == "user_item_bias"
    assert rows[0][4].endswith(" better")
