"""The golden files, opened once, and places with the archive in them: one to look at, one to change."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.compat import common
from tests.compat.api import Answers, Place

WITHOUT_POSITIVE = 17
"""An item without a training positive: it scored 0 then, like items that compete, and is last since."""

collect_ignore = ["make_golden.py"]  # it imports names that only commit 2d3770e has


@dataclass(frozen=True)
class Golden:
    """What commit 2d3770e made: hashes and commands, what commands printed, what bundles answered."""

    expected: dict[str, Any]
    outputs: dict[str, Any]
    answers: dict[str, Answers]

    @property
    def same_machine(self) -> bool:
        """Whether results must be the same bit for bit: this machine is like the one of the golden files."""
        return bool(common.fingerprint() == self.expected["fingerprint"])

    def bundle(self, place: Place, name: str) -> Path:
        """Return the bundle of a run or an ensemble."""
        home, ids = place.folders["home"], self.expected["ids"]
        folder = home / "runs" / ids[name] if name in ids else home / "ensembles" / name
        return folder / "bundle"


def read_golden() -> Golden:
    """Open the golden files."""
    expected, outputs = (
        json.loads((common.GOLDEN / name).read_text(encoding="utf-8"))
        for name in (common.EXPECTED, common.OUTPUTS)
    )
    answers: dict[str, Answers] = {}
    with np.load(common.GOLDEN / common.ANSWERS, allow_pickle=False) as stored:
        for key in stored.files:
            name, _, question = key.partition("/")
            answers.setdefault(name, {})[question] = stored[key]
    answers["item_knn"]["score"][:-1, WITHOUT_POSITIVE] = -1  # the last user is unknown: by popularity
    answers["item_knn"]["score_history"][WITHOUT_POSITIVE] = -1
    return Golden(expected, outputs, answers)


def unpack(root: Path) -> Place:
    """Unpack the archive, and write the data sets that its runs were trained on."""
    with tarfile.open(common.GOLDEN / common.ARCHIVE) as archive:
        archive.extractall(root, filter="data")
    table = json.loads((common.GOLDEN / common.TABLE).read_text(encoding="utf-8"))
    common.write_ml_100k(root / "shelf" / "ml-100k", table)
    common.write_own(root, table)
    return Place(root)


@pytest.fixture(scope="session")
def golden() -> Golden:
    return read_golden()


@pytest.fixture(scope="session")
def old(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The unpacked archive, which no test changes."""
    return unpack(tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="session")
def again(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The archive to go on with, without the cache: rating files are read again."""
    place = unpack(tmp_path_factory.mktemp("again"))
    (place.folders["data"] / "cache").rename(place.root / "cache of before")
    return place
