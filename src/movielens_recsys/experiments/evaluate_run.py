"""Evaluation of a fitted run: its reports, and the metrics that its event log keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from movielens_recsys.data.splits.split import HeldOutPart, Split
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.rating_metrics import root_mean_squared_error
from movielens_recsys.evaluation.report import Report
from movielens_recsys.models.base import Model
from movielens_recsys.runs.config import ExperimentConfig


def evaluate_run(
    recommender: Model, split: Split, config: ExperimentConfig, references: Mapping[str, Model]
) -> dict[str, Report]:
    """Evaluate on validation, where it has rows, and once on test, beside fitted models by name.

    Without ratings, only models that learn from interactions are worth a comparison.
    """
    if split.ratings.implicit:
        references = {
            name: model for name, model in references.items() if model.config.learns_from_interactions
        }
    parts: list[HeldOutPart] = ["test"]
    if len(split.validation):
        parts.insert(0, "validation")
    return {
        part: evaluate(recommender, split, part=part, config=config.evaluation, references=references)
        for part in parts
    }


def evaluated_event(part: str, report: Report) -> dict[str, Any]:
    """Return the report's metrics by their event names: rmse, ndcg_at_10_full, ..."""
    metrics = {
        str(measured.name): {"value": measured.value, "low": measured.low, "high": measured.high}
        for measured in report.metrics
    }
    return {
        "part": part,
        "k": report.k,
        "relevance_threshold": report.relevance_threshold,
        "relevant_share": report.relevant_share,
        "figures": metrics,
    }


def validation_rmse(model: Model, split: Split) -> float | None:
    """Return the model's RMSE on the validation rows; None where there are none, or no ratings."""
    rows = split.part("validation")
    if len(rows) == 0 or rows.implicit:
        return None
    return root_mean_squared_error(model.predict(rows.users, rows.items), rows.ratings)
