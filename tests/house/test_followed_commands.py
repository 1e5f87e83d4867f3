"""The commands that other commands print are followed: next steps, and a report's way to repeat its run."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.example_runs import write_small_ratings

from movielens_recsys.settings import Settings


@pytest.fixture
def home(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a tracking store, and a rating file in the folder that commands run in."""
    (tmp_path / "home").mkdir()
    shutil.copy(empty_store, Settings(home=tmp_path / "home").tracking_db)
    write_small_ratings(tmp_path / "small.csv")
    for name, folder in (("HOME", "home"), ("DATA", "data")):
        monkeypatch.setenv(f"RECSYS_{name}", str(tmp_path / folder))
    monkeypatch.setenv("RECSYS_DATA_PATH", "")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "home"


def bash(script: str, folder: Path) -> str:
    done = subprocess.run(["bash", "-euc", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def printed(text: str) -> list[str]:
    """Return the commands in the output of a command."""
    return re.findall(r"(?:^|`|: +|  +)(recsys [^`\n;]+)", text, re.MULTILINE)


QUICK = "--set evaluation.bootstrap_samples=100"


def test_what_commands_print_as_the_next_step_works(home: Path, tmp_path: Path) -> None:
    imported = bash("recsys data import small.csv --name small", tmp_path)
    assert [bash(command, tmp_path) for command in printed(imported)]
    created = bash(f"recsys experiment create user_item_bias mine --data small {QUICK}", tmp_path)
    (run,) = printed(created)
    shown = bash(run, tmp_path)
    (run_id,) = (path.name for path in (home / "runs").iterdir())
    assert shown.count(run_id) >= 2
    values = json.loads(bash(f"recsys experiment show {run_id} --json", tmp_path))
    page = (home / "runs" / run_id / "report.html").read_text()
    (again,) = (html.unescape(text) for text in re.findall(r"<pre>(recsys .*?)</pre>", page, re.DOTALL))
    bash(again, tmp_path)
    repeated = json.loads(bash("recsys experiment show mine --json 2> /dev/null", tmp_path))
    assert repeated["id"] != run_id
    assert repeated["config_hash"] == values["config_hash"]
    assert repeated["figures"] == values["figures"]


def test_what_a_training_in_the_background_prints_works(home: Path, tmp_path: Path) -> None:
    command = f"recsys auto popularity --data small.csv {QUICK} --detach --json 2> /dev/null"
    started = json.loads(bash(command, tmp_path))
    while Path(f"/proc/{started['pid']}").exists():
        try:
            os.waitpid(started["pid"], 0)
        except ChildProcessError:
            break
    for command in started["follow"]:
        assert bash(command.replace("tail -f", "tail"), tmp_path)
