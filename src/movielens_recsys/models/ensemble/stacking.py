"""Stacking: one prediction from the members' predictions, fitted on ratings that no member trained on.

| blend | prediction |
| --- | --- |
| mean | the members' mean |
| ridge | centre + (predictions - their means) . w, w shrunk towards equal weights |
| gbm | ridge + boosted trees on its residuals, which also get meta-features of the user and the item |

That a member's weight may depend on the user and the item is the idea of feature-weighted linear stacking
(Sill et al., 2009, https://arxiv.org/abs/0911.0460); trees find such dependences by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F64
from movielens_recsys.models.base import Arrays, prefixed, strip_prefix
from movielens_recsys.models.ensemble.config import BlendName
from movielens_recsys.models.ensemble.trees import Trees
from movielens_recsys.seeds import derive_seed, generator

PENALTY = 10.0
FOLDS = 5


class Stacker(Protocol):
    """The interface of every stacker."""

    @property
    def weights(self) -> F64:
        """The weight of each member in the weighted sum, shape (members,)."""

    def predict(self, predictions: F64, meta_features: F64) -> F64:
        """Return ratings, shape (n,), from the members' predictions (n, members) and meta-features (n, 8)."""

    def state(self) -> Arrays:
        """Return what was fitted, as named arrays."""


@dataclass(frozen=True, eq=False)
class LinearStacker:
    """A weighted sum: centre + (predictions - means) . weights."""

    weights: F64
    means: F64
    centre: float

    @classmethod
    def equal(cls, n_members: int) -> Self:
        """Return the plain mean, which is not fitted."""
        return cls(np.full(n_members, 1 / n_members), np.zeros(n_members), 0.0)

    @classmethod
    def ridge(cls, predictions: F64, ratings: F64, penalty: float = PENALTY) -> Self:
        """Minimise sum (ratings - prediction)^2 + penalty |weights - 1/n|^2, in closed form."""
        n_members = predictions.shape[1]
        means, centre = predictions.mean(axis=0), float(ratings.mean())
        centred, equal = predictions - means, np.full(n_members, 1 / n_members)
        residuals = ratings - centre - centred @ equal
        matrix = centred.T @ centred + penalty * np.eye(n_members)
        return cls(equal + np.linalg.solve(matrix, centred.T @ residuals), means, centre)

    def predict(self, predictions: F64, meta_features: F64) -> F64:
        """Return the weighted sums; meta-features are ignored."""
        blended: F64 = self.centre + (predictions - self.means) @ self.weights
        return blended

    def state(self) -> Arrays:
        """Return weights, means and centre."""
        return {"weights": self.weights, "means": self.means, "centre": np.array([self.centre])}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from `state`'s arrays."""
        weights, means = state["weights"].astype(np.float64), state["means"].astype(np.float64)
        return cls(weights, means, float(state["centre"][0]))


@dataclass(frozen=True, eq=False)
class BoostedStacker:
    """Ridge weights, corrected by trees over predictions, their weighted sum and meta-features."""

    linear: LinearStacker
    trees: Trees

    @property
    def weights(self) -> F64:
        """The linear stacker's weights."""
        return self.linear.weights

    @classmethod
    def fit(cls, predictions: F64, meta_features: F64, ratings: F64, seed: int, penalty: float) -> Self:
        """Fit the weights, then trees on their residuals."""
        linear = LinearStacker.ridge(predictions, ratings, penalty)
        base = linear.predict(predictions, meta_features)
        trees = Trees.grow(
            _tree_features(predictions, base, meta_features), ratings - base, derive_seed(seed, "trees")
        )
        return cls(linear, trees)

    def predict(self, predictions: F64, meta_features: F64) -> F64:
        """Return the weighted sums with the trees' corrections."""
        base = self.linear.predict(predictions, meta_features)
        corrected: F64 = base + self.trees.predict(_tree_features(predictions, base, meta_features))
        return corrected

    def state(self) -> Arrays:
        """Return the weights' arrays and the trees'."""
        return {**self.linear.state(), **prefixed("trees.", self.trees.state())}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from `state`'s arrays."""
        trees = Trees.from_state(strip_prefix("trees.", state))
        return cls(LinearStacker.from_state(state), trees)


def _tree_features(predictions: F64, base: F64, meta_features: F64) -> F64:
    return np.column_stack([predictions, base, meta_features])


def fit_stacker(
    name: BlendName, predictions: F64, meta_features: F64, ratings: F64, seed: int = 0, *, star: float = 1.0
) -> Stacker:
    """Fit the stacker ``name`` to n ratings that no member trained on.

    Parameters
    ----------
    predictions
        Stars, shape (n, members).
    meta_features
        Shape (n, 8), of `meta_features.MetaFeatures`.
    ratings
        The ratings, shape (n,).
    star
        The width of a star (`Scale.star`), in whose square the ridge penalty is.
    """
    if name == "mean":
        return LinearStacker.equal(predictions.shape[1])
    penalty = PENALTY * star**2
    if name == "ridge":
        return LinearStacker.ridge(predictions, ratings, penalty)
    return BoostedStacker.fit(predictions, meta_features, ratings, seed, penalty)


def restore_stacker(name: BlendName, state: Mapping[str, NDArray[np.generic]]) -> Stacker:
    """Rebuild the stacker ``name`` from its state."""
    return BoostedStacker.from_state(state) if name == "gbm" else LinearStacker.from_state(state)


def out_of_fold(
    name: BlendName, predictions: F64, meta_features: F64, ratings: F64, seed: int = 0, *, star: float = 1.0
) -> F64:
    """Return the prediction for each rating of a stacker fitted to the other folds, shape (n,).

    The rows are split into five folds at random. With fewer rows than folds, each is a fold.
    """
    n = len(ratings)
    blended, fold = np.empty(n), np.arange(n) % min(FOLDS, n)
    generator(seed, "folds of a blend").shuffle(fold)
    for number in np.unique(fold):
        out, others = fold == number, fold != number
        rows = predictions[others], meta_features[others], ratings[others]
        stacker = fit_stacker(name, *rows, seed, star=star)
        blended[out] = stacker.predict(predictions[out], meta_features[out])
    return blended
