"""The data of a run: loaded, split, and compared with what the run began with, before the run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from movielens_recsys.data.config import DataConfig
from movielens_recsys.data.load import load_configured
from movielens_recsys.data.sources.location import locate_data
from movielens_recsys.data.splits.split import Split, make_split, split_name
from movielens_recsys.errors import ExperimentError, ReadError, SourceError, UnknownNameError
from movielens_recsys.experiments.evaluate_run import validation_rmse
from movielens_recsys.models.base import Model
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.factory import build_model
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.run import Run
from movielens_recsys.settings import Settings

_AS_IT_WAS = "the run is as it was"
_BRING_BACK = "bring the data back there"


class RunData(NamedTuple):
    """The split of a run, the user and item bias fitted to it, and the ``data`` event that records both."""

    split: Split
    bias: Model
    event: dict[str, Any]


def load_run_data(run: Run, config: ExperimentConfig, settings: Settings) -> RunData:
    """Load what a run is fitted to and compared with; nothing of the run changes.

    Raises
    ------
    SourceError
        The data cannot be reached; the message says where they were.
    ExperimentError
        They are not those that the run began with.
    ReadError
        They cannot be read; the message says if the run read others.
    RecsysError
        They cannot be split.
    """
    try:
        split = load_split(config, settings)
    except (SourceError, UnknownNameError) as exc:
        raise _out_of_reach(run, config.data, settings, exc) from exc
    except ReadError as exc:
        if not (run.data and run.location):
            raise
        raise _replaced(run, exc) from exc
    require_same_rows(run, split)
    bias = build_model(UserItemBiasConfig(), split.part("train"))
    location = str(locate_data(config.data, settings) or "")
    event = {**data_event(split), "location": location, "bias_val_rmse": validation_rmse(bias, split)}
    return RunData(split, bias, event)


def load_split(config: ExperimentConfig, settings: Settings) -> Split:
    """Load the experiment's ratings and split them."""
    return make_split(load_configured(config.data, settings), config.split)


def require_same_rows(run: Run, split: Split) -> None:
    """Refuse a split of other data, or other rows of them, than the run began with.

    Raises
    ------
    ExperimentError
        The message has both; nothing was written.
    """
    now = data_event(split)
    for part, count, what in (("data", "ratings", "ratings"), ("split", "train", "training rows")):
        before, after = getattr(run, part), now[part]
        if before and before["hash"] != after["hash"]:
            where = run.location or before["name"]
            raise ExperimentError(
                f"experiment {run.id} began with the {part} {_in_short(before, count, what)}, "
                f"and now finds {_in_short(after, count, what)}",
                expected="the same rows, to which the run's weights and metrics belong",
                next_step=f"restore {where}, or train on what is there now: "
                f"`recsys experiment clone {run.id} NEW_NAME`; {_AS_IT_WAS}",
            )


def _in_short(values: Mapping[str, Any], count: str, what: str) -> str:
    return f"{values['hash'][:12]} of {values[count]:,} {what}"


def _out_of_reach(
    run: Run, data: DataConfig, settings: Settings, exc: SourceError | UnknownNameError
) -> SourceError:
    """Return the error that adds to ``exc`` where it looked and where the data were."""
    looked = "" if data.path is not None else f" (looked under RECSYS_DATA, {settings.data.absolute()})"
    if not run.location:
        return SourceError(f"{exc.found}{looked}", expected=exc.expected, next_step=exc.next_step)
    elsewhere = data.path is None and Path(run.location).exists()
    step = "set RECSYS_DATA and RECSYS_DATA_PATH as they were then" if elsewhere else _BRING_BACK
    return SourceError(
        f"{exc.found}{looked}",
        expected=f"the data of experiment {run.id} from {run.location}",
        next_step=f"{step}, {_then_go_on(run)}",
    )


def _replaced(run: Run, exc: ReadError) -> ReadError:
    """Return the error that adds to ``exc`` that the run read something else at the same place."""
    return ReadError(
        f"{exc.found}, which is not what experiment {run.id} read",
        expected=f"the data that it read from {run.location}",
        next_step=f"{_BRING_BACK}, {_then_go_on(run)}",
    )


def _then_go_on(run: Run) -> str:
    command = "resume" if run.resumable else "run"
    return f"then `recsys experiment {command} {run.id}`; {_AS_IT_WAS}"


def data_event(split: Split) -> dict[str, Any]:
    """Return the ``data`` event: sizes and hashes of a split and of its ratings."""
    ratings = split.ratings
    return {
        "data": {
            "name": ratings.name,
            "hash": ratings.content_hash,
            "rows_read": ratings.rows_read,
            "rows_rejected": ratings.rows_rejected,
            "ratings": len(ratings),
            "users": ratings.n_users,
            "items": ratings.n_items,
            **({"implicit": True} if ratings.implicit else {}),
        },
        "split": {
            "protocol": split.config.protocol,
            "name": split_name(split.config),
            "hash": split.hash,
            "train": len(split.train),
            "validation": len(split.validation),
            "test": len(split.test),
        },
    }
