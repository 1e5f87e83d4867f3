"""`Ensemble`: fitted recommenders and the blend of what they predict, as one recommender."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F64, FloatArray, IntArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import ModelError
from movielens_recsys.models.base import Arrays, DataSpec, Model
from movielens_recsys.models.config import AnyModelConfig, BlendName, EnsembleConfig
from movielens_recsys.models.ensemble.meta_features import MetaFeatures
from movielens_recsys.models.ensemble.stacking import Stacker, fit_stacker, restore_stacker
from movielens_recsys.recommender import TimeAwareRecommender

Restore = Callable[[AnyModelConfig, DataSpec, Mapping[str, NDArray[np.generic]]], Model]


class Ensemble(Model):
    """Predicts a blend of its members' predictions; a member that knows moments is told them.

    Lists are ordered by the mean of the members' scores, each brought to mean 0 and deviation 1 over the
    catalogue for that user: scores are on no common scale, and a blend is fitted to stars, not to lists.
    A pair that no member knows is blended from the members' fallbacks.
    """

    def __init__(
        self,
        config: EnsembleConfig,
        domain: DataSpec,
        members: Sequence[Model],
        blend: Stacker,
        traits: MetaFeatures,
    ) -> None:
        super().__init__(config, domain)
        self.members, self.blend, self.traits = tuple(members), blend, traits

    @classmethod
    def fit(
        cls, members: Sequence[Model], blend: BlendName, train: Ratings, held_out: Ratings, seed: int = 0
    ) -> Self:
        """Fit the blend of ``members``, which were fitted to ``train``, on ``held_out``."""
        traits = MetaFeatures.of(train)
        predictions = member_predictions(members, held_out)
        pairs = traits.pairs(held_out.users, held_out.items)
        fitted = fit_stacker(blend, predictions, pairs, held_out.ratings.astype(np.float64), seed)
        return cls.of(members, blend, fitted, traits)

    @classmethod
    def of(cls, members: Sequence[Model], name: BlendName, blend: Stacker, traits: MetaFeatures) -> Self:
        """Put fitted parts together.

        Raises
        ------
        ModelError
            The members speak of different users, items or scales.
        """
        domain = members[0].domain
        if any(member.domain != domain for member in members):
            raise ModelError(
                "members over different users, items or scales", expected="members fitted to the same ratings"
            )
        config = EnsembleConfig.model_validate(
            {"members": [member.config for member in members], "blend": name}
        )
        return cls(config, domain, members, blend, traits)

    def predict(self, users: IntArray, items: IntArray) -> NDArray[np.float32]:
        """Return the blend of the members' predictions at a moment that nothing is known of."""
        return self._predict(users, items, None)

    def predict_at(
        self, users: IntArray, items: IntArray, timestamps: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return the blend, where members that know moments are told ``timestamps``."""
        return self._predict(users, items, timestamps)

    def _predict(
        self, users: IntArray, items: IntArray, timestamps: NDArray[np.int64] | None
    ) -> NDArray[np.float32]:
        self.domain.check(users, items)
        predictions = np.column_stack(
            [_predictions_of(member, users, items, timestamps) for member in self.members]
        )
        return self.domain.clip(self.blend.predict(predictions, self.traits.pairs(users, items)))

    def score(self, users: IntArray) -> NDArray[np.float32]:
        """Return the mean of the members' scores, each standardised over the catalogue."""
        total = np.zeros((len(users), self.n_items))
        for member in self.members:
            scores = member.score(users).astype(np.float64)
            deviation = scores.std(axis=1, keepdims=True)
            total += (scores - scores.mean(axis=1, keepdims=True)) / np.where(deviation > 0, deviation, 1)
        return (total / len(self.members)).astype(np.float32)

    def fold_in(self, items: IntArray, ratings: FloatArray) -> NDArray[np.float32]:
        """Let each member take the new person in, and blend what they predict."""
        answers = [member.fold_in(items, ratings).astype(np.float64) for member in self.members]
        traits = self.traits.newcomer(ratings, self.domain.scale)
        return self.domain.clip(self.blend.predict(np.column_stack(answers), traits))

    def state(self) -> Arrays:
        """Return the members' states under ``member.0.`` and so on, the blend's and the traits."""
        parts = {f"member.{number}": member.state() for number, member in enumerate(self.members)}
        parts |= {"blend": self.blend.state(), "traits": self.traits.state()}
        return {f"{part}.{name}": array for part, state in parts.items() for name, array in state.items()}

    @classmethod
    def from_state(
        cls,
        config: EnsembleConfig,
        domain: DataSpec,
        state: Mapping[str, NDArray[np.generic]],
        restore: Restore,
    ) -> Self:
        """Rebuild from the arrays of `state`; ``restore`` rebuilds a member."""

        def under(prefix: str) -> Arrays:
            return {n.removeprefix(prefix): a for n, a in state.items() if n.startswith(prefix)}

        members = [
            restore(member, domain, under(f"member.{number}."))
            for number, member in enumerate(config.members)
        ]
        blend = restore_stacker(config.blend, under("blend."))
        return cls(config, domain, members, blend, MetaFeatures.from_state(under("traits.")))


def member_predictions(members: Sequence[Model], rows: Ratings) -> F64:
    """Return the members' predictions of ``rows``, shape (n, members), told the moments that they know."""
    return np.column_stack(
        [_predictions_of(member, rows.users, rows.items, rows.timestamps) for member in members]
    )


def _predictions_of(
    member: Model, users: IntArray, items: IntArray, timestamps: NDArray[np.int64] | None
) -> F64:
    if timestamps is not None and isinstance(member, TimeAwareRecommender):
        return member.predict_at(users, items, timestamps).astype(np.float64)
    return member.predict(users, items).astype(np.float64)
