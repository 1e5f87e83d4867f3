import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from movielens_recsys.cli.main import main

HEADER = "who,film,stars,at"
ROWS = [
    f"{user},{item},{1 + (user * item) % 5},{1_000_000_000 + 60 * user + item}"
    for user in range(6)
    for item in range(5)
]
COLUMNS = "user=who,item=film,rating=stars,timestamp=at"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RECSYS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RECSYS_DATA_PATH", str(tmp_path / "path"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    return tmp_path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.csv"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n")
    return path


def write_u_data(folder: Path) -> None:
    folder.mkdir(parents=True)
    lines = (
        f"{user}\t{item}\t{1 + (user * item) % 5}\t{874965758 + user}"
        for user in range(1, 4)
        for item in (1, 2, 9)
    )
    (folder / "u.data").write_text("\n".join(lines))


def run_json(capsys: pytest.CaptureFixture[str], *words: object) -> dict:
    assert main([str(word) for word in words] + ["--json"]) == 0
    return json.loads(capsys.readouterr().out)


def run_refused(capsys: pytest.CaptureFixture[str], *words: object, code: int) -> str:
    assert main([str(word) for word in words]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    return printed.err


def test_list_has_every_data_set_and_its_folder(home: Path, capsys: pytest.CaptureFixture[str]):
    write_u_data(home / "path" / "ml-100k")
    listed = run_json(capsys, "data", "list")
    assert [row["name"] for row in listed["catalogue"]][:2] == ["ml-100k", "ml-1m"]
    assert listed["catalogue"][0]["folder"] == str(home / "path" / "ml-100k")
    assert listed["catalogue"][1]["folder"] is None
    assert listed["imported"] == []
    assert main(["data", "list"]) == 0
    assert "ml-32m" in capsys.readouterr().out


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


@pytest.mark.parametrize("columns", ["user", "user=", "=x", "user=a,user=b", "user=who,,item=film"])
def test_invalid_columns_are_refused(own: Path, capsys: pytest.CaptureFixture[str], columns: str):
    assert "--columns" in run_refused(capsys, "data", "describe", own, "--columns", columns, code=2)


@pytest.mark.parametrize("scale", ["1:5", "1:5:0", "5:1:1", "1:5:3", "a:b:c", "1:5:1:1"])
def test_invalid_scales_are_refused(own: Path, capsys: pytest.CaptureFixture[str], scale: str):
    assert "LOWEST:HIGHEST:STEP" in run_refused(capsys, "data", "describe", own, "--scale", scale, code=2)


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
