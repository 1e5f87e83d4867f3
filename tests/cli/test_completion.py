"""Completion: in a real bash, by the protocol of zsh and fish, and without large libraries."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from movielens_recsys.cli.main import main
from movielens_recsys.data.sources.user_datasets import register_dataset
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings

Complete = Callable[..., str]
SHELLS = {
    "zsh": "-f -c 'autoload -Uz compinit; compinit -u; source {script}; whence _recsys_completion'",
    "fish": "--no-config -c 'source {script}; complete -C \"recsys experiment templ\" | grep templates'",
}


@pytest.fixture
def run_id(settings: Settings, tmp_path: Path) -> str:
    """A home with one experiment and one imported data set."""
    (tmp_path / "b.csv").write_text("user,item,rating\n1,1,1\n")
    register_dataset(tmp_path / "b.csv", "books", settings)
    return store.create_run(config_from_template("popularity", "wide"), settings).id


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    folders = {"RECSYS_HOME": str(settings.home), "RECSYS_DATA": str(settings.data), "RECSYS_DATA_PATH": ""}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **folders, "PATH": path, "TERM": "dumb", "PS1": "$ "}


@pytest.fixture
def complete(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Complete:
    """Return what recsys answers to a shell that asks with these variables."""

    def ask(shell: str, **variables: str) -> str:
        for name, value in {**environment, "_RECSYS_COMPLETE": f"complete_{shell}", **variables}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit):
            main([])
        return capsys.readouterr().out

    return ask


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("recsys exp", ["experiment"]),
        ("recsys experiment cr", ["create"]),
        ("recsys experiment list --sta", ["--status"]),
        ("recsys experiment list --status co", ["completed"]),
        ("recsys experiment show w", ["RUN"]),
        ("recsys experiment compare RUN w", ["RUN"]),
        ("recsys experiment run wi", ["RUN"]),
        ("recsys experiment run eas", ["ease"]),
        ("recsys experiment create quicks", ["quickstart"]),
        ("recsys experiment create ease x --data bo", ["books"]),
        ("recsys experiment create ease x --set training.epo", ["training.epochs="]),
        ("recsys data describe bo", ["books"]),
        ("recsys data fetch ml-100", ["ml-100k"]),
        ("recsys ensemble run x --blend ri", ["ridge"]),
        ("recsys ensemble run x --template eas", ["ease"]),
        ("recsys watch w", ["RUN"]),
        ("recsys auto w", ["RUN"]),
    ],
)
def test_words_are_completed(line: str, offered: list[str], run_id: str, complete: Complete) -> None:
    line = line.replace("RUN", run_id)
    answer = complete("bash", COMP_WORDS=line, COMP_CWORD=str(line.count(" ")))
    assert answer.split() == [name.replace("RUN", run_id) for name in offered]


@pytest.fixture
def bash(environment: dict[str, str], tmp_path: Path) -> Iterator[int]:
    """The terminal of an interactive bash."""
    ours, theirs = pty.openpty()
    command = ["bash", "--norc", "--noprofile", "-i"]
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    process = subprocess.Popen(command, **streams, env=environment, cwd=tmp_path, start_new_session=True)
    os.close(theirs)
    yield ours
    process.kill()
    process.wait()
    os.close(ours)


def read_until(terminal: int, words: str) -> None:
    text, deadline = "", time.monotonic() + 60
    while words not in text:
        assert time.monotonic() < deadline, text
        text += os.read(terminal, 65536).decode(errors="replace")


def test_a_bash_completes_on_tab(bash: int, run_id: str) -> None:
    os.write(bash, b'eval "$(recsys completion bash)"; echo re""ady\n')
    read_until(bash, "ready")
    os.write(bash, b"recsys experiment show wi\t")
    read_until(bash, run_id)


@pytest.mark.parametrize("shell", SHELLS)
def test_other_shells_read_their_script(shell: str, environment: dict[str, str], tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed: test_the_protocols_of_other_shells has its side of recsys")
    script = tmp_path / "recsys.script"
    made = subprocess.run(["recsys", "completion", shell], env=environment, capture_output=True, check=True)
    script.write_bytes(made.stdout)
    command = f"{shell} {SHELLS[shell].format(script=script)}"
    subprocess.run(command, shell=True, env=environment, check=True, capture_output=True)


def test_the_protocols_of_other_shells(complete: Complete, capsys: pytest.CaptureFixture[str]) -> None:
    for shell in SHELLS:
        assert main(["completion", shell]) == 0
        assert f"_RECSYS_COMPLETE=complete_{shell}" in capsys.readouterr().out
    line, action = "recsys experiment templ", "get-args"
    words = "List the templates of experiments."
    answer = complete("zsh", _TYPER_COMPLETE_ARGS=line)
    assert answer == f"""_arguments '*: :(("templates":"{words}"))'\n"""
    answer = complete("fish", _TYPER_COMPLETE_ARGS=line, _TYPER_COMPLETE_FISH_ACTION=action)
    assert answer == f"templates\t{words}\n"


def test_installing_writes_the_start_files_of_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["completion", "bash", "--install"]) == 0
    script = tmp_path / ".bash_completions" / "recsys.sh"
    assert f"installed in {script}" in capsys.readouterr().out
    assert str(script) in (tmp_path / ".bashrc").read_text()
    assert "complete_bash" in script.read_text()


def test_completers_load_no_large_library(environment: dict[str, str]) -> None:
    program = (
        "import sys, movielens_recsys.cli.main; from movielens_recsys.cli import completion as names;"
        "[complete('') for complete in (names.runs_and_templates, names.ensembles, names.assignments,"
        " names.states)];"
        "print([name for name in ('torch', 'polars', 'scipy', 'numba', 'mlflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    assert done.stdout == b"[]\n"
