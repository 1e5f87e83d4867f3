"""Posterior samples: all that predicting needs of a chain, and the averages over them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F32, F64, I32
from movielens_recsys.models.base import Arrays, strip_prefix
from movielens_recsys.models.bayesian.numba_ops import add_expected_steps, pair_scores

if TYPE_CHECKING:
    from movielens_recsys.models.bayesian.gibbs import GibbsChain

_NAMES = ("users", "items", "noise", "cutpoints", "user_mean", "user_precision", "loadings")
_EFFECT = "effect."
_EFFECT_PRECISION = "effect_precision."


@dataclass(frozen=True, eq=False)
class PosteriorSamples:
    """Samples of the posterior, one along the first dimension of every array.

    Factor rows and effects are float16, which halves bundle and memory: the rounding, 5e-4 of a value, is far
    below the posterior's deviation. Cutpoints are float64, since every probability is a difference of them.

    Attributes
    ----------
    users, items
        Rows of bias and factors, shape (samples, n + 1, 1 + n_factors), float16. The last row is that of
        unknown users or items, and all without a training rating have it: of users the mean of those with
        ratings, of items the prior mean.
    noise
        Noise precision of each user, shape (samples, n_users + 1); 1, the prior mean, in the last place.
    cutpoints
        Shape (samples, levels - 1).
    user_mean, user_precision
        Mean of a user's prior without implicit features, and its precision; shape (samples, 1 + n_factors).
    loadings
        What having rated each item adds to a user's prior mean, before division by the root of their number;
        shape (samples, n_items, 1 + n_factors), float16; (samples, 0, 1 + n_factors) without implicit
        features.
    effects, effect_precisions
        Each random effect's values, shape (samples, n_groups), float16, and precision, shape (samples,).
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
        """Take the chain's present state as one sample."""
        users, items = chain.users, chain.items
        with_ratings = np.diff(users.starts) > 0
        noise = np.append(np.where(with_ratings, chain.noise_precision, 1), 1).astype(np.float32)
        width = len(users.mean)
        loadings = users.loadings(0) if chain.config.implicit_features else np.zeros((0, width), np.float32)
        # Not the users' prior mean: the kernel of implicit features shifts all who have rated, so that the
        # level of the ratings is in the component, and the prior mean alone is at no user's level.
        cold_user = users.rows[with_ratings].mean(0)
        return cls(
            users=_append_unknown(users.rows, cold_user, with_ratings),
            items=_append_unknown(items.rows, items.mean, np.diff(items.starts) > 0),
            noise=noise[None],
            cutpoints=chain.cutpoints.values[None].copy(),
            user_mean=users.mean[None].copy(),
            user_precision=users.precision[None].astype(np.float32),
            loadings=loadings[None].astype(np.float16),
            effects={name: values[None].astype(np.float16) for name, values in chain.effects.items()},
            effect_precisions={
                name: np.array([value], np.float32) for name, value in chain.effect_precisions.items()
            },
        )

    @classmethod
    def allocate(cls, n: int, like: Self) -> Self:
        """Return uninitialized room for ``n`` samples with the shapes of ``like``'s."""
        return cls.from_state(
            {name: np.empty((n, *array.shape[1:]), array.dtype) for name, array in like.state().items()}
        )

    def write(self, position: int, samples: Self) -> None:
        """Overwrite the samples from ``position`` on."""
        own = self.state()
        for name, array in samples.state().items():
            own[name][position : position + len(samples)] = array

    def first(self, n: int) -> Self:
        """Return the first ``n`` samples, in the same memory."""
        return self.from_state({name: array[:n] for name, array in self.state().items()})

    def expected_steps(self, users: I32, items: I32, groups: Mapping[str, I32]) -> F64:
        """Return the mean over samples of the expected number of levels above the lowest, shape (n,).

        An unknown user or item has the last index. ``groups`` are those of `RatingGroups.find`: where a group
        is -1, the effect's prior variance is added to that of the noise.
        """
        total = np.zeros(len(users))
        scores = np.empty(len(users), np.float32)
        for s in range(len(self)):
            user_rows, item_rows = self.users[s].astype(np.float32), self.items[s].astype(np.float32)
            pair_scores(0, len(users), users, items, user_rows, item_rows, scores)
            variance = 1 / self.noise[s][users]
            for name, group in groups.items():
                values = self.effects[name][s]
                scores += np.where(group >= 0, values[group].astype(np.float32), 0) if len(values) else 0
                variance += np.where(group >= 0, 0, 1 / self.effect_precisions[name][s])
            add_expected_steps(0, len(users), scores, np.sqrt(variance), self.cutpoints[s], total)
        return total / len(self)

    def mean_scores(self, users: I32) -> F32:
        """Return the mean latent score of every item without random effects, shape (len(users), n_items)."""
        rows = self.users[:, users].astype(np.float32)
        item_factors, item_biases = self._item_table
        # The sum over samples of p . q is a single product of rows that hold all samples' factors.
        total: F32 = _concatenate_samples(rows[:, :, 1:]) @ item_factors.T
        total += rows[:, :, 0].sum(0)[:, None] + item_biases
        total /= len(self)
        return total

    def scaled_item_factors(self) -> F32:
        """Return items' factors x the users' prior deviations, shape (n_items, samples x n_factors)."""
        rows = self.items[:, :-1, 1:].astype(np.float32)
        rows /= np.sqrt(self.user_precision[:, None, 1:])
        return _concatenate_samples(rows)

    @cached_property
    def _item_table(self) -> tuple[F32, F32]:
        """Every item's factors of all samples side by side, and the sum of its biases over samples."""
        rows = self.items[:, :-1].astype(np.float32)
        return _concatenate_samples(rows[:, :, 1:]), rows[:, :, 0].sum(0)

    def latent_std(self, s: int) -> float:
        """Return the deviation of latent ratings in sample ``s`` for an unknown user and timestamp."""
        return math.sqrt(
            1 + sum(1 / float(precision[s]) for _, precision in sorted(self.effect_precisions.items()))
        )

    def state(self) -> Arrays:
        """Return every array under its name in a bundle."""
        arrays: Arrays = {name: getattr(self, name) for name in _NAMES}
        arrays.update({_EFFECT + name: values for name, values in self.effects.items()})
        arrays.update({_EFFECT_PRECISION + name: values for name, values in self.effect_precisions.items()})
        return arrays

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """Rebuild from `state`'s arrays."""
        half, single = np.float16, np.float32
        effects, precisions = strip_prefix(_EFFECT, state), strip_prefix(_EFFECT_PRECISION, state)
        return cls(
            users=state["users"].astype(half, copy=False),
            items=state["items"].astype(half, copy=False),
            noise=state["noise"].astype(single, copy=False),
            cutpoints=state["cutpoints"].astype(np.float64, copy=False),
            user_mean=state["user_mean"].astype(single, copy=False),
            user_precision=state["user_precision"].astype(single, copy=False),
            loadings=state["loadings"].astype(half, copy=False),
            effects={name: values.astype(half, copy=False) for name, values in effects.items()},
            effect_precisions={name: value.astype(single, copy=False) for name, value in precisions.items()},
        )


def _append_unknown(rows: F32, unknown: F32, with_ratings: NDArray[np.bool_]) -> NDArray[np.float16]:
    """Return the rows, ``unknown`` in place of those without ratings and as the last, as one sample."""
    filled = np.where(with_ratings[:, None], rows, unknown)
    return np.vstack([filled, unknown])[None].astype(np.float16)


def _concatenate_samples(rows: F32) -> F32:
    """Return the rows of all samples, shape (samples, n, D), side by side, shape (n, samples x D)."""
    samples, n, width = rows.shape
    return rows.transpose(1, 0, 2).reshape(n, samples * width)
