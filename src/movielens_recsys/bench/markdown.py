"""The tables as text: a Markdown page per data set, rows for a terminal."""

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
_WORDS = {True: "better", False: "worse", None: "level"}
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


def metric_columns(section: ResultTable) -> list[str]:
    """Return the heads of a section's first table: metrics and cost."""
    metrics = [MetricName.parse(metric).label for metric, _ in METRICS[section.suite]]
    latency = ["ms for one"] if section.suite == "speed" else []
    return ["model", *metrics, *(name for name, _ in _TIMES), *latency]


def metric_line(row: Row, section: ResultTable) -> list[str]:
    """Return a model's metrics and cost; for a failed one, the reason."""
    heads = metric_columns(section)
    if row.failure is not None:
        return [_name(row), f"failed: {row.failure}".replace("|", "/"), *[NONE] * (len(heads) - 2)]
    cells = [_estimate(row.figures[metric]) for metric, _ in METRICS[section.suite]]
    cells += [_number(row.account.get(key), 1 if key in {"fit_s", "predict_s"} else 0) for _, key in _TIMES]
    if section.suite == "speed":
        latency = row.account.get("latency_s")
        cells.append(_number(None if latency is None else 1000 * latency, 3))
    return [_name(row), *cells]


def difference_columns(section: ResultTable) -> list[str]:
    """Return the heads of a section's second table: inputs and differences to peers."""
    differences = [] if section.suite == "speed" else ["− best peer", "− best peer, equal information"]
    return ["model", "inputs", *differences]


def difference_line(row: Row, section: ResultTable) -> list[str]:
    """Return a model's inputs and its differences to the best peers."""
    differences = [] if section.suite == "speed" else [row.to_reference, row.to_equal]
    return [_name(row), ", ".join(row.given), *map(_difference, differences)]


def brief(section: ResultTable) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of a table that a terminal has room for."""
    metrics = [metric for metric, _ in METRICS[section.suite] if metric != "mae"]
    labels = [MetricName.parse(metric).label for metric in metrics]
    heads = ["row", "given", *labels, "95%", "− best peer", "fit s", "peak MB"]
    lines = []
    for row in section.rows:
        if row.failure is not None:
            lines.append([row.name, "", "failed", *[NONE] * (len(heads) - 3)])
            continue
        figures = [row.figures[metric] for metric in metrics]
        difference, words = row.to_reference, NONE
        if difference is not None:
            words = f"{difference.estimate.value:+.4f} {_WORDS[difference.better]}"
        lines.append(
            [
                row.name,
                " ".join(kind.split()[0] for kind in row.given),
                *(f"{figure.value:.4f}" for figure in figures),
                f"{figures[0].low:.4f}–{figures[0].high:.4f}",
                words,
                _number(row.account.get("fit_s"), 1),
                _number(row.account.get("peak_mb"), 0),
            ]
        )
    return heads, lines


def facts(section: ResultTable) -> str:
    """Return what the table is of, in a paragraph."""
    data, sizes = section.data, section.sizes
    hashes = ", ".join(f"`{value[:12]}`" for value in section.split_hashes)
    commits = sorted({commit for row in section.rows for commit in row.commits})
    relevance = ""
    if section.relevance_threshold is not None:
        counted = (
            f"{section.relevance_threshold:g} stars or more"
            if section.relevance_threshold
            else "every rating"
        )
        relevance = f" Rankings of 10 under `full`; relevant: {counted}; NDCG's ideal ranking is cut at 10."
    return (
        f"{data['ratings']:,} ratings, {data['users']:,} users, {data['items']:,} items; "
        f"train {sizes['train']:,}, validation {sizes['validation']:,}, test {sizes['test']:,}.{relevance} "
        f"Data `{data['hash'][:12]}`, split {hashes}, training seeds {_seeds(section)}; "
        f"{'; '.join(section.machines)}; threads {', '.join(map(str, section.threads))}; "
        f"commit {', '.join(f'`{commit}`' for commit in commits)}."
    )


def title(section: ResultTable) -> str:
    """Return the section's heading."""
    return f"{_TITLES[section.suite]}: {section.data['name']}, {section.protocol}"


def markdown(sections: Sequence[ResultTable]) -> str:
    """Return the bench's part of one data set's page."""
    parts = [_INTRODUCTION]
    for section in sections:
        metrics = [metric_columns(section), *(metric_line(row, section) for row in section.rows)]
        differences = [difference_columns(section), *(difference_line(row, section) for row in section.rows)]
        parts += [f"### {title(section)}", facts(section), _table(metrics), _table(differences)]
    parts += ["### Settings of the models", _settings(sections)]
    return "\n\n".join(parts) + "\n"


def write_into(folder: Path, sections: Sequence[ResultTable]) -> list[Path]:
    """Write one page per data set into ``folder``, and return their paths.

    A page that exists keeps everything outside the bench's marks; without marks the tables go to its end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages: dict[str, list[ResultTable]] = {}
    for section in sections:
        pages.setdefault(str(section.data["name"]), []).append(section)
    paths = []
    for name, tables in pages.items():
        path = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '-', name)}.md"
        text = path.read_text(encoding="utf-8") if path.exists() else f"# Results on {name}\n"
        before, found, rest = text.partition(START)
        after = rest.partition(END)[2] if found else ""
        start = f"{before.rstrip()}\n\n" if before.strip() else ""
        write_atomically(path, f"{start}{START}{markdown(tables)}{END}{after}".encode())
        paths.append(path)
    return paths


def _table(lines: Sequence[Sequence[str]]) -> str:
    rows = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _name(row: Row) -> str:
    name = f"`{row.name}`" if row.kind == "own" else f"{row.library} `{row.name}`"
    return f"{name}, seed {row.seed}" if row.seed else name


def _settings(sections: Sequence[ResultTable]) -> str:
    """Return one line for each model and each of its settings."""
    lines = []
    for section in sections:
        for row in section.rows:
            if row.kind == "own":
                text = f"- `{row.name}`: {json.dumps(row.settings.get('model', {}))}"
            else:
                versions = ", ".join(f"{name} {version}" for name, version in row.versions.items())
                text = f"- `{row.name}` ({versions or row.library}): {row.what}; {json.dumps(row.settings)}"
            lines.append(text)
    return "\n".join(sorted(dict.fromkeys(lines)))


def _seeds(section: ResultTable) -> str:
    return ", ".join(map(str, sorted({row.seed for row in section.rows})))


def _estimate(figure: Estimate) -> str:
    return f"{figure.value:.4f} [{figure.low:.4f}, {figure.high:.4f}]"


def _difference(difference: Difference | None) -> str:
    if difference is None:
        return NONE
    words = _WORDS[difference.better]
    figure = difference.estimate
    interval = f"{figure.value:+.4f} [{figure.low:+.4f}, {figure.high:+.4f}]"
    return f"{interval} {words} (`{difference.to}`)"


def _number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:,.{digits}f}"
