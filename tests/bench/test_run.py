"""Every model gets a result, whatever happens to the others, and no finished one is run again."""

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
        ("hanging", "not finished after 3 s"),
        ("killed", "was killed by SIGKILL"),
        ("short", "predictions of shape (3,) for the validation rows"),
        ("nan", "validation row 0 is nan"),
        ("silent", "its output cannot be read: FileNotFoundError"),
    ],
)
def test_a_failing_peer_names_the_reason_and_the_others_run(bench, name, reason):
    limit = 3.0 if name == "hanging" else 60.0
    bad, good = bench(name, "mean", limit_s=limit)
    assert bad.timings is None
    assert reason in bad.failure
    assert good.failure is None
    assert good.timings["fit_s"] >= 0
    assert good.timings["peak_mb"] > 1


def test_a_finished_result_is_reused_and_a_failed_one_is_retried_on_request(bench, log):
    bench("mean", "crashing")
    lines = []
    again = bench("mean", "crashing", announce=lines.append)
    assert log.read_text().split() == ["mean", "crashing"]
    assert all("(saved)" in line for line in lines)
    assert again[1].failure is not None
    bench("mean", "crashing", retry=True)
    assert log.read_text().split() == ["mean", "crashing", "crashing"]


def test_changed_code_settings_seed_or_data_make_another_result(bench, log, peers, task, ratings_file):
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


def test_saved_predictions_are_in_row_order_and_within_the_scale(bench, settings, task, ratings_file):
    result = bench("wild")[0]
    split = make_split(load_ratings(str(ratings_file), settings), task.split)
    with np.load(result.folder / "predictions.npz") as stored:
        for part in ("validation", "test"):
            expected = np.where(split.part(part).items % 2, 5.0, 1.0)
            np.testing.assert_array_equal(stored[part], expected)
    errors = np.where(split.part("test").items % 2, 5.0, 1.0) - split.part("test").ratings
    total = result.per_user().aggregates.total()
    assert float(total["squared"]) == pytest.approx(float((errors**2).sum()))
    assert not (result.folder / "job").exists()


def test_the_output_of_a_job_is_used_after_the_bench_was_killed(bench, log, peers, tmp_path):
    """Killed between a job's output and its result: the job is not run again."""
    script = peers["item_mean"].script
    copying = f"atexit.register(shutil.copytree, sys.argv[1], {str(tmp_path / 'copy')!r})"
    script.write_text(f"{script.read_text()}\nimport atexit, shutil, sys\n{copying}\n")
    result = bench("item_mean")[0]
    before = result.per_user().aggregates.values
    (result.folder / "result.json").unlink()
    (result.folder / "per_user.npz").unlink()
    shutil.copytree(tmp_path / "copy", result.folder / "job")
    again = bench("item_mean")[0]
    assert log.read_text().split() == ["item_mean"]
    np.testing.assert_array_equal(again.per_user().aggregates.values, before)


def test_lists_are_evaluated_by_our_code(bench, ratings_file, settings):
    task = Task("ranking", str(ratings_file), KFoldSplit(folds=5, validation=0.0), 0.0)
    popular, leaking, twice, invented = bench("popular", "leaking", "twice", "invented", tasks=[task])
    assert "training rows" in leaking.failure
    assert "twice" in twice.failure
    assert "expected 0 to 79" in invented.failure
    ours = bench(own=[OwnModel("popularity", "popularity", OwnConfig(suites=("ranking",)))], tasks=[task])[0]
    for name in ("full:precision", "full:ndcg"):
        theirs, own = (float(result.per_user().aggregates.total()[name]) for result in (popular, ours))
        assert theirs == pytest.approx(own, rel=0.1), "the same lists but for ties"


def test_with_every_item_relevant_every_rating_is_positive(bench, ratings_file):
    splits = ((RandomSplit(), 4.0), (KFoldSplit(folds=5, validation=0.0), 0.0))
    tasks = [Task("ranking", str(ratings_file), split, relevant) for split, relevant in splits]
    found = bench(own=[OwnModel("ease", "ease", OwnConfig(suites=("ranking",)))], tasks=tasks)
    assert [result.key.settings["model"]["min_positive_rating"] for result in found] == ["middle", None]


def test_an_unavailable_split_is_skipped(bench, ratings_file):
    task = Task("accuracy", str(ratings_file), OfficialSplit())
    lines = []
    other = Task("accuracy", str(ratings_file), GlobalTemporalSplit())
    assert [result.failure for result in bench("mean", tasks=[task, other], announce=lines.append)] == [None]
    assert "no official split" in lines[0]
    with pytest.raises(BenchError, match="none of the data is available"):
        bench("mean", tasks=[task])


def test_what_a_fit_or_a_ranking_cannot_do_is_skipped_before_it_starts(bench, ratings_file):
    lines, split = [], RandomSplit(validation=0)
    network = OwnModel("quickstart", "quickstart", OwnConfig(suites=("accuracy",)))
    task = Task("accuracy", str(ratings_file), split)
    found = bench("mean", own=[network], tasks=[task], announce=lines.append)
    assert [result.key.name for result in found] == ["mean"]
    assert any("quickstart: skipped: random 90/0/10" in line for line in lines)
    with pytest.raises(BenchError, match=r"no test rating of .* reaches 9, from which"):
        bench("mean", tasks=[Task("ranking", str(ratings_file), split, 9.0)])


def test_a_missing_script_is_reported_and_the_rest_runs(bench, peers):
    gone = dataclasses.replace(peers["mean"], folder=peers["mean"].folder / "nowhere")
    lines = []
    bench_results = bench("item_mean", own=[gone], announce=lines.append)
    assert "cannot read" in lines[0]
    assert len(bench_results) == 1
    with pytest.raises(BenchError, match="all models were skipped"):
        bench(own=[gone])


def test_no_test_rating_reaches_a_peer(bench, settings, peers):
    result = bench("crashing")[0]
    files = {path.name: path for path in (result.folder / "job").iterdir()}
    with np.load(files["test.npz"]) as test:
        assert set(test.files) == {"users", "items", "timestamps"}
    with np.load(files["validation.npz"]) as validation:
        assert "ratings" in validation.files


def test_results_of_several_splits_are_kept_side_by_side(bench, settings, ratings_file):
    tasks = [Task("accuracy", str(ratings_file), split) for split in (RandomSplit(), KFoldSplit(fold=1))]
    bench("mean", tasks=tasks)
    assert len({result.key.split for result in all_results(settings)}) == 2
