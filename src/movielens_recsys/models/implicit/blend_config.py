"""Hyper-parameters of a blend of ranking models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from movielens_recsys.config import Config
from movielens_recsys.models.implicit.config import ImplicitConfig
from movielens_recsys.models.table import union_of

if TYPE_CHECKING:
    MemberModelConfig = ImplicitConfig
else:
    MemberModelConfig = union_of("ranking")


class BlendMember(Config):
    """A ranking model and the weight of its scores in a blend."""

    model: MemberModelConfig
    weight: float = 1.0


class ScoreBlendConfig(ImplicitConfig):
    """Several ranking models' scores, standardised for each user and added with weights.

    ``min_positive_rating`` is that of all members; other fields of theirs are as in their own sections.
    """

    name: Literal["list_blend"] = "list_blend"
    members: Annotated[tuple[BlendMember, ...], Field(min_length=1, max_length=16)]

    @property
    def uses_seed(self) -> bool:
        """Whether ``training.seed`` has an effect on a member."""
        return any(member.model.uses_seed for member in self.members)

    def fit_bytes(self, n_ratings: int, n_users: int, n_items: int) -> int:
        """Return the memory of the largest member's fit; they follow each other."""
        return max(member.model.fit_bytes(n_ratings, n_users, n_items) for member in self.members)

    def settings_of_memory(self) -> tuple[str, ...]:
        """Return the keys of every member that lower the memory of its fit."""
        names = (name for member in self.members for name in member.model.settings_of_memory())
        return tuple(f"members.model.{name}" for name in dict.fromkeys(names))

    @model_validator(mode="after")
    def _one_min_positive_rating(self) -> Self:
        if any(member.model.min_positive_rating is not None for member in self.members):
            raise ValueError("min_positive_rating is a member's; expected it beside members, for all of them")
        return self
