"""Supervisors of runs, background processes, and the runs that are resumed."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from collections.abc import Iterator

import pytest

from movielens_recsys.errors import ExperimentError
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.experiments.supervision import (
    SupervisorRecord,
    detach,
    disable_auto_resume,
    supervising,
    supervisor_of,
    why_not_resumed,
)
from movielens_recsys.runs import store, transitions
from movielens_recsys.runs.event_writer import open_log
from movielens_recsys.settings import Settings

WATCHMAN = """
    import sys, time
    from pathlib import Path
    from movielens_recsys.experiments.supervision import supervising
    from movielens_recsys.settings import Settings

    print("read", repr(sys.stdin.read()), flush=True)
    try:
        with supervising(sys.argv[2], Settings(home=Path(sys.argv[1]))):
            time.sleep(600)
    except Exception as exc:
        sys.exit(f"error: {exc}")
"""


@pytest.fixture
def run_id(settings: Settings) -> str:
    return store.create_run(config_from_template("quickstart", "attended", {}), settings).id


@pytest.fixture
def watchman(run_id: str, settings: Settings) -> list[str]:
    """A command that looks after the run for ten minutes."""
    return [sys.executable, "-c", textwrap.dedent(WATCHMAN), str(settings.home), run_id]


@pytest.fixture
def started(run_id: str, settings: Settings, watchman: list[str]) -> Iterator[int]:
    pid = detach(run_id, settings, watchman)
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def left(run_id: str, settings: Settings) -> str:
    return why_not_resumed(store.load_run(run_id, settings), settings)


def test_a_background_process_has_its_own_session_and_no_standard_input(
    run_id: str, settings: Settings, started: int
) -> None:
    assert os.getsid(started) == started
    assert (settings.runs / run_id / "auto.log").read_text() == "read ''\n"
    assert left(run_id, settings) == f"process {started} supervises it"


def test_one_process_at_a_time_supervises_a_run(
    run_id: str, settings: Settings, started: int, watchman: list[str]
) -> None:
    with pytest.raises(ExperimentError, match=f"is supervised by process {started}"):
        detach(run_id, settings, watchman)
    with (
        pytest.raises(ExperimentError, match=f"is supervised by process {started}"),
        supervising(run_id, settings),
    ):
        pass


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("print('a'); raise SystemExit('error: no such thing')", "no such thing"),
        ("raise SystemExit(7)", "it ended with exit code 7"),
    ],
)
def test_a_background_process_that_does_not_start_gives_its_error(
    program: str, words: str, run_id: str, settings: Settings
) -> None:
    (settings.runs / run_id / "auto.log").write_text("error: of another day\n")
    with pytest.raises(ExperimentError, match=words):
        detach(run_id, settings, [sys.executable, "-c", program])


def test_only_a_run_that_lost_its_process_is_resumed(run_id: str, settings: Settings) -> None:
    assert supervisor_of(run_id, settings) is None
    with supervising(run_id, settings):
        assert left(run_id, settings) == f"process {os.getpid()} supervises it"
    assert supervisor_of(run_id, settings) == SupervisorRecord(os.getpid(), 1)
    assert left(run_id, settings) == ""
    with open_log(run_id, settings) as writer:
        transitions.start_run(store.load_run(run_id, settings), writer, {})
        assert left(run_id, settings) == "it is running"
    assert left(run_id, settings) == ""
    with open_log(run_id, settings) as writer:
        writer.append("stopped", {"reason": "told to"})
    assert left(run_id, settings) == ""
    disable_auto_resume(run_id, settings)
    assert left(run_id, settings) == "stopped: told to"
    with supervising(run_id, settings), open_log(run_id, settings) as writer:
        writer.append("failed", {"reason": "it broke"})
    again = f"`recsys experiment resume {run_id}` takes it up"
    assert left(run_id, settings) == f"failed: it broke; {again}", "by an earlier version"
    with open_log(run_id, settings) as writer:
        writer.append("failed", {"reason": "it broke", "final": True})
    assert left(run_id, settings) == "failed: it broke"


def test_a_run_at_its_cap_is_not_resumed_automatically(settings: Settings) -> None:
    resources = {"resources": {"price_usd_per_hour": 3600.0, "cap_usd": 2.0}}
    run = store.create_run(config_from_template("quickstart", "dear", resources), settings)
    with supervising(run.id, settings), open_log(run.id, settings) as writer:
        transitions.start_run(run, writer, {})
        writer.append("stopped", {"reason": "it has spent its cap", "run_seconds": 2.0})
    assert left(run.id, settings) == "stopped: it has spent its cap"


def test_a_process_that_died_supervises_nothing(run_id: str, settings: Settings, watchman: list[str]) -> None:
    pid = detach(run_id, settings, watchman)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert supervisor_of(run_id, settings) == SupervisorRecord(pid, 1)
    assert left(run_id, settings) == ""
    with supervising(run_id, settings, devices=2):
        pass
    assert supervisor_of(run_id, settings) == SupervisorRecord(os.getpid(), 2)


@pytest.mark.parametrize("content", ["", '{"pid": 1', "[]", '{"pid": 1, "more": 2}'])
def test_a_run_whose_record_was_cut_off_is_resumed(content: str, run_id: str, settings: Settings) -> None:
    (settings.runs / run_id / "auto.json").write_text(content)
    assert left(run_id, settings) == ""
