"""Train, evaluate and compare recommenders on real ratings.

Names that Python users need are offered here. Each is loaded at its first use, so the import itself is quick.
docs/how-to/use-from-python.md has a complete example.
"""

from __future__ import annotations

# Type checkers take this name for true. Importing it from typing would be half the time of this import.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from movielens_recsys.api import compare, fit, load_run, recommend
    from movielens_recsys.data.config import GlobalTemporalSplit, RandomSplit
    from movielens_recsys.data.load import load_ratings
    from movielens_recsys.data.ratings import Ratings
    from movielens_recsys.data.scale import Scale
    from movielens_recsys.data.splits.split import Split, make_split
    from movielens_recsys.errors import RecsysError
    from movielens_recsys.evaluation.bootstrap import PairedDifference
    from movielens_recsys.evaluation.config import EvaluationConfig
    from movielens_recsys.evaluation.evaluate import evaluate
    from movielens_recsys.evaluation.report import MetricValue, Report
    from movielens_recsys.experiments.templates import template_names
    from movielens_recsys.models.bundle import Bundle, load_bundle, save_bundle
    from movielens_recsys.recommender import Recommender
    from movielens_recsys.recommending.slate import Recommendation
    from movielens_recsys.runs.config import ExperimentConfig
    from movielens_recsys.runs.run import Run
    from movielens_recsys.settings import Settings, load_settings
    from movielens_recsys.training.config import TrainingConfig

__version__ = "0.1.0"

__all__ = [
    "Bundle",
    "EvaluationConfig",
    "ExperimentConfig",
    "GlobalTemporalSplit",
    "MetricValue",
    "PairedDifference",
    "RandomSplit",
    "Ratings",
    "Recommendation",
    "Recommender",
    "RecsysError",
    "Report",
    "Run",
    "Scale",
    "Settings",
    "Split",
    "TrainingConfig",
    "compare",
    "evaluate",
    "fit",
    "load_bundle",
    "load_ratings",
    "load_run",
    "load_settings",
    "make_split",
    "recommend",
    "save_bundle",
    "template_names",
]

_MODULES = {
    "api": ("compare", "fit", "load_run", "recommend"),
    "data.config": ("GlobalTemporalSplit", "RandomSplit"),
    "data.load": ("load_ratings",),
    "data.ratings": ("Ratings",),
    "data.scale": ("Scale",),
    "data.splits.split": ("Split", "make_split"),
    "errors": ("RecsysError",),
    "evaluation.bootstrap": ("PairedDifference",),
    "evaluation.config": ("EvaluationConfig",),
    "evaluation.evaluate": ("evaluate",),
    "evaluation.report": ("MetricValue", "Report"),
    "experiments.templates": ("template_names",),
    "models.bundle": ("Bundle", "load_bundle", "save_bundle"),
    "recommender": ("Recommender",),
    "recommending.slate": ("Recommendation",),
    "runs.config": ("ExperimentConfig",),
    "runs.run": ("Run",),
    "settings": ("Settings", "load_settings"),
    "training.config": ("TrainingConfig",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return ["__version__", *__all__]
