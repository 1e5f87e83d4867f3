"""Synthetic ratings: their shape, no repeated pairs, and a noise floor that the ideal predictor reaches."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.quality.checks import check_ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.synthetic import GENRES, synthetic_ratings
from movielens_recsys.errors import DataError
from movielens_recsys.schema import Severity


@pytest.fixture(scope="module")
def synthetic():
    return synthetic_ratings(600, 900, 40_000, seed=3)


def test_the_shape_is_exact_and_no_pair_repeats(synthetic):
    ratings = synthetic.ratings
    assert (ratings.n_users, ratings.n_items, len(ratings)) == (600, 900, 40_000)
    pairs = ratings.users.astype(np.int64) * ratings.n_items + ratings.items
    assert (np.diff(pairs) > 0).all()
    assert np.bincount(ratings.users, minlength=600).min() >= 1
    columns = (ratings.users, ratings.items, ratings.ratings, ratings.timestamps)
    assert [column.dtype for column in columns] == [np.int32, np.int32, np.float32, np.int64]


def test_the_same_seed_gives_the_same_table_and_another_seed_another(synthetic):
    again = synthetic_ratings(600, 900, 40_000, seed=3)
    assert again.ratings.content_hash == synthetic.ratings.content_hash
    assert again.noise_floor_rmse == synthetic.noise_floor_rmse
    assert synthetic_ratings(600, 900, 40_000, seed=4).ratings.content_hash != again.ratings.content_hash


@pytest.mark.parametrize("scale", [Scale(1, 5, 1), Scale(0.5, 5, 0.5), Scale(1, 10, 1)])
def test_every_rating_is_on_the_scale(scale):
    ratings = synthetic_ratings(100, 200, 5_000, seed=0, scale=scale).ratings
    assert set(np.unique(ratings.ratings)) == set(scale.levels)


def test_popular_items_take_most_ratings_and_busy_users_give_them(synthetic):
    for indices, n in ((synthetic.ratings.items, 900), (synthetic.ratings.users, 600)):
        counts = np.sort(np.bincount(indices, minlength=n))[::-1]
        assert counts[: n // 10].sum() > 0.25 * counts.sum()


def test_more_noise_gives_a_higher_floor_and_none_gives_none():
    floors = [
        synthetic_ratings(200, 300, 8_000, seed=0, noise=noise).noise_floor_rmse for noise in (0, 0.4, 1)
    ]
    assert floors[0] == 0
    assert floors[0] < floors[1] < floors[2]


def test_the_floor_is_below_any_bias_predictor_and_above_zero(synthetic):
    ratings = synthetic.ratings
    values = ratings.ratings.astype(np.float64)
    residual = values - values.mean()
    for _ in range(20):
        for indices in (ratings.items, ratings.users):
            residual -= (np.bincount(indices, residual) / np.maximum(np.bincount(indices), 1))[indices]
    fitted_biases = float(np.sqrt((residual**2).mean()))
    assert 0.6 < synthetic.noise_floor_rmse < fitted_biases < values.std()


def test_the_ideal_predictor_reaches_the_floor(synthetic):
    values = synthetic.ratings.ratings.astype(np.float64)
    reached = float(np.sqrt(((values - synthetic.ideal) ** 2).mean()))
    # 40,000 squared errors of variance about 0.5 leave a standard error of 0.003
    assert abs(reached - synthetic.noise_floor_rmse) < 0.01


def test_times_come_in_sessions_after_1995(synthetic):
    times = synthetic.ratings.timestamps
    assert times.min() >= 788_918_400
    assert times.max() < 788_918_400 + 29 * 31_557_600
    order = np.lexsort((times, synthetic.ratings.users))
    gaps = np.diff(times[order])[np.diff(synthetic.ratings.users[order]) == 0]
    assert np.median(gaps) < 600 < 86_400 < gaps.max()


def test_titles_genres_and_years_stand_beside_every_item(synthetic):
    items = synthetic.ratings.item_table
    assert items["item_id"].to_list() == synthetic.ratings.item_ids.tolist()
    assert items["title"].n_unique() == 900
    assert items["year"].is_between(1930, 2019).all()
    assert items["genres"].list.len().is_between(1, 3).all()
    assert set(items["genres"].explode().unique()) == set(GENRES)
    assert synthetic.ratings.titles([0])[0].startswith("Film 1 (")


def test_the_checks_find_nothing_wrong(synthetic):
    wrong = [
        f.name
        for f in check_ratings(synthetic.ratings, min_user_ratings=1)
        if f.severity is not Severity.INFO
    ]
    assert wrong == []


def test_half_of_all_pairs_can_be_filled():
    ratings = synthetic_ratings(12, 10, 60, seed=0).ratings
    assert len(set(zip(ratings.users.tolist(), ratings.items.tolist(), strict=True))) == 60


@pytest.mark.parametrize("n_ratings", [5, 601])
def test_a_shape_that_does_not_fit_is_refused(n_ratings):
    with pytest.raises(DataError, match="expected 10 to 600"):
        synthetic_ratings(10, 120, n_ratings, seed=0)
