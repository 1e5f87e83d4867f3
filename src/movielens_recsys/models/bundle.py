"""A trained recommender on disk: safetensors and JSON in one folder, hashed; never a pickle.

model.safetensors   the learned arrays and integer id maps
bundle.json         configuration, domain, text id maps, metadata, SHA-256 of the arrays' file
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from movielens_recsys.config import current_keys
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import BundleError
from movielens_recsys.files import write_atomically, write_durably
from movielens_recsys.models.any_config import AnyFittedConfig
from movielens_recsys.models.base import DataSpec, Model, prefixed, strip_prefix
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.factory import restore_model

FORMAT = 2
TENSORS = "model.safetensors"
DESCRIPTION = "bundle.json"
_CONFIG: TypeAdapter[ModelConfig] = TypeAdapter(AnyFittedConfig)


@dataclass(frozen=True, eq=False)
class Bundle:
    """A recommender, the id maps of its users and items, and metadata on its origin."""

    recommender: Model
    user_ids: NDArray[np.generic]
    item_ids: NDArray[np.generic]
    metadata: dict[str, Any]

    def __repr__(self) -> str:
        users, items = len(self.user_ids), len(self.item_ids)
        return f"Bundle({self.recommender.config.name!r}: {users:,} users, {items:,} items)"

    def check_ids(self, ratings: Ratings) -> None:
        """Refuse ratings whose indices mean other users or items than the recommender's.

        Raises
        ------
        BundleError
            An id map differs.
        """
        for kind in ("user", "item"):
            ours, theirs = (getattr(side, f"{kind}_ids") for side in (self, ratings))
            if not np.array_equal(ours, theirs):
                raise BundleError(
                    f"the {kind} ids of {ratings.name} are not those that the model was fitted to",
                    expected=f"the ratings with its {len(ours)} {kind}s",
                    next_step="load the data set that it was fitted to, or fit it again",
                )

    def without_ratings(self, name: str) -> Ratings:
        """Return its id maps and scale as ratings without rows and titles, called ``name``."""
        nothing = np.empty(0, np.int32)
        scale = self.recommender.domain.scale
        return Ratings(
            name, nothing, nothing, np.empty(0, np.float32), None, self.user_ids, self.item_ids, scale
        )


def save_bundle(
    recommender: Model,
    ratings: Ratings,
    folder: Path | str,
    metadata: Mapping[str, Any] = MappingProxyType({}),
) -> Path:
    """Write ``recommender`` and the id maps of ``ratings`` to ``folder``, whole or not at all.

    ``metadata`` is any JSON: metrics, data hash, configuration hash. An older bundle there is replaced.

    Raises
    ------
    BundleError
        The folder holds something else, or the ratings have not as many users or items as the recommender.
    """
    folder = Path(folder)
    _check_replaceable(folder)
    sizes, expected = (ratings.n_users, ratings.n_items), (recommender.n_users, recommender.n_items)
    if sizes != expected:
        raise BundleError(
            f"{ratings.name} has {sizes[0]} users and {sizes[1]} items",
            expected=f"the ratings that the model was fitted to: {expected[0]} users and {expected[1]} items",
            next_step="pass the ratings of the split that the model was fitted to",
        )
    state = {name: np.ascontiguousarray(value) for name, value in recommender.state().items()}
    arrays = prefixed("model.", state)
    ids: dict[str, list[str]] = {}
    for name, values in (("user_ids", ratings.user_ids), ("item_ids", ratings.item_ids)):
        if values.dtype.kind in "iu":
            arrays[f"ids.{name}"] = values
        else:
            ids[name] = [str(value) for value in values]
    tensors = save_tensors(arrays)
    description = {
        "format": FORMAT,
        "model": recommender.config.model_dump(mode="json"),
        "domain": asdict(recommender.domain),
        "ids": ids,
        "metadata": dict(metadata),
        "sha256": hashlib.sha256(tensors).hexdigest(),
    }
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        write_durably(temporary / TENSORS, tensors)
        write_durably(temporary / DESCRIPTION, _as_bytes(description))
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def replace_metadata(folder: Path | str, metadata: Mapping[str, Any]) -> None:
    """Give the bundle in ``folder`` other metadata, at once or not at all; its weights stay as they are."""
    path = Path(folder) / DESCRIPTION
    description = {**json.loads(path.read_bytes()), "metadata": dict(metadata)}
    write_atomically(path, _as_bytes(description))


def _as_bytes(description: Mapping[str, Any]) -> bytes:
    return json.dumps(description, ensure_ascii=False, indent=1).encode()


def _check_replaceable(folder: Path) -> None:
    """Refuse a place where a bundle would replace anything but a bundle."""
    if folder.is_dir() and ((folder / DESCRIPTION).exists() or not any(folder.iterdir())):
        return
    if folder.exists():
        raise BundleError(
            f"{folder} holds something else than a bundle",
            expected="a new folder, an empty one, or an older bundle",
            next_step="choose another folder",
        )


def load_bundle(folder: Path | str) -> Bundle:
    """Read a bundle, its hash checked before anything in it is used.

    Raises
    ------
    BundleError
        If a file is missing, damaged, or of a format this version does not know.
    """
    folder = Path(folder)
    if not (folder / DESCRIPTION).exists():
        raise _no_bundle(folder)
    advice = "run the experiment again, or take a bundle that was copied whole"
    try:
        description = json.loads((folder / DESCRIPTION).read_bytes())
        tensors = (folder / TENSORS).read_bytes()
    except (OSError, ValueError) as exc:
        raise BundleError(f"no readable bundle at {folder}: {exc}", next_step=advice) from exc
    found = description.get("format") if isinstance(description, dict) else None
    if found != FORMAT:
        raise BundleError(
            f"{folder / DESCRIPTION} is of format {found}", expected=f"format {FORMAT}", next_step=advice
        )
    if hashlib.sha256(tensors).hexdigest() != description.get("sha256"):
        raise BundleError(
            f"{folder / TENSORS} is damaged", expected="the hash of bundle.json", next_step=advice
        )
    try:
        arrays = load_tensors(tensors)
        spec = description["domain"]
        domain = DataSpec(spec["n_users"], spec["n_items"], Scale(**spec["scale"]))
        config = _CONFIG.validate_python(current_keys(description["model"]))
        recommender = restore_model(config, domain, strip_prefix("model.", arrays))
        ids = {name: _ids(name, arrays, description["ids"]) for name in ("user_ids", "item_ids")}
    except (SafetensorError, AttributeError, KeyError, RuntimeError, TypeError, ValueError) as exc:
        raise BundleError(f"{folder} does not hold the model it describes: {exc}", next_step=advice) from exc
    return Bundle(recommender, ids["user_ids"], ids["item_ids"], description["metadata"])


def _no_bundle(folder: Path) -> BundleError:
    """Return the error of a path that is no bundle; it names the one of a run whose folder was given."""
    inner = folder / "bundle"
    found = "holds no bundle" if folder.is_dir() else "is no folder" if folder.exists() else "does not exist"
    return BundleError(
        f"{folder} {found}",
        expected=f"a folder with {DESCRIPTION}, as `save_bundle` and completed runs write it",
        next_step=f"open {inner}" if (inner / DESCRIPTION).exists() else "check the path",
    )


def _ids(
    name: str, arrays: Mapping[str, NDArray[np.generic]], texts: Mapping[str, Any]
) -> NDArray[np.generic]:
    if f"ids.{name}" in arrays:
        return arrays[f"ids.{name}"]
    return np.array(texts[name], dtype=object)
