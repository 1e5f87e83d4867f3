"""The table from kept cells: rows in order, differences, folds, failures, and the document it stands in."""

from __future__ import annotations

from movielens_recsys.bench.cells import all_cells
from movielens_recsys.bench.config import Own, OwnConfig
from movielens_recsys.bench.page import START, brief, write_into
from movielens_recsys.bench.sections import sections
from movielens_recsys.bench.tasks import Task
from movielens_recsys.data.config import KFoldSplit

BIAS = Own("user_item_bias", "user_item_bias", OwnConfig(suites=("accuracy",)))


def test_rows_are_held_against_the_best_peer_and_a_failed_one_stands_last(bench, settings):
    bench("mean", "item_mean", "crashing", own=[BIAS])
    [section] = sections(all_cells(settings))
    assert [row.name for row in section.rows] == ["user_item_bias", "item_mean", "mean", "crashing"]
    ours, best, worse, failed = section.rows
    assert ours.to_reference.to == "item_mean"
    assert ours.to_reference.better is True
    assert ours.to_reference.estimate.high < 0
    assert best.to_reference is None
    assert worse.to_reference.better is False
    assert "singular" in failed.failure
    assert worse.account["samples_per_s"] > 0


def test_equal_information_leaves_out_peers_that_know_more(bench, settings, peers):
    import dataclasses

    informed = peers["item_mean"]
    config = informed.config.model_copy(update={"given": ("stars", "time")})
    bench("mean", own=[BIAS, dataclasses.replace(informed, config=config)])
    [section] = sections(all_cells(settings))
    ours = section.rows[0]
    assert ours.to_reference.to == "item_mean"
    assert ours.to_equal.to == "mean"


def test_any_row_can_be_the_reference(bench, settings):
    bench("mean", "item_mean", own=[BIAS])
    [section] = sections(all_cells(settings), reference="user_item_bias")
    assert [row.to_reference and row.to_reference.to for row in section.rows] == [
        None,
        *["user_item_bias"] * 2,
    ]


def test_folds_make_a_section_of_those_who_have_them_all(bench, settings, ratings_file):
    folds = [Task("accuracy", str(ratings_file), KFoldSplit(folds=5, fold=fold)) for fold in range(3)]
    bench("mean", tasks=folds)
    bench("item_mean", tasks=folds[:1])
    first, whole = sorted(sections(all_cells(settings)), key=lambda section: len(section.split_hashes))
    assert {row.name for row in first.rows} == {"mean", "item_mean"}
    assert [row.name for row in whole.rows] == ["mean"]
    assert whole.protocol == "mean of 3 of 5 folds, seed 0"


def test_the_page_replaces_its_own_part_alone(bench, settings, tmp_path):
    bench("mean", "crashing", own=[BIAS])
    found = sections(all_cells(settings))
    page = tmp_path / "results.md"
    page.write_text("# Results\n\nmine\n\n<!-- techniques -->\nkept\n<!-- end of techniques -->\n")
    write_into(page, found)
    once = page.read_text()
    write_into(page, found)
    assert page.read_text() == once
    assert once.startswith("# Results\n\nmine\n\n<!-- techniques -->\nkept\n")
    assert once.count(START) == 1
    assert (
        "| fake `crashing` | stars | failed: its process ended with code 1: RuntimeError: the matrix" in once
    )
    assert "better (`mean`)" in once
    assert "- `mean` (numpy " in once


def test_the_terminal_gets_what_it_has_room_for(bench, settings):
    bench("mean", own=[BIAS])
    heads, rows = brief(sections(all_cells(settings))[0])
    assert heads[:3] == ["row", "given", "RMSE"]
    assert rows[0][0] == "user_item_bias"
    assert rows[0][4].endswith(" better")
