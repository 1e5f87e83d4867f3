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
    "P@10 full": ("precision@10", "full"),
    "NDCG@10 full": ("ndcg@10", "full"),
    "P@10 rated": ("precision@10", "rated"),
    "NDCG@10 rated": ("ndcg@10", "rated"),
}


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
    films, people = f"{ratings.n_items:,} films", f"{ratings.n_users:,} people"
    console.print(f"{ratings.name}: {len(ratings):,} ratings of {films} by {people}", highlight=False)
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
    names = {"this run": report.figures, **report.references}
    measured = {
        name: {(figure.metric, figure.protocol): figure for figure in figures}
        for name, figures in names.items()
    }
    rows = [
        [heading, *(_figure(row.get(key), interval=name == "this run") for name, row in measured.items())]
        for heading, key in SHOWN.items()
    ]
    title = f"Test part of {report.data_name}, {report.split['protocol']} split, {report.n_ratings:,} ratings"
    note = f"{report.confidence:.0%} intervals over users; full: whole catalogue, rated: held-out items"
    console.print()
    console.print(table(title, ["", *measured], rows, caption=note))


def _figure(figure: Figure | None, *, interval: bool) -> str:
    if figure is None:
        return "–"
    if interval and figure.low is not None and figure.high is not None:
        return f"{figure.value:.4f} [{figure.low:.3f}, {figure.high:.3f}]"
    return f"{figure.value:.4f}"


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
