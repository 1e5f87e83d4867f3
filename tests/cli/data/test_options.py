"""Columns and scales are read from text, or refused with the form that is expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.data.conftest import run_refused

from movielens_recsys.cli.data.options import parse_columns, parse_options, parse_scale, print_findings
from movielens_recsys.data.readers.options import ReadOptions
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import UsageError


@pytest.mark.parametrize("columns", ["user", "user=", "=x", "user=who,,item=film"])
def test_invalid_columns_are_refused(own: Path, capsys: pytest.CaptureFixture[str], columns: str):
    assert "--columns" in run_refused(capsys, "data", "describe", own, "--columns", columns, code=2)


def test_a_column_that_is_named_twice_is_no_mistake_of_form():
    with pytest.raises(UsageError, match="--columns names 'user' twice"):
        parse_columns("user=a,user=b")


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        ("1:", "cannot read '1:' as a scale; expected LOWEST:HIGHEST:STEP"),
        ("a:b:c", "cannot read 'a:b:c'"),
        ("1:5:1:1", "cannot read '1:5:1:1'"),
        ("1:inf", "is not finite"),
        ("5:1:1", "ends at 1, which is not above 5"),
        ("1:5:0", "a step of 0; expected a step above 0"),
        ("1:5:3", "5 is not a whole number of steps of 3 above 1"),
        ("1:100000:1", "a scale of 100,000 levels"),
    ],
)
def test_each_mistake_in_a_scale_is_told_apart(
    own: Path, capsys: pytest.CaptureFixture[str], scale: str, words: str
):
    assert words in run_refused(capsys, "data", "describe", own, "--scale", scale, code=2)


def test_too_many_levels_are_told_as_a_limit_with_the_way_round_it(
    own: Path, capsys: pytest.CaptureFixture[str]
):
    message = run_refused(capsys, "data", "describe", own, "--scale", "-10:10:0.001", code=2)
    assert "a scale of 20,001 levels; expected at most 10,000 levels" in message
    assert "--scale -10:10" in message


def test_columns_and_scales_are_read_from_text():
    assert parse_columns("") is parse_scale("") is None
    assert parse_columns(" user = who ,item=film") == {"user": "who", "item": "film"}
    assert parse_scale("0.5:5:0.5") == Scale(0.5, 5, 0.5)
    assert parse_scale("-10:10:0.01") == Scale(-10, 10, 0.01)
    assert parse_scale("-10:10") == Scale(-10, 10)


def test_options_state_how_a_file_is_written():
    assert parse_options("", "", "", "", False) == ReadOptions()
    stated = parse_options("user=1", "tab", ",", "%d/%m/%Y", True)
    assert stated == ReadOptions({"user": "1"}, "\t", ",", "%d/%m/%Y", header=False)
    assert parse_options("", r"\t", "", "", False).separator == "\t"
    assert parse_options("", "::", "", "", False).separator == "::"
    with pytest.raises(UsageError, match="--decimal"):
        parse_options("", "", ";", "", False)


def test_a_file_without_findings_is_reported(capsys: pytest.CaptureFixture[str]):
    print_findings([])
    assert capsys.readouterr().out == "no findings\n"
