"""One recommender of two models: a rating model and a ranking model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from movielens_recsys.arrays import F32, I64, FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays, DataSpec, Model, prefixed, strip_prefix
from movielens_recsys.models.composite_config import RatingRankingConfig
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.factory import build_model, restore_model
from movielens_recsys.recommender import HistoryRanker, SimilarityRecommender, TimeAwareRecommender


class RatingRankingModel(Model):
    """``rating_model`` predicts ratings, ``ranking_model`` orders the catalogue; each has its fallbacks.

    A model that predicts ratings well orders the catalogue poorly, since users choose what they watch; and
    the other way round.
    """

    def __init__(self, config: ModelConfig, rating_model: Model, ranking_model: Model) -> None:
        super().__init__(config, ranking_model.domain)
        assert isinstance(ranking_model, HistoryRanker)
        self.rating_model = rating_model
        self.ranking_model = ranking_model

    @classmethod
    def fit(cls, config: RatingRankingConfig, train: Ratings, seed: int = 0) -> Self:
        """Fit both models to ``train``; a rating network is only initialised."""
        return cls(config, build_model(config.stars, train, seed), build_model(config.lists, train, seed))

    @property
    def n_parameters(self) -> int:
        """Number of parameters of the rating model's network; 0 without one."""
        return self.rating_model.n_parameters

    @property
    def score_meaning(self) -> str:
        """That of the ranking model."""
        return self.ranking_model.score_meaning

    @property
    def fallback_meaning(self) -> str:
        """That of the ranking model."""
        return self.ranking_model.fallback_meaning

    @property
    def known_users(self) -> NDArray[np.bool_]:
        """Those of the rating model."""
        return self.rating_model.known_users

    @property
    def known_items(self) -> NDArray[np.bool_]:
        """Those of the rating model."""
        return self.rating_model.known_items

    @property
    def ranked_users(self) -> NDArray[np.bool_]:
        """Those of the ranking model."""
        return self.ranking_model.ranked_users

    @property
    def ranked_items(self) -> NDArray[np.bool_]:
        """Those of the ranking model."""
        return self.ranking_model.ranked_items

    @property
    def training_positives(self) -> sparse.csr_array | None:
        """Those of the ranking model."""
        return self.ranking_model.training_positives

    @property
    def similarity_meaning(self) -> str:
        """That of the ranking model."""
        return self._similarities.similarity_meaning

    def item_similarities(self, item: int) -> F32:
        """Return the ranking model's similarities."""
        return np.asarray(self._similarities.item_similarities(item), np.float32)

    @property
    def _similarities(self) -> SimilarityRecommender:
        assert isinstance(self.ranking_model, SimilarityRecommender)
        return self.ranking_model

    def predict(self, users: IntArray, items: IntArray) -> F32:
        """Return the rating model's predictions."""
        return self.rating_model.predict(users, items)

    def predict_at(self, users: IntArray, items: IntArray, timestamps: I64) -> F32:
        """Return the rating model's predictions at ``timestamps``, s since 1970, if it is time-aware."""
        if isinstance(self.rating_model, TimeAwareRecommender):
            return np.asarray(self.rating_model.predict_at(users, items, timestamps), np.float32)
        return self.rating_model.predict(users, items)

    def score(self, users: IntArray) -> F32:
        """Return the ranking model's scores."""
        return self.ranking_model.score(users)

    def fold_in(self, items: IntArray, ratings: FloatArray) -> F32:
        """Return the rating model's predictions for a new user."""
        return self.rating_model.fold_in(items, ratings)

    def score_history(self, items: IntArray, ratings: FloatArray) -> F32:
        """Return the ranking model's scores for a new user."""
        return np.asarray(self.ranking_model.score_history(items, ratings), np.float32)

    def state(self) -> Arrays:
        """Return both models' arrays."""
        return {
            **prefixed("stars.", self.rating_model.state()),
            **prefixed("lists.", self.ranking_model.state()),
        }

    @classmethod
    def from_state(
        cls, config: RatingRankingConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]
    ) -> Self:
        """Rebuild both models from their arrays."""
        return cls(
            config,
            restore_model(config.stars, domain, strip_prefix("stars.", state)),
            restore_model(config.lists, domain, strip_prefix("lists.", state)),
        )
