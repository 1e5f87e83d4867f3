"""`recsys bench` from its command line, with peers of one's own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.bench.conftest import entrants, log, ratings_file

from movielens_recsys.cli.main import main

__all__ = ["entrants", "log", "ratings_file"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RECSYS_DATA", str(tmp_path / "data"))


def bench(entrants: Path, ratings_file: Path, *more: str) -> list[str]:
    words = ["bench", "--data", str(ratings_file), "--protocol", "random", "--models", "none"]
    return [*words, "--entrants", str(entrants), *more]


def test_it_answers_in_json_shows_what_is_kept_and_writes_the_document(
    tmp_path: Path, entrants: Path, ratings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(bench(entrants, ratings_file, "--peers", "mean", "--peers", "item_mean,nan", "--json")) == 0
    out, err = capsys.readouterr()
    [section] = json.loads(out)
    assert [row["name"] for row in section["rows"]] == ["item_mean", "mean", "nan"]
    assert section["rows"][1]["to_reference"]["better"] is False
    assert "item_mean: running" in err
    assert main(["bench", "--report-only", "--write", str(tmp_path / "pages")]) == 0
    out, err = capsys.readouterr()
    assert "item_mean" in out
    assert "nan failed" in err
    assert "### Ratings: small, fold 0 of 10, seed 0" in (tmp_path / "pages" / "small.md").read_text()


def test_words_that_mean_nothing_are_refused(
    entrants: Path, ratings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--report-only"]) == 1
    assert "nothing is kept yet" in capsys.readouterr().err
    assert main(bench(entrants, ratings_file, "--peers", "meen")) == 2
    assert "did you mean 'mean'?" in capsys.readouterr().err
    assert main(bench(entrants, ratings_file, "--peers", "mean", "--reference", "meen")) == 2
    err = capsys.readouterr().err
    assert "did you mean 'mean'?" in err
    assert "running" not in err
    assert main(bench(entrants, ratings_file, "--peers", "none")) == 2
    assert "neither models nor peers" in capsys.readouterr().err


def test_the_command_loads_nothing_heavy_to_be_listed() -> None:
    code = (
        "import sys, movielens_recsys.cli.bench; print([n for n in ('torch', 'polars') if n in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
