"""Search among runs: conditions on metrics and costs, selection and sorting."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from movielens_recsys.errors import UnknownNameError, UsageError, shorten
from movielens_recsys.evaluation.metric_definitions import Direction
from movielens_recsys.evaluation.metric_name import MetricName
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
"""Fields of `Run` that can be sorted and searched by, beside metrics."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A metric or cost compared with a number, such as ``val_rmse<0.95``; a run without it fails."""

    metric: str
    operator: str
    value: float

    def holds(self, run: Run) -> bool:
        """Whether the run has the metric and it passes."""
        measured = metric_of(run, self.metric)
        return measured is not None and _OPERATORS[self.operator](measured, self.value)


def parse_condition(text: str) -> Condition:
    """Return the condition that ``text`` states.

    Raises
    ------
    UsageError
        It is not a metric, a comparison and a number.
    """
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise UsageError(
            f"cannot read the condition {shorten(text)!r}",
            expected="a metric, one of < <= > >= = != and a number",
            next_step="quote it, for example --where 'val_rmse<0.95'",
        )
    value = _finite_number(match[3])
    if value is None:
        raise UsageError(
            f"{shorten(match[3])!r} in the condition {shorten(text)!r} is no number",
            expected="a finite number such as 0.95",
        )
    return Condition(str(MetricName.parse(match[1])), match[2].replace("==", "="), value)


def _finite_number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def parse_timestamp(text: str, *, end_of_day: bool = False) -> datetime:
    """Return the time, in UTC, of an ISO 8601 date or time; a bare date means its start or its end.

    Raises
    ------
    UsageError
        It is neither.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError as exc:
        # "day is out of range for month" is no mistake of form, "Invalid isoformat string" repeats the text.
        reason = "" if "isoformat" in str(exc) else f" ({exc})"
        raise UsageError(
            f"{shorten(text)!r} is not a date{reason}",
            expected="ISO 8601 in UTC, such as 2026-11-23 or 2026-11-23T18:00",
        ) from exc
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    if end_of_day and len(text) == len("2026-11-23"):
        time += timedelta(days=1) - timedelta(microseconds=1)
    return time.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Selection:
    """Criteria for experiments; an empty one does not restrict.

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

    def matches(self, run: Run) -> bool:
        """Whether the run meets every criterion."""
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
    """Return the selected runs, by age or by the metric or cost ``sort``: best first, those without it last.

    Raises
    ------
    UnknownNameError
        A condition or ``sort`` names a metric that no run has and no training gives.
    """
    known = {*known_metrics(runs), *COSTS}
    for name in [condition.metric for condition in selection.conditions] + ([sort] if sort else []):
        if name not in known:
            raise UnknownNameError("metric", name, known)
    found = [run for run in runs if selection.matches(run)]
    return sort_by_metric(found, sort) if sort else found


def sort_by_metric(runs: Sequence[Run], metric: str) -> list[Run]:
    """Return the runs with the better values of a metric or cost first and those without it last."""
    sign = -1.0 if direction_of(metric) == "higher" else 1.0

    def sort_key(run: Run) -> tuple[bool, float]:
        measured = metric_of(run, metric)
        return measured is None, sign * (measured or 0.0)

    return sorted(runs, key=sort_key)


def metric_of(run: Run, name: str) -> float | None:
    """Return a run's metric or cost, or None if it has none."""
    if name in COSTS:
        cost: float | None = getattr(run, name)
        return cost
    metric = run.metrics.get(name)
    return None if metric is None else metric.value


def known_metrics(runs: Sequence[Run]) -> set[str]:
    """Return the names of all metrics that some run has, and those of every training."""
    return {name for run in runs for name in run.metrics} | set(EPOCH_METRICS) | {"test_rmse"}


def direction_of(name: str) -> Direction:
    """Return the direction in which a metric or cost improves.

    >>> direction_of("val_ndcg_at_10_full")
    'higher'
    """
    return "lower" if name in COSTS else MetricName.parse(name).better
