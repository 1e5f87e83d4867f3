"""Kept draws: all that predicting needs of a chain, and the averages over them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F32, F64, I32
from movielens_recsys.models.base import Arrays
from movielens_recsys.models.bayesian.gibbs import GibbsChain
from movielens_recsys.models.bayesian.numba_ops import expected_steps, pair_scores

_NAMES = ("users", "items", "noise", "cutpoints", "user_mean", "user_precision", "loadings")
_EFFECT = "effect."
_EFFECT_PRECISION = "effect_precision."


@dataclass(frozen=True, eq=False)
class PosteriorSamples:
    """Draws from the posterior, one along the first dimension of every array.

    Attributes
    ----------
    users, items
        Rows of bias and factors, shape (draws, n + 1, 1 + n_factors), float16. The last row is nobody's, and
        everyone without a training rating has it: of users the mean of those who have ratings, of items the
        prior mean. (That of users is no one's level, since bags shift it for everyone who has rated.)
    noise
        Noise precision of each user, shape (draws, n_users + 1); 1, the prior mean, for the last.
    cutpoints
        Shape (draws, levels - 1).
    user_mean, user_precision
        Prior mean, less what a bag adds, and prior precision of a user's row; shape (draws, 1 + n_factors).
    loadings
        What having rated each item adds to a user's prior mean, before division by the root of their number;
        shape (draws, n_items, 1 + n_factors), float16; no items without bags.
    effects, effect_precisions
        Each random effect's values, shape (draws, groups), float16, and precision, shape (draws,).
    """

    users: NDArray[np.float16]
    items: NDArray[np.float16]
    noise: F32
    cutpoints: F64
    user_mean: F32
    user_precision: F32
    loadings: NDArray[np.float16]
    effects: Mapping[str, NDArray[np.float16]]
    effect_precisions: Mapping[str, F32]

    def __len__(self) -> int:
        return len(self.users)

    @classmethod
    def of(cls, chain: GibbsChain) -> Self:
        """Take the chain's present state as one draw."""
        users, items = chain.users, chain.items
        known = np.diff(users.starts) > 0
        noise = np.append(np.where(known, chain.noise, 1), 1).astype(np.float32)
        width = len(users.mean)
        loadings = users.loadings(0) if chain.config.implicit_features else np.zeros((0, width), np.float32)
        return cls(
            _rows(users.rows, users.rows[known].mean(0), known),
            _rows(items.rows, items.mean, np.diff(items.starts) > 0),
            noise[None],
            chain.cutpoints.values[None].copy(),
            users.mean[None].copy(),
            users.precision[None].astype(np.float32),
            loadings[None].astype(np.float16),
            {name: values[None].astype(np.float16) for name, values in chain.values.items()},
            {name: np.array([value], np.float32) for name, value in chain.precisions.items()},
        )

    @classmethod
    def room(cls, n: int, like: Self) -> Self:
        """Return room for ``n`` draws shaped as those of ``like``; memory is taken as it is filled."""
        return cls.from_state(
            {name: np.empty((n, *array.shape[1:]), array.dtype) for name, array in like.state().items()}
        )

    def put(self, d: int, draws: Self) -> None:
        """Overwrite the draws from number ``d`` on."""
        mine = self.state()
        for name, array in draws.state().items():
            mine[name][d : d + len(draws)] = array

    def first(self, n: int) -> Self:
        """Return the first ``n`` draws, in the same memory."""
        return self.from_state({name: array[:n] for name, array in self.state().items()})

    def expected(self, users: I32, items: I32, groups: Mapping[str, I32]) -> F64:
        """Return the mean over draws of the expected number of levels above the lowest, for n pairs.

        An unknown user or item is the last row. ``groups`` are those of `Effects.groups`: where a group is
        -1, its effect widens the noise by the effect's variance.
        """
        total = np.zeros(len(users))
        scores = np.empty(len(users), np.float32)
        for d in range(len(self)):
            user_rows, item_rows = self.users[d].astype(np.float32), self.items[d].astype(np.float32)
            pair_scores(0, len(users), users, items, user_rows, item_rows, scores)
            variance = 1 / self.noise[d][users]
            for name, group in groups.items():
                values = self.effects[name][d]
                scores += np.where(group >= 0, values[group].astype(np.float32), 0) if len(values) else 0
                variance += np.where(group >= 0, 0, 1 / self.effect_precisions[name][d])
            expected_steps(0, len(users), scores, np.sqrt(variance), self.cutpoints[d], total)
        return total / len(self)

    def scores(self, users: I32) -> F32:
        """Return the mean latent score of every item without random effects, shape (len(users), n_items)."""
        rows = self.users[:, users].astype(np.float32)
        item_rows, item_biases = self._catalogue
        # the sum over draws of p . q is one product of rows that hold every draw's factors
        total: F32 = _beside(rows[:, :, 1:]) @ item_rows.T
        total += rows[:, :, 0].sum(0)[:, None] + item_biases
        total /= len(self)
        return total

    @cached_property
    def _catalogue(self) -> tuple[F32, F32]:
        """Every item's factors of all draws side by side, and the sum of its biases over draws."""
        rows = self.items[:, :-1].astype(np.float32)
        return _beside(rows[:, :, 1:]), rows[:, :, 0].sum(0)

    def latent_std(self, d: int) -> float:
        """Return the latent ratings' standard deviation, in draw ``d``, for a person and moment not known."""
        return math.sqrt(
            1 + sum(1 / float(precision[d]) for _, precision in sorted(self.effect_precisions.items()))
        )

    def state(self) -> Arrays:
        """Return every array by name."""
        arrays: Arrays = {name: getattr(self, name) for name in _NAMES}
        arrays.update({_EFFECT + name: values for name, values in self.effects.items()})
        arrays.update({_EFFECT_PRECISION + name: values for name, values in self.effect_precisions.items()})
        return arrays

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from `state`'s arrays."""

        def under(prefix: str) -> Arrays:
            return {n.removeprefix(prefix): a for n, a in state.items() if n.startswith(prefix)}

        half, single = np.float16, np.float32
        return cls(
            state["users"].astype(half, copy=False),
            state["items"].astype(half, copy=False),
            state["noise"].astype(single, copy=False),
            state["cutpoints"].astype(np.float64, copy=False),
            state["user_mean"].astype(single, copy=False),
            state["user_precision"].astype(single, copy=False),
            state["loadings"].astype(half, copy=False),
            {name: values.astype(half, copy=False) for name, values in under(_EFFECT).items()},
            {name: values.astype(single, copy=False) for name, values in under(_EFFECT_PRECISION).items()},
        )


def _rows(rows: F32, nobody: F32, known: NDArray[np.bool_]) -> NDArray[np.float16]:
    answered = np.where(known[:, None], rows, nobody)
    return np.vstack([answered, nobody])[None].astype(np.float16)


def _beside(rows: F32) -> F32:
    """Return rows of all draws, shape (draws, n, D), as one long row each, shape (n, draws x D)."""
    draws, n, width = rows.shape
    return rows.transpose(1, 0, 2).reshape(n, draws * width)
