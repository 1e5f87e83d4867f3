"""`Trees`: boosted regression trees as plain arrays, fitted by scikit-learn, predicting without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numba
import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F64, I32
from movielens_recsys.errors import ModelError
from movielens_recsys.models.base import Arrays

LEAF = -1
_DTYPES = {"feature": "i4", "threshold": "f8", "left": "i4", "right": "i4", "value": "f8", "roots": "i4"}


@dataclass(frozen=True, slots=True)
class BoostingParams:
    """How trees are grown: strongly regularised, for a few thousand noisy rows.

    Attributes
    ----------
    bags
        Forests of different random states that are averaged.
    trees, leaves, rows_per_leaf, learning_rate, l2, features
        scikit-learn's ``max_iter``, ``max_leaf_nodes``, ``min_samples_leaf``, ``learning_rate``,
        ``l2_regularization`` and ``max_features``.
    """

    bags: int = 4
    trees: int = 60
    leaves: int = 8
    rows_per_leaf: int = 200
    learning_rate: float = 0.03
    l2: float = 50.0
    features: float = 0.5


@dataclass(frozen=True, eq=False)
class Trees:
    """A sum of trees: ``bags`` boosted forests, averaged.

    Attributes
    ----------
    feature, threshold, left, right, value
        One entry per node of all trees: go ``left`` if the feature's value is at most ``threshold``, else
        ``right``; feature -1 is a leaf, which adds ``value``.
    roots
        The first node of each tree.
    base
        The constant term.
    """

    feature: I32
    threshold: F64
    left: I32
    right: I32
    value: F64
    roots: I32
    base: float

    @classmethod
    def grow(cls, features: F64, target: F64, seed: int, params: BoostingParams = BoostingParams()) -> Self:
        """Boost trees on ``features``, shape (n, f), towards ``target``, shape (n,), in squared error.

        Histogram-based boosting (Ke et al., 2017, LightGBM), repeatable for a seed.

        Raises
        ------
        ModelError
            This version of scikit-learn stores its trees in a form that cannot be read.
        """
        from sklearn.ensemble import HistGradientBoostingRegressor

        forests = [
            HistGradientBoostingRegressor(
                learning_rate=params.learning_rate,
                max_iter=params.trees,
                max_leaf_nodes=params.leaves,
                min_samples_leaf=params.rows_per_leaf,
                l2_regularization=params.l2,
                max_features=params.features,
                early_stopping=False,
                random_state=(seed + bag) % 2**32,
            ).fit(features, target)
            for bag in range(params.bags)
        ]
        trees = cls._of(forests)
        expected = np.mean([forest.predict(features) for forest in forests], axis=0)
        if not np.allclose(trees.predict(features), expected, rtol=1e-6, atol=1e-9):
            raise _unreadable()
        return trees

    @classmethod
    def _of(cls, forests: Sequence[Any]) -> Self:
        """Read the trees of fitted forests of scikit-learn, which has no public access to them."""
        try:
            nodes = [tree.nodes for forest in forests for (tree,) in forest._predictors]
            base = float(np.mean([np.ravel(forest._baseline_prediction)[0] for forest in forests]))
            starts = np.cumsum([0, *(len(tree) for tree in nodes)])
            merged, shift = np.concatenate(nodes), np.repeat(starts[:-1], np.diff(starts))
            leaf = merged["is_leaf"].astype(bool)
            return cls(
                np.where(leaf, LEAF, merged["feature_idx"]).astype(np.int32),
                merged["num_threshold"].astype(np.float64),
                np.where(leaf, 0, merged["left"] + shift).astype(np.int32),
                np.where(leaf, 0, merged["right"] + shift).astype(np.int32),
                np.where(leaf, merged["value"], 0.0) / len(forests),
                starts[:-1].astype(np.int32),
                base,
            )
        except (AttributeError, ValueError, KeyError, TypeError) as exc:
            raise _unreadable() from exc

    def predict(self, features: F64) -> F64:
        """Return the sum of all trees for each row, shape (n,)."""
        total = np.full(len(features), self.base)
        rows = np.ascontiguousarray(features, np.float64)
        _add(rows, self.feature, self.threshold, self.left, self.right, self.value, self.roots, total)
        return total

    def state(self) -> Arrays:
        """Return every array by name."""
        return {**{name: getattr(self, name) for name in _DTYPES}, "base": np.array([self.base])}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from `state`'s arrays."""
        arrays = {name: state[name].astype(dtype) for name, dtype in _DTYPES.items()}
        return cls(**arrays, base=float(state["base"][0]))


def _unreadable() -> ModelError:
    return ModelError(
        "this version of scikit-learn keeps its boosted trees in another form",
        expected="one whose trees are arrays of nodes, as in 1.5 to 1.9",
        next_step="install the version of constraints.txt, or blend by ridge",
    )


@numba.njit(cache=True, nogil=True)
def _add(
    rows: F64, feature: I32, threshold: F64, left: I32, right: I32, value: F64, roots: I32, total: F64
) -> None:
    for r in range(len(rows)):
        for root in roots:
            node = root
            while feature[node] >= 0:
                node = left[node] if rows[r, feature[node]] <= threshold[node] else right[node]
            total[r] += value[node]
