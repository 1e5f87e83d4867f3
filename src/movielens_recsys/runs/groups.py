"""Groups of comparable runs, and the best run of a group.

Metrics are ranked only between runs that were evaluated on the same rows of the same data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from movielens_recsys.data.config import PROTOCOLS
from movielens_recsys.errors import EvaluationError, UnknownNameError, UsageError
from movielens_recsys.evaluation.metric_definitions import HELD_OUT
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.search import direction_of, known_metrics, sort_by_metric
from movielens_recsys.schema import RunState


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Comparable runs: evaluated on the same rows of the same data and, for rankings, by the same relevance.

    ``detail`` says by which relevance threshold, or with which KL weight for a loss.
    """

    data_name: str
    data_hash: str
    split_protocol: str
    split_hash: str
    detail: str
    runs: tuple[Run, ...]

    def __str__(self) -> str:
        where = (
            f"data {self.data_name} {self.data_hash[:8]}, {self.split_protocol} split {self.split_hash[:8]}"
        )
        return f"{where}{self.detail}: {len(self.runs)} runs"

    def matches(self, data: str, split: str) -> bool:
        """Whether ``data`` and ``split`` (names or beginnings of hashes; empty: any) are the group's."""
        return (not data or data == self.data_name or self.data_hash.startswith(data)) and (
            not split or split == self.split_protocol or self.split_hash.startswith(split)
        )


def group_runs(runs: Sequence[Run], metric: str, kl_weights: Mapping[str, float]) -> list[RunGroup]:
    """Return the runs that have ``metric`` in groups within which it is comparable; the largest first.

    ``kl_weights`` gives each run's KL weight, which is part of the definition of a loss.
    """
    name = MetricName.parse(metric)
    found: dict[tuple[str, str, str, str, str], list[Run]] = {}
    for run in runs:
        if metric not in run.metrics or not run.data:
            continue
        detail = ""
        if name.metric == "loss":
            detail = f", KL weight {kl_weights[run.id]:g}"
        elif name.protocol != HELD_OUT and run.relevance_threshold is not None:
            detail = f", relevant from {run.relevance_threshold:g}"
        data, split = run.data, run.split
        key = (data["name"], data["hash"], split["protocol"], split["hash"], detail)
        found.setdefault(key, []).append(run)
    groups = [RunGroup(*key, tuple(members)) for key, members in found.items()]
    return sorted(groups, key=lambda group: -len(group.runs))


def check_chosen(runs: Sequence[Run], data: str, split: str, datasets: Iterable[str]) -> None:
    """Refuse data that no run was evaluated on and ``datasets`` lack, and a split that no run has.

    Raises
    ------
    UnknownNameError
        With what there is instead.
    """
    evaluated = [run for run in runs if run.data]
    known = {
        "data set": (data, [run.data for run in evaluated], "name", datasets),
        "split": (split, [run.split for run in evaluated], "protocol", PROTOCOLS),
    }
    for kind, (word, found, key, others) in known.items():
        names = {*others, *(values[key] for values in found)}
        if word and word not in names and not any(values["hash"].startswith(word) for values in found):
            raise UnknownNameError(kind, word, names)


def best_run(
    runs: Sequence[Run], metric: str, kl_weights: Mapping[str, float], *, data: str = "", split: str = ""
) -> RunGroup:
    """Return the comparable runs, best first.

    Parameters
    ----------
    data, split
        Name or beginning of the hash of the data and of the split, where there is more than one kind.

    Raises
    ------
    UsageError
        The metric has no better direction.
    UnknownNameError
        No run has such a metric.
    EvaluationError
        No finished run has it, or those that do were evaluated on different rows; the message lists them.
    """
    known = known_metrics(runs)
    if metric not in known:
        raise UnknownNameError("metric", metric, known)
    if direction_of(metric) == "neither":
        raise UsageError(f"{metric} has no better direction", expected="an error or a score such as val_rmse")
    completed = [run for run in runs if run.state is RunState.COMPLETED]
    found = [group for group in group_runs(completed, metric, kl_weights) if group.matches(data, split)]
    if not found:
        raise EvaluationError(
            f"no completed run has {metric}" + (" there" if data or split else ""),
            next_step="run an experiment first: `recsys experiment run ID`",
        )
    if len(found) > 1:
        raise EvaluationError(
            f"{metric} cannot be compared between {'; '.join(map(str, found))}",
            expected="metrics of the same rows, evaluated alike",
            next_step="choose with --data and --split (a name or the beginning of a hash) or --tag",
        )
    group = found[0]
    ranked = tuple(sort_by_metric(group.runs, metric))
    return replace(group, runs=ranked)


def format_metric(metric: str, group: RunGroup) -> str:
    """Return metric, part, protocol and data in words, for headings.

    >>> format_metric("val_rmse", RunGroup("ml-100k", "ab" * 32, "random", "cd" * 32, "", ()))
    'rmse on the validation part, random split cdcdcdcd of ml-100k abababab'
    """
    name = MetricName.parse(metric)
    part = "training" if name.part == "train" else name.part
    ranking = "" if name.protocol == HELD_OUT else f", {name.protocol} ranking"
    split = f"{group.split_protocol} split {group.split_hash[:8]}"
    where = f"{split} of {group.data_name} {group.data_hash[:8]}"
    return f"{name.with_cutoff} on the {part} part{ranking}{group.detail}, {where}"
