"""One recommender with two heads: a model of stars and a model of lists."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import FloatArray, IntArray
from movielens_recsys.models.base import Arrays, Model
from movielens_recsys.models.config import RatingRankingConfig
from movielens_recsys.models.implicit.model import ImplicitModel
from movielens_recsys.recommender import TimeAwareRecommender


class RatingRankingModel(Model):
    """Ratings come from ``rating_model``, rankings from ``ranking_model``; fallbacks are those of either.

    A model that predicts ratings well is a poor judge of what people come to see, and the other way round.
    """

    def __init__(self, config: RatingRankingConfig, stars: Model, ranking_model: ImplicitModel) -> None:
        super().__init__(config, ranking_model.domain)
        self.stars = stars
        self.lists = ranking_model

    def predict(self, users: IntArray, items: IntArray) -> NDArray[np.float32]:
        """Return the ratings of the stars' model."""
        return self.stars.predict(users, items)

    def predict_at(
        self, users: IntArray, items: IntArray, timestamps: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return the stars' ratings at ``timestamps``, seconds since 1970, if that model knows of time."""
        if isinstance(self.stars, TimeAwareRecommender):
            return np.asarray(self.stars.predict_at(users, items, timestamps), np.float32)
        return self.stars.predict(users, items)

    def score(self, users: IntArray) -> NDArray[np.float32]:
        """Return the scores of the lists' model."""
        return self.lists.score(users)

    def fold_in(self, items: IntArray, ratings: FloatArray) -> NDArray[np.float32]:
        """Return the stars' ratings for a new person."""
        return self.stars.fold_in(items, ratings)

    def score_history(self, items: IntArray, ratings: FloatArray) -> NDArray[np.float32]:
        """Return the lists' scores for a new person."""
        return self.lists.score_history(items, ratings)

    def state(self) -> Arrays:
        """Return both models' arrays."""
        rating_model = {f"stars.{name}": array for name, array in self.stars.state().items()}
        return {**rating_model, **{f"lists.{name}": array for name, array in self.lists.state().items()}}
