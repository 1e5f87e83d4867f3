"""Models solved in closed form: the baselines that every other model has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg

from movielens_recsys.arrays import F32, F64, I64, FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.base import Arrays, DataSpec, Model, require_ratings
from movielens_recsys.models.baselines_config import GlobalMeanConfig, PopularityConfig, UserItemBiasConfig


class GlobalMean(Model):
    """Predicts the mean training rating for every pair; all items tie in its rankings."""

    def __init__(self, config: GlobalMeanConfig, domain: DataSpec, mean: float) -> None:
        super().__init__(config, domain)
        self.mean = mean

    @property
    def score_meaning(self) -> str:
        """All items tie."""
        return "id, as all items have the same score"

    @property
    def fallback_meaning(self) -> str:
        """The same for everyone."""
        return self.score_meaning

    @classmethod
    def fit(cls, config: GlobalMeanConfig, train: Ratings, seed: int = 0) -> Self:
        """Compute the mean of ``train``."""
        require_ratings(train)
        return cls(config, DataSpec.of(train), float(train.ratings.mean(dtype=np.float64)))

    def predict(self, users: IntArray, items: IntArray) -> F32:
        """Return the mean for each pair."""
        self.domain.check(users, items)
        return np.full(len(users), self.mean, np.float32)

    def score(self, users: IntArray) -> F32:
        """Return the mean for each user and item: all ties."""
        self.domain.check(users)
        return np.full((len(users), self.n_items), self.mean, np.float32)

    def fold_in(self, items: IntArray, ratings: FloatArray) -> F32:
        """Return the mean for each item, whatever the history."""
        self.domain.check_history(items, ratings)
        return np.full(self.n_items, self.mean, np.float32)

    def state(self) -> Arrays:
        """Return the mean."""
        return {"mean": np.array([self.mean])}

    @classmethod
    def from_state(
        cls, config: GlobalMeanConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]
    ) -> Self:
        """Rebuild from the mean."""
        return cls(config, domain, float(state["mean"][0]))


class Popularity(Model):
    """Orders items by their number of training ratings; predicts the item's shrunk mean.

    prediction(i) = (sum of i's ratings + shrinkage x global mean) / (count of i + shrinkage)
    """

    def __init__(
        self,
        config: PopularityConfig,
        domain: DataSpec,
        counts: I64,
        means: F64,
    ) -> None:
        super().__init__(config, domain)
        self.counts = counts
        self.means = means

    @property
    def score_meaning(self) -> str:
        """Scores count ratings."""
        return "number of training ratings"

    @property
    def fallback_meaning(self) -> str:
        """The same for everyone."""
        return self.score_meaning

    @property
    def known_items(self) -> NDArray[np.bool_]:
        """Items with a training rating."""
        return self.counts > 0

    @classmethod
    def fit(cls, config: PopularityConfig, train: Ratings, seed: int = 0) -> Self:
        """Count each item's ratings and shrink their mean; ``train`` gives the domain too."""
        require_ratings(train)
        counts = np.bincount(train.items, minlength=train.n_items)
        sums = np.bincount(train.items, train.ratings, train.n_items)
        mean = float(train.ratings.mean(dtype=np.float64))
        weight = counts + config.shrinkage
        means = np.where(weight > 0, (sums + config.shrinkage * mean) / np.maximum(weight, 1e-12), mean)
        # The last entry is that of an UNKNOWN item: index -1 reads it.
        return cls(config, DataSpec.of(train), counts.astype(np.int64), np.append(means, mean))

    def predict(self, users: IntArray, items: IntArray) -> F32:
        """Return each item's shrunk mean; an unknown item gets the global mean."""
        self.domain.check(users, items)
        return self.domain.clip(self.means[items])

    def score(self, users: IntArray) -> F32:
        """Return each item's number of training ratings, the same row for every user."""
        self.domain.check(users)
        return np.tile(self.counts.astype(np.float32), (len(users), 1))

    def fold_in(self, items: IntArray, ratings: FloatArray) -> F32:
        """Return each item's shrunk mean, whatever the history."""
        self.domain.check_history(items, ratings)
        return self.domain.clip(self.means[:-1])

    def state(self) -> Arrays:
        """Return counts and shrunk means."""
        return {"counts": self.counts, "means": self.means}

    @classmethod
    def from_state(
        cls, config: PopularityConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]
    ) -> Self:
        """Rebuild from counts and shrunk means."""
        return cls(config, domain, state["counts"].astype(np.int64), state["means"].astype(np.float64))


