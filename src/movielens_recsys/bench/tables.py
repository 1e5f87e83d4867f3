"""Result tables as values: one for each data set and protocol, with a row for each model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from movielens_recsys.bench.comparison import BootstrapMean, Estimate, bootstrap_mean, is_better
from movielens_recsys.bench.config import Suite
from movielens_recsys.bench.results import BenchResult
from movielens_recsys.evaluation.metric_definitions import HELD_OUT
from movielens_recsys.evaluation.metric_name import MetricName

METRICS: dict[Suite, tuple[tuple[str, str], ...]] = {
    "accuracy": (("rmse", HELD_OUT), ("mae", HELD_OUT)),
    "ranking": (("precision@10", "full"), ("ndcg@10", "full")),
    "speed": (("rmse", HELD_OUT),),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A row's difference to another in the first metric; ``better`` is None if the interval contains zero."""

    to: str
    estimate: Estimate
    better: bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """One model in one table: means over its folds, or the reason of its failure.

    ``to_reference`` is the difference to the best peer or the named reference, ``to_equal`` that to the best
    peer with no more inputs than this row.
    """

    name: str
    kind: str
    library: str
    what: str
    inputs: tuple[str, ...]
    seed: int
    settings: dict[str, Any]
    metrics: dict[str, Estimate]
    timings: dict[str, float | None]
    versions: dict[str, str]
    commits: tuple[str, ...]
    failure: str | None
    to_reference: Difference | None = None
    to_equal: Difference | None = None


