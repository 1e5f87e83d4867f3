"""Errors: one line each, in one tree, with the step that helps."""

from __future__ import annotations

import re

import pytest

from movielens_recsys import errors
from movielens_recsys.errors import (
    CapReachedError,
    RecsysError,
    TrainingStopped,
    UnknownNameError,
    UsageError,
    nearest,
    shorten,
)

CLASSES = [
    value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, RecsysError)
]


def test_a_message_says_what_was_found_what_was_expected_and_what_to_do():
    error = RecsysError("no file", expected="ratings.csv", next_step="fetch it")
    assert str(error) == "no file; expected ratings.csv; fetch it"
    assert (error.found, error.expected, error.next_step) == ("no file", "ratings.csv", "fetch it")
    assert str(RecsysError("no file")) == "no file"


def test_a_message_is_one_line_whatever_it_quotes():
    assert str(RecsysError("a\nb\r\n\tc", next_step="d\n e")) == "a b c; d e"


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_exit_codes_are_those_of_the_documentation(error):
    codes = {UsageError: 2, CapReachedError: 3, TrainingStopped: 143, RecsysError: 1}
    assert error.exit_code == next(code for kind, code in codes.items() if issubclass(error, kind))


def test_the_tree_in_the_docstring_is_the_tree():
    drawn = re.findall(r"^[ ├│└─]*(\w+)", errors.__doc__.split("\n\n")[1], flags=re.MULTILINE)
    assert sorted(drawn) == sorted(error.__name__ for error in CLASSES)


def test_an_unknown_name_brings_the_nearest():
    error = UnknownNameError("template", "quikstart", ["neural_cf", "quickstart"])
    assert error.nearest == "quickstart"
    assert str(error) == (
        "unknown template 'quikstart'; expected one of neural_cf, quickstart; did you mean 'quickstart'?"
    )


def test_a_name_like_no_other_brings_the_next_step():
    error = UnknownNameError("run", "qqqq", [f"run {n}" for n in range(50)], next_step="list them")
    assert error.nearest is None
    assert str(error) == "unknown run 'qqqq'; list them"


def test_long_lists_of_names_give_way_to_the_command_that_lists_them():
    known = [f"run_of_the_day_{n}" for n in range(50)]
    error = UnknownNameError("run", "run_of_the_day", known, next_step="`list` lists them")
    assert str(error) == f"unknown run 'run_of_the_day'; did you mean {error.nearest!r}? `list` lists them"
    assert all(name in str(UnknownNameError("run", "x", known)) for name in known)


def test_a_name_of_any_length_is_answered():
    assert len(str(UnknownNameError("run", "x" * 100_000, ["a"]))) < 200
    assert nearest("", ["a"]) is None


@pytest.mark.parametrize(
    ("text", "expected"), [("short", "short"), ("x" * 60, "x" * 60), ("x" * 61, "x" * 59 + "…")]
)
def test_shorten_keeps_to_its_width(text, expected):
    assert shorten(text) == expected
