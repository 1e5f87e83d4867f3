"""The environment of members; tests/contracts/test_executor.py has what every executor promises."""

from __future__ import annotations

import pytest

from movielens_recsys.ensembles.executors import LocalExecutor, member_environment
from movielens_recsys.settings import Settings


def test_cores_are_divided_and_paths_are_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    settings = Settings(home="here", data="there", data_path="one:two")
    found = member_environment(settings)
    assert all(found[name].startswith("/") for name in ("RECSYS_HOME", "RECSYS_DATA"))
    assert [part.rpartition("/")[2] for part in found["RECSYS_DATA_PATH"].split(":")] == ["one", "two"]
    assert "OMP_NUM_THREADS" not in LocalExecutor(settings)._environment
    assert LocalExecutor(settings, jobs=256)._environment["OMP_NUM_THREADS"] == "1"
