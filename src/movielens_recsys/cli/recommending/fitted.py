"""The fitted model that a command answers from, and the ratings that it was fitted to, where they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from movielens_recsys.cli import completion
from movielens_recsys.cli.arguments import find_run
from movielens_recsys.cli.output import warn
from movielens_recsys.errors import BundleError, ExperimentError, RecsysError
from movielens_recsys.schema import RunState

if TYPE_CHECKING:
    from movielens_recsys.data.ratings import Ratings
    from movielens_recsys.models.base import Model
    from movielens_recsys.models.bundle import Bundle
    from movielens_recsys.recommending.rated_items import RatedItems
    from movielens_recsys.runs.run import Run
    from movielens_recsys.settings import Settings

FittedRun = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A completed experiment: its id, a beginning of it, or its name; an ensemble; a bundle folder.",
        autocompletion=completion.runs,
    ),
]
BUNDLE = "bundle"


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model, its ids and titles, and what users have rated.

    Attributes
    ----------
    name
        The experiment, the ensemble or the folder.
    ratings
        All ratings of the data set; without rows and titles if they are not at hand.
    rated
        What is left out of recommendations: all ratings of the data set, or what the model itself keeps.
    notes
        What the user should know of the data, in sentences.
    """

    name: str
    model: Model
    ratings: Ratings
    rated: RatedItems
    notes: tuple[str, ...]

    @property
    def predicts_ratings(self) -> bool:
        """Whether it predicts ratings: models for rankings leave that to biases, implicit data have none."""
        return not (self.ratings.implicit or self.model.config.rating_model.uses_positives)


def open_fitted(run: str, data: str) -> Fitted:
    """Open the bundle of a run, of an ensemble or in a folder, and the ratings it was fitted to.

    Ratings that are not at hand, or have other users or items than the model, are done without, and a warning
    says so; those named by ``data`` must be there.

    Raises
    ------
    ExperimentError
        The run or ensemble is not completed.
    BundleError
        There is no readable bundle, or ``data`` is not what the model was fitted to.
    UnknownNameError
        There is no such run, ensemble or folder.
    """
    from movielens_recsys.settings import load_settings

    name, bundle = open_bundle(run)
    try:
        ratings = _load_ratings(bundle, data, load_settings())
    except RecsysError as exc:
        if data:
            raise
        fitted = _without_ratings(name, bundle, exc)
    else:
        fitted = _with_ratings(name, bundle, ratings, data)
    for note in fitted.notes:
        warn(note)
    return fitted


def open_bundle(run: str) -> tuple[str, Bundle]:
    """Open the bundle of a run, of an ensemble or in a folder; return its name and it.

    Raises
    ------
    ExperimentError, BundleError, UnknownNameError
        See `open_fitted`.
    """
    from movielens_recsys.models.bundle import load_bundle
    from movielens_recsys.settings import load_settings

    name, folder = _find_bundle(run, load_settings())
    return name, load_bundle(folder)


def _with_ratings(name: str, bundle: Bundle, ratings: Ratings, data: str) -> Fitted:
    from movielens_recsys.recommending.rated_items import RatedItems

    notes: tuple[str, ...] = ()
    if ratings.content_hash != bundle.metadata.get("data_hash", ratings.content_hash):
        notes = (_other_ratings(bundle, ratings.name, data),)
    return Fitted(name, bundle.recommender, ratings, RatedItems.of(ratings), notes)


def _other_ratings(bundle: Bundle, name: str, data: str) -> str:
    """Return what it means that the ratings of ``name`` are not those that the model was fitted to."""
    from movielens_recsys.settings import load_settings

    left_out = f"left out is what users have rated in {name}"
    try:
        fitted_to = _data_of(bundle, load_settings())
    except BundleError:
        return f"the model was fitted to other ratings than {name} has now; {left_out}"
    if not data or Path(data).resolve() == Path(fitted_to).resolve():
        return f"{name} has changed since the model was fitted; left out is what it says now"
    return f"the model was fitted to {fitted_to}, not to {data}: it has learned from {fitted_to}; {left_out}"


