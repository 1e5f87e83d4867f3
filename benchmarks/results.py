"""Every template on every available data set, as tracked experiments, into docs/results/NAME.md.

    python benchmarks/results.py [--data ml-100k ...] [--home .recsys/results] [--write docs/results]

An experiment that is completed under ``--home`` for the same configuration is not run again, so the
command can be stopped and resumed. Data sets come from RECSYS_DATA_PATH, the cache or a
download. Templates that are too large for two cores on a data set run only when --templates names them.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from movielens_recsys.errors import RecsysError
from movielens_recsys.evaluation.report import MetricValue, Report
from movielens_recsys.experiments.execute import execute
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.store import config_hash, create_run, load_runs, run_folder
from movielens_recsys.settings import Settings, load_settings

RANDOM = {"protocol": "random", "validation": 0.1, "test": 0.1, "seed": 0}
OFFICIAL = {"protocol": "official", "name": "u1", "validation": 0.05, "seed": 0}
SPLITS: dict[str, list[dict[str, Any]]] = {
    "ml-100k": [RANDOM, OFFICIAL],
    "ml-latest-small": [RANDOM],
    "ml-1m": [RANDOM],
}
SMALL = ("global_mean", "popularity", "user_item_bias", "neural_cf_baseline", "quickstart")
LARGE = ("hybrid_vae_baseline", "hybrid_vae_optimized", "hybrid_vae_word_for_word")
TEMPLATES = (*SMALL, *LARGE)
ON_TWO_CORES = {
    "ml-100k": TEMPLATES,
    "ml-latest-small": (*SMALL, "hybrid_vae_baseline"),
    "ml-1m": SMALL,
}
RATING_COLUMNS = (("RMSE", "rmse", "held_out"), ("MAE", "mae", "held_out"), ("R²", "r2", "held_out"))
RANKING_COLUMNS = (
    ("P@10 full", "precision@10", "full"),
    ("NDCG@10 full", "ndcg@10", "full"),
    ("P@10 rated", "precision@10", "rated"),
    ("NDCG@10 rated", "ndcg@10", "rated"),
)


def main() -> None:
    """Run what is missing, then write the pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", choices=SPLITS, default=list(SPLITS))
    parser.add_argument("--templates", nargs="+", choices=TEMPLATES)
    parser.add_argument("--home", type=Path, default=Path(".recsys/results"))
    parser.add_argument("--write", type=Path, default=Path("docs/results"))
    options = parser.parse_args()
    settings = load_settings().model_copy(update={"home": options.home})
    for data in options.data:
        for split in SPLITS[data]:
            for template in options.templates or ON_TWO_CORES[data]:
                run_once(template, data, split, settings)
    options.write.mkdir(parents=True, exist_ok=True)
    for data, text in pages(settings).items():
        path = options.write / f"{data}.md"
        path.write_text(text + marked_parts(path), encoding="utf-8")
        print(f"written: {path}")


def marked_parts(path: Path) -> str:
    """Return the parts between marks, which `benchmarks/techniques.py` and `recsys bench` write, if any."""
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    _, mark, parts = written.partition("\n<!-- ")
    return f"{mark}{parts}"


def run_once(template: str, data: str, split: dict[str, Any], settings: Settings) -> None:
    """Run the template on this data and split, unless a completed run exists."""
    changes = {"data": {"name": data}, "split": split}
    config = config_from_template(template, f"{template}-{data}-{split['protocol']}", changes)
    done = {run.config_hash for run in load_runs(settings)[0] if run.state == "completed"}
    if config_hash(config) in done:
        return
    run = create_run(config, settings)
    print(run.id, flush=True)
    try:
        finished = execute(run.id, settings, warn=print).run
    except RecsysError as exc:
        print(f"  failed: {exc}", flush=True)
        return
    print(f"  test RMSE {finished.metrics['test_rmse']} in {finished.seconds:.0f} s", flush=True)


