"""Settings of an evaluation: cut-off, relevance, protocols and bootstrap."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from movielens_recsys.config import Config, distinct

RankingProtocol = Literal["full", "rated"]


class EvaluationConfig(Config):
    """Cut-off, relevance and intervals of an evaluation.

    ``relevance_threshold`` is the rating, in stars, from which a held-out item counts as relevant.
    With ``protocols: []`` nothing is ranked: rating metrics alone are measured, at a small part of the cost.
    """

    k: Annotated[int, Field(ge=1, le=10_000)] = 10
    relevance_threshold: float = Field(default=4.0, serialization_alias="relevant_from")
    protocols: Annotated[tuple[RankingProtocol, ...], AfterValidator(distinct)] = ("full", "rated")
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    bootstrap_samples: Annotated[int, Field(ge=100, le=1_000_000)] = 1000
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
