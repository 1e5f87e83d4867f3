"""Listing data sets, describing and checking ratings."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.data.conftest import COLUMNS, run_json, run_refused, write_u_data

from movielens_recsys.cli.main import main


def test_list_has_every_data_set_and_its_folder(home: Path, capsys: pytest.CaptureFixture[str]):
    write_u_data(home / "path" / "ml-100k")
    listed = run_json(capsys, "data", "list")
    assert [row["name"] for row in listed["catalogue"]][:2] == ["ml-100k", "ml-1m"]
    assert listed["catalogue"][0]["folder"] == str(home / "path" / "ml-100k")
    assert listed["catalogue"][1]["folder"] is None
    assert listed["imported"] == []
    assert main(["data", "list"]) == 0
    out = capsys.readouterr().out
    assert "ml-32m" in out
    assert f"folders searched: {home / 'path'}, " in out
    assert main(["data", "describe", "nothing_like_it"]) == 2
    assert "`recsys data list` shows those in " in capsys.readouterr().err


def test_describe_counts_and_check_accounts_for_every_row(own: Path, capsys: pytest.CaptureFixture[str]):
    facts = run_json(capsys, "data", "describe", own, "--columns", COLUMNS)
    assert (facts["ratings"], facts["users"], facts["items"]) == (30, 6, 5)
    assert facts["density"] == 1.0
    assert facts["per_user"] == [5, 5, 5, 5, 5]
    assert facts["first"] == "2001-09-09T01:46:40+00:00"
    assert sum(facts["histogram"].values()) == 30
    with own.open("a") as file:
        file.write("1,2,nonsense,5\n1,9\n")
    checked = run_json(capsys, "data", "check", own, "--columns", COLUMNS)
    assert (checked["rows_read"], checked["rows_kept"], checked["rows_rejected"]) == (32, 30, 2)
    assert checked["findings"]
    assert "own.csv line 32" in run_refused(capsys, "data", "describe", own, "--columns", COLUMNS, code=1)
    assert main(["data", "check", str(own), "--columns", COLUMNS]) == 0
    assert "32 rows read = 30 kept + 2 rejected" in capsys.readouterr().out
