"""`recsys predict`: a table in, the same table with predictions out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.cli.recommending.conftest import Recsys, settings_of

from movielens_recsys.data.load import load_ratings
from movielens_recsys.models.bundle import load_bundle
from movielens_recsys.recommender import TimeAwareRecommender
from movielens_recsys.runs import store

PAIRS = "user,item,timestamp\n7,50,900000000\n7,999,900000000\nzoe,50,\n"


@pytest.fixture
def pairs(tmp_path: Path) -> str:
    (tmp_path / "pairs.csv").write_text(PAIRS)
    return str(tmp_path / "pairs.csv")


@pytest.mark.parametrize("name", ["biases", "both", "network"])
def test_pairs_get_the_model_s_predictions(recsys: Recsys, made: Path, pairs: str, name: str) -> None:
    code, out, err = recsys("predict", name, "--pairs", pairs, "--json")
    assert code == 0
    known, unknown_item, unknown_user = json.loads(out)["pairs"]
    assert (known["fallback"], unknown_item["fallback"], unknown_user["fallback"]) == (
        None,
        "unknown item",
        "unknown user",
    )
    assert "the model's fallback predicted 2 of 3 pairs: 1 unknown" in err
    settings = settings_of(made)
    ratings = load_ratings(made / "films", settings)
    bundle = load_bundle(made / "home" / "runs" / store.find_run(name, settings) / "bundle")
    user, item = np.array([ratings.user_index(7)]), np.array([ratings.item_index(50)])
    model, times = bundle.recommender, np.array([900_000_000])
    timed = isinstance(model, TimeAwareRecommender)
    predicted = model.predict_at(user, item, times) if timed else model.predict(user, item)
    assert known["predicted_rating"] == pytest.approx(float(predicted[0]), abs=1e-5)


def test_a_table_is_written_or_printed(recsys: Recsys, pairs: str, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    code, out, err = recsys("predict", "biases", "--pairs", pairs, "--output", str(output))
    assert (code, out) == (0, "")
    assert f"3 rows in {output}" in " ".join(err.split())
    table = pl.read_csv(output)
    assert table.columns == ["user", "item", "timestamp", "predicted_rating", "fallback"]
    assert table["user"].to_list() == ["7", "7", "zoe"]
    assert recsys("predict", "biases", "--pairs", pairs)[1] == output.read_text()
    code, _, err = recsys("predict", "biases", "--pairs", pairs, "--output", str(output))
    assert (code, "--force" in err) == (2, True)


def test_pairs_that_cannot_be_read_are_refused(recsys: Recsys, tmp_path: Path) -> None:
    (tmp_path / "no.csv").write_text("item,rating\n50,4\n")
    code, _, err = recsys("predict", "biases", "--pairs", str(tmp_path / "no.csv"))
    assert code == 1
    assert "--columns user=NAME,item=NAME,timestamp=NAME" in err
    code, _, err = recsys("predict", "biases", "--pairs", str(tmp_path / "away.csv"))
    assert code != 0
    assert "away.csv" in err
