"""Folders that take long to make, made once for all processes of a test run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from movielens_recsys.locks import lock

PATIENCE_S = 300.0


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder ``name`` that the first process which needs it makes by ``make(folder)``.

    Tests that write into it work on a copy.
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # each worker of pytest-xdist has a folder of its own in it
    folder, made = root / name, root / f"{name}.made"
    with lock(root / f"{name}.lock", PATIENCE_S, create=True) as held:
        assert held
        if not made.exists():
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
