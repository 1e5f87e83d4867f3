"""The table as values: a section for each data set and protocol, a row for each entrant, from kept cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from movielens_recsys.bench.comparison import BootstrapDraws, Estimate, draw, is_better
from movielens_recsys.bench.config import Suite
from movielens_recsys.bench.results import BenchResult
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.evaluation.metrics import HELD_OUT

METRICS: dict[Suite, tuple[tuple[str, str], ...]] = {
    "accuracy": (("rmse", HELD_OUT), ("mae", HELD_OUT)),
    "ranking": (("precision@10", "full"), ("ndcg@10", "full")),
    "speed": (("rmse", HELD_OUT),),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A row's distance to another in the first figure; ``better`` is None where it shows nothing."""

    to: str
    estimate: Estimate
    better: bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """One entrant in one section: means over its folds, or why there are none.

    ``to_reference`` is the difference to the best peer (or to the row that was asked for), ``to_equal`` that
    to the best peer that was given no more than this row.
    """

    name: str
    kind: str
    library: str
    what: str
    given: tuple[str, ...]
    seed: int
    settings: dict[str, Any]
    figures: dict[str, Estimate]
    account: dict[str, float | None]
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
        """Return the section as plain JSON values."""
        return asdict(self)


_Ground = tuple[str, str, str, float | None]


def result_tables(cells: Sequence[BenchResult], reference: str | None = None) -> list[ResultTable]:
    """Return the sections of ``cells``, of which the latest of an entrant, split and seed counts.

    Folds of one protocol are a section each for the first, and one of all where several are kept: of those
    who have them all.
    """
    latest: dict[tuple[Any, ...], BenchResult] = {}
    for cell in cells:
        latest[(*_ground(cell), cell.key.name, cell.key.seed)] = cell
    grounds: dict[_Ground, list[BenchResult]] = {}
    for cell in latest.values():
        grounds.setdefault(_ground(cell), []).append(cell)
    made = [_section([[cell] for cell in group], reference) for group in _first_folds(grounds)]
    made += [_section(group, reference) for group in _all_folds(grounds)]
    return sorted(made, key=_place)


def _place(section: ResultTable) -> tuple[Any, ...]:
    suites = ("accuracy", "ranking", "speed")
    return (suites.index(section.suite), section.data["ratings"], section.data["name"], section.protocol)


def _ground(cell: BenchResult) -> _Ground:
    return (cell.key.suite, cell.key.data, cell.key.split, cell.key.relevance_threshold)


def _family(cell: BenchResult) -> tuple[Any, ...]:
    """Return what folds of one protocol have in common."""
    config = cell.about["split"]["config"]
    fold = {"kfold": "fold", "official": "name"}.get(config["protocol"])
    rest = tuple(sorted((key, str(value)) for key, value in config.items() if key != fold))
    return (cell.key.suite, cell.key.data, cell.key.relevance_threshold, rest)


def _fold(cell: BenchResult) -> str:
    config = cell.about["split"]["config"]
    return str(config.get("fold", config.get("name", "")))


def _first_folds(grounds: dict[_Ground, list[BenchResult]]) -> list[list[BenchResult]]:
    families: dict[tuple[Any, ...], list[list[BenchResult]]] = {}
    for group in grounds.values():
        families.setdefault(_family(group[0]), []).append(group)
    return [min(groups, key=lambda group: _fold(group[0])) for groups in families.values()]


def _all_folds(grounds: dict[_Ground, list[BenchResult]]) -> list[list[list[BenchResult]]]:
    families: dict[tuple[Any, ...], list[BenchResult]] = {}
    for group in grounds.values():
        for cell in group:
            families.setdefault(_family(cell), []).append(cell)
    found = []
    for members in families.values():
        folds = {_fold(cell) for cell in members}
        if len(folds) < 2:
            continue
        rows: dict[tuple[str, int], list[BenchResult]] = {}
        for cell in sorted(members, key=_fold):
            if cell.failure is None:
                rows.setdefault((cell.key.name, cell.key.seed), []).append(cell)
        complete = [row for row in rows.values() if len(row) == len(folds)]
        if complete:
            found.append(complete)
    return found


