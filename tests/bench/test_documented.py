"""The peer of docs/how-to/run-the-bench.md runs as it is documented."""

from __future__ import annotations

import re
from pathlib import Path

from movielens_recsys.bench.config import read_bench_models
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import make_split

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "run-the-bench.md"


def test_the_documented_peer_runs(tmp_path, bench, settings, task, ratings_file):
    text = PAGE.read_text()
    [models] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    [script] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert re.search(r"^ +requirements: ", models, re.MULTILINE)
    lines = [line for line in models.splitlines() if "requirements:" not in line]  # pip needs a network
    (tmp_path / "mine.yaml").write_text("\n".join(lines))
    (tmp_path / "my_mean.py").write_text(script)
    peers, _ = read_bench_models(tmp_path / "mine.yaml")
    [result] = bench(own=[peers["my_mean"]])
    assert result.failure is None
    test = make_split(load_ratings(str(ratings_file), settings), task.split).part("test")
    total = result.per_user().aggregates.total()
    rmse = float(total["squared"] / total["count"]) ** 0.5
    assert rmse < float(test.ratings.std()), "better than the mean of the test part itself"
    assert result.key.settings == {"damping": 5}
