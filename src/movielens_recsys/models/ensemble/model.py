"""`Ensemble`: fitted recommenders and the stacker of their predictions, as one recommender."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from movielens_recsys.arrays import F32, F64, I64, FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.base import Arrays, DataSpec, Model, TimeAwareModel, prefixed, strip_prefix
from movielens_recsys.models.ensemble.config import BlendName, EnsembleConfig
from movielens_recsys.models.ensemble.meta_features import MetaFeatures
from movielens_recsys.models.ensemble.stacking import Stacker, fit_stacker, restore_stacker
from movielens_recsys.models.factory import restore_model
from movielens_recsys.models.scores import standardize
from movielens_recsys.recommender import SimilarityRecommender, TimeAwareRecommender


class Ensemble(TimeAwareModel):
    """Predicts a blend of its members' predictions; time-aware members get the timestamps.

    Rankings are by the mean of the members' scores, each standardised over the catalogue for that user:
    scores are on no common scale, and a stacker is fitted to ratings, not to rankings. A pair that no member
    saw is blended from the members' fallbacks.
    """

    config: EnsembleConfig

    def __init__(
        self,
        config: EnsembleConfig,
        domain: DataSpec,
        members: Sequence[Model],
        stacker: Stacker,
        meta_features: MetaFeatures,
    ) -> None:
        super().__init__(config, domain)
        self.members, self.stacker, self.meta_features = tuple(members), stacker, meta_features

    @classmethod
    def fit(cls, config: Any, train: Ratings, seed: int = 0) -> Model:
        """Refuse: an ensemble needs fitted members, and ratings that none of them trained on.

        Raises
        ------
        ModelError
            Always.
        """
        raise ModelError(
            "an ensemble cannot be fitted to training ratings alone",
            expected="fitted members and validation ratings",
            next_step="use recsys ensemble run, or Ensemble.stack",
        )

    @classmethod
    def stack(
        cls, members: Sequence[Model], blend: BlendName, train: Ratings, held_out: Ratings, seed: int = 0
    ) -> Self:
        """Fit the stacker of ``members``, which were fitted to ``train``, on ``held_out``."""
        meta_features = MetaFeatures.of(train)
        predictions = member_predictions(members, held_out)
        pairs = meta_features.pairs(held_out.users, held_out.items)
        ratings = held_out.ratings.astype(np.float64)
        stacker = fit_stacker(blend, predictions, pairs, ratings, seed, star=train.scale.star)
        return cls.of(members, blend, stacker, meta_features)

    @classmethod
    def of(
        cls, members: Sequence[Model], blend: BlendName, stacker: Stacker, meta_features: MetaFeatures
    ) -> Self:
        """Put fitted parts together.

        Raises
        ------
        ModelError
            The members were fitted to different users, items or scales.
        """
        domain = members[0].domain
        if any(member.domain != domain for member in members):
            raise ModelError(
                "members over different users, items or scales", expected="members fitted to the same ratings"
            )
        config = EnsembleConfig.model_validate(
            {"members": [member.config for member in members], "blend": blend}
        )
        return cls(config, domain, members, stacker, meta_features)

    def _predict(self, users: IntArray, items: IntArray, timestamps: I64 | None) -> F32:
        self.domain.check(users, items)
        predictions = np.column_stack(
            [_predictions_of(member, users, items, timestamps) for member in self.members]
        )
        return self.domain.clip(self.stacker.predict(predictions, self.meta_features.pairs(users, items)))

    @property
    def score_meaning(self) -> str:
        """Scores are blended."""
        return "mean of the members' scores, each standardised"

    @property
    def known_users(self) -> NDArray[np.bool_]:
        """Users that a member knows."""
        return _by_any(member.known_users for member in self.members)

    @property
    def known_items(self) -> NDArray[np.bool_]:
        """Items that a member knows."""
        return _by_any(member.known_items for member in self.members)

    @property
    def ranked_users(self) -> NDArray[np.bool_]:
        """Users that a member scores by their ratings."""
        return _by_any(member.ranked_users for member in self.members)

    @property
    def training_positives(self) -> sparse.csr_array | None:
        """Those of the first member that keeps them; all members have the same training ratings."""
        kept = (member.training_positives for member in self.members)
        return next((positives for positives in kept if positives is not None), None)

    @property
    def similarity_meaning(self) -> str:
        """Similarities are blended."""
        return "mean of the similarities of the members that have some, each standardised"

    def item_similarities(self, item: int) -> F32:
        """Return the mean of the members' similarities, each standardised; 0 if no member has any."""
        found = [
            standardize(np.asarray(member.item_similarities(item), np.float64)[None])[0]
            for member in self.members
            if isinstance(member, SimilarityRecommender)
        ]
        mean: F32 = np.mean(found or [np.zeros(self.n_items)], axis=0).astype(np.float32)
        return mean

    def score(self, users: IntArray) -> F32:
        """Return the mean of the members' scores, each standardised over the catalogue."""
        total = np.zeros((len(users), self.n_items))
        for member in self.members:
            total += standardize(member.score(users).astype(np.float64))
        return (total / len(self.members)).astype(np.float32)

    def fold_in(self, items: IntArray, ratings: FloatArray) -> F32:
        """Fold the new user in to each member, and blend their predictions."""
        predictions = [member.fold_in(items, ratings).astype(np.float64) for member in self.members]
        features = self.meta_features.new_user(ratings, self.domain.scale)
        return self.domain.clip(self.stacker.predict(np.column_stack(predictions), features))

    def state(self) -> Arrays:
        """Return the members' states under ``member.0.`` and so on, the stacker's and the meta-features."""
        members = [prefixed(f"member.{n}.", member.state()) for n, member in enumerate(self.members)]
        parts = [
            *members,
            prefixed("blend.", self.stacker.state()),
            prefixed("traits.", self.meta_features.state()),
        ]
        return {name: array for part in parts for name, array in part.items()}

    @classmethod
    def from_state(
        cls, config: EnsembleConfig, domain: DataSpec, state: Mapping[str, NDArray[np.generic]]
    ) -> Self:
        """Rebuild from the arrays of `state`."""
        members = [
            restore_model(member, domain, strip_prefix(f"member.{n}.", state))
            for n, member in enumerate(config.members)
        ]
        stacker = restore_stacker(config.blend, strip_prefix("blend.", state))
        return cls(config, domain, members, stacker, MetaFeatures.from_state(strip_prefix("traits.", state)))


def _by_any(masks: Iterable[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = np.logical_or.reduce(list(masks))
    return known


def member_predictions(members: Sequence[Model], rows: Ratings) -> F64:
    """Return the members' predictions of ``rows``, shape (n, members), at their timestamps."""
    return np.column_stack(
        [_predictions_of(member, rows.users, rows.items, rows.timestamps) for member in members]
    )


def _predictions_of(member: Model, users: IntArray, items: IntArray, timestamps: I64 | None) -> F64:
    if timestamps is not None and isinstance(member, TimeAwareRecommender):
        return member.predict_at(users, items, timestamps).astype(np.float64)
    return member.predict(users, items).astype(np.float64)
