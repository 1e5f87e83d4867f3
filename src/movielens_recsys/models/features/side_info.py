"""Side information of users and items as sparse one-hot features.

Read by the Bayesian model's kernels (`models.bayesian.gp_kernels`) and by the item tower of
`models.two_tower`. Columns are not centred or scaled: what reads them normalises them.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from movielens_recsys.data.ratings import Ratings

YEARS_PER_BIN = 5
AGE_EDGES = (18, 25, 30, 35, 40, 45, 50, 56)
"""Where one age group ends and the next begins, in years: the groups of ML-1M, finer at 30 and 40."""
ZIP_DIGITS = 2
"""Leading digits of a zip code that name the region: more leave too few users in each."""


def user_features(ratings: Ratings) -> sparse.csr_array | None:
    """Return one-hot age group, gender, occupation, region, and age group by gender.

    Float32, shape (n_users, n_features); None where the user table has none of them. A missing value is a
    category of its own.
    """
    table = ratings.user_table
    if table is None:
        return None
    columns = {name: table[name].cast(pl.String).fill_null("?").to_numpy() for name in table.columns}
    if "age" in columns:
        ages = table["age"].cast(pl.Float64, strict=False).fill_null(0).to_numpy()
        columns["age"] = np.digitize(ages, AGE_EDGES).astype(str).astype(object)
    parts = [one_hot(columns[name]) for name in ("age", "gender", "occupation") if name in columns]
    if "zip_code" in columns:
        regions = np.array([code[:ZIP_DIGITS] for code in columns["zip_code"]], dtype=object)
        # Half weight: in a kernel a shared region counts a quarter of a shared occupation.
        parts.append(0.5 * one_hot(regions))
    if "age" in columns and "gender" in columns:
        parts.append(one_hot(columns["age"] + columns["gender"]))
    return sparse.csr_array(sparse.hstack(parts), dtype=np.float32) if parts else None


def item_features(ratings: Ratings) -> sparse.csr_array | None:
    """Return multi-hot genres, one-hot release year, and its five-year bin.

    Float32, shape (n_items, n_features); None where the item table has neither. A missing year is replaced
    by the median.
    """
    table = ratings.item_table
    if table is None:
        return None
    parts = []
    if "genres" in table.columns:
        genres_of_items = table["genres"].fill_null([]).to_list()
        names = sorted({genre for genres in genres_of_items for genre in genres})
        position = {name: column for column, name in enumerate(names)}
        pairs = [(row, position[genre]) for row, genres in enumerate(genres_of_items) for genre in genres]
        if pairs:
            row, column = np.array(pairs).T
            ones = np.ones(len(pairs), np.float32)
            shape = (len(genres_of_items), len(names))
            parts.append(sparse.csr_array((ones, (row, column)), shape=shape))
    if "year" in table.columns and table["year"].drop_nulls().len():
        years = table["year"].fill_null(int(table["year"].median() or 0)).to_numpy()  # type: ignore[arg-type]
        parts += [one_hot(years // YEARS_PER_BIN), 0.7 * one_hot(years)]
    return sparse.csr_array(sparse.hstack(parts), dtype=np.float32) if parts else None


def one_hot(values: NDArray[np.generic]) -> sparse.csr_array:
    """Return a column for each distinct value, in sorted order, with a single 1 in each row."""
    names, codes = np.unique(values, return_inverse=True)
    ones = np.ones(len(codes), np.float32)
    return sparse.csr_array((ones, (np.arange(len(codes)), codes)), shape=(len(codes), len(names)))
