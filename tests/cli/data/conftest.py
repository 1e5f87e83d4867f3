"""A rating file, and commands whose answers are JSON or one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movielens_recsys.cli.main import main

HEADER = "who,film,stars,at"

ROWS = [
    f"{user},{item},{1 + (user * item) % 5},{1_000_000_000 + 60 * user + item}"
    for user in range(6)
    for item in range(5)
]

COLUMNS = "user=who,item=film,rating=stars,timestamp=at"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RECSYS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RECSYS_DATA_PATH", str(tmp_path / "path"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    return tmp_path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.csv"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n")
    return path


def write_u_data(folder: Path) -> None:
    folder.mkdir(parents=True)
    lines = (
        f"{user}\t{item}\t{1 + (user * item) % 5}\t{874965758 + user}"
        for user in range(1, 4)
        for item in (1, 2, 9)
    )
    (folder / "u.data").write_text("\n".join(lines))


def run_json(capsys: pytest.CaptureFixture[str], *words: object) -> dict:
    assert main([str(word) for word in words] + ["--json"]) == 0
    return json.loads(capsys.readouterr().out)


def run_refused(capsys: pytest.CaptureFixture[str], *words: object, code: int) -> str:
    assert main([str(word) for word in words]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    return printed.err
