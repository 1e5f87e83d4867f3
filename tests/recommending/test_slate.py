"""Recommendations: in order of score, without rated items, with titles."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.baselines_config import PopularityConfig, UserItemBiasConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.recommender import HistoryRanker
from movielens_recsys.recommending.slate import recommend_for_history, recommend_slate, typical_user


def test_recommendations_are_in_order_and_unrated(ratings: Ratings) -> None:
    model = build_model(PopularityConfig(), ratings)
    slate = recommend_slate(model, ratings, 3, k=5)
    own = set(ratings.titles(ratings.items[ratings.users == 3]))
    titles = [line.title for line in slate.recommendations]
    assert len(titles) == len(set(titles)) == 5
    assert not own & set(titles)
    counts = np.bincount(ratings.items, minlength=ratings.n_items)
    by_title = dict(zip(ratings.titles(np.arange(ratings.n_items)), counts, strict=True))
    shown = [by_title[title] for title in titles]
    assert shown == sorted(shown, reverse=True)
    assert slate.n_ratings == int((ratings.users == 3).sum())
    assert set(slate.favourites) <= own


def test_favourites_are_the_highest_ratings_the_latest_first(ratings: Ratings) -> None:
    slate = recommend_slate(build_model(PopularityConfig(), ratings), ratings, 3)
    own = np.flatnonzero(ratings.users == 3)
    assert ratings.timestamps is not None
    best = max(own, key=lambda row: (ratings.ratings[row], ratings.timestamps[row]))
    assert slate.favourites[0] == ratings.titles(ratings.items[[best]])[0]


def test_a_user_who_rated_almost_everything_gets_few(ratings: Ratings) -> None:
    items = np.arange(ratings.n_items - 4, dtype=np.int32)
    everything = Ratings(
        "one",
        np.zeros(len(items), np.int32),
        items,
        np.full(len(items), 4, np.float32),
        None,
        np.array(["ada"], dtype=object),
        ratings.item_ids,
        ratings.scale,
    )
    slate = recommend_slate(build_model(PopularityConfig(), everything), everything, 0)
    assert slate.user_id == "ada"
    assert len(slate.recommendations) == 4
    assert all(line.genres == () for line in slate.recommendations)


def test_the_typical_user_has_the_median_number_of_ratings(ratings: Ratings) -> None:
    counts = np.bincount(ratings.users, minlength=ratings.n_users)
    assert counts[typical_user(ratings)] == np.sort(counts[counts > 0])[(counts > 0).sum() // 2]


def test_a_new_user_gets_unrated_items_in_order_of_predicted_ratings(ratings: Ratings) -> None:
    model = build_model(UserItemBiasConfig(), ratings)
    items, stars = np.array([3, 7]), np.array([5.0, 1.0], np.float32)
    found = recommend_for_history(model, ratings, items, stars, k=5)
    assert len(found) == 5
    assert not {line.item_id for line in found} & set(ratings.item_ids[items].tolist())
    predicted = [line.predicted for line in found]
    assert predicted == sorted(predicted, reverse=True)
    assert predicted[0] == pytest.approx(np.delete(model.fold_in(items, stars), items).max())


def test_a_model_that_ranks_histories_orders_a_new_user_s_items(ratings: Ratings) -> None:
    model = build_model(EASEConfig(), ratings)
    assert isinstance(model, HistoryRanker)
    items, stars = ratings.items[ratings.users == 3][:4], np.full(4, 5.0, np.float32)
    found = recommend_for_history(model, ratings, items, stars, k=3)
    scores = model.score_history(items, stars).astype(np.float64)
    scores[items] = -np.inf
    best = np.argsort(-scores, kind="stable")[:3]
    assert [line.item_id for line in found] == ratings.item_ids[best].tolist()
