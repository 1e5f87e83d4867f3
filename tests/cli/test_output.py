"""Results go to standard output, all else to standard error; cells stay whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from movielens_recsys.cli.output import columns, emit, progress, table, warn


def fail() -> None:
    raise AssertionError("not to be called")


def test_json_is_one_document_and_text_is_rendered(capsys: pytest.CaptureFixture[str]) -> None:
    values = {"title": "Les Misérables", "path": Path("a/b"), "none": None}
    emit(values, as_json=True, render=fail)
    assert json.loads(capsys.readouterr().out) == {**values, "path": "a/b"}
    emit(values, as_json=False, render=lambda: print("text"))
    assert capsys.readouterr().out == "text\n"


def test_columns_are_aligned_and_end_without_spaces() -> None:
    assert columns([["id", "state"], ["x" * 50, "ok"], ["y", "done"]]).splitlines() == [
        "id" + " " * 50 + "state",
        "x" * 50 + "  ok",
        "y" + " " * 51 + "done",
    ]


def test_a_table_shows_every_cell_and_its_caption() -> None:
    console = Console(width=60, force_terminal=False)
    with console.capture() as capture:
        console.print(table("Data", ("name", "rows"), [("ml-100k", 100_000), ("mine", None)], caption="note"))
    text = capture.get()
    for word in ("Data", "name", "ml-100k", "100000", "mine", "None", "note"):
        assert word in text
    rows = [line.rstrip() for line in text.splitlines() if "100" in line or "rows" in line]
    assert len({len(row) for row in rows}) == 1, "numbers end below the end of their heading"


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
