"""Questions about experiments: which ones are there, and which is best.

Figures are only ever ranked between runs that were judged on the same rows of the same data.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from movielens_recsys.errors import EvaluationError, UnknownNameError, UsageError, shorten
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.evaluation.metrics import HELD_OUT, Direction
from movielens_recsys.runs.run import EPOCH_METRICS, Run
from movielens_recsys.schema import RunState

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_CONDITION = re.compile(r"\s*([A-Za-z_][\w@]*)\s*(<=|>=|!=|==|<|>|=)\s*(\S+)\s*")
COSTS = ("spent_usd", "usd_per_rmse_point")
"""What can be sorted and searched by beside figures: see `Run`."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A figure or cost held against a number, such as ``val_rmse<0.95``; a run without it fails."""

    metric: str
    operator: str
    value: float

    def holds(self, run: Run) -> bool:
        """Whether the run has the figure and it passes."""
        measured = metric_of(run, self.metric)
        return measured is not None and _OPERATORS[self.operator](measured, self.value)


def parse_condition(text: str) -> Condition:
    """Return the condition that ``text`` states.

    Raises
    ------
    UsageError
        It is not a figure, a comparison and a number.
    """
    match = _CONDITION.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        value = float(match[3])
    except ValueError as exc:
        raise UsageError(
            f"cannot read the condition {shorten(text)!r}",
            expected="a figure, one of < <= > >= = != and a number",
            next_step="quote it, for example --where 'val_rmse<0.95'",
        ) from exc
    return Condition(str(MetricName.parse(match[1])), match[2].replace("==", "="), value)


def parse_timestamp(text: str, *, end_of_day: bool = False) -> datetime:
    """Return the moment, in UTC, of an ISO 8601 date or time; a bare date means its start or its end.

    Raises
    ------
    UsageError
        It is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise UsageError(
            f"{shorten(text)!r} is not a date",
            expected="ISO 8601 in UTC, such as 2026-11-23 or 2026-11-23T18:00",
        ) from exc
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if end_of_day and len(text) == len("2026-11-23"):
        moment += timedelta(days=1) - timedelta(microseconds=1)
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which experiments are asked for; what is left empty does not restrict.

    Archived ones are left out unless ``archived`` is set or ``states`` names that state.
    """

    states: Sequence[RunState] = ()
    tags: Sequence[str] = ()
    template: str = ""
    name: str = ""
    since: datetime | None = None
    until: datetime | None = None
    conditions: Sequence[Condition] = field(default=())
    archived: bool = False

    def wants(self, run: Run) -> bool:
        """Whether the run is one of those asked for."""
        created = datetime.fromisoformat(run.created)
        hidden = run.state is RunState.ARCHIVED and not self.archived and not self.states
        return not hidden and all(
            (
                not self.states or run.state in self.states,
                set(self.tags) <= set(run.tags),
                not self.template or run.template == self.template,
                self.name.lower() in run.name.lower(),
                self.since is None or created >= self.since,
                self.until is None or created <= self.until,
                all(condition.holds(run) for condition in self.conditions),
            )
        )


def select_runs(runs: Sequence[Run], selection: Selection, *, sort: str = "") -> list[Run]:
    """Return the runs asked for, by age or by the figure or cost ``sort``, best first, those without it last.

    Raises
    ------
    UnknownNameError
        A condition or ``sort`` names a figure that no run has and no training gives.
    """
    known = {*known_metrics(runs), *COSTS}
    for name in [condition.metric for condition in selection.conditions] + ([sort] if sort else []):
        if name not in known:
            raise UnknownNameError("figure", name, known)
    found = [run for run in runs if selection.wants(run)]
    return sort_by_metric(found, sort) if sort else found


def sort_by_metric(runs: Sequence[Run], figure: str) -> list[Run]:
    """Return the runs with the better values of a figure or cost first and those without it last."""
    sign = -1.0 if direction_of(figure) == "higher" else 1.0

    def place(run: Run) -> tuple[bool, float]:
        measured = metric_of(run, figure)
        return measured is None, sign * (measured or 0.0)

    return sorted(runs, key=place)


def metric_of(run: Run, name: str) -> float | None:
    """Return a run's figure or cost, or None if it has none."""
    if name in COSTS:
        cost: float | None = getattr(run, name)
        return cost
    figure = run.figures.get(name)
    return None if figure is None else figure.value


