"""What is shown of recommendations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.cli.recommending.conftest import settings_of

from movielens_recsys.cli.recommending.fitted import Fitted
from movielens_recsys.cli.recommending.show import answer, counted, show_recommendations, titles_beside_ids
from movielens_recsys.data.load import load_ratings
from movielens_recsys.models.bundle import load_bundle
from movielens_recsys.recommending.ranking import rank_for_users
from movielens_recsys.recommending.rated_items import RatedItems
from movielens_recsys.runs import store


@pytest.fixture
def fitted(made: Path) -> Fitted:
    settings = settings_of(made)
    ratings = load_ratings(made / "films", settings)
    bundle = load_bundle(made / "home" / "runs" / store.find_run("choices", settings) / "bundle")
    return Fitted("choices", bundle.recommender, ratings, RatedItems.of(ratings), ("a note",))


def test_columns_that_no_item_has_are_left_out(fitted: Fitted, capsys: pytest.CaptureFixture[str]) -> None:
    ranked = rank_for_users(fitted.model, np.array([6]), fitted.rated, 2)
    found = answer(fitted, "7", ranked, known=True, n_rated=3, favourites=["A", "B"])
    show_recommendations(fitted, [found], as_json=False)
    out = capsys.readouterr().out
    assert "2 items for user 7, who has 3 ratings and liked most A; B" in out
    assert "predicted rating" not in out
    show_recommendations(fitted, [found], as_json=True)
    values = json.loads(capsys.readouterr().out)
    assert values.keys() == {"model", "ordered_by", "notes", "users"}
    assert values["users"] == [found]
    assert values["notes"] == ["a note"]


def test_titles_that_are_only_ids_are_left_out_and_one_is_singular() -> None:
    assert titles_beside_ids([("00003", "00003"), ("7", 7)]) == ["", ""]
    assert titles_beside_ids([("Heat", 3), ("7", 7)]) == ["Heat", "7"]
    assert (counted(1, "rating"), counted(2, "rating")) == ("1 rating", "2 ratings")
