"""Every entrant gets its outcome, whatever the others do, and no finished one is run again."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest

from movielens_recsys.bench.config import OwnConfig, OwnModel
from movielens_recsys.bench.results import all_results
from movielens_recsys.bench.tasks import Task
from movielens_recsys.data.config import GlobalTemporalSplit, KFoldSplit, OfficialSplit, RandomSplit
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import make_split
from movielens_recsys.errors import BenchError


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("crashing", "RuntimeError: the matrix is singular"),
        ("hanging", "no answer after 3 s"),
        ("killed", "was killed by SIGKILL"),
        ("short", "predictions of shape (3,) for the validation rows"),
        ("nan", "validation row 0 is nan"),
        ("silent", "its answer cannot be read: FileNotFoundError"),
    ],
)
def test_a_bad_peer_says_why_and_the_others_go_on(bench, name, reason):
    limit = 3.0 if name == "hanging" else 60.0
    bad, good = bench(name, "mean", limit_s=limit)
    assert bad.account is None
    assert reason in bad.failure
    assert good.failure is None
    assert good.account["fit_s"] >= 0
    assert good.account["peak_mb"] > 1


def test_a_finished_cell_is_kept_and_a_failed_one_is_tried_again_on_request(bench, log):
    bench("mean", "crashing")
    told = []
    again = bench("mean", "crashing", tell=told.append)
    assert log.read_text().split() == ["mean", "crashing"]
    assert all("(kept)" in words for words in told)
    assert again[1].failure is not None
    bench("mean", "crashing", retry=True)
    assert log.read_text().split() == ["mean", "crashing", "crashing"]


def test_changed_code_settings_seed_or_data_is_another_cell(bench, log, peers, task, ratings_file):
    bench("mean")
    bench("mean", seed=1)
    script = peers["mean"].script
    script.write_text(script.read_text() + "\n# a comment more\n")
    bench("mean")
    assert len(log.read_text().split()) == 2, "a comment changes nothing"
    script.write_text(script.read_text().replace("self.mean)", "self.mean + 0)"))
    bench("mean")
    assert len(log.read_text().split()) == 3
    text = ratings_file.read_text().splitlines()
    ratings_file.write_text("\n".join(text[:-1]) + "\n")
    bench("mean")
    assert len(log.read_text().split()) == 4


def test_what_is_kept_is_in_row_order_and_within_the_scale(bench, settings, task, ratings_file):
    cell = bench("wild")[0]
    split = make_split(load_ratings(str(ratings_file), settings), task.split)
    with np.load(cell.folder / "predictions.npz") as kept:
        for part in ("validation", "test"):
            expected = np.where(split.part(part).items % 2, 5.0, 1.0)
            np.testing.assert_array_equal(kept[part], expected)
    errors = np.where(split.part("test").items % 2, 5.0, 1.0) - split.part("test").ratings
    total = cell.per_user().aggregates.total()
    assert float(total["squared"]) == pytest.approx(float((errors**2).sum()))
    assert not (cell.folder / "job").exists()


def test_an_answer_that_the_bench_did_not_live_to_keep_is_used(bench, log, peers, tmp_path):
    """Killed between a child's answer and the cell: the child is not run again."""
    script = peers["item_mean"].script
    copying = f"atexit.register(shutil.copytree, sys.argv[1], {str(tmp_path / 'copy')!r})"
    script.write_text(f"{script.read_text()}\nimport atexit, shutil, sys\n{copying}\n")
    cell = bench("item_mean")[0]
    before = cell.per_user().aggregates.values
    (cell.folder / "cell.json").unlink()
    (cell.folder / "per_user.npz").unlink()
    shutil.copytree(tmp_path / "copy", cell.folder / "job")
    again = bench("item_mean")[0]
    assert log.read_text().split() == ["item_mean"]
    np.testing.assert_array_equal(again.per_user().aggregates.values, before)


def test_lists_are_judged_by_our_code(bench, ratings_file, settings):
    task = Task("ranking", str(ratings_file), KFoldSplit(folds=5, validation=0.0), 0.0)
    popular, leaking, twice, invented = bench("popular", "leaking", "twice", "invented", tasks=[task])
    assert "training rows" in leaking.failure
    assert "twice" in twice.failure
    assert "expected 0 to 79" in invented.failure
    ours = bench(own=[OwnModel("popularity", "popularity", OwnConfig(suites=("ranking",)))], tasks=[task])[0]
    for name in ("full:precision", "full:ndcg"):
        theirs, mine = (float(cell.per_user().aggregates.total()[name]) for cell in (popular, ours))
        assert theirs == pytest.approx(mine, rel=0.1), "the same lists but for ties"


def test_where_every_rating_counts_all_are_positives(bench, ratings_file):
    splits = ((RandomSplit(), 4.0), (KFoldSplit(folds=5, validation=0.0), 0.0))
    asked = [Task("ranking", str(ratings_file), split, relevant) for split, relevant in splits]
    found = bench(own=[OwnModel("ease", "ease", OwnConfig(suites=("ranking",)))], tasks=asked)
    assert [cell.key.settings["model"]["min_positive_rating"] for cell in found] == [3.0, None]


def test_a_split_that_cannot_be_had_is_left_out(bench, ratings_file):
    task = Task("accuracy", str(ratings_file), OfficialSplit())
    told = []
    other = Task("accuracy", str(ratings_file), GlobalTemporalSplit())
    assert [cell.failure for cell in bench("mean", tasks=[task, other], tell=told.append)] == [None]
    assert "no official split" in told[0]
    with pytest.raises(BenchError, match="none of the data can be had"):
        bench("mean", tasks=[task])


def test_a_missing_script_is_told_and_the_rest_goes_on(bench, peers):
    gone = dataclasses.replace(peers["mean"], folder=peers["mean"].folder / "nowhere")
    told = []
    cells = bench("item_mean", own=[gone], tell=told.append)
    assert "cannot read" in told[0]
    assert len(cells) == 1
    with pytest.raises(BenchError, match="all entrants were left out"):
        bench(own=[gone])


def test_no_test_rating_reaches_a_peer(bench, settings, peers):
    cell = bench("crashing")[0]
    files = {path.name: path for path in (cell.folder / "job").iterdir()}
    with np.load(files["test.npz"]) as test:
        assert set(test.files) == {"users", "items", "timestamps"}
    with np.load(files["validation.npz"]) as validation:
        assert "ratings" in validation.files


def test_cells_of_several_splits_lie_side_by_side(bench, settings, ratings_file):
    tasks = [Task("accuracy", str(ratings_file), split) for split in (RandomSplit(), KFoldSplit(fold=1))]
    bench("mean", tasks=tasks)
    assert len({cell.key.split for cell in all_results(settings)}) == 2
