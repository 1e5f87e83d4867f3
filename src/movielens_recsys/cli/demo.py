"""`recsys demo`: from nothing to figures and ten films, in one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from movielens_recsys.cli.output import console, table, warn

if TYPE_CHECKING:
    from movielens_recsys.evaluation.report import MetricValue, Report
    from movielens_recsys.experiments.artifacts import CompletedRun
    from movielens_recsys.recommending.slate import Slate
    from movielens_recsys.settings import Settings

BEST, PLANS_KIND = "stars_and_lists", "quickstart"
SHOWN = {
    "RMSE": ("rmse", "held_out"),
    "P full": ("precision@10", "full"),
    "NDCG full": ("ndcg@10", "full"),
    "P rated": ("precision@10", "rated"),
    "NDCG rated": ("ndcg@10", "rated"),
}


def demo() -> None:
    """Train the best model that fits two minutes, and the plan's kind, on ML-100K; show both."""
    from movielens_recsys.data.load import load_ratings
    from movielens_recsys.experiments.artifacts import REPORT_PAGE
    from movielens_recsys.recommending.slate import recommend_slate, typical_user
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    ratings = load_ratings("ml-100k", settings, progress=True)
    films, people = f"{ratings.n_items:,} films", f"{ratings.n_users:,} people"
    console.print(f"{ratings.name}: {len(ratings):,} ratings of {films} by {people}", highlight=False)
    plans = _run(PLANS_KIND, settings)
    best = _run(BEST, settings)
    _print_figures(best.reports["test"], plans.reports["test"])
    train = best.split.part("train")
    _print_slate(recommend_slate(best.recommender, train, typical_user(train)))
    seconds = plans.run.seconds + best.run.seconds
    console.print(f"\nTrained and judged in {seconds:.0f} s.", highlight=False)
    console.print(f"The whole report: {best.folder / REPORT_PAGE}", highlight=False)
    console.print("\nNext:")
    for command in (
        f"recsys experiment compare {best.run.id} {plans.run.id}",
        "recsys experiment create hybrid_vae_baseline my_first",
        "recsys experiment templates",
    ):
        console.print(f"  .venv/bin/{command}", highlight=False, soft_wrap=True)


def _run(template: str, settings: Settings) -> CompletedRun:
    """Create an experiment from ``template``, run it and return its outcome."""
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


def _print_figures(best: Report, plans: Report) -> None:
    """Print a row for each model, and the interval of the best one below it."""
    models = {BEST: best.metrics, PLANS_KIND: plans.metrics, **best.references}
    rows = []
    for name, figures in models.items():
        found = {(figure.metric, figure.protocol): figure for figure in figures}
        rows.append([name, *(_value(found.get(key)) for key in SHOWN.values())])
        if name == BEST:
            interval = f"  {best.confidence:.0%} over users"
            rows.append([interval, *(_interval(found.get(key)) for key in SHOWN.values())])
    title = f"Test part of {best.data_name}, {best.split['protocol']} split, {best.n_ratings:,} ratings"
    note = (
        f"{BEST} is the best that fits two minutes, {PLANS_KIND} a small VAE of the plan's kind;\n"
        "P and NDCG at 10; full: the whole catalogue, rated: held-out items"
    )
    console.print()
    console.print(table(title, ["", *SHOWN], rows, caption=note))


def _value(figure: MetricValue | None) -> str:
    return "–" if figure is None else f"{figure.value:.4f}"


def _interval(figure: MetricValue | None) -> str:
    if figure is None or figure.low is None or figure.high is None:
        return "–"
    return f"{figure.low:.2f}–{figure.high:.2f}"


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
