"""What a user should know of an experiment on its data before it is trained; none is a reason to refuse."""

from __future__ import annotations

from movielens_recsys.data.splits.split import Split
from movielens_recsys.evaluation.relevance import relevance_finding
from movielens_recsys.runs.config import ExperimentConfig


def notices(config: ExperimentConfig, split: Split) -> list[str]:
    """Return a line for each: settings without effect, levels made of bins, a threshold that tells little."""
    found = (_unused_settings(config, split), _binned_levels(config, split), _relevance(config, split))
    return [line for line in found if line]


def _unused_settings(config: ExperimentConfig, split: Split) -> str:
    unused = config.model.settings_needing_timestamps() if split.ratings.timestamps is None else ()
    if not unused:
        return ""
    return f"the ratings have no timestamps: {', '.join(unused)} of the model have no effect"


def _binned_levels(config: ExperimentConfig, split: Split) -> str:
    model, scale = config.model, split.ratings.scale
    if scale.ordinal is scale or not (model.uses_mcmc or model.has_ordinal_output):
        return ""
    bins = scale.ordinal
    return (
        f"{model.name} learns levels, and the scale is {scale}: it learns {bins.n_levels} bins, each "
        f"{bins.step_width:g} wide"
    )


def _relevance(config: ExperimentConfig, split: Split) -> str:
    ratings = split.part("test").ratings
    if not config.evaluation.protocols or not len(ratings):
        return ""
    threshold = config.evaluation.threshold_on(split.ratings.scale)
    share = float((ratings >= threshold).mean())
    finding = relevance_finding(threshold, share, implicit=split.ratings.implicit)
    return finding.advice if finding else ""
