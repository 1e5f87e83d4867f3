"""What is measured, and how sure we want to be of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from movielens_recsys.config import Config


class EvaluationConfig(Config):
    """Cut-off, relevance and intervals of an evaluation.

    ``relevant_from`` is the rating, in stars, from which a held-out item counts as relevant.
    """

    k: Annotated[int, Field(ge=1, le=10_000)] = 10
    relevant_from: float = 4.0
    protocols: tuple[Literal["full", "rated"], ...] = ("full", "rated")
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    bootstrap_samples: Annotated[int, Field(ge=100, le=1_000_000)] = 1000
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
