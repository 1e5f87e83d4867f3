"""Keys of a configuration: one line each in a pipe, with the meaning below on a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from movielens_recsys.cli.experiment import keys_view
from movielens_recsys.experiments.keys import ConfigKey

KEYS = [
    ConfigKey("model.n_factors", "ials", "integer ≥ 1", "64", "Factors of each user and item"),
    ConfigKey("description", "", "string", "x" * 100, "word " * 30),
]


def test_a_pipe_has_a_line_for_each_key(capsys: pytest.CaptureFixture[str]) -> None:
    keys_view.print_keys(KEYS)
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["key", "of", "value", "default", "meaning"]
    assert first.split()[:2] == ["model.n_factors", "ials"]
    assert "x" * 25 not in second
    assert second.endswith(("word " * 30).strip())


def test_a_terminal_has_the_meaning_below_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    terminal = Console(file=stream, force_terminal=True, width=60, color_system=None, soft_wrap=True)
    monkeypatch.setattr(keys_view, "console", terminal)
    keys_view.print_keys(KEYS)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert lines[:3] == [
        "model.n_factors  (ials)",
        "    integer ≥ 1; default 64",
        "    Factors of each user and item",
    ]
    assert len(lines) > 7
    assert max(map(len, lines)) <= 60
