"""What the configurations of all models of positives have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from movielens_recsys.models.config import ModelConfig

if TYPE_CHECKING:
    from movielens_recsys.data.scale import Scale


class ImplicitConfig(ModelConfig):
    """What every model of `models.implicit` has.

    Attributes
    ----------
    min_positive_rating
        Rating from which a training rating counts as a positive; ``middle``: the first level of the scale at
        or above its middle, 3 of 5 stars; none: every rating does, which predicts best what a user will
        watch, if not what they will like.
    """

    uses_positives: ClassVar[bool] = True
    learns_from_interactions: ClassVar[bool] = True
    min_positive_rating: float | Literal["middle"] | None = Field(
        default=None, serialization_alias="positive_from"
    )

    def positive_threshold_on(self, scale: Scale) -> float | None:
        """Return the rating from which a training rating on ``scale`` is a positive; None: every one is."""
        if self.min_positive_rating == "middle":
            return scale.at_share(0.5)
        return self.min_positive_rating
