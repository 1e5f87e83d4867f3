"""A Markov chain over the posterior of the ordinal factor model, by block Gibbs sampling.

    score(u, i, t) = b_u + b_i + p_u . q_i + random effects of u, i and timestamp t
    latent rating  ~ Normal(score, 1 / noise_u),   noise_u ~ Gamma(noise_shape, noise_shape)
    rating         = the level between whose cutpoints the latent rating lies
    (b_u, p_u)     ~ Normal(mean + sum of components, precision^-1), and (b_i, q_i) likewise

A component is a Gaussian process over users or items (`gp_kernels`). Given the latent ratings everything else
is conjugate (Albert & Chib, 1993, https://doi.org/10.1080/01621459.1993.10476321); biases and factors are
drawn a row at a time from their joint conditional (Salakhutdinov & Mnih, 2008,
https://doi.org/10.1145/1390156.1390267).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from movielens_recsys.arrays import F32, I32, I64
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays, require_ratings, strip_prefix
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.cutpoints import CutpointSampler
from movielens_recsys.models.bayesian.factors import EntityFactors
from movielens_recsys.models.bayesian.gp_kernels import Kernels
from movielens_recsys.models.bayesian.numba_ops import draw_effect, draw_latent_ratings, pair_scores
from movielens_recsys.models.bayesian.parallel import ThreadPool, even_blocks
from movielens_recsys.models.features.time_groups import RatingGroups
from movielens_recsys.seeds import generator

INITIAL_EFFECT_PRECISION = 20.0
EFFECT_PRECISION_RATE = 0.05
"""Precisions of random effects are Gamma(1, this) a priori."""
FIRST_CUTPOINT_SWEEP = 2
EARLY_SWEEPS = 20
CUTPOINT_INTERVAL = 4
"""After the early sweeps, cutpoints are drawn in every so many sweeps."""


class GibbsChain:
    """The state of one chain, and its next sweep.

    One seed gives the same samples on any number of threads: all random numbers come from ``rng``, in the
    order of the statements of `sweep`. Changing that order changes every later sample, and a chain resumed
    from an older checkpoint would no longer be the chain that was interrupted.

    Attributes
    ----------
    users, items
        Biases and factors with their priors.
    rating_groups
        The groups of the random effects; ``effects`` are their values, each of shape (n_groups,), and
        ``effect_precisions`` their prior precisions, by name.
    noise_precision
        Each user's noise precision, shape (n_users,).
    sweeps
        How many are done.
    """

    def __init__(self, config: BayesianMFConfig, train: Ratings, kernels: Kernels, seed: int) -> None:
        require_ratings(train)
        self.config = config
        self.rng = generator(seed, "chain")
        timestamps = np.zeros(len(train), np.int64) if train.timestamps is None else train.timestamps
        # By user, so that a user's ratings are contiguous, and by time, so that sessions are.
        train = train.take(np.lexsort((timestamps, train.users)))
        self.user_of, self.item_of = train.users.astype(np.int32), train.items.astype(np.int32)
        scale = train.scale.ordinal
        self.levels = scale.level_of(train.ratings).astype(np.int8)
        width = config.n_factors + 1
        n = len(train)
        self.users = EntityFactors(
            starts=_starts(self.user_of, train.n_users),
            entries=np.arange(n, dtype=np.int32),
            partners=self.item_of,
            kernels=kernels.users,
            width=width,
            rng=self.rng,
            centered=False,
        )
        self.items = EntityFactors(
            starts=_starts(self.item_of, train.n_items),
            entries=np.argsort(self.item_of, kind="stable").astype(np.int32),
            partners=self.user_of,
            kernels=kernels.items,
            width=width,
            rng=self.rng,
            centered=True,
        )
        self.rating_groups, self._groups = RatingGroups.of(
            train,
            time_effects=config.time_effects,
            sessions=config.sessions,
            side_information=config.side_information,
        )
        group_keys = self.rating_groups.keys
        self.effects = {name: np.zeros(len(keys), np.float32) for name, keys in group_keys.items()}
        self.effect_precisions = dict.fromkeys(self.effects, INITIAL_EFFECT_PRECISION)
        self.noise_precision = np.ones(train.n_users, np.float32)
        self.cutpoints = CutpointSampler(self.levels, scale.n_levels)
        self.sweeps = 0
        self._scores = np.zeros(n, np.float32)
        self._effect_sums = np.zeros(n, np.float32)

    def sweep(self, threads: ThreadPool) -> None:
        """Draw every unknown once, given all others."""
        weights = self.noise_precision[self.user_of]
        # Cutpoints first and latent ratings next: cutpoints are drawn with the latent ratings integrated out,
        # so the old latent ratings no longer fit them, and nothing may be drawn given those in between
        # (partially collapsed Gibbs; van Dyk & Park, 2008, https://doi.org/10.1198/016214508000000409).
        if self._cutpoints_are_due():
            self.cutpoints.draw(self._scores, weights, self.rng, threads)
        latent = self._draw_latent_ratings(weights, threads)
        targets = latent - self._effect_sums
        # Each given the other's present rows: the items' draw reads the users' rows of this sweep.
        self.users.draw(self.items.rows, targets, weights, self.rng, threads)
        self.items.draw(self.users.rows, targets, weights, self.rng, threads)
        threads.map_blocks(
            even_blocks(len(targets)),
            pair_scores,
            self.user_of,
            self.item_of,
            self.users.rows,
            self.items.rows,
            self._scores,
        )
        residuals = targets - self._scores
        self._draw_effects(residuals, weights)
        # `draw_effect` has subtracted the effects from the residuals, so this is the score with all effects:
        # the next sweep's cutpoints and latent ratings are drawn given it.
        self._scores = latent - residuals
        # Noise last: ``weights`` are the precisions that all blocks above were drawn with.
        self._draw_noise(residuals)
        self.sweeps += 1

    def _cutpoints_are_due(self) -> bool:
        # In the first sweeps the scores explain nothing yet; the shares of the levels are the better start.
        # Later, cutpoints hardly move from sweep to sweep, and evaluating their likelihood costs several
        # passes over all ratings. Skipping a block in a fixed pattern leaves the posterior invariant.
        if self.sweeps < FIRST_CUTPOINT_SWEEP:
            return False
        return self.sweeps < EARLY_SWEEPS or self.sweeps % CUTPOINT_INTERVAL == 0

    def _draw_latent_ratings(self, weights: F32, threads: ThreadPool) -> F32:
        n = len(self.levels)
        latent = np.empty(n, np.float32)
        uniforms = self.rng.random(n, dtype=np.float32)
        threads.map_blocks(
            even_blocks(n),
            draw_latent_ratings,
            self.levels,
            self._scores,
            weights,
            self.cutpoints.edges,
            uniforms,
            latent,
        )
        return latent

    def _draw_effects(self, residuals: F32, weights: F32) -> None:
        """Draw each effect given the others, then its precision; ``residuals`` are updated in place."""
        for name, values in self.effects.items():
            noise = self.rng.standard_normal(len(values), dtype=np.float32)
            draw_effect(
                self._groups[name],
                weights,
                self.effect_precisions[name],
                noise,
                values,
                residuals,
                self._effect_sums,
            )
            squares = float((values.astype(np.float64) ** 2).sum())
            shape, rate = 1 + 0.5 * len(values), EFFECT_PRECISION_RATE + 0.5 * squares
            self.effect_precisions[name] = float(self.rng.gamma(shape) / rate)

    def _draw_noise(self, residuals: F32) -> None:
        """Draw each user's noise precision; the prior mean of 1 fixes the scale of the latent ratings."""
        squares = np.bincount(self.user_of, residuals.astype(np.float64) ** 2, len(self.noise_precision))
        counts = np.diff(self.users.starts)
        shape = self.config.noise_shape
        precision = self.rng.gamma(shape + 0.5 * counts) / (shape + 0.5 * squares)
        self.noise_precision = precision.astype(np.float32)

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return arrays and plain values from which `restore` continues, bit for bit."""
        arrays: Arrays = {f"users.{name}": array for name, array in self.users.state().items()}
        arrays.update({f"items.{name}": array for name, array in self.items.state().items()})
        # "values." and "noise" are keys of older checkpoints.
        arrays.update({f"values.{name}": array for name, array in self.effects.items()})
        # Scores and effect sums are running values: recomputed from the rows they would differ in the last
        # digits, and the resumed chain would leave the interrupted one.
        arrays |= {"noise": self.noise_precision, "scores": self._scores, "effect_sums": self._effect_sums}
        plain = {
            "sweeps": self.sweeps,
            "precisions": self.effect_precisions,
            "cutpoints": self.cutpoints.to_json(),
            "rng": self.rng.bit_generator.state,
        }
        return {name: array.copy() for name, array in arrays.items()}, plain

    def restore(self, arrays: Arrays, plain: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.users.restore(strip_prefix("users.", arrays))
        self.items.restore(strip_prefix("items.", arrays))
        self.effects = {name: arrays[f"values.{name}"].astype(np.float32) for name in self.effects}
        self.noise_precision = arrays["noise"].astype(np.float32)
        self._scores = arrays["scores"].astype(np.float32)
        self._effect_sums = arrays["effect_sums"].astype(np.float32)
        self.sweeps, self.effect_precisions = plain["sweeps"], dict(plain["precisions"])
        self.cutpoints.restore(plain["cutpoints"])
        self.rng.bit_generator.state = plain["rng"]


def _starts(owners: I32, n: int) -> I64:
    """Return where each of ``n`` owners' ratings begin once sorted by owner, shape (n + 1,)."""
    return np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=n))]).astype(np.int64)
