"""Tables of saved results: order of rows, differences, folds and failures."""

from __future__ import annotations

import dataclasses

from movielens_recsys.bench.results import all_results
from movielens_recsys.bench.tables import result_tables
from movielens_recsys.bench.tasks import Task
from movielens_recsys.data.config import KFoldSplit


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
