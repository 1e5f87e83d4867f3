"""Settings of an evaluation: cut-off, relevance, protocols and bootstrap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from movielens_recsys.config import Config, distinct

if TYPE_CHECKING:
    from movielens_recsys.data.ratings import Ratings
    from movielens_recsys.data.scale import Scale

RankingProtocol = Literal["full", "rated"]
RELEVANT_SHARE = 0.75
"""Share of the scale's width above its minimum from which an item is relevant by default."""


class EvaluationConfig(Config):
    """Cut-off, relevance and intervals of an evaluation.

    With ``protocols: []`` nothing is ranked: rating metrics alone are measured, at a small part of the cost.

    Attributes
    ----------
    k
        Cut-off of the ranking metrics.
    relevance_threshold
        Rating from which a held-out item counts as relevant; none: the first level of the scale at or above
        its minimum + 3/4 of its width, which is 4 of 5 stars and 8 on a scale from 1 to 10.
    protocols
        The items that compete in a ranking: the whole catalogue, or the held-out items alone.
    confidence, bootstrap_samples, seed
        Level of the intervals, and number and seed of the bootstrap samples of users that give them.
    """

    k: Annotated[int, Field(ge=1, le=10_000)] = 10
    relevance_threshold: float | None = Field(default=None, serialization_alias="relevant_from")
    protocols: Annotated[tuple[RankingProtocol, ...], AfterValidator(distinct)] = ("full", "rated")
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    bootstrap_samples: Annotated[int, Field(ge=100, le=1_000_000)] = 1000
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    def threshold_on(self, scale: Scale) -> float:
        """Return the relevance threshold for ratings on ``scale``."""
        if self.relevance_threshold is None:
            return scale.at_share(RELEVANT_SHARE)
        return self.relevance_threshold

    def protocols_for(self, ratings: Ratings) -> tuple[RankingProtocol, ...]:
        """Return the protocols that say something about ``ratings``.

        In implicit data whatever is held out is relevant, so that every order of a user's held-out items is
        perfect: `rated` is left out.
        """
        return tuple(p for p in self.protocols if p == "full" or not ratings.implicit)
