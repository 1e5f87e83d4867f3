"""The only names of the package that the compatibility tests use; after a move or a renaming, edit this file.

Everything else in these tests is a file format, a configuration key or a ``--json`` key of commit 2d3770e,
which must go on being read. Where a key that is written changes on purpose, `as_golden` translates it back.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from movielens_recsys.cli.main import main
from movielens_recsys.config import RENAMED_KEYS
from movielens_recsys.data.config import SplitConfig
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import make_split
from movielens_recsys.experiments import execute as experiments_run
from movielens_recsys.experiments.templates import all_templates
from movielens_recsys.models.bundle import load_bundle
from movielens_recsys.recommender import HistoryRanker, TimeAwareRecommender
from movielens_recsys.runs import store
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.settings import Settings
from movielens_recsys.training import checkpoints
from movielens_recsys.training.session import TrainingSession

Answers = dict[str, NDArray[Any]]
_ADDED_KEYS = {"relevant_share", "relevance", "learns_from_interactions", "implicit"}
_FORMER_KEYS = {present: former for former, present in RENAMED_KEYS.items()}
_LATER_KEYS = {"final", "refused", "fitted", "evaluation", "location"}
"""What a run, which has its ``state_before_archive``, tells since."""


def as_golden(values: Any) -> Any:
    """Return plain JSON values under the keys that commit 2d3770e wrote.

    A threshold that templates now leave to the scale is the one that they stated then, for five stars; keys
    that have been added since are left out.
    """
    if isinstance(values, dict):
        later = _ADDED_KEYS | (_LATER_KEYS if "state_before_archive" in values else set())
        return {_former(key): as_golden(value) for key, value in values.items() if key not in later}
    if isinstance(values, list):
        return [as_golden(value) for value in values]
    return 3 if values == "middle" else values


def _former(key: str) -> str:
    """Return a key, or a path of keys with dots between them, as it was called then."""
    return ".".join(_FORMER_KEYS.get(part, part) for part in key.split("."))


@dataclass(frozen=True)
class Place:
    """Folders that commands work in: home and data, data sets to be found by name, and files by path."""

    root: Path

    @property
    def folders(self) -> dict[str, Path]:
        return {name: self.root / name for name in ("home", "data", "shelf")}

    @property
    def settings(self) -> Settings:
        return Settings(home=self.root / "home", data=self.root / "data", data_path=str(self.root / "shelf"))


@contextmanager
def inside(place: Place) -> Iterator[None]:
    """Let environment variables and the working folder be the place's."""
    variables = {
        "RECSYS_HOME": str(place.root / "home"),
        "RECSYS_DATA": str(place.root / "data"),
        "RECSYS_DATA_PATH": str(place.root / "shelf"),
    }
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        with chdir(place.root):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def recsys(place: Place, *words: str) -> Any:
    """Type a command that prints JSON, and return its answer."""
    out, err = io.StringIO(), io.StringIO()
    with inside(place), redirect_stdout(out), redirect_stderr(err):
        code = main(words)
    assert code == 0, f"recsys {' '.join(words)}: exit code {code}, {err.getvalue()}"
    return as_golden(json.loads(out.getvalue()))


def execute(place: Place, run_id: str, *, resume: bool = False) -> None:
    """Run a planned experiment to its end, or go on with a stopped one."""
    with inside(place):
        experiments_run.execute(run_id, place.settings, TrainingSession(resume=resume))


def run_of(place: Place, run_id: str) -> dict[str, Any]:
    """Return a run as its folder tells it, as plain JSON values."""
    values: dict[str, Any] = as_golden(
        json.loads(json.dumps(store.load_run(run_id, place.settings).to_json()))
    )
    return {**values, "config_hash": config_hash(place, run_id)}


def config_hash(place: Place, run_id: str) -> str:
    """Return the hash of a run's configuration with the path of its data as it was typed.

    Paths are kept as absolute ones since, and so have another hash in each place.
    """
    return store.config_hash(_as_typed(place, store.load_config(run_id, place.settings)))


def _as_typed(place: Place, config: ExperimentConfig) -> ExperimentConfig:
    path = config.data.path
    if path is None or not path.is_relative_to(place.root):
        return config
    data = config.data.model_copy(update={"path": path.relative_to(place.root)})
    return config.model_copy(update={"data": data})


def former_hash(config: ExperimentConfig) -> str:
    """Return the hash of a configuration that states the thresholds which were the defaults of 2d3770e.

    What is left to the scale has a hash of its own, as it means other ratings on other scales.
    """
    values = as_golden(config.model_dump(mode="json"))
    stated = {"relevant_from": 4.0, **{k: v for k, v in values["evaluation"].items() if v is not None}}
    return store.config_hash(ExperimentConfig.parse({**values, "evaluation": stated}))


def former_run_hash(place: Place, run_id: str) -> str:
    """Return the `former_hash` of a run's configuration."""
    return former_hash(_as_typed(place, store.load_config(run_id, place.settings)))


def template_hashes() -> dict[str, str]:
    """Return the `former_hash` of every template by its name."""
    return {template.name: former_hash(template.config("any")) for template in all_templates()}


def content_hash(place: Place, data: str) -> str:
    """Return the content hash of a data set."""
    return load_ratings(data, place.settings, fetch=False).content_hash


def split_hash(place: Place, data: str, config: Mapping[str, Any]) -> str:
    """Return the hash of a data set's split by a configuration of plain JSON values."""
    parsed: Any = TypeAdapter(SplitConfig).validate_python(dict(config))
    return make_split(load_ratings(data, place.settings, fetch=False), parsed).hash


def read_checkpoint(path: Path) -> tuple[dict[str, list[int]], list[str]]:
    """Return the shapes of a checkpoint's arrays, and the names of what it says beside them."""
    tensors, metadata = checkpoints.read_checkpoint(path)
    return {name: list(tensor.shape) for name, tensor in sorted(tensors.items())}, sorted(metadata)


def answers_of(bundle: Path, asked: Mapping[str, Any]) -> Answers:
    """Return what a bundle's recommender returns for the inputs of `make_golden`."""
    recommender = load_bundle(bundle).recommender
    users, items = (grid.ravel() for grid in np.meshgrid(asked["users"], asked["items"], indexing="ij"))
    history = (np.array(asked["history"]["items"]), np.array(asked["history"]["ratings"], np.float32))
    nothing = (np.empty(0, np.int64), np.empty(0, np.float32))
    found: Answers = {
        "predict": recommender.predict(users, items),
        "score": recommender.score(np.array(asked["users"])),
        "fold_in": recommender.fold_in(*history),
        "fold_in nothing": recommender.fold_in(*nothing),
    }
    if isinstance(recommender, TimeAwareRecommender):
        for time in asked["timestamps"]:
            times = np.full(len(users), time, dtype=np.int64)
            found[f"predict_at {time}"] = recommender.predict_at(users, items, times)
    if isinstance(recommender, HistoryRanker):
        found["score_history"] = recommender.score_history(*history)
        found["score_history nothing"] = recommender.score_history(*nothing)
    return found
