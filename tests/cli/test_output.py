"""Results go to standard output, all else to standard error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from movielens_recsys.cli.output import emit, progress, warn


def fail() -> None:
    raise AssertionError("not to be called")


def test_json_is_one_document_and_text_is_rendered(capsys: pytest.CaptureFixture[str]) -> None:
    values = {"title": "Les Misérables", "path": Path("a/b"), "none": None}
    emit(values, as_json=True, render=fail)
    assert json.loads(capsys.readouterr().out) == {**values, "path": "a/b"}
    emit(values, as_json=False, render=lambda: print("text"))
    assert capsys.readouterr().out == "text\n"


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"rmse": [float("nan"), 0.9], "pair": (float("inf"),)}, as_json=True, render=fail)
    assert json.loads(capsys.readouterr().out, parse_constant=lambda name: fail()) == {
        "rmse": [None, 0.9],
        "pair": [None],
    }


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


@pytest.mark.parametrize(("term", "disabled"), [("xterm", False), ("dumb", True), ("unknown", True)])
def test_a_terminal_that_cannot_redraw_gets_no_bar(
    term: str, disabled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Console(stderr=True, force_terminal=True)
    monkeypatch.setattr("movielens_recsys.cli.output.err_console", terminal)
    assert progress().disable is disabled


def test_no_color_means_no_colour_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Console(force_terminal=True, width=80)
    with terminal.capture() as capture:
        terminal.print("[yellow]warning:[/yellow] text")
    assert "\x1b[3" not in capture.get()
