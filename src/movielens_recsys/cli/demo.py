"""`recsys demo`: from nothing to figures and ten films, in one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from movielens_recsys.cli.output import console, table, warn

if TYPE_CHECKING:
    from movielens_recsys.evaluation.report import Figure, Report
    from movielens_recsys.experiments.recommendations import Slate

TEMPLATE = "quickstart"
SHOWN = {
    "RMSE": ("rmse", "held_out"),
    "MAE": ("mae", "held_out"),
    "P full": ("precision@10", "full"),
    "NDCG full": ("ndcg@10", "full"),
    "P rated": ("precision@10", "rated"),
    "NDCG rated": ("ndcg@10", "rated"),
}


def demo() -> None:
    """Train a hybrid VAE on real ratings (ML-100K) and show its figures and ten recommendations."""
    from movielens_recsys.cli.experiment.run import TrainingProgress
    from movielens_recsys.data.load import load_ratings
    from movielens_recsys.experiments import registry
    from movielens_recsys.experiments.modifications import resolve
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    config = resolve(TEMPLATE, TEMPLATE, {})
    ratings = load_ratings(config.data.name, settings, progress=True)
    films, people = f"{ratings.n_items:,} films", f"{ratings.n_users:,} people"
    console.print(f"{ratings.name}: {len(ratings):,} ratings of {films} by {people}", highlight=False)
    run = registry.create(config, settings)
    console.print(f"experiment {run.id}: {config.description}", highlight=False)
    from movielens_recsys.experiments.artifacts import REPORT_PAGE
    from movielens_recsys.experiments.recommendations import recommend, typical_user
    from movielens_recsys.experiments.run import execute
    from movielens_recsys.experiments.sinks.live import LiveCopies

    with LiveCopies(run.id, settings, warn), TrainingProgress(config.training.epochs) as bar:
        outcome = execute(run.id, settings, callbacks=[bar], warn=warn)
    _print_figures(outcome.reports["test"])
    train = outcome.split.part("train")
    _print_slate(recommend(outcome.recommender, train, typical_user(train)))
    console.print(f"\nTrained and judged in {outcome.run.seconds:.0f} s.", highlight=False)
    console.print(f"The whole report: {outcome.folder / REPORT_PAGE}", highlight=False)
    console.print("\nNext:")
    for command in (
        f"recsys experiment show {run.id}",
        "recsys experiment create hybrid_vae_baseline my_first",
        "recsys experiment templates",
    ):
        console.print(f"  .venv/bin/{command}", highlight=False)


def _print_figures(report: Report) -> None:
    own, *others = (
        {(figure.metric, figure.protocol): figure for figure in figures}
        for figures in (report.figures, *report.references.values())
    )
    rows = [
        [heading, _value(own.get(key)), _interval(own.get(key)), *(_value(row.get(key)) for row in others)]
        for heading, key in SHOWN.items()
    ]
    title = f"Test part of {report.data_name}, {report.split['protocol']} split, {report.n_ratings:,} ratings"
    note = "P and NDCG at 10, intervals over users; full: the whole catalogue, rated: held-out items"
    columns = ["", "this run", f"{report.confidence:.0%}", *report.references]
    console.print()
    console.print(table(title, columns, rows, caption=note))


def _value(figure: Figure | None) -> str:
    return "–" if figure is None else f"{figure.value:.4f}"


def _interval(figure: Figure | None) -> str:
    if figure is None or figure.low is None or figure.high is None:
        return "–"
    return f"{figure.low:.3f}–{figure.high:.3f}"


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