def known_metrics(runs: Sequence[Run]) -> set[str]:
    """Return the names of all figures that some run has, and those of every training."""
    return {name for run in runs for name in run.figures} | set(EPOCH_METRICS) | {"test_rmse"}


def direction_of(name: str) -> Direction:
    """Return the direction in which a metric or cost improves.

    >>> direction_of("val_ndcg_at_10_full")
    'higher'
    """
    return "lower" if name in COSTS else MetricName.parse(name).better


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs judged alike: on the same rows of the same data and, for lists, by the same relevance."""

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
        """Whether ``data`` and ``split`` (names or beginnings of hashes; empty: any) lead here."""
        return (not data or data == self.data_name or self.data_hash.startswith(data)) and (
            not split or split == self.split_protocol or self.split_hash.startswith(split)
        )


def group_runs(runs: Sequence[Run], figure: str, kl_weights: Mapping[str, float]) -> list[RunGroup]:
    """Return the runs that have ``metric``, by what makes the figure comparable; the largest group first.

    ``kl_weights`` gives each run's KL weight, of which a loss consists.
    """
    name = MetricName.parse(figure)
    found: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        if figure not in run.figures or not run.data:
            continue
        detail = ""
        if name.metric == "loss":
            detail = f", KL weight {kl_weights[run.id]:g}"
        elif name.protocol != HELD_OUT and run.relevance_threshold is not None:
            detail = f", relevant from {run.relevance_threshold:g}"
        data, split = run.data, run.split
        key = (data["name"], data["hash"], split["protocol"], split["hash"], detail)
        found.setdefault(key, []).append(run)
    made = [
        RunGroup(key[0], key[1], key[2], key[3], key[4], tuple(members)) for key, members in found.items()
    ]
    return sorted(made, key=lambda group: -len(group.runs))


def best_run(
    runs: Sequence[Run], figure: str, kl_weights: Mapping[str, float], *, data: str = "", split: str = ""
) -> RunGroup:
    """Return the comparable runs, best first.

    Parameters
    ----------
    data, split
        Name or beginning of the hash of the data and of the split, where there is more than one kind.

    Raises
    ------
    UsageError
        The figure has no better direction.
    UnknownNameError
        No run has such a figure.
    EvaluationError
        No finished run has it, or those that do were judged on different rows; the message lists them.
    """
    known = known_metrics(runs)
    if figure not in known:
        raise UnknownNameError("figure", figure, known)
    if direction_of(figure) == "neither":
        raise UsageError(f"{figure} has no better direction", expected="an error or a score such as val_rmse")
    completed = [run for run in runs if run.state is RunState.COMPLETED]
    found = [group for group in group_runs(completed, figure, kl_weights) if group.matches(data, split)]
    if not found:
        raise EvaluationError(
            f"no completed run has {figure}" + (" there" if data or split else ""),
            next_step="run an experiment first: `recsys experiment run ID`",
        )
    if len(found) > 1:
        raise EvaluationError(
            f"{figure} cannot be compared between {'; '.join(map(str, found))}",
            expected="figures of the same rows, judged alike",
            next_step="choose with --data and --split (a name or the beginning of a hash) or --tag",
        )
    group = found[0]
    ranked = tuple(sort_by_metric(group.runs, figure))
    return RunGroup(
        group.data_name, group.data_hash, group.split_protocol, group.split_hash, group.detail, ranked
    )


def format_metric(figure: str, group: RunGroup) -> str:
    """Return metric, part and protocol of a figure in words, for headings.

    >>> format_metric("val_rmse", RunGroup("ml-100k", "ab" * 32, "random", "cd" * 32, "", ()))
    'rmse on the validation part, random split cdcdcdcd of ml-100k abababab'
    """
    name = MetricName.parse(figure)
    part = "training" if name.part == "train" else name.part
    ranking = "" if name.protocol == HELD_OUT else f", {name.protocol} ranking"
    split = f"{group.split_protocol} split {group.split_hash[:8]}"
    where = f"{split} of {group.data_name} {group.data_hash[:8]}"
    return f"{name.with_cutoff} on the {part} part{ranking}{group.detail}, {where}"
