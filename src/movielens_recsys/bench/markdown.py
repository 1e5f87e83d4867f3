"""Result tables as text: a Markdown page per data set, and rows for a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from movielens_recsys.bench.comparison import Estimate
from movielens_recsys.bench.config import Suite
from movielens_recsys.bench.tables import METRICS, Difference, ResultTable, Row
from movielens_recsys.evaluation.metric_name import MetricName
from movielens_recsys.files import write_atomically

START, END = "<!-- bench -->\n", "<!-- end of bench -->\n"
NONE = "–"
_TITLES: dict[Suite, str] = {"accuracy": "Ratings", "ranking": "Rankings", "speed": "Speed"}
_VERDICTS = {True: "better", False: "worse", None: "level"}
_TIMES = (
    ("fit s", "fit_s"),
    ("predict s", "predict_s"),
    ("ratings/s", "samples_per_s"),
    ("peak MB", "peak_mb"),
)
_INTRODUCTION = """## The bench: our models and peers on the same rows

Made by `recsys bench --write docs/results`; see [run the bench](../how-to/run-the-bench.md). Every model was
fitted on the same training rows in a process of its own and evaluated by the same code; all predictions are
clipped to the rating scale. Brackets are 95 % intervals by bootstrap over users. Differences are paired by
user; *better* or *worse* marks one whose interval excludes zero. *Equal information* is the best peer with no
more inputs than the model itself. Seconds are those of one process on the named number of threads; ratings/s
counts every pass; memory is the peak of the process."""


def metric_columns(result_table: ResultTable) -> list[str]:
    """Return the headers of the first table: metrics and cost."""
    metrics = [MetricName.parse(metric).label for metric, _ in METRICS[result_table.suite]]
    latency = ["ms for one"] if result_table.suite == "speed" else []
    return ["model", *metrics, *(name for name, _ in _TIMES), *latency]


def metric_line(row: Row, result_table: ResultTable) -> list[str]:
    """Return a model's metrics and cost; for a failed one, the reason."""
    headers = metric_columns(result_table)
    if row.failure is not None:
        return [_name(row), f"failed: {row.failure}".replace("|", "/"), *[NONE] * (len(headers) - 2)]
    values = [_estimate(row.metrics[metric]) for metric, _ in METRICS[result_table.suite]]
    values += [_number(row.timings.get(key), 1 if key in {"fit_s", "predict_s"} else 0) for _, key in _TIMES]
    if result_table.suite == "speed":
        latency = row.timings.get("latency_s")
        values.append(_number(None if latency is None else 1000 * latency, 3))
    return [_name(row), *values]


def difference_columns(result_table: ResultTable) -> list[str]:
    """Return the headers of the second table: inputs and differences to peers."""
    differences = [] if result_table.suite == "speed" else ["− best peer", "− best peer, equal information"]
    return ["model", "inputs", *differences]


def difference_line(row: Row, result_table: ResultTable) -> list[str]:
    """Return a model's inputs and its differences to the best peers."""
    differences = [] if result_table.suite == "speed" else [row.to_reference, row.to_equal]
    return [_name(row), ", ".join(row.inputs), *map(_difference, differences)]


def brief(result_table: ResultTable) -> tuple[list[str], list[list[str]]]:
    """Return the headers and lines of a table that fits a terminal."""
    metrics = [metric for metric, _ in METRICS[result_table.suite] if metric != "mae"]
    labels = [MetricName.parse(metric).label for metric in metrics]
    headers = ["row", "inputs", *labels, "95%", "− best peer", "fit s", "peak MB"]
    lines = []
    for row in result_table.rows:
        if row.failure is not None:
            lines.append([row.name, "", "failed", *[NONE] * (len(headers) - 3)])
            continue
        estimates = [row.metrics[metric] for metric in metrics]
        difference, verdict = row.to_reference, NONE
        if difference is not None:
            verdict = f"{difference.estimate.value:+.4f} {_VERDICTS[difference.better]}"
        lines.append(
            [
                row.name,
                " ".join(kind.split()[0] for kind in row.inputs),
                *(f"{estimate.value:.4f}" for estimate in estimates),
                f"{estimates[0].low:.4f}–{estimates[0].high:.4f}",
                verdict,
                _number(row.timings.get("fit_s"), 1),
                _number(row.timings.get("peak_mb"), 0),
            ]
        )
    return headers, lines