def pages(settings: Settings) -> dict[str, str]:
    """Return the text of docs/results/NAME.md from the completed runs, by data set."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in load_runs(settings)[0]:
        if run.state == "completed":
            groups.setdefault((run.data["name"], run.split["name"]), []).append(run)
    parts: dict[str, list[str]] = {}
    for (data, _), members in groups.items():
        parts.setdefault(data, [f"# Results on {data}", INTRODUCTION]).append(section(members, settings))
    return {data: "\n\n".join(texts) + "\n" for data, texts in parts.items()}


def section(runs: list[Run], settings: Settings) -> str:
    """Return the tables of one data set and split."""
    first = runs[0]
    commits = sorted({str(run.provenance["code"].get("commit") or "unknown")[:10] for run in runs})
    heading = f"### {first.data['name']}, {first.split['name']}"
    facts = (
        f"{first.data['ratings']:,} ratings, {first.data['users']:,} users, {first.data['items']:,} items; "
        f"train {first.split['train']:,}, validation {first.split['validation']:,}, "
        f"test {first.split['test']:,}. "
        f"Data `{first.data['hash'][:12]}`, split `{first.split['hash'][:12]}`, training seed 0, "
        f"commit {', '.join(f'`{commit}`' for commit in commits)}."
    )
    order = {template: position for position, template in enumerate(TEMPLATES)}
    runs = sorted(runs, key=lambda run: order.get(run.template, len(order)))
    reports = [read_report(run, settings) for run in runs]
    metrics = {name: row for name, row in reports[0].references.items() if name != "user+item bias"}
    metrics |= {f"`{run.template}`": report.metrics for run, report in zip(runs, reports, strict=True)}
    tables = [
        markdown(
            [title, *(name for name, _, _ in columns)],
            [[name, *cells(row, columns)] for name, row in metrics.items()],
        )
        for title, columns in (("ratings, test", RATING_COLUMNS), ("rankings, test", RANKING_COLUMNS))
    ]
    learning = [learning_row(run) for run in runs if run.history]
    return "\n\n".join(
        [
            heading,
            facts,
            *tables,
            markdown(
                [
                    "training, validation",
                    "val_loss",
                    "val_rmse",
                    "val_kl",
                    "best epoch",
                    "samples/s",
                    "seconds in all",
                ],
                learning,
            ),
        ]
    )


def read_report(run: Run, settings: Settings) -> Report:
    """Return the report of the run's test part."""
    return Report.from_json(json.loads((run_folder(run.id, settings) / "report.json").read_text())["test"])


def cells(metrics: tuple[MetricValue, ...], columns: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return the metrics of ``columns`` with their intervals, a dash for one that was not measured."""
    measured = {(value.metric, value.protocol): value for value in metrics}
    return [cell(measured.get((metric, protocol))) for _, metric, protocol in columns]


def cell(value: MetricValue | None) -> str:
    """Return one metric as `value [low, high]`."""
    if value is None:
        return "–"
    if value.low is None or value.high is None:
        return f"{value.value:.4f}"
    return f"{value.value:.4f} [{value.low:.4f}, {value.high:.4f}]"


def learning_row(run: Run) -> list[str]:
    """Return the metrics of the best epoch."""
    metrics = [f"{run.metrics[name].value:.4f}" for name in ("val_loss", "val_rmse", "val_kl")]
    speed = sum(record["samples_per_s"] for record in run.history) / len(run.history)
    epochs = f"{run.best_epoch} of {len(run.history)}"
    return [f"`{run.template}`", *metrics, epochs, f"{speed:,.0f}", f"{run.seconds:.0f}"]


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


INTRODUCTION = f"""## Our templates

Made by `python benchmarks/results.py` on {platform.machine()} with two cores, Python
{platform.python_version()}, with one training seed (0). Brackets are 95 % intervals by bootstrap over users.
Overlapping intervals are no test of a difference: compare two models paired by user, as the bench's tables
below do. The epoch of every neural model was chosen on the validation part;
the test part was read once, at the end. `val_loss` (MSE + KL weight × KL) and `val_rmse` are different
quantities ([glossary](../reference/glossary.md)).

`full` ranks every item that the user has not rated in training, `rated` only the held-out items;
relevant are held-out ratings of 4 stars or more; NDCG's ideal ranking is cut at 10. The rows *random*
and *perfect* show what a protocol gives to a random order and to the true ratings. [Random splits
and time leakage](../explanation/random-splits-and-time-leakage.md)."""


if __name__ == "__main__":
    main()
