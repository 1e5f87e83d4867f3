"""`recsys bench` on the command line, with peers made for the test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.bench.conftest import log, models_file, ratings_file

from movielens_recsys.cli.main import main

__all__ = ["log", "models_file", "ratings_file"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RECSYS_DATA", str(tmp_path / "data"))


def bench(models_file: Path, ratings_file: Path, *more: str) -> list[str]:
    command = ["bench", "--data", str(ratings_file), "--protocol", "random", "--models", "none"]
    return [*command, "--entrants", str(models_file), *more]


def test_json_saved_results_and_pages(
    tmp_path: Path, models_file: Path, ratings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(bench(models_file, ratings_file, "--peers", "mean", "--peers", "item_mean,nan", "--json")) == 0
    )
    out, err = capsys.readouterr()
    [result_table] = json.loads(out)
    assert [row["name"] for row in result_table["rows"]] == ["item_mean", "mean", "nan"]
    assert result_table["rows"][1]["to_reference"]["better"] is False
    assert "item_mean: running" in err
    assert main(["bench", "--report-only", "--write", str(tmp_path / "pages")]) == 0
    out, err = capsys.readouterr()
    assert "item_mean" in out
    assert "nan failed" in err
    assert "### Ratings: small, fold 0 of 10, seed 0" in (tmp_path / "pages" / "small.md").read_text()


def test_unknown_names_are_refused(
    models_file: Path, ratings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--report-only"]) == 1
    assert "there are no results yet" in capsys.readouterr().err
    assert main(bench(models_file, ratings_file, "--peers", "meen")) == 2
    assert "did you mean 'mean'?" in capsys.readouterr().err
    assert main(bench(models_file, ratings_file, "--peers", "mean", "--reference", "meen")) == 2
    err = capsys.readouterr().err
    assert "did you mean 'mean'?" in err
    assert "running" not in err
    assert main(bench(models_file, ratings_file, "--peers", "none")) == 2
    assert "neither models nor peers" in capsys.readouterr().err


def test_listing_the_command_imports_nothing_heavy() -> None:
    code = (
        "import sys, movielens_recsys.cli.bench; print([n for n in ('torch', 'polars') if n in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