class UserItemBias(Model):
    """rating(u, i) = mean + b_u + b_i, the ridge regression solved to machine precision.

    Minimises sum (r - mean - b_u - b_i)^2 + user_regularization sum b_u^2 + item_regularization sum b_i^2
    (Koren, Bell & Volinsky, 2009, eq. 3-4, with separate penalties for users and items). Items without a
    training rating have bias 0; users without one have the mean bias of the other users, since heavy raters
    are harsher than most and weigh more in the mean rating.

    Attributes
    ----------
    user_bias
        Shape (n_users + 1,); the last is an unknown user's.
    item_bias
        Shape (n_items,).
    """

    config: UserItemBiasConfig

    def __init__(
        self,
        config: UserItemBiasConfig,
        domain: DataSpec,
        mean: float,
        user_bias: F64,
        item_bias: F64,
    ) -> None:
        super().__init__(config, domain)
        self.mean = mean
        self.user_bias = user_bias
        self.item_bias = item_bias

    @property
    def known_users(self) -> NDArray[np.bool_]:
        """Users with a bias of their own; all users if there is only one bias."""
        known: NDArray[np.bool_] = self.user_bias[:-1] != self.user_bias[-1]
        return known if known.any() else super().known_users

    @property
    def known_items(self) -> NDArray[np.bool_]:
        """Items with a bias; all items if none has one."""
        known: NDArray[np.bool_] = self.item_bias != 0
        return known if known.any() else super().known_items

    @classmethod
    def fit(cls, config: UserItemBiasConfig, train: Ratings, seed: int = 0) -> Self:
        """Solve the normal equations by conjugate gradients.

        Raises
        ------
        ModelError
            If there are no ratings, or the equations do not converge.
        """
        require_ratings(train)
        mean = float(train.ratings.mean(dtype=np.float64))
        user_bias, item_bias = _solve_biases(
            train, mean, config.user_regularization, config.item_regularization
        )
        known = np.bincount(train.users, minlength=train.n_users) > 0
        cold_user = user_bias[known].mean()
        user_bias = np.append(np.where(known, user_bias, cold_user), cold_user)
        return cls(config, DataSpec.of(train), mean, user_bias, item_bias)

    def predict(self, users: IntArray, items: IntArray) -> F32:
        """Return mean + b_u + b_i, clipped to the scale."""
        self.domain.check(users, items)
        return self.domain.clip(self.mean + self.user_bias[users] + np.append(self.item_bias, 0.0)[items])

    def score(self, users: IntArray) -> F32:
        """Return mean + b_u + b_i for every item, not clipped, so that no two good items tie."""
        self.domain.check(users)
        return (self.mean + self.user_bias[users][:, None] + self.item_bias).astype(np.float32)

    def fold_in(self, items: IntArray, ratings: FloatArray) -> F32:
        """Solve the new user's bias given the items' biases: exact for this model."""
        return self.domain.clip(self.mean + self.new_user_bias(items, ratings) + self.item_bias)

    def new_user_bias(self, items: IntArray, ratings: FloatArray) -> float:
        """Return b_u, in stars, of a new user with this history; an unknown user's for an empty one."""
        self.domain.check_history(items, ratings)
        if len(items) == 0:
            return float(self.user_bias[-1])
        weight = len(items) + self.config.user_regularization
        return float((ratings - self.mean - np.append(self.item_bias, 0.0)[items]).sum() / weight)

    def state(self) -> Arrays:
        """Return the mean and the biases of users and items."""
        return {"mean": np.array([self.mean]), "user_bias": self.user_bias, "item_bias": self.item_bias}

    @classmethod
    def from_state(
        cls, config: UserItemBiasConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]
    ) -> Self:
        """Rebuild from the mean and the biases of users and items."""
        user_bias, item_bias = state["user_bias"].astype(np.float64), state["item_bias"].astype(np.float64)
        return cls(config, domain, float(state["mean"][0]), user_bias, item_bias)


def _solve_biases(
    train: Ratings, mean: float, user_regularization: float, item_regularization: float
) -> tuple[F64, F64]:
    """Solve [Nu + lu, R; R^T, Ni + li] [b_u; b_i] = [sums of residuals], R the 0/1 rating matrix.

    A tiny floor on the diagonal keeps users and items without ratings, and an unpenalised problem, solvable.
    """
    n_users, n_items = train.n_users, train.n_items
    rated = sparse.csr_array((np.ones(len(train)), (train.users, train.items)), shape=(n_users, n_items))
    rated_by = rated.T.tocsr()
    residual = train.ratings.astype(np.float64) - mean
    floor = 1e-9
    diagonal = np.concatenate(
        [
            np.bincount(train.users, minlength=n_users) + user_regularization + floor,
            np.bincount(train.items, minlength=n_items) + item_regularization + floor,
        ]
    )
    right = np.concatenate(
        [np.bincount(train.users, residual, n_users), np.bincount(train.items, residual, n_items)]
    )

    def multiply(biases: F64) -> F64:
        b_u, b_i = biases[:n_users], biases[n_users:]
        product: F64 = diagonal * biases + np.concatenate([rated @ b_i, rated_by @ b_u])
        return product

    size = n_users + n_items
    matrix = LinearOperator((size, size), matvec=multiply, dtype=np.float64)
    jacobi = LinearOperator((size, size), matvec=lambda biases: biases / diagonal, dtype=np.float64)
    solution, failed = cg(matrix, right, rtol=1e-10, maxiter=2_000, M=jacobi)
    if failed:
        raise ModelError(
            "the bias equations did not converge in 2,000 steps",
            next_step="set user_regularization and item_regularization above 0",
        )
    return solution[:n_users], solution[n_users:]
