"""Cached predictions of completed runs for their held-out rows, so that each run predicts them once.

    .recsys/predictions/ID.npz      validation, test: ratings, float32, in the order of validation_rows and
                                    test_rows, which index the rows of the data; about: JSON, their origin

The folder may be deleted at any time.
"""

from __future__ import annotations

import io
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F32, NPZ_ERRORS
from movielens_recsys.data.splits.split import HeldOutPart, Split
from movielens_recsys.errors import StorageError
from movielens_recsys.files import write_atomically
from movielens_recsys.models.base import Model
from movielens_recsys.models.bundle import DESCRIPTION
from movielens_recsys.models.ensemble.model import member_predictions
from movielens_recsys.settings import Settings


@dataclass(frozen=True, eq=False)
class Predictions:
    """One run's predicted ratings, in the order of the split's rows."""

    validation: F32
    test: F32

    def of(self, part: HeldOutPart) -> F32:
        """Return the predictions of one part."""
        return self.validation if part == "validation" else self.test


def predictions_of(run_id: str, model: Model, split: Split, settings: Settings) -> Predictions:
    """Return a run's predictions of the held-out rows: cached ones, or those of ``model``, which are cached.

    A time-aware model also gets the timestamps. If the disk refuses the file, the next call predicts again.
    """
    path = settings.predictions / f"{run_id}.npz"
    about = _about(settings.runs / run_id / "bundle", split)
    cached = _read(path, about)
    if cached is not None:
        return cached
    predictions = Predictions(
        *(
            member_predictions([model], split.part(part))[:, 0].astype(np.float32)
            for part in ("validation", "test")
        )
    )
    arrays: dict[str, NDArray[Any]] = {
        "validation": predictions.validation,
        "test": predictions.test,
        "validation_rows": split.validation,
        "test_rows": split.test,
        "about": np.array(json.dumps(about)),
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    with suppress(StorageError):
        write_atomically(path, buffer.getvalue())
    return predictions


def _about(bundle: Path, split: Split) -> dict[str, str]:
    """Return the hashes that predictions depend on: weights, data and rows."""
    weights = json.loads((bundle / DESCRIPTION).read_bytes())["sha256"]
    return {"weights": weights, "data_hash": split.ratings.content_hash, "split_hash": split.hash}


def _read(path: Path, about: dict[str, str]) -> Predictions | None:
    """Return the cached predictions; None if there are none, of another origin, or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            if json.loads(str(stored["about"])) != about:
                return None
            return Predictions(stored["validation"], stored["test"])
    except NPZ_ERRORS:
        return None