def description(result_table: ResultTable) -> str:
    """Return a paragraph about the table's data, split and machine."""
    data, sizes = result_table.data, result_table.sizes
    hashes = ", ".join(f"`{value[:12]}`" for value in result_table.split_hashes)
    commits = sorted({commit for row in result_table.rows for commit in row.commits})
    relevance = ""
    if result_table.relevance_threshold is not None:
        counted = (
            f"{result_table.relevance_threshold:g} stars or more"
            if result_table.relevance_threshold
            else "every rating"
        )
        relevance = f" Rankings of 10 under `full`; relevant: {counted}; NDCG's ideal ranking is cut at 10."
    return (
        f"{data['ratings']:,} ratings, {data['users']:,} users, {data['items']:,} items; "
        f"train {sizes['train']:,}, validation {sizes['validation']:,}, test {sizes['test']:,}.{relevance} "
        f"Data `{data['hash'][:12]}`, split {hashes}, training seeds {_seeds(result_table)}; "
        f"{'; '.join(result_table.machines)}; threads {', '.join(map(str, result_table.threads))}; "
        f"commit {', '.join(f'`{commit}`' for commit in commits)}."
    )


def title(result_table: ResultTable) -> str:
    """Return the table's heading."""
    return f"{_TITLES[result_table.suite]}: {result_table.data['name']}, {result_table.protocol}"


def markdown(tables: Sequence[ResultTable]) -> str:
    """Return the bench's section of one data set's page."""
    parts = [_INTRODUCTION]
    for result_table in tables:
        metrics = [
            metric_columns(result_table),
            *(metric_line(row, result_table) for row in result_table.rows),
        ]
        differences = [
            difference_columns(result_table),
            *(difference_line(row, result_table) for row in result_table.rows),
        ]
        parts += [
            f"### {title(result_table)}",
            description(result_table),
            _table(metrics),
            _table(differences),
        ]
    parts += ["### Settings of the models", _settings(tables)]
    return "\n\n".join(parts) + "\n"


def write_into(folder: Path, tables: Sequence[ResultTable]) -> list[Path]:
    """Write one page per data set into ``folder``, and return their paths.

    A page that exists keeps everything outside the bench's marks; without marks the tables are appended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages: dict[str, list[ResultTable]] = {}
    for result_table in tables:
        pages.setdefault(str(result_table.data["name"]), []).append(result_table)
    paths = []
    for name, page_tables in pages.items():
        path = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '-', name)}.md"
        text = path.read_text(encoding="utf-8") if path.exists() else f"# Results on {name}\n"
        before, found, rest = text.partition(START)
        after = rest.partition(END)[2] if found else ""
        start = f"{before.rstrip()}\n\n" if before.strip() else ""
        write_atomically(path, f"{start}{START}{markdown(page_tables)}{END}{after}".encode())
        paths.append(path)
    return paths


def _table(lines: Sequence[Sequence[str]]) -> str:
    rows = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "\n".join(f"| {' | '.join(values)} |" for values in rows)


def _name(row: Row) -> str:
    name = f"`{row.name}`" if row.kind == "own" else f"{row.library} `{row.name}`"
    return f"{name}, seed {row.seed}" if row.seed else name


def _settings(tables: Sequence[ResultTable]) -> str:
    """Return one line for each model and each of its settings."""
    lines = []
    for result_table in tables:
        for row in result_table.rows:
            if row.kind == "own":
                text = f"- `{row.name}`: {json.dumps(row.settings.get('model', {}))}"
            else:
                versions = ", ".join(f"{name} {version}" for name, version in row.versions.items())
                text = f"- `{row.name}` ({versions or row.library}): {row.what}; {json.dumps(row.settings)}"
            lines.append(text)
    return "\n".join(sorted(dict.fromkeys(lines)))


def _seeds(result_table: ResultTable) -> str:
    return ", ".join(map(str, sorted({row.seed for row in result_table.rows})))


def _estimate(estimate: Estimate) -> str:
    return f"{estimate.value:.4f} [{estimate.low:.4f}, {estimate.high:.4f}]"


def _difference(difference: Difference | None) -> str:
    if difference is None:
        return NONE
    estimate = difference.estimate
    interval = f"{estimate.value:+.4f} [{estimate.low:+.4f}, {estimate.high:+.4f}]"
    return f"{interval} {_VERDICTS[difference.better]} (`{difference.to}`)"


def _number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:,.{digits}f}"