def _section(groups: list[list[BenchResult]], reference: str | None) -> ResultTable:
    first = groups[0][0]
    suite, folds = first.key.suite, groups[0]
    metric = METRICS[suite][0][0]
    drawn = {id(row): _draw(row, suite) for row in groups if row[0].failure is None}
    rows = [(_row(group, drawn.get(id(group), {})), drawn.get(id(group), {}).get(metric)) for group in groups]
    rows.sort(key=lambda pair: _rank(pair[0], metric))
    split = first.about["split"]
    protocol = split["name"] if len(folds) == 1 else _folds_in_words(first, len(folds))
    cells = [cell for group in groups for cell in group]
    return ResultTable(
        suite=suite,
        data=first.about["data"],
        protocol=protocol,
        split_hashes=tuple(cell.key.split for cell in folds),
        sizes={part: split[part] for part in ("train", "validation", "test")},
        relevance_threshold=first.key.relevance_threshold,
        machines=tuple(sorted({_machine(cell) for cell in cells})),
        threads=tuple(sorted({int(cell.about["threads"]) for cell in cells})),
        rows=tuple(_compared(row, own, rows, metric, reference) for row, own in rows),
    )


def _draw(folds: list[BenchResult], suite: Suite) -> dict[str, BootstrapDraws]:
    per_user = [cell.per_user() for cell in folds]
    return {metric: draw(per_user, metric, protocol) for metric, protocol in METRICS[suite]}


def _row(folds: list[BenchResult], drawn: dict[str, BootstrapDraws]) -> Row:
    cell = folds[0]
    return Row(
        name=cell.key.name,
        kind=cell.about["kind"],
        library=cell.about["library"],
        what=cell.about["what"],
        given=tuple(cell.about["given"]),
        seed=cell.key.seed,
        settings=cell.key.settings,
        figures={metric: figure.estimate for metric, figure in drawn.items()},
        account=_account(folds) if drawn else {},
        versions=dict((cell.account or {}).get("versions", {})),
        commits=tuple(sorted({_commit(cell) for cell in folds})),
        failure=cell.failure,
    )


def _account(folds: list[BenchResult]) -> dict[str, float | None]:
    """Return seconds and memory as means over folds, and ratings fitted per second."""

    def mean(name: str) -> float | None:
        values = [cell.account[name] for cell in folds if cell.account and name in cell.account]
        return sum(values) / len(values) if values else None

    fit_s, passes = mean("fit_s"), folds[0].about.get("passes") or mean("passes")
    train = sum(cell.about["split"]["train"] for cell in folds) / len(folds)
    figures = {name: mean(name) for name in ("fit_s", "predict_s", "latency_s", "peak_mb")}
    validation = [cell.about.get("validation_rmse") for cell in folds]
    known = [value for value in validation if value is not None]
    figures["samples_per_s"] = train * passes / fit_s if passes and fit_s else None
    figures["validation_rmse"] = sum(known) / len(known) if known else None
    return figures


def _compared(
    row: Row,
    own: BootstrapDraws | None,
    rows: list[tuple[Row, BootstrapDraws | None]],
    metric: str,
    reference: str | None,
) -> Row:
    if own is None:
        return row
    known = [(other, drawn) for other, drawn in rows if drawn is not None]
    peers = [pair for pair in known if pair[0].kind == "peer"]
    asked = [pair for pair in known if pair[0].name == reference] if reference else peers[:1]
    fair = [pair for pair in peers if set(pair[0].given) <= set(row.given)]

    def difference(pairs: list[tuple[Row, BootstrapDraws]]) -> Difference | None:
        if not pairs or pairs[0][0] is row:
            return None
        estimate = own.minus(pairs[0][1])
        return Difference(pairs[0][0].name, estimate, is_better(metric, estimate))

    values = {name: getattr(row, name) for name in Row.__slots__}
    return Row(**{**values, "to_reference": difference(asked), "to_equal": difference(fair)})


def _rank(row: Row, metric: str) -> float:
    if metric not in row.figures:
        return float("inf")
    value = row.figures[metric].value
    return -value if MetricName.parse(metric).higher_is_better else value


def _folds_in_words(cell: BenchResult, n: int) -> str:
    config = cell.about["split"]["config"]
    if config["protocol"] == "official":
        return f"official, mean of {n}"
    return f"mean of {n} of {config['folds']} folds, seed {config['seed']}"


def _machine(cell: BenchResult) -> str:
    machine = cell.about["machine"]
    return f"{machine['machine']}, {machine['cpus']} cores, Python {machine['python']}"


def _commit(cell: BenchResult) -> str:
    commit = str(cell.about["code"].get("commit") or cell.about["code"].get("version"))[:10]
    return f"{commit}+" if cell.about["code"].get("dirty") else commit
