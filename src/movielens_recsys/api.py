"""What Python users call: ratings in, a fitted model, metrics with intervals, recommendations.

The functions check what the command line checks, and have its defaults. ``import movielens_recsys as mr``
offers them by name; docs/how-to/use-from-python.md has a complete example.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from numbers import Integral, Real
from types import UnionType

import numpy as np

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import EvaluationError, UsageError, shorten
from movielens_recsys.evaluation.bootstrap import PairedDifference, paired_difference
from movielens_recsys.evaluation.metric_definitions import HELD_OUT
from movielens_recsys.evaluation.report import Report
from movielens_recsys.experiments.requirements import check_fit
from movielens_recsys.experiments.templates import load_template
from movielens_recsys.models.base import Model
from movielens_recsys.models.bundle import Bundle
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.recommender import Recommender
from movielens_recsys.recommending.slate import Recommendation, recommend_for_history, recommend_slate
from movielens_recsys.runs import store
from movielens_recsys.runs.run import Run
from movielens_recsys.settings import Settings, load_settings
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit as fit_to_split


def fit(
    model: str | ModelConfig,
    split: Split,
    *,
    training: TrainingConfig | None = None,
    seed: int | None = None,
) -> Model:
    """Fit a model to the training rows of ``split``; its validation rows choose the epoch.

    Parameters
    ----------
    model
        The name of a template, e.g. ``bayesian_mf``, or a model's configuration.
    training
        How to train it; the template's settings, or the defaults, unless given.
    seed
        Replaces the seed of ``training``. The same seed gives the same model, bit for bit, on one machine.

    Warns
    -----
    UserWarning
        Settings of the model need timestamps that the ratings do not have.

    Raises
    ------
    UnknownNameError
        There is no such template.
    ConfigError
        The model cannot be fitted to these rows: it needs validation rows, say, and the split has none.
    TrainingError
        Training failed.
    """
    _check_type("model", model, str | ModelConfig, "the name of a template, or a model's configuration")
    _check_type("split", split, Split, "what `make_split` returns")
    if isinstance(model, str):
        template = load_template(model).config(model)
        model, training = template.model, training or template.training
    training = training or TrainingConfig()
    if seed is not None:
        training = TrainingConfig.parse({**training.model_dump(mode="json"), "seed": seed})
    unused = model.settings_needing_timestamps() if split.ratings.timestamps is None else ()
    if unused:
        warnings.warn(
            f"the ratings have no timestamps: {', '.join(unused)} of the model do nothing", stacklevel=2
        )
    check_fit(model, training, split)
    fitted, _ = fit_to_split(model, training, split)
    return fitted


def compare(
    a: Report,
    b: Report,
    metric: str = "rmse",
    protocol: str = HELD_OUT,
    *,
    confidence: float = 0.95,
    samples: int = 1000,
    seed: int = 0,
) -> PairedDifference:
    """Return the paired difference ``a`` - ``b`` of one metric, with its interval over users.

    The interval of a paired difference is much narrower than those of the two metrics. Two overlapping
    intervals do not mean that there is no difference.

    Raises
    ------
    EvaluationError
        The reports are of different data, splits, parts or protocols, the metric is no mean over users, or a
        report was read from JSON, which holds no values of single users.
    """
    for report in (a, b):
        _check_type("report", report, Report, "what `evaluate` returns")
    if a.per_user is None or b.per_user is None:
        raise EvaluationError(
            "a report without the metrics of its users",
            expected="reports as `evaluate` returns them",
            next_step="evaluate both models again",
        )
    return paired_difference(
        a.per_user, b.per_user, metric, protocol, confidence=confidence, samples=samples, seed=seed
    )


def recommend(
    model: Recommender | Bundle,
    ratings: Ratings,
    *,
    user: str | int | None = None,
    history: Mapping[str | int, float] | None = None,
    k: int = 10,
) -> tuple[Recommendation, ...]:
    """Return the ``k`` best items for a user, best first, without those that the user has rated.

    Parameters
    ----------
    model
        A fitted model, or the bundle of one.
    ratings
        What the model was fitted to, or the data set that it is a part of: its ids, titles and known ratings.
    user
        The id of a user of ``ratings``.
    history
        For a new user instead: item ids and the ratings given to them; may be empty.
    k
        How many items; fewer are returned if fewer are left.

    Raises
    ------
    UsageError
        Neither or both of ``user`` and ``history`` are given, or ``k`` is below 1.
    DataError
        ``ratings`` has no such user or item.
    ModelError
        A rating of the history is not on the scale, or the model was fitted to other ids.
    """
    if (user is None) == (history is None):
        raise UsageError(
            "both user and history" if user is not None else "neither user nor history",
            expected="one of them",
            next_step="name a user of the ratings, or give the history of a new user",
        )
    _check_type("ratings", ratings, Ratings, "what `load_ratings` returns")
    _check_type("k", k, Integral, "a whole number of items")
    if k < 1:
        raise UsageError(f"k={k}", expected="1 or more", next_step="correct k")
    if isinstance(model, Bundle):
        model.check_ids(ratings)
        model = model.recommender
    if user is not None:
        return recommend_slate(model, ratings, ratings.user_index(user), k=k).recommendations
    _check_type("history", history, Mapping, "a mapping of item ids to ratings, such as {50: 5}")
    assert history is not None
    for rating in history.values():
        _check_type("rating", rating, Real, "a number")
    items = np.array([ratings.item_index(item) for item in history], np.int64)
    values = np.array(list(history.values()), np.float32)
    return recommend_for_history(model, ratings, items, values, k=k)


def load_run(id: str, settings: Settings | None = None) -> Run:
    """Return an experiment with its state and metrics.

    Parameters
    ----------
    id
        Its id, or a unique beginning of it, such as its name.
    settings
        Where experiments are; read from the environment unless given.

    Raises
    ------
    UnknownNameError
        No id begins so.
    UsageError
        Several do.
    """
    settings = settings or load_settings()
    return store.load_run(store.find_run(id, settings), settings)


def _check_type(name: str, value: object, kind: type | UnionType, expected: str) -> None:
    """Refuse an argument of another type before it fails somewhere below.

    Raises
    ------
    UsageError
        Naming the argument, what was found and what was expected.
    """
    if not isinstance(value, kind):
        raise UsageError(
            f"{name} is {shorten(repr(value))}, a {type(value).__name__}",
            expected=expected,
            next_step=f"correct {name}",
        )
