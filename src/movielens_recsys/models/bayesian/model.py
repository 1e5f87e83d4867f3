"""`BayesianMF`: predictions averaged over draws from the posterior of the ordinal factor model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import I32, FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays, DataSpec, TimeAwareModel, strip_prefix
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.fold_in import draw_row
from movielens_recsys.models.bayesian.numba_ops import expected_steps
from movielens_recsys.models.bayesian.posterior import PosteriorSamples
from movielens_recsys.models.bayesian.sampler import GibbsSampler
from movielens_recsys.models.features.time_groups import Effects
from movielens_recsys.seeds import generator

PAIRS_AT_ONCE = 65_536
USERS_AT_ONCE = 256


class BayesianMF(TimeAwareModel):
    """The ordinal Bayesian factor model of `bayesian.chain`; predicts the mean of E[rating] over kept draws.

    Whoever has no training rating is answered as the mean of the users who have some, known or not; an item
    without one as its prior mean says.
    """

    def __init__(
        self, config: BayesianMFConfig, domain: DataSpec, draws: PosteriorSamples, effects: Effects
    ) -> None:
        super().__init__(config, domain)
        self.draws, self.effects = draws, effects

    @classmethod
    def fit(cls, config: BayesianMFConfig, train: Ratings, seed: int = 0) -> Self:
        """Sample from the posterior given ``train``."""
        sampler = GibbsSampler(config, train, seed)
        sampler.run()
        return cls.of(sampler)

    @classmethod
    def of(cls, sampler: GibbsSampler) -> Self:
        """Return the recommender of the samples that ``sampler`` has kept so far."""
        return cls(sampler.config, DataSpec.of(sampler.train), sampler.kept_samples(), sampler.chain.effects)

    def _predict(
        self, users: IntArray, items: IntArray, timestamps: NDArray[np.int64] | None
    ) -> NDArray[np.float32]:
        self.domain.check(users, items)
        steps = np.empty(len(users))
        for start in range(0, len(users), PAIRS_AT_ONCE):
            block = slice(start, start + PAIRS_AT_ONCE)
            times = None if timestamps is None else timestamps[block]
            groups = self.effects.groups(users[block], items[block], times)
            steps[block] = self.draws.expected(
                _last_if_unknown(users[block], self.n_users),
                _last_if_unknown(items[block], self.n_items),
                groups,
            )
        return self._stars(steps)

    def score(self, users: IntArray) -> NDArray[np.float32]:
        """Return the mean latent score of every item, which orders them as their expected ratings do."""
        self.domain.check(users)
        rows = _last_if_unknown(users, self.n_users)
        blocks = [
            self.draws.scores(rows[start : start + USERS_AT_ONCE])
            for start in range(0, len(rows), USERS_AT_ONCE)
        ]
        return np.concatenate(blocks) if blocks else np.empty((0, self.n_items), np.float32)

    def fold_in(self, items: IntArray, ratings: FloatArray) -> NDArray[np.float32]:
        """Draw the new person's row given each kept draw of everything else; no moment, no side information.

        Repeatable: the same history is answered with the same numbers.
        """
        self.domain.check_history(items, ratings)
        known = items >= 0
        history = np.asarray(items[known], np.int64)
        levels = np.rint((ratings[known] - self.domain.scale.minimum) / self.domain.scale.step)
        rng = generator(0, "fold_in")
        steps = np.zeros(self.n_items)
        for d in range(len(self.draws)):
            row = draw_row(self.draws, d, history, levels.astype(np.int8), rng)
            item_rows = self.draws.items[d][:-1].astype(np.float32)
            scores = item_rows[:, 1:] @ row[1:] + row[0] + item_rows[:, 0]
            spread = np.full(self.n_items, self.draws.latent_std(d), np.float32)
            expected_steps(0, self.n_items, scores, spread, self.draws.cutpoints[d], steps)
        return self._stars(steps / len(self.draws))

    def _stars(self, steps: NDArray[np.float64]) -> NDArray[np.float32]:
        return self.domain.clip(self.domain.scale.minimum + self.domain.scale.step * steps)

    def state(self) -> Arrays:
        """Return the kept draws and what finds a rating's groups."""
        draws = {f"draws.{name}": array for name, array in self.draws.state().items()}
        effects = {f"effects.{name}": array for name, array in self.effects.state().items()}
        return {**draws, **effects}

    @classmethod
    def from_state(
        cls, config: BayesianMFConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]
    ) -> Self:
        """Rebuild from the arrays of `state`."""
        draws, effects = strip_prefix("draws.", state), strip_prefix("effects.", state)
        return cls(config, domain, PosteriorSamples.from_state(draws), Effects.from_state(effects))


def _last_if_unknown(index: IntArray, n: int) -> I32:
    return np.where(index < 0, n, index).astype(np.int32)
