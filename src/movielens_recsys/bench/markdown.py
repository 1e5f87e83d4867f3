"""The table as text: Markdown for a document, rows for a terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from movielens_recsys.bench.comparison import Estimate
from movielens_recsys.bench.config import Suite
from movielens_recsys.bench.tables import METRICS, Difference, ResultTable, Row
from movielens_recsys.evaluation.metrics import label
from movielens_recsys.files import write_atomically

START, END = "<!-- bench -->\n", "<!-- end of bench -->\n"
NONE = "–"
_TITLES: dict[Suite, str] = {"accuracy": "Stars", "ranking": "Lists", "speed": "Speed"}
_WORDS = {True: "better", False: "worse", None: "level"}
_TIMES = (
    ("fit s", "fit_s"),
    ("predict s", "predict_s"),
    ("ratings/s", "samples_per_s"),
    ("peak MB", "peak_mb"),
)
_INTRODUCTION = """## The bench: ours and peers on the same rows

Made by `recsys bench --write docs/results.md`; [how](how-to/run-the-bench.md). Every row was fitted on the
same training rows in a process of its own and judged by the same code; predictions are clipped to the scale
for everyone. Brackets are 95 % intervals by bootstrap over users. A difference is paired by user; *better* or
*worse* stands beside one whose interval leaves out zero. *Equal information* is the best peer that was given
no more than the row itself. Seconds are of one process on the threads that are named; ratings/s counts every
pass; memory is the process's highest."""


def columns(section: ResultTable) -> list[str]:
    """Return the heads of a section's table."""
    figures = [label(metric) for metric, _ in METRICS[section.suite]]
    differences = [] if section.suite == "speed" else ["− best peer", "− best peer, equal information"]
    latency = ["ms for one"] if section.suite == "speed" else []
    return ["row", "given", *figures, *differences, *(name for name, _ in _TIMES), *latency]


def line(row: Row, section: ResultTable) -> list[str]:
    """Return a row's cells; of a failed one, why."""
    name = f"`{row.name}`" if row.kind == "own" else f"{row.library} `{row.name}`"
    name += f", seed {row.seed}" if row.seed else ""
    heads = columns(section)
    given = ", ".join(row.given)
    if row.failure is not None:
        return [name, given, f"failed: {row.failure}".replace("|", "/"), *[NONE] * (len(heads) - 3)]
    cells = [_estimate(row.figures[metric]) for metric, _ in METRICS[section.suite]]
    if section.suite != "speed":
        cells += [_difference(row.to_reference), _difference(row.to_equal)]
    cells += [_number(row.account.get(key), 1 if key in {"fit_s", "predict_s"} else 0) for _, key in _TIMES]
    if section.suite == "speed":
        latency = row.account.get("latency_s")
        cells.append(_number(None if latency is None else 1000 * latency, 3))
    return [name, given, *cells]


def brief(section: ResultTable) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of a table that a terminal has room for."""
    metrics = [metric for metric, _ in METRICS[section.suite] if metric != "mae"]
    heads = ["row", "given", *map(label, metrics), "95%", "− best peer", "fit s", "peak MB"]
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
        relevance = f" Lists of 10 under `full`; relevant: {counted}; NDCG's ideal list is cut at 10."
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
    """Return the whole part of the document."""
    parts = [_INTRODUCTION]
    for section in sections:
        heads = columns(section)
        lines = [heads, ["---"] * len(heads), *(line(row, section) for row in section.rows)]
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        parts += [f"### {title(section)}", facts(section), table]
    parts += ["### Settings of the bench's rows", _settings(sections)]
    return "\n\n".join(parts) + "\n"


def write_into(path: Path, sections: Sequence[ResultTable]) -> None:
    """Put the part into a document between its marks, or at its end; nothing else in it changes."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    before, found, rest = text.partition(START)
    after = rest.partition(END)[2] if found else ""
    start = f"{before.rstrip()}\n\n" if before.strip() else ""
    content = f"{start}{START}{markdown(sections)}{END}{after}"
    write_atomically(path, content.encode())


def _settings(sections: Sequence[ResultTable]) -> str:
    """Return one line for each entrant and each of its settings."""
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
