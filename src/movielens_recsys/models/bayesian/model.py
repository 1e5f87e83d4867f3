"""`BayesianMF`: predictions averaged over posterior samples of the ordinal factor model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F32, F64, I32, I64, FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays, DataSpec, TimeAwareModel, prefixed, strip_prefix
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.fold_in import draw_new_user
from movielens_recsys.models.bayesian.numba_ops import add_expected_steps
from movielens_recsys.models.bayesian.posterior import PosteriorSamples
from movielens_recsys.models.features.time_groups import RatingGroups
from movielens_recsys.models.scores import cosine_similarities
from movielens_recsys.seeds import generator

if TYPE_CHECKING:
    from movielens_recsys.models.bayesian.sampler import GibbsSampler

PAIRS_PER_BLOCK = 65_536
USERS_PER_BLOCK = 256


class BayesianMF(TimeAwareModel):
    """The ordinal Bayesian factor model of `bayesian.gibbs`; predicts E[rating], averaged over samples.

    At a known timestamp the effects of day, month and session enter, where training has them.

    A user without training ratings, unknown or not, has the mean row of the users with some; an item without
    any has its prior mean.
    """

    def __init__(
        self,
        config: BayesianMFConfig,
        domain: DataSpec,
        samples: PosteriorSamples,
        rating_groups: RatingGroups,
    ) -> None:
        super().__init__(config, domain)
        self.samples, self.rating_groups = samples, rating_groups

    @classmethod
    def fit(cls, config: BayesianMFConfig, train: Ratings, seed: int = 0) -> Self:
        """Sample from the posterior given ``train``."""
        # Imported here, as only the sampler needs torch: predicting starts in a fraction of the time without.
        from movielens_recsys.models.bayesian.sampler import GibbsSampler

        sampler = GibbsSampler(config, train, seed)
        sampler.run()
        return cls.of(sampler)

    @classmethod
    def of(cls, sampler: GibbsSampler) -> Self:
        """Return the recommender of the samples that ``sampler`` has kept so far."""
        spec = DataSpec.of(sampler.train)
        return cls(sampler.config, spec, sampler.kept_samples(), sampler.chain.rating_groups)

    def _predict(self, users: IntArray, items: IntArray, timestamps: I64 | None) -> F32:
        self.domain.check(users, items)
        steps = np.empty(len(users))
        for start in range(0, len(users), PAIRS_PER_BLOCK):
            block = slice(start, start + PAIRS_PER_BLOCK)
            block_timestamps = None if timestamps is None else timestamps[block]
            groups = self.rating_groups.find(users[block], items[block], block_timestamps)
            steps[block] = self.samples.expected_steps(
                _last_if_unknown(users[block], self.n_users),
                _last_if_unknown(items[block], self.n_items),
                groups,
            )
        return self._to_ratings(steps)

    @property
    def score_meaning(self) -> str:
        """Scores are latent."""
        return "expected rating, on the latent scale of the model"

    @property
    def known_users(self) -> NDArray[np.bool_]:
        """Users with a training rating."""
        return _has_own_row(self.samples.users)

    @property
    def known_items(self) -> NDArray[np.bool_]:
        """Items with a training rating."""
        return _has_own_row(self.samples.items)

    @property
    def similarity_meaning(self) -> str:
        """Similarities are correlations."""
        return "correlation of the two items' scores over users, beyond the items' levels"

    def item_similarities(self, item: int) -> F32:
        """Return q_i . S q_j / (|q_i|_S |q_j|_S), S the users' prior variance, over all samples.

        It is 0 for an item without a training rating.
        """
        factors = self.samples.scaled_item_factors()
        return cosine_similarities(factors * self.known_items[:, None], item)

    def score(self, users: IntArray) -> F32:
        """Return the mean latent score of every item, shape (len(users), n_items)."""
        self.domain.check(users)
        rows = _last_if_unknown(users, self.n_users)
        # Scores in place of E[rating]: one user's items share noise and cutpoints, so within a sample both
        # order them alike, and scores are one matrix product where E[rating] takes a CDF for every cutpoint.
        blocks = [
            self.samples.mean_scores(rows[start : start + USERS_PER_BLOCK])
            for start in range(0, len(rows), USERS_PER_BLOCK)
        ]
        return np.concatenate(blocks) if blocks else np.empty((0, self.n_items), np.float32)

    def fold_in(self, items: IntArray, ratings: FloatArray) -> F32:
        """Return E[rating] of every item for a new user, without timestamp and side information.

        The user's row is drawn given each sample of everything else. The same history always gives the same
        result.
        """
        self.domain.check_history(items, ratings)
        known = items >= 0
        history = np.asarray(items[known], np.int64)
        levels = self.domain.levels.level_of(ratings[known])
        rng = generator(0, "fold_in")
        steps = np.zeros(self.n_items)
        for s in range(len(self.samples)):
            row = draw_new_user(self.samples, s, history, levels.astype(np.int8), rng)
            item_rows = self.samples.items[s][:-1].astype(np.float32)
            scores = item_rows[:, 1:] @ row[1:] + row[0] + item_rows[:, 0]
            latent_std = np.full(self.n_items, self.samples.latent_std(s), np.float32)
            add_expected_steps(0, self.n_items, scores, latent_std, self.samples.cutpoints[s], steps)
        return self._to_ratings(steps / len(self.samples))

    def _to_ratings(self, steps: F64) -> F32:
        return self.domain.from_steps(steps)

    def state(self) -> Arrays:
        """Return the posterior samples and the lookup of a rating's groups."""
        samples, groups = self.samples.state(), self.rating_groups.state()
        # "draws." is a key of older bundles.
        return {**prefixed("draws.", samples), **prefixed("effects.", groups)}

    @classmethod
    def from_state(
        cls, config: BayesianMFConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]
    ) -> Self:
        """Rebuild from the arrays of `state`."""
        samples = PosteriorSamples.from_state(strip_prefix("draws.", state))
        rating_groups = RatingGroups.from_state(strip_prefix("effects.", state))
        return cls(config, domain, samples, rating_groups)


def _has_own_row(rows: NDArray[np.float16]) -> NDArray[np.bool_]:
    """Return which rows are not the last one of their sample, which all without a training rating have."""
    own: NDArray[np.bool_] = (rows[0, :-1] != rows[0, -1]).any(axis=1)
    return own


def _last_if_unknown(index: IntArray, n: int) -> I32:
    return np.where(index < 0, n, index).astype(np.int32)
