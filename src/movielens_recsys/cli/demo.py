"""`recsys demo`: download ratings, train two models, and show their metrics and ten recommendations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from movielens_recsys.cli.fitted_table import FittedTable
from movielens_recsys.cli.output import console, warn

if TYPE_CHECKING:
    from movielens_recsys.evaluation.report import MetricValue, Report
    from movielens_recsys.experiments.artifacts import CompletedRun
    from movielens_recsys.recommending.slate import Slate
    from movielens_recsys.settings import Settings

BEST, SMALL_VAE = "stars_and_lists", "quickstart"
SHOWN = {
    "RMSE": ("rmse", "held_out"),
    "P full": ("precision@10", "full"),
    "NDCG full": ("ndcg@10", "full"),
    "P rated": ("precision@10", "rated"),
    "NDCG rated": ("ndcg@10", "rated"),
}


def demo() -> None:
    """Train the best model within two minutes, and a small VAE, on ML-100K; compare them."""
    from movielens_recsys.data.load import load_ratings
    from movielens_recsys.experiments.artifacts import REPORT_PAGE
    from movielens_recsys.recommending.slate import recommend_slate, typical_user
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    ratings = load_ratings("ml-100k", settings, progress=True)
    items, users = f"{ratings.n_items:,} movies", f"{ratings.n_users:,} users"
    console.print(f"{ratings.name}: {len(ratings):,} ratings of {items} by {users}", highlight=False)
    small_vae = _run(SMALL_VAE, settings)
    best = _run(BEST, settings)
    _print_metrics(best.reports["test"], small_vae.reports["test"])
    train = best.split.part("train")
    slate = recommend_slate(best.recommender, train, typical_user(train))
    _print_slate(slate, best.recommender.score_meaning)
    seconds = small_vae.run.seconds + best.run.seconds
    console.print(f"\nTrained and evaluated in {seconds:.0f} s.", highlight=False)
    console.print(f"The full report: {best.folder / REPORT_PAGE}", highlight=False)
    console.print("\nNext:")
    for command in (
        f"recsys experiment compare {best.run.id} {small_vae.run.id}",
        "recsys experiment create hybrid_vae_baseline my_first",
        "recsys experiment templates",
    ):
        console.print(f"  .venv/bin/{command}", highlight=False, soft_wrap=True)


def _run(template: str, settings: Settings) -> CompletedRun:
    """Create an experiment from ``template``, and run it."""
    from movielens_recsys.cli.experiment.run import TrainingProgress
    from movielens_recsys.experiments.execute import execute
    from movielens_recsys.experiments.overrides import config_from_template
    from movielens_recsys.runs import store
    from movielens_recsys.tracking.processes import TrackerProcesses
    from movielens_recsys.training.budget import budget_for
    from movielens_recsys.training.session import TrainingSession

    config = config_from_template(template, template, {})
    epochs = budget_for(config.model, config.training).epochs
    run = store.create_run(config, settings)
    console.print(f"experiment {run.id}: {config.description}", highlight=False)
    with TrackerProcesses(run.id, settings, warn), TrainingProgress(epochs) as bar:
        return execute(run.id, settings, TrainingSession(callbacks=[bar]), warn=warn)


def _print_metrics(best: Report, small_vae: Report) -> None:
    """Print the metrics of each model, and the intervals of the best one."""
    models = {BEST: best.metrics, SMALL_VAE: small_vae.metrics, **best.references}
    rows = []
    for name, metrics in models.items():
        by_key = {(metric.metric, metric.protocol): metric for metric in metrics}
        rows.append([name, *(_value(by_key.get(key)) for key in SHOWN.values())])
        if name == BEST:
            interval = f"  {best.confidence:.0%} over users"
            rows.append([interval, *(_interval(by_key.get(key)) for key in SHOWN.values())])
    title = f"Test part of {best.data_name}, {best.split['protocol']} split, {best.n_ratings:,} ratings"
    note = (
        f"{BEST} is the best model within two minutes, {SMALL_VAE} a small VAE;\n"
        "P and NDCG at 10; full: the whole catalogue, rated: held-out items;\n"
        f"{best.relevance}"
    )
    console.print()
    console.print(FittedTable(title, ["", *SHOWN], rows, caption=note))


def _value(metric: MetricValue | None) -> str:
    return "–" if metric is None else f"{metric.value:.4f}"


def _interval(metric: MetricValue | None) -> str:
    if metric is None or metric.low is None or metric.high is None:
        return "–"
    return f"{metric.low:.2f}–{metric.high:.2f}"


def _print_slate(slate: Slate, order: str) -> None:
    console.print()
    rows = [[line.title, f"{line.predicted:.2f}", ", ".join(line.genres)] for line in slate.recommendations]
    console.print(
        FittedTable(
            f"Ten movies for user {slate.user_id}, who gave {slate.n_ratings} ratings "
            f"and liked most {'; '.join(slate.favourites)}",
            ["movie", "stars", "genres"],
            rows,
            caption=f"ordered by {order};\nstars: the predicted rating",
            lesser=["genres"],
        )
    )
