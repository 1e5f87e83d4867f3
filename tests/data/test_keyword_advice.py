"""Errors of `load_ratings` say in a note how Python users follow their advice."""

from __future__ import annotations

from pathlib import Path

import pytest

from movielens_recsys.cli.main import main
from movielens_recsys.data.keyword_advice import keyword_advice
from movielens_recsys.data.load import load_ratings
from movielens_recsys.errors import RecsysError, UsageError
from movielens_recsys.settings import Settings


@pytest.mark.parametrize(
    ("advice", "keywords"),
    [
        ("number: --no-header --columns user=1,item=2", "header=False; columns={'user': '1', 'item': '2'}"),
        ("state it, such as --separator ';'", "separator=';'"),
        ("state the sign: --decimal , or --decimal .", "decimal=','; decimal='.'"),
        ("state which: --time-format seconds or --time-format %d/%m/%Y", "time_format='seconds'; "
         "time_format='%d/%m/%Y'"),
        ("with --time-format, leave it out", "time_format="),
        ("leave --scale out", "scale="),
        ("leave --columns out", "columns="),
        ("e.g. --scale 1:5:1", "scale=Scale(1, 5, 1)"),
        ("--implicit; or leave such rows out with --on-bad-rows reject", "implicit=True; bad_rows='reject'"),
    ],
)  # fmt: skip
def test_options_become_keyword_arguments(advice: str, keywords: str) -> None:
    with pytest.raises(UsageError) as caught, keyword_advice():
        raise UsageError("found", next_step=advice)
    assert caught.value.__notes__ == [f"in Python, as arguments of load_ratings: {keywords}"]


def test_other_advice_and_other_errors_have_no_note() -> None:
    for error in (
        UsageError("found", next_step="recsys data fetch NAME --from-file X"),
        ValueError("--scale"),
    ):
        with pytest.raises(type(error)) as caught, keyword_advice():
            raise error
        assert not hasattr(caught.value, "__notes__")


def test_an_error_of_a_file_has_a_note_that_the_command_line_does_not_print(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text("user,item,rating\n1,2,3\n1,3,3\n2,2,3\n")
    with pytest.raises(RecsysError, match="every rating is 3") as caught:
        load_ratings(path, settings)
    assert "scale=Scale(1, 5, 1)" in caught.value.__notes__[0]
    assert main(["data", "describe", str(path)]) == 1
    assert "in Python" not in capsys.readouterr().err
