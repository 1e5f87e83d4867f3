"""A chain of draws from the posterior of the ordinal factor model, by block Gibbs sampling.

    score(u, i, t) = b_u + b_i + p_u . q_i + random effects of u, i and the moment
    latent rating  ~ Normal(score, 1 / noise_u),   noise_u ~ Gamma(noise_shape, noise_shape)
    rating         = the level between whose cutpoints the latent rating lies
    (b_u, p_u)     ~ Normal(mean + sum of components, precision^-1), and (b_i, q_i) likewise

A component is a Gaussian process over users or items (`features`). The latent ratings make everything else
conjugate (Albert & Chib, 1993, https://doi.org/10.1080/01621459.1993.10476321); the factors are drawn a
row at a time from their joint conditional (Salakhutdinov & Mnih, 2008, https://doi.org/10.1145/1390156.1390267).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F32, I32
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays, require_ratings
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.cutpoints import CutpointSampler
from movielens_recsys.models.bayesian.factors import EntityFactors
from movielens_recsys.models.bayesian.gp_kernels import Kernels
from movielens_recsys.models.bayesian.numba_ops import augment, draw_effect, pair_scores
from movielens_recsys.models.bayesian.parallel import ThreadPool, even_blocks
from movielens_recsys.models.features.time_groups import Effects
from movielens_recsys.seeds import generator

EFFECT_PRECISION = 20.0
EFFECT_RATE = 0.05
"""Effects' precisions start at the first and are Gamma(1, the second) a priori."""
SETTLING_SWEEPS = 20
CUTPOINTS_EVERY = 4
"""After the first sweeps cutpoints, which hardly move, are drawn every so many sweeps."""


class GibbsChain:
    """The state of one chain, and its next sweep. One seed gives the same draws on any number of threads.

    Attributes
    ----------
    users, items
        The two `Side`s.
    effects
        The groups of the random effects; ``values`` and ``precisions`` are theirs, by name.
    noise
        Each user's noise precision, shape (n_users,).
    sweeps
        How many are done.
    """

    def __init__(self, config: BayesianMFConfig, train: Ratings, kernels: Kernels, seed: int) -> None:
        require_ratings(train)
        self.config = config
        self.rng = generator(seed, "chain")
        times = np.zeros(len(train), np.int64) if train.timestamps is None else train.timestamps
        train = train.take(np.lexsort((times, train.users)))
        self.user_of, self.item_of = train.users.astype(np.int32), train.items.astype(np.int32)
        self.levels = np.rint((train.ratings - train.scale.minimum) / train.scale.step).astype(np.int8)
        width = config.n_factors + 1
        n = len(train)
        self.users = EntityFactors(
            _starts(self.user_of, train.n_users),
            np.arange(n, dtype=np.int32),
            self.item_of,
            kernels.users,
            width,
            self.rng,
            centred=False,
        )
        self.items = EntityFactors(
            _starts(self.item_of, train.n_items),
            np.argsort(self.item_of, kind="stable").astype(np.int32),
            self.user_of,
            kernels.items,
            width,
            self.rng,
            centred=True,
        )
        self.effects, self._groups = Effects.of(config, train)
        self.values = {name: np.zeros(len(keys), np.float32) for name, keys in self.effects.keys.items()}
        self.precisions = dict.fromkeys(self.values, EFFECT_PRECISION)
        self.noise = np.ones(train.n_users, np.float32)
        self.cutpoints = CutpointSampler(self.levels, len(train.scale.levels))
        self.sweeps = 0
        self._scores = np.zeros(n, np.float32)
        self._effect_sums = np.zeros(n, np.float32)

    def sweep(self, threads: ThreadPool) -> None:
        """Draw every unknown once, given all others."""
        n, rng = len(self.levels), self.rng
        weights = self.noise[self.user_of]
        if self.sweeps >= 2 and (self.sweeps < SETTLING_SWEEPS or self.sweeps % CUTPOINTS_EVERY == 0):
            self.cutpoints.draw(self._scores, weights, rng, threads)
        latent = np.empty(n, np.float32)
        uniforms = rng.random(n, dtype=np.float32)
        threads.over(
            even_blocks(n),
            augment,
            self.levels,
            self._scores,
            weights,
            self.cutpoints.edges,
            uniforms,
            latent,
        )
        targets = latent - self._effect_sums
        self.users.draw(self.items.rows, targets, weights, rng, threads)
        self.items.draw(self.users.rows, targets, weights, rng, threads)
        threads.over(
            even_blocks(n),
            pair_scores,
            self.user_of,
            self.item_of,
            self.users.rows,
            self.items.rows,
            self._scores,
        )
        residuals = targets - self._scores
        self._draw_effects(residuals, weights)
        self._scores = latent - residuals
        self._draw_noise(residuals)
        self.sweeps += 1

    def _draw_effects(self, residuals: F32, weights: F32) -> None:
        for name, values in self.values.items():
            noise = self.rng.standard_normal(len(values), dtype=np.float32)
            draw_effect(
                self._groups[name],
                weights,
                self.precisions[name],
                noise,
                values,
                residuals,
                self._effect_sums,
            )
            squares = float((values.astype(np.float64) ** 2).sum())
            shape, rate = 1 + 0.5 * len(values), EFFECT_RATE + 0.5 * squares
            self.precisions[name] = float(self.rng.gamma(shape) / rate)

    def _draw_noise(self, residuals: F32) -> None:
        """Draw each user's precision; the prior's mean of 1 fixes the scale of the latent ratings."""
        squares = np.bincount(self.user_of, residuals.astype(np.float64) ** 2, len(self.noise))
        counts = np.diff(self.users.starts)
        shape = self.config.noise_shape
        draws = self.rng.gamma(shape + 0.5 * counts) / (shape + 0.5 * squares)
        self.noise = draws.astype(np.float32)

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return arrays and plain values from which `restore` goes on, bit for bit."""
        arrays: Arrays = {f"users.{name}": array for name, array in self.users.state().items()}
        arrays.update({f"items.{name}": array for name, array in self.items.state().items()})
        arrays.update({f"values.{name}": array for name, array in self.values.items()})
        arrays["noise"], arrays["scores"], arrays["effect_sums"] = (
            self.noise,
            self._scores,
            self._effect_sums,
        )
        plain = {
            "sweeps": self.sweeps,
            "precisions": self.precisions,
            "cutpoints": self.cutpoints.to_json(),
            "rng": self.rng.bit_generator.state,
        }
        return {name: array.copy() for name, array in arrays.items()}, plain

    def restore(self, arrays: Arrays, plain: dict[str, Any]) -> None:
        """Go back to what `state` returned."""
        for prefix, side in (("users.", self.users), ("items.", self.items)):
            side.restore({n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)})
        self.values = {name: arrays[f"values.{name}"].astype(np.float32) for name in self.values}
        self.noise = arrays["noise"].astype(np.float32)
        self._scores = arrays["scores"].astype(np.float32)
        self._effect_sums = arrays["effect_sums"].astype(np.float32)
        self.sweeps, self.precisions = plain["sweeps"], dict(plain["precisions"])
        self.cutpoints.restore(plain["cutpoints"])
        self.rng.bit_generator.state = plain["rng"]


def _starts(owners: I32, n: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=n))]).astype(np.int64)
