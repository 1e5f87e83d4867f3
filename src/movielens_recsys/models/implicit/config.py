"""What the configurations of all models of positives have in common."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from movielens_recsys.models.config import ModelConfig


class ImplicitConfig(ModelConfig):
    """What every model of `models.implicit` has.

    Attributes
    ----------
    min_positive_rating
        Stars from which a training rating counts as a positive; none: every rating does, which predicts best
        what a user will watch, if not what they will like.
    """

    uses_positives: ClassVar[bool] = True
    min_positive_rating: float | None = Field(default=None, serialization_alias="positive_from")
