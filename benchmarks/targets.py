"""Every template against the plan's RMSE 0.55, P@10 0.40 and NDCG@10 0.45, in both ranking protocols.

    python benchmarks/targets.py [--data ml-100k ml-1m] [--templates bayesian_mf ...] [--home .recsys/results]
        [--write docs/explanation/targets.md]

Experiments are those of `benchmarks/results.py`, random 80/10/10 with seed 0; one that is completed under
--home is not run again. The table goes between the marks of the page, the rest of which is kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from movielens_recsys.evaluation.report import MetricValue, Report
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.store import load_runs
from movielens_recsys.settings import Settings, load_settings
from results import ON_TWO_CORES, RANDOM, cell, markdown, read_report, run_once

DATA = ("ml-100k", "ml-1m")
RATING_TEMPLATES = ("hybrid_vae_two_sided", "hybrid_vae_attention", "bayesian_mf", "bayesian_mf_stars_only")
RANKING_TEMPLATES = ("ease", "ials", "item_knn", "mult_vae", "list_blend", "stars_and_lists")
TARGETS = (
    ("rmse", "held_out", 0.55),
    ("precision@10", "full", 0.40),
    ("ndcg@10", "full", 0.45),
    ("precision@10", "rated", 0.40),
    ("ndcg@10", "rated", 0.45),
)
COLUMNS = ("RMSE", "P@10 full", "NDCG@10 full", "P@10 rated", "NDCG@10 rated", "RMSE - 0.55", "val_loss")
FIRST, LAST = "<!-- targets -->", "<!-- end of targets -->"


def main() -> None:
    """Run what is missing, then write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", choices=DATA, default=DATA)
    parser.add_argument("--templates", nargs="+", help="only these; default: all that two cores can train")
    parser.add_argument("--home", type=Path, default=Path(".recsys/results"))
    parser.add_argument("--write", type=Path, default=Path("docs/explanation/targets.md"))
    options = parser.parse_args()
    settings = load_settings().model_copy(update={"home": options.home})
    for data in options.data:
        for template in options.templates or (*ON_TWO_CORES[data], *RATING_TEMPLATES, *RANKING_TEMPLATES):
            run_once(template, data, RANDOM, settings)
    before, _, rest = options.write.read_text(encoding="utf-8").partition(FIRST)
    _, _, after = rest.partition(LAST)
    tables = "\n\n".join(table(data, found) for data in DATA if (found := completed(data, settings)))
    options.write.write_text(f"{before}{FIRST}\n{tables}\n{LAST}{after}", encoding="utf-8")
    print(f"written: {options.write}")


def completed(data: str, settings: Settings) -> list[tuple[Run, Report]]:
    """Return the completed runs on one data set's random split with their reports, the best RMSE last."""
    found = [
        (run, read_report(run, settings))
        for run in load_runs(settings)[0]
        if run.state == "completed" and run.data["name"] == data and run.split["name"].startswith("random")
    ]
    return sorted(found, key=lambda one: -one[1].metrics[0].value)


def table(data: str, found: list[tuple[Run, Report]]) -> str:
    """Return the table of one data set: random and perfect rankings, and every completed run."""
    runs, references = [run for run, _ in found], found[0][1].references
    rows = [[name, *cells(references[name]), "–"] for name in ("random", "perfect")]
    for run, report in found:
        rows.append(
            [f"`{run.template}`", *cells(report.metrics), validation_loss(run, run.metrics.get("val_loss"))]
        )
    commits = sorted({str(run.provenance["code"].get("commit") or "unknown")[:10] for run in runs})
    facts = f"{data}, {runs[0].split['name']}, split `{runs[0].split['hash'][:12]}`, training seed 0, commit "
    return f"{facts}{', '.join(f'`{one}`' for one in commits)}:\n\n{markdown(['test part', *COLUMNS], rows)}"


def cells(metrics: tuple[MetricValue, ...]) -> list[str]:
    """Return the targets' metrics, in bold where met, and the distance of the RMSE."""
    measured = {(value.metric, value.protocol): value for value in metrics}
    found = [(measured.get((metric, protocol)), metric, goal) for metric, protocol, goal in TARGETS]
    out = [f"**{cell(value)}**" if met(value, metric, goal) else cell(value) for value, metric, goal in found]
    rmse, _, goal = found[0]
    return [*out, "–" if rmse is None else f"{rmse.value - goal:+.3f}"]


def met(value: MetricValue | None, metric: str, goal: float) -> bool:
    """Whether there is a value and it is beyond the goal."""
    if value is None:
        return False
    return value.value < goal if metric == "rmse" else value.value > goal


def validation_loss(run: Run, loss: MetricValue | None) -> str:
    """Return the validation loss of a network (squared error plus weighted KL), a dash for other models."""
    return f"{loss.value:.4f}" if loss is not None and run.history else "–"


if __name__ == "__main__":
    main()