@dataclass(frozen=True, slots=True)
class ResultTable:
    """One data set and protocol."""

    suite: Suite
    data: dict[str, Any]
    protocol: str
    split_hashes: tuple[str, ...]
    sizes: dict[str, int]
    relevance_threshold: float | None
    machines: tuple[str, ...]
    threads: tuple[int, ...]
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the table as plain JSON values."""
        return asdict(self)


_GroupKey = tuple[str, str, str, float | None]


def result_tables(bench_results: Sequence[BenchResult], reference: str | None = None) -> list[ResultTable]:
    """Return the tables of ``bench_results``; of each model, split and seed the latest result counts.

    A protocol with folds has a table of its first fold, and if there are results of several folds, a table of
    the means of the models that have all of them.
    """
    latest: dict[tuple[Any, ...], BenchResult] = {}
    for result in bench_results:
        latest[(*_group_key(result), result.key.name, result.key.seed)] = result
    groups_by_key: dict[_GroupKey, list[BenchResult]] = {}
    for result in latest.values():
        groups_by_key.setdefault(_group_key(result), []).append(result)
    tables = [
        _result_table([[result] for result in group], reference) for group in _first_folds(groups_by_key)
    ]
    tables += [_result_table(group, reference) for group in _all_folds(groups_by_key)]
    return sorted(tables, key=_sort_key)


def _sort_key(result_table: ResultTable) -> tuple[Any, ...]:
    suites = ("accuracy", "ranking", "speed")
    return (
        suites.index(result_table.suite),
        result_table.data["ratings"],
        result_table.data["name"],
        result_table.protocol,
    )


def _group_key(result: BenchResult) -> _GroupKey:
    return (result.key.suite, result.key.data, result.key.split, result.key.relevance_threshold)


def _family(result: BenchResult) -> tuple[Any, ...]:
    """Return what the folds of one protocol have in common."""
    config = result.about["split"]["config"]
    fold = {"kfold": "fold", "official": "name"}.get(config["protocol"])
    rest = tuple(sorted((key, str(value)) for key, value in config.items() if key != fold))
    return (result.key.suite, result.key.data, result.key.relevance_threshold, rest)


def _fold(result: BenchResult) -> str:
    config = result.about["split"]["config"]
    return str(config.get("fold", config.get("name", "")))


def _first_folds(groups_by_key: dict[_GroupKey, list[BenchResult]]) -> list[list[BenchResult]]:
    families: dict[tuple[Any, ...], list[list[BenchResult]]] = {}
    for group in groups_by_key.values():
        families.setdefault(_family(group[0]), []).append(group)
    return [min(groups, key=lambda group: _fold(group[0])) for groups in families.values()]


def _all_folds(groups_by_key: dict[_GroupKey, list[BenchResult]]) -> list[list[list[BenchResult]]]:
    families: dict[tuple[Any, ...], list[BenchResult]] = {}
    for group in groups_by_key.values():
        for result in group:
            families.setdefault(_family(result), []).append(result)
    groups = []
    for members in families.values():
        folds = {_fold(result) for result in members}
        if len(folds) < 2:
            continue
        rows: dict[tuple[str, int], list[BenchResult]] = {}
        for result in sorted(members, key=_fold):
            if result.failure is None:
                rows.setdefault((result.key.name, result.key.seed), []).append(result)
        complete = [row for row in rows.values() if len(row) == len(folds)]
        if complete:
            groups.append(complete)
    return groups


def _result_table(groups: list[list[BenchResult]], reference: str | None) -> ResultTable:
    first = groups[0][0]
    suite, folds = first.key.suite, groups[0]
    metric = METRICS[suite][0][0]
    means = {id(row): _bootstrap(row, suite) for row in groups if row[0].failure is None}
    rows = [(_row(group, means.get(id(group), {})), means.get(id(group), {}).get(metric)) for group in groups]
    rows.sort(key=lambda pair: _rank(pair[0], metric))
    split = first.about["split"]
    protocol = split["name"] if len(folds) == 1 else _folds_text(first, len(folds))
    bench_results = [result for group in groups for result in group]
    return ResultTable(
        suite=suite,
        data=first.about["data"],
        protocol=protocol,
        split_hashes=tuple(result.key.split for result in folds),
        sizes={part: split[part] for part in ("train", "validation", "test")},
        relevance_threshold=first.key.relevance_threshold,
        machines=tuple(sorted({_machine(result) for result in bench_results})),
        threads=tuple(sorted({int(result.about["threads"]) for result in bench_results})),
        rows=tuple(_with_differences(row, mean, rows, metric, reference) for row, mean in rows),
    )


def _bootstrap(folds: list[BenchResult], suite: Suite) -> dict[str, BootstrapMean]:
    per_user = [result.per_user() for result in folds]
    return {metric: bootstrap_mean(per_user, metric, protocol) for metric, protocol in METRICS[suite]}


def _row(folds: list[BenchResult], means: dict[str, BootstrapMean]) -> Row:
    result = folds[0]
    return Row(
        name=result.key.name,
        kind=result.about["kind"],
        library=result.about["library"],
        what=result.about["what"],
        inputs=tuple(result.about["inputs"]),
        seed=result.key.seed,
        settings=result.key.settings,
        metrics={metric: mean.estimate for metric, mean in means.items()},
        timings=_timings(folds) if means else {},
        versions=dict((result.timings or {}).get("versions", {})),
        commits=tuple(sorted({_commit(result) for result in folds})),
        failure=result.failure,
    )


def _timings(folds: list[BenchResult]) -> dict[str, float | None]:
    """Return seconds and memory as means over folds, and ratings fitted per second."""

    def mean(name: str) -> float | None:
        values = [result.timings[name] for result in folds if result.timings and name in result.timings]
        return sum(values) / len(values) if values else None

    fit_s, passes = mean("fit_s"), folds[0].about.get("passes") or mean("passes")
    train = sum(result.about["split"]["train"] for result in folds) / len(folds)
    timings = {name: mean(name) for name in ("fit_s", "predict_s", "latency_s", "peak_mb")}
    validation = [result.about.get("validation_rmse") for result in folds]
    known = [value for value in validation if value is not None]
    timings["samples_per_s"] = train * passes / fit_s if passes and fit_s else None
    timings["validation_rmse"] = sum(known) / len(known) if known else None
    return timings


def _with_differences(
    row: Row,
    mean: BootstrapMean | None,
    rows: list[tuple[Row, BootstrapMean | None]],
    metric: str,
    reference: str | None,
) -> Row:
    if mean is None:
        return row
    known = [(other, theirs) for other, theirs in rows if theirs is not None]
    peers = [pair for pair in known if pair[0].kind == "peer"]
    references = [pair for pair in known if pair[0].name == reference] if reference else peers[:1]
    equal = [pair for pair in peers if set(pair[0].inputs) <= set(row.inputs)]

    def difference(pairs: list[tuple[Row, BootstrapMean]]) -> Difference | None:
        if not pairs or pairs[0][0] is row:
            return None
        estimate = mean.minus(pairs[0][1])
        return Difference(pairs[0][0].name, estimate, is_better(metric, estimate))

    values = {name: getattr(row, name) for name in Row.__slots__}
    return Row(**{**values, "to_reference": difference(references), "to_equal": difference(equal)})


def _rank(row: Row, metric: str) -> float:
    if metric not in row.metrics:
        return float("inf")
    value = row.metrics[metric].value
    return -value if MetricName.parse(metric).higher_is_better else value


def _folds_text(result: BenchResult, n: int) -> str:
    config = result.about["split"]["config"]
    if config["protocol"] == "official":
        return f"official, mean of {n}"
    return f"mean of {n} of {config['folds']} folds, seed {config['seed']}"


def _machine(result: BenchResult) -> str:
    machine = result.about["machine"]
    return f"{machine['machine']}, {machine['cpus']} cores, Python {machine['python']}"


def _commit(result: BenchResult) -> str:
    commit = str(result.about["code"].get("commit") or result.about["code"].get("version"))[:10]
    return f"{commit}+" if result.about["code"].get("dirty") else commit
