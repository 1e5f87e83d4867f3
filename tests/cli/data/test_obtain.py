"""Fetching official data sets and importing files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.data.conftest import COLUMNS, HEADER, run_json, run_refused, write_u_data

from movielens_recsys.cli.main import main
from movielens_recsys.data.load import load_ratings
from movielens_recsys.settings import load_settings


def test_fetch_finds_data_on_the_path(home: Path, capsys: pytest.CaptureFixture[str]):
    write_u_data(home / "path" / "ml-100k")
    fetched = run_json(capsys, "data", "fetch", "ml-100k")
    assert (fetched["ratings"], fetched["users"], fetched["items"]) == (9, 3, 3)
    assert fetched["source"] is None


def test_fetch_without_a_network_names_the_next_step(home: Path, capsys: pytest.CaptureFixture[str]):
    err = run_refused(capsys, "data", "fetch", "ml-1m", code=1)
    assert "cannot reach files.grouplens.org" in err
    assert "--from-file" in err
    assert "pip could not download" in run_refused(capsys, "data", "fetch", "ml-100k", code=1)
    assert list((home / "data" / "sets").glob("ml-*")) == []


def test_fetch_refuses_an_unknown_name_and_another_file(own: Path, capsys: pytest.CaptureFixture[str]):
    assert "did you mean 'ml-25m'" in run_refused(capsys, "data", "fetch", "ml25m", code=2)
    assert "MD5" in run_refused(capsys, "data", "fetch", "ml-25m", "--from-file", own, code=1)


def test_an_imported_file_is_found_by_its_name(own: Path, home: Path, capsys: pytest.CaptureFixture[str]):
    made = run_json(capsys, "data", "import", own, "--name", "mine", "--columns", COLUMNS)
    assert made["ratings"] == 30
    own.unlink()
    assert run_json(capsys, "data", "describe", "mine")["content_hash"] == made["content_hash"]
    listed = run_json(capsys, "data", "list")["imported"]
    assert [row["name"] for row in listed] == ["mine"]
    assert main(["data", "describe", "mine"]) == 0
    assert made["content_hash"] in "".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", ["ml-100k", "a/b", "x" * 300])
def test_import_refuses_bad_names(own: Path, home: Path, capsys: pytest.CaptureFixture[str], name: str):
    run_refused(capsys, "data", "import", own, "--name", name, "--columns", COLUMNS, code=2)
    assert not (home / "data" / "imports").exists()


def test_import_refuses_a_bad_file_and_stores_nothing(
    own: Path, home: Path, capsys: pytest.CaptureFixture[str]
):
    own.write_text(f"{HEADER}\n1,2,x,3\n")
    run_refused(capsys, "data", "import", own, "--name", "mine", "--columns", COLUMNS, code=1)
    run_refused(capsys, "data", "import", home / "missing.csv", "--name", "mine", code=1)
    assert not (home / "data" / "imports").exists()


def test_a_given_scale_is_stored_with_the_import(own: Path, home: Path, capsys: pytest.CaptureFixture[str]):
    own.write_text(f"{HEADER}\n1,1,3,3\n1,2,3,4\n2,1,3,5\n")
    words = ("data", "import", own, "--name", "mine", "--columns", COLUMNS)
    assert "--scale 1:5:1" in run_refused(capsys, *words, code=1)
    assert run_json(capsys, *words, "--scale", "0.5:5:0.5")["ratings"] == 3
    assert run_json(capsys, "data", "describe", "mine")["scale"] == [0.5, 5.0, 0.5]
    assert "known" in run_refused(capsys, "data", "describe", "ml-100k", "--scale", "1:5:1", code=2)


def test_a_full_disk_gives_one_line_and_stores_nothing(own: Path, tmp_path: Path):
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64)); "
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "from movielens_recsys.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    words = ["data", "import", str(own), "--name", "mine", "--columns", COLUMNS]
    environment = {**os.environ, "RECSYS_DATA": str(tmp_path / "full")}
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    assert [path for path in (tmp_path / "full").rglob("*") if path.is_file()] == []


def test_titles_are_imported_with_the_ratings(own: Path, home: Path, capsys: pytest.CaptureFixture[str]):
    made = run_json(capsys, "data", "import", own, "--name", "bare", "--columns", COLUMNS)
    ids = load_ratings("bare", load_settings()).item_ids
    items = home / "items.csv"
    items.write_text("\n".join(["key,label,pages", *(f"{item},Title {item},9" for item in ids)]) + "\n")
    words = ("data", "import", own, "--name", "mine", "--columns", COLUMNS, "--items", items)
    assert "--item-columns item=NAME" in run_refused(capsys, *words, code=1)
    assert "in --item-columns" in run_refused(capsys, *words, "--item-columns", "key", code=2)
    titled = run_json(capsys, *words, "--item-columns", "item=key,title=label")
    assert titled["content_hash"] == made["content_hash"]
    assert any(finding["name"] == "item_columns_ignored" for finding in titled["findings"])
    for words in (["check", "mine"], ["describe", "mine"]):
        account = run_json(capsys, "data", *words)["items_account"]
        assert account == titled["items_account"]
        assert (account["row_lines"], account["ignored"]) == (len(ids), ["pages"])
        assert main(["data", *words]) == 0
        printed = capsys.readouterr().out
        assert "table of items, read as text, separated by ',', names on line 1" in printed
        assert "  title     <- label: text" in printed
    items.unlink()
    assert load_ratings("mine", load_settings()).item_table["title"][0] == f"Title {ids[0]}"


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["--item-columns", "item=key"], "leave --item-columns out"),
        (["--implicit", "--scale", "1:5:1"], "leave --scale or --implicit out"),
    ],
)
def test_options_that_cannot_take_effect_are_refused(
    own: Path, home: Path, capsys: pytest.CaptureFixture[str], words: list[str], advice: str
):
    assert advice in run_refused(capsys, "data", "import", own, "--name", "mine", *words, code=2)
    assert not (home / "data" / "imports").exists()


def test_an_import_warns_of_what_a_check_would_warn_of(home: Path, capsys: pytest.CaptureFixture[str]):
    likes = home / "likes.csv"
    likes.write_text("user,item\n" + "".join(f"{row % 7},{row}\n" for row in range(70)))
    made = run_json(capsys, "data", "import", likes, "--name", "likes", "--implicit")
    assert "no_timestamps" in {finding["name"] for finding in made["findings"]}


def test_a_time_in_another_format_than_stated_is_shown_with_both(
    home: Path, capsys: pytest.CaptureFixture[str]
):
    path = home / "dated.csv"
    path.write_text("user,item,rating,timestamp\n1,1,5,08.03.2024\n1,2,4,09/03/2024\n")
    words = ("data", "import", path, "--name", "dated", "--time-format", "%d.%m.%Y")
    err = run_refused(capsys, *words, code=1)
    assert (
        "line 3: the time does not fit the stated format, found '09/03/2024' where %d.%m.%Y is stated" in err
    )
