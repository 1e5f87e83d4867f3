"""Results go to standard output, all else to standard error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movielens_recsys.cli.output import emit, progress, warn


def fail() -> None:
    raise AssertionError("not to be called")


def test_json_is_one_document_and_text_is_rendered(capsys: pytest.CaptureFixture[str]) -> None:
    values = {"title": "Les Misérables", "path": Path("a/b"), "none": None}
    emit(values, as_json=True, render=fail)
    assert json.loads(capsys.readouterr().out) == {**values, "path": "a/b"}
    emit(values, as_json=False, render=lambda: print("text"))
    assert capsys.readouterr().out == "text\n"


def test_a_warning_goes_to_standard_error_word_for_word(capsys: pytest.CaptureFixture[str]) -> None:
    warn("a [red]path[/red] of 20 words " + "word " * 40)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("warning: a [red]path[/red] of 20 words ")
    assert err.count("\n") == 1


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as bar:
        bar.advance(bar.add_task("training", total=2, note=""))
    assert capsys.readouterr() == ("", "")
