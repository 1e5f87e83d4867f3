"""`recsys demo`: from nothing to figures and ten films, in one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from movielens_recsys.cli.output import console, table, warn

if TYPE_CHECKING:
    from movielens_recsys.evaluation.report import Report
    from movielens_recsys.experiments.recommendations import Slate

TEMPLATE = "quickstart"
SHOWN = ("rmse", "mae", "precision", "ndcg", "coverage")


def demo() -> None:
    """Train a hybrid VAE on real ratings (ML-100K) and show its figures and ten recommendations."""
    from movielens_recsys.cli.experiment import TrainingProgress
    from movielens_recsys.data.load import load_ratings
    from movielens_recsys.experiments import registry
    from movielens_recsys.experiments.modifications import resolve
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    config = resolve(TEMPLATE, TEMPLATE, {})
    ratings = load_ratings(config.data.name, settings, progress=True)
    console.print(
        f"{ratings.name}: {len(ratings):,} ratings of {ratings.n_items:,} films by {ratings.n_users:,} people",
        highlight=False,
    )
    run = registry.create(config, settings)
    console.print(f"experiment {run.id}: {config.description}", highlight=False)
    from movielens_recsys.experiments.artifacts import REPORT_PAGE
    from movielens_recsys.experiments.recommendations import recommend, typical_user
    from movielens_recsys.experiments.run import execute

    with TrainingProgress(config.training.epochs) as bar:
        outcome = execute(run.id, settings, callbacks=[bar], warn=warn)
    _print_figures(outcome.reports["test"])
    train = outcome.split.part("train")
    _print_slate(recommend(outcome.recommender, train, typical_user(train)))
    console.print(f"\nThe whole report: {outcome.folder / REPORT_PAGE}", highlight=False)
    console.print("\nNext:")
    for command in (
        f"recsys experiment show {run.id}",
        "recsys experiment create hybrid_vae_baseline my_first",
        "recsys experiment templates",
    ):
        console.print(f"  .venv/bin/{command}", highlight=False)


def _print_figures(report: Report) -> None:
    from movielens_recsys.evaluation.table import report_rows

    references = list(report.references)
    rows = [
        [f"{row.metric} ({row.protocol})", row.value, row.interval, *(row.references[r] for r in references)]
        for row in report_rows(report)
        if row.metric.lower().startswith(SHOWN)
    ]
    console.print()
    console.print(
        table(
            f"Test part of {report.data_name}, {report.split['protocol']} split, {report.n_ratings:,} ratings",
            ["figure", "this run", f"{report.confidence:.0%} interval", *references],
            rows,
        )
    )


def _print_slate(slate: Slate) -> None:
    console.print()
    rows = [[line.title, f"{line.predicted:.2f}", ", ".join(line.genres)] for line in slate.recommendations]
    console.print(
        table(
            f"Ten films for user {slate.user_id}, who gave {slate.n_ratings} ratings "
            f"and loved {'; '.join(slate.favourites)}",
            ["film", "stars", "genres"],
            rows,
        )
    )