def _without_ratings(name: str, bundle: Bundle, why: RecsysError) -> Fitted:
    from movielens_recsys.recommending.rated_items import RatedItems

    model = bundle.recommender
    left_out = (
        "what users have rated cannot be left out"
        if model.training_positives is None
        else "of what users have rated, only the training positives that the model keeps are left out"
    )
    note = (
        f"the ratings that the model was fitted to are not at hand ({why.found}): titles are ids, and "
        f"{left_out}; if you have them, name them: --data NAME_OR_PATH"
    )
    return Fitted(name, model, bundle.without_ratings(name), RatedItems.kept_by(model), (note,))


def _find_bundle(run: str, settings: Settings) -> tuple[str, Path]:
    """Return what to call the model, and the folder of its bundle."""
    from movielens_recsys.ensembles import store as ensembles
    from movielens_recsys.models.bundle import DESCRIPTION
    from movielens_recsys.runs import store

    path = Path(run).expanduser()
    for folder in (path, path / BUNDLE):
        if (folder / DESCRIPTION).is_file():
            return run, folder
    if run in ensembles.ensemble_names(settings):
        _check_ensemble(run, settings)
        return run, ensembles.ensemble_folder(run, settings) / BUNDLE
    if path.is_dir() and not store.matching_runs(run, settings):
        raise BundleError(
            f"{path} holds no bundle",
            expected=f"a folder with {DESCRIPTION}",
            next_step="name another folder",
        )
    run_id = find_run(run, settings, completed=True)
    _check_completed(store.load_run(run_id, settings), settings)
    return run_id, store.run_folder(run_id, settings) / BUNDLE


def _check_ensemble(name: str, settings: Settings) -> None:
    from movielens_recsys.ensembles import store as ensembles

    if ensembles.load_report(name, settings) is None:
        raise ExperimentError(
            f"ensemble {name} is not completed", next_step=f"complete it: `recsys ensemble run {name}`"
        )


def _check_completed(run: Run, settings: Settings) -> None:
    from movielens_recsys.runs.cost import resume_command
    from movielens_recsys.runs.event_writer import is_orphaned

    gone = is_orphaned(run, settings)
    state = run.state_before_archive if run.state is RunState.ARCHIVED else run.state
    if state is RunState.COMPLETED:
        return
    if run.state is RunState.PLANNED:
        advice = f"run it: `recsys experiment run {run.id}`"
    elif run.state is RunState.RUNNING and not gone:
        advice = f"wait until it is completed: `recsys watch {run.id}`"
    elif run.fitted and run.resumable:
        advice = f"complete it: `recsys experiment evaluate {run.id}`"
    elif run.resumable:
        advice = f"complete it: `{resume_command(run)}`"
    else:
        advice = f"run a copy: `recsys experiment clone {run.id} NEW_NAME`"
    raise ExperimentError(
        f"experiment {run.id} {'has lost its process' if gone else f'is {state}'} and has no model to ask",
        expected="a completed experiment",
        next_step=advice,
    )


def _load_ratings(bundle: Bundle, data: str, settings: Settings) -> Ratings:
    """Load the ratings named by ``data``, or else those that the bundle's run was trained on."""
    from movielens_recsys.data.load import load_ratings

    ratings = load_ratings(data or _data_of(bundle, settings), settings, fetch=False)
    bundle.check_ids(ratings)
    return ratings


def _data_of(bundle: Bundle, settings: Settings) -> str:
    from movielens_recsys.runs import store

    run_ids = [bundle.metadata.get("run"), *bundle.metadata.get("members", ())]
    known = store.run_ids(settings)
    for run_id in run_ids:
        if run_id in known:
            data = store.load_config(run_id, settings).data
            return str(data.path or data.name)
    raise BundleError("this home has no experiment of the model, which would name them")
