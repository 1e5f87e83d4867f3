"""Commands say what became of a file: its columns, its lines, its rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.data.conftest import run_json

from movielens_recsys.cli.main import main

CONTENT = """who,film,stars,added,note
ann,7,4.5,03/15/2024,a
ann,8,five,03/16/2024,b

bob,7,,03/01/2024,"c
c"
bob,9,1,12/31/2024,d
"""


@pytest.fixture
def odd(tmp_path: Path) -> list[object]:
    path = tmp_path / "odd.csv"
    path.write_text(CONTENT)
    return [path, "--columns", "user=who,item=film,rating=stars,timestamp=added"]


def test_an_import_ends_with_what_became_what(
    odd: list[object], home: Path, capsys: pytest.CaptureFixture[str]
):
    words = ["data", "import", *map(str, odd), "--name", "odd", "--on-bad-rows", "reject"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    for line in (
        "read as text, separated by ',', names on line 1",
        "  user      <- who: text",
        "  item      <- film: whole numbers",
        "  rating    <- stars: numbers; 1 missing",
        "  timestamp <- added: dates month/day/year; times without a zone are taken as UTC, 2024-03-01 to "
        "2024-12-31",
        "  ignored: note",
        "7 lines = 1 before the rows + 1 blank + 5 of rows",
        "4 rows read = 2 kept + 2 rejected: ",
        "1 because the rating is not a number",
        "1 because the rating is missing",
    ):
        assert line in printed
    assert main(["data", "check", "odd"]) == 0
    assert "odd: 4 rows read = 2 kept + 2 rejected: " in capsys.readouterr().out


@pytest.mark.parametrize("command", ["describe", "check"])
def test_the_account_is_in_json_also_from_the_cache(
    odd: list[object], command: str, capsys: pytest.CaptureFixture[str]
):
    words = ("data", command, *odd, "--on-bad-rows", "reject")
    account = run_json(capsys, *words)["account"]
    assert (account["lines"], account["blank_lines"], account["row_lines"]) == (7, 1, 5)
    assert account["rejected"] == {"rating_unreadable": 1, "rating_missing": 1}
    assert [column["name"] for column in account["columns"]] == ["who", "film", "stars", "added"]
    assert run_json(capsys, *words)["account"] == account


def test_a_column_without_a_name_is_said_to_be_ignored(home: Path, capsys: pytest.CaptureFixture[str]):
    path = home / "commas.csv"
    path.write_text("user,item,rating,\n" + "".join(f"{row},{row % 3},{row % 5},\n" for row in range(9)))
    assert main(["data", "check", str(path)]) == 0
    assert "  ignored: a column without a name\n" in capsys.readouterr().out
