"""The tasks of the bench: a data set, a split of it, and for rankings the relevance threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from movielens_recsys.bench.config import Suite
from movielens_recsys.data.config import (
    AnySplitConfig,
    GlobalTemporalSplit,
    KFoldSplit,
    LeaveLastSplit,
    OfficialSplit,
    RandomSplit,
)
from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import EvaluationError, UnknownNameError, UsageError

Protocol = Literal["official", "random", "global_temporal", "leave_last"]
PROTOCOLS: tuple[Protocol, ...] = ("official", "random", "global_temporal", "leave_last")
DATA = ("ml-100k", "ml-latest-small", "ml-1m")
OFFICIAL: tuple[Literal["u1", "u2", "u3", "u4", "u5"], ...] = ("u1", "u2", "u3", "u4", "u5")
TENTHS = 10
FOUR_STARS = 4.0
EVERY_RATING = 0.0


@dataclass(frozen=True, slots=True)
class Task:
    """One data set and split. ``relevance_threshold`` is the lowest rating of a relevant item in rankings."""

    suite: Suite
    data: str
    split: AnySplitConfig
    relevance_threshold: float | None = None


def tasks(suite: Suite, data: Sequence[str], protocols: Sequence[str] | None, folds: int) -> list[Task]:
    """Return the tasks of a suite.

    accuracy: those of ``protocols`` (default all): ``official`` on ml-100k, ``random`` (10 folds; fold 0 is
    random 90/10), ``global_temporal`` and ``leave_last`` on every data set, with the first ``folds`` folds.
    ranking: random 80/10/10 with 4 stars or more relevant, and random 80/20 without validation rows, with
    every held-out item relevant, as in most papers. speed: fold 0 of 10.

    Raises
    ------
    UnknownNameError
        A protocol does not exist.
    UsageError
        The suite has fixed protocols, or none of the data has a requested protocol.
    """
    if protocols and suite != "accuracy":
        raise UsageError(
            f"the suite {suite} has fixed protocols, and --protocol is {', '.join(protocols)}",
            next_step="leave out --protocol, or choose --suite accuracy",
        )
    if suite == "speed":
        return [Task(suite, name, KFoldSplit(folds=TENTHS)) for name in data]
    if suite == "ranking":
        splits = ((RandomSplit(), FOUR_STARS), (KFoldSplit(folds=5, validation=0.0), EVERY_RATING))
        return [Task(suite, name, split, relevant) for name in data for split, relevant in splits]
    accuracy_tasks = [
        Task(suite, name, split)
        for name in data
        for protocol in _known(protocols)
        for split in _splits(name, protocol, folds)
    ]
    if not accuracy_tasks:
        raise UsageError(
            f"nothing to run: {', '.join(data) or 'no data'} under {', '.join(protocols or PROTOCOLS)}",
            expected="official for ml-100k; random, global_temporal and leave_last for any data",
        )
    return accuracy_tasks


def require_relevant(task: Task, split: Split) -> None:
    """Refuse a threshold of rankings that no test rating reaches, before a model is fitted for it.

    Raises
    ------
    EvaluationError
        With the threshold and the scale.
    """
    threshold, ratings = task.relevance_threshold, split.ratings
    if threshold is not None and not (ratings.ratings[split.test] >= threshold).any():
        raise EvaluationError(
            f"no test rating of {ratings.name}, on the scale {ratings.scale}, reaches {threshold:g}, "
            "from which this suite counts an item as relevant",
            next_step="choose --suite accuracy",
        )


def _known(names: Sequence[str] | None) -> list[Protocol]:
    known: dict[str, Protocol] = {name: name for name in PROTOCOLS}
    for name in names or ():
        if name not in known:
            raise UnknownNameError("protocol", name, known)
    return [known[name] for name in names or PROTOCOLS]


def _splits(data: str, protocol: Protocol, folds: int) -> list[AnySplitConfig]:
    match protocol:
        case "official":
            return [OfficialSplit(name=name) for name in OFFICIAL[:folds]] if data == "ml-100k" else []
        case "random":
            return [KFoldSplit(folds=TENTHS, fold=fold) for fold in range(min(folds, TENTHS))]
        case "global_temporal":
            return [GlobalTemporalSplit()]
        case "leave_last":
            return [LeaveLastSplit()]
