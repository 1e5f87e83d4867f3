"""The configuration of a stacked ensemble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.table import union_of

BlendName = Literal["mean", "ridge", "gbm"]

if TYPE_CHECKING:
    MemberConfig = ModelConfig
else:
    MemberConfig = union_of("rating", "ranking", "blend", "composite")


class EnsembleConfig(ModelConfig):
    """Fitted models blended into one: made of experiments by ``recsys ensemble``, never trained as one."""

    name: Literal["ensemble"] = "ensemble"
    members: Annotated[tuple[MemberConfig, ...], Field(min_length=2, max_length=100)]
    blend: BlendName
