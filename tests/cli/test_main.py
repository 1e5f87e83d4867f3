"""The command itself: help, versions, errors on one line, exit codes, and nothing heavy at start."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from movielens_recsys import __version__
from movielens_recsys.cli.main import encoding_error, main, memory_error, storage_error


def recsys(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RECSYS_HOME": str(home), "RECSYS_DATA": str(home / "data")}
    command = [sys.executable, "-m", "movielens_recsys", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_help_names_every_group_and_exits_0(tmp_path: Path) -> None:
    done = recsys("--help", home=tmp_path)
    assert done.returncode == 0
    for name in ("demo", "data", "experiment"):
        assert name in done.stdout


def test_version(tmp_path: Path) -> None:
    done = recsys("--version", home=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"recsys {__version__}\n")


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["expriment", "list"], ["expriment", "experiment"]),
        (["experiment", "list", "--stats", "completed"], ["--stats", "--status"]),
        (["data", "describe"], ["missing argument NAME_OR_PATH"]),
    ],
)
def test_wrong_arguments_give_one_line_and_exit_code_2(
    words: list[str], names: list[str], tmp_path: Path
) -> None:
    done = recsys(*words, home=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    for name in names:
        assert name in done.stderr


def test_debug_shows_the_traceback_at_any_position(tmp_path: Path) -> None:
    for words in (["--debug", "experiment", "show", "nothing"], ["experiment", "show", "nothing", "--debug"]):
        done = recsys(*words, home=tmp_path)
        assert done.returncode == 2
        assert "Traceback" in done.stderr
        assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in recsys("experiment", "show", "nothing", home=tmp_path).stderr


@pytest.mark.parametrize("words", [["data", "list"], ["data", "list", "--json"], ["experiment", "templates"]])
def test_a_closed_pipe_is_not_an_error(words: list[str], tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    environment = {**os.environ, "RECSYS_HOME": str(tmp_path), "RECSYS_DATA": str(tmp_path / "data")}
    command = [sys.executable, "-m", "movielens_recsys", *words]
    done = subprocess.run(
        command, stdout=writer, stderr=subprocess.PIPE, text=True, env=environment, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("not a folder")
    done = recsys("experiment", "create", "quickstart", "first", home=home)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert str(home) in done.stderr


def test_storage_errors_name_the_next_step() -> None:
    full = storage_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/disk/file"))
    assert "No space left on device" in str(full)
    assert "RECSYS_HOME" in str(full)


def test_missing_memory_and_broken_text_are_no_bugs() -> None:
    with pytest.raises(MemoryError) as refused:
        np.empty((10**9, 10**9))
    message = str(memory_error(refused.value))
    assert "Unable to allocate" in message
    assert "fewer ratings" in message
    assert str(memory_error(MemoryError())).startswith("there is not enough memory; ")
    with pytest.raises(UnicodeEncodeError) as broken:
        "caf\udce9.csv".encode()
    assert r"caf\xe9.csv" in str(encoding_error(broken.value)).replace("\\\\", "\\")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory"),
        (UnicodeEncodeError("utf-8", "a\udce9", 1, 2, "surrogates not allowed"), "not valid in UTF-8"),
        (ZeroDivisionError("x / 0"), "this is a bug"),
    ],
)
def test_only_what_no_user_brings_is_called_a_bug(
    error: Exception, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise error

    monkeypatch.setattr("movielens_recsys.cli.main.app", fail)
    assert main(["data", "list"]) == 1
    assert words in capsys.readouterr().err


def test_starting_imports_nothing_heavy() -> None:
    code = (
        "import sys, movielens_recsys.cli.main; "
        "print([name for name in ('torch', 'polars', 'mlflow', 'scipy', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_main_returns_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert main(["no-such-command"]) == 2
    assert capsys.readouterr().err.startswith("error: ")
