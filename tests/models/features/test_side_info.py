"""One-hot features of users and items."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.features.side_info import item_features, one_hot, user_features


@pytest.fixture(scope="module")
def ratings() -> Ratings:
    return synthetic_ratings(3, 4, 6, seed=0).ratings


def test_one_hot_has_a_column_for_each_distinct_value() -> None:
    np.testing.assert_array_equal(one_hot(np.array(["b", "a", "b"])).toarray(), [[0, 1], [1, 0], [0, 1]])


def test_users_share_columns_of_age_group_gender_and_half_of_region(ratings: Ratings) -> None:
    table = pl.DataFrame(
        {"age": [25, 29, 60], "gender": ["F", "M", "F"], "zip_code": ["12345", "12999", "99000"]}
    )
    features = user_features(replace(ratings, user_table=table))
    assert features is not None
    # 2 age groups, 2 genders, 2 regions of weight 1/2, and 3 pairs of age group and gender.
    assert features.shape == (3, 9)
    similarity = (features @ features.T).toarray()
    np.testing.assert_allclose(similarity, [[3.25, 1.25, 1], [1.25, 3.25, 0], [1, 0, 3.25]])


def test_a_missing_value_is_a_category_of_its_own(ratings: Ratings) -> None:
    table = pl.DataFrame({"gender": ["F", None, None]})
    features = user_features(replace(ratings, user_table=table))
    assert features is not None
    np.testing.assert_array_equal((features @ features.T).toarray(), [[1, 0, 0], [0, 1, 1], [0, 1, 1]])


def test_items_have_genres_and_years_and_the_median_for_a_missing_year(ratings: Ratings) -> None:
    table = pl.DataFrame(
        {"genres": [["Drama"], ["Comedy", "Drama"], None, []], "year": [1990, 1994, 2001, None]}
    )
    features = item_features(replace(ratings, item_table=table))
    assert features is not None
    np.testing.assert_array_equal(features[:, :2].toarray(), [[0, 1], [1, 1], [0, 0], [0, 0]])
    years = features[:, 2:]
    similarity = (years @ years.T).toarray()
    np.testing.assert_allclose(similarity[3], [1, 1.49, 0, 1.49], rtol=1e-6)


def test_tables_without_known_columns_have_no_features(ratings: Ratings) -> None:
    bare = replace(ratings, user_table=None, item_table=None)
    assert user_features(bare) is None
    assert item_features(bare) is None
    assert user_features(replace(ratings, user_table=pl.DataFrame({"note": ["a", "b", "c"]}))) is None
