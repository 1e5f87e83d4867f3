"""Commands of `recsys experiment` in this process, in a home of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from movielens_recsys.cli.main import main

Recsys = Callable[..., tuple[int, str, str]]
Create = Callable[..., str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RECSYS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RECSYS_DATA_PATH", "")
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path / "home"


@pytest.fixture
def recsys(capsys: pytest.CaptureFixture[str]) -> Recsys:
    """Run a command in this process; return exit code, standard output and standard error."""

    def type_line(*words: str) -> tuple[int, str, str]:
        code = main(["experiment", *words])
        return code, *capsys.readouterr()

    return type_line


@pytest.fixture
def created(recsys: Recsys) -> Create:
    def make(template: str, name: str, *words: str) -> str:
        code, out, err = recsys("create", template, name, *words, "--json")
        assert (code, err) == (0, "")
        return str(json.loads(out)["id"])

    return make


@pytest.fixture
def small_ratings(tmp_path: Path) -> str:
    """Modifications that put a rating file of 20 users and 10 items in place of the template's data."""
    lines = ["user,item,rating,timestamp"]
    for user in range(1, 21):
        lines += [f"{user},{item},{1 + (user * item) % 5},{10**9 + item}" for item in range(1, 11)]
    (tmp_path / "small.csv").write_text("\n".join(lines) + "\n")
    return json.dumps(
        {"data": {"path": str(tmp_path / "small.csv")}, "evaluation": {"bootstrap_samples": 100}}
    )
