"""A supervisor and the processes it starts: real ones that write real logs, and really die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.experiments.supervision import supervising, why_not_resumed
from movielens_recsys.experiments.supervisor import MAX_CRASHES, Supervisor
from movielens_recsys.runs import store
from movielens_recsys.runs.event_writer import is_orphaned
from movielens_recsys.runs.refusal import record_refusal
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

TRAINER = """
    import os, signal, sys, time
    from pathlib import Path
    from movielens_recsys.runs import transitions, store, event_writer
    from movielens_recsys.settings import Settings

    home, plan, word, run_id = sys.argv[1:]
    settings = Settings(home=Path(home))
    with event_writer.open_log(run_id, settings) as writer:
        run = store.load_run(run_id, settings)
        transitions.start_run(run, writer, {}, resume=word == "resume")
        print(word, file=sys.stderr)
        steps = plan.split(";")[run.attempts].split()
        for step in steps:
            if step == "epoch":
                epoch = len(store.load_run(run_id, settings).history) + 1
                record = dict.fromkeys(("train_loss", "val_loss", "val_mse", "val_rmse", "val_kl"), 1.0)
                writer.append("epoch", {"epoch": epoch, "improved": True, **record})
            elif step == "complete":
                writer.append("completed", {})
            elif step.startswith("SIG"):
                os.kill(os.getpid(), signal.Signals[step])
            elif step == "worker":
                worker = os.fork()  # and so it holds the run's lock too
                if worker == 0:
                    time.sleep(600)
                (Path(home) / "worker").write_text(str(worker))
            elif step == "deaf":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            elif step == "wait":
                print("waiting", file=sys.stderr, flush=True)
                time.sleep(600)
            else:
                sys.exit(int(step))
"""
SUPERVISE = """
    import sys
    from pathlib import Path
    from movielens_recsys.experiments.supervision import supervising
    from movielens_recsys.experiments.supervisor import Supervisor
    from movielens_recsys.settings import Settings

    settings = Settings(home=Path(sys.argv[1]))
    with supervising(sys.argv[2], settings):
        sys.exit(Supervisor(sys.argv[2], settings, sys.argv[3:], stop_s=1.0).run())
"""
Plan = Callable[[str], list[str]]


@pytest.fixture
def run_id(settings: Settings) -> str:
    return store.create_run(config_from_template("quickstart", "attended", {}), settings).id


@pytest.fixture
def trainer(settings: Settings) -> Plan:
    """A command that does, attempt by attempt, what a plan says: steps, and ``;`` between attempts."""

    def command(plan: str) -> list[str]:
        return [sys.executable, "-c", textwrap.dedent(TRAINER), str(settings.home), plan]

    return command


def supervise(run_id: str, settings: Settings, command: list[str]) -> int:
    with supervising(run_id, settings):
        return Supervisor(run_id, settings, command).run()


def log(run_id: str, settings: Settings) -> str:
    return (settings.runs / run_id / "auto.log").read_text()


def test_a_planned_run_is_run_and_a_crashed_one_is_resumed(
    run_id: str, settings: Settings, trainer: Plan
) -> None:
    assert supervise(run_id, settings, trainer("epoch SIGKILL;epoch complete")) == 0
    run = store.load_run(run_id, settings)
    assert (run.state, run.attempts, len(run.history)) == (RunState.COMPLETED, 2, 2)
    said = log(run_id, settings)
    assert [line for line in said.splitlines() if line in {"run", "resume"}] == ["run", "resume"]
    assert "auto: it died of SIGKILL after epoch 1; going on, 1 of 3" in said
    assert why_not_resumed(run, settings) == "completed"


def test_crashes_are_counted_from_each_new_epoch(run_id: str, settings: Settings, trainer: Plan) -> None:
    plan = ";".join(["SIGKILL", "SIGSEGV", "epoch SIGKILL", "SIGABRT", "SIGBUS", "epoch complete"])
    assert supervise(run_id, settings, trainer(plan)) == 0
    assert store.load_run(run_id, settings).attempts == 6


def test_a_run_whose_processes_keep_crashing_is_given_up_with_a_reason(
    run_id: str, settings: Settings, trainer: Plan
) -> None:
    assert supervise(run_id, settings, trainer("epoch SIGKILL" + ";SIGKILL" * 9)) == 1
    run = store.load_run(run_id, settings)
    assert (run.state, run.attempts) == (RunState.STOPPED, 1 + MAX_CRASHES)
    reason = "its process died 4 times without a new epoch, at last of SIGKILL"
    assert run.reason == reason
    assert f"given up: {reason}; `recsys auto {run_id}` tries again" in log(run_id, settings)
    assert why_not_resumed(run, settings) == f"stopped: {reason}"


@pytest.mark.parametrize("code", [1, 2, 3, 143])
def test_a_trainer_that_ends_by_itself_is_not_started_again(
    code: int, run_id: str, settings: Settings, trainer: Plan
) -> None:
    assert supervise(run_id, settings, trainer(f"epoch {code}")) == code
    assert store.load_run(run_id, settings).attempts == 1


def test_a_crash_after_the_work_is_no_failure(run_id: str, settings: Settings, trainer: Plan) -> None:
    assert supervise(run_id, settings, trainer("epoch complete SIGKILL")) == 0
    assert store.load_run(run_id, settings).attempts == 1


def test_children_of_a_crashed_trainer_do_not_keep_the_run(
    run_id: str, settings: Settings, trainer: Plan
) -> None:
    assert supervise(run_id, settings, trainer("worker SIGKILL;complete")) == 0
    worker = int((settings.home / "worker").read_text())
    status = Path(f"/proc/{worker}/stat")
    assert not status.exists() or status.read_text().split()[2] == "Z"


def start(run_id: str, settings: Settings, command: list[str]) -> subprocess.Popen[bytes]:
    """Supervise in another process, until its trainer waits."""
    words = [sys.executable, "-c", textwrap.dedent(SUPERVISE), str(settings.home), run_id, *command]
    process = subprocess.Popen(words, start_new_session=True)
    path = settings.runs / run_id / "auto.log"
    while not (path.exists() and "waiting" in path.read_text()):
        assert process.poll() is None
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_stop_is_passed_on(
    number: signal.Signals, run_id: str, settings: Settings, trainer: Plan
) -> None:
    with start(run_id, settings, trainer("epoch wait")) as process:
        process.send_signal(number)
        assert process.wait(60) == 128 + number
    assert is_orphaned(store.load_run(run_id, settings), settings)
    taken_up_again = why_not_resumed(store.load_run(run_id, settings), settings) == ""
    assert taken_up_again is (number is signal.SIGTERM)


def test_a_trainer_that_does_not_stop_is_killed_and_can_be_resumed(
    run_id: str, settings: Settings, trainer: Plan
) -> None:
    with start(run_id, settings, trainer("deaf epoch wait;complete")) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
    assert why_not_resumed(store.load_run(run_id, settings), settings) == ""
    assert supervise(run_id, settings, trainer(";complete")) == 0


def test_a_terminal_that_is_closed_ends_nothing(run_id: str, settings: Settings, trainer: Plan) -> None:
    with start(run_id, settings, trainer("epoch wait")) as process:
        os.killpg(process.pid, signal.SIGHUP)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143


EXECUTE = """
    import sys
    from pathlib import Path
    from movielens_recsys.errors import RecsysError
    from movielens_recsys.experiments.execute import execute
    from movielens_recsys.settings import Settings

    try:
        execute(sys.argv[2], Settings(HOMES))
    except RecsysError:
        sys.exit(1)
"""


def test_a_patient_supervisor_waits_for_data_that_are_away(settings: Settings, small_ratings: Path) -> None:
    changes = {"data": {"path": str(small_ratings)}, "evaluation": {"bootstrap_samples": 100}}
    run_id = store.create_run(config_from_template("user_item_bias", "a", changes), settings).id
    away = small_ratings.rename(small_ratings.with_name("away.csv"))

    def bring_back() -> None:
        if away.exists() and "waiting: nothing at" in log(run_id, settings):
            away.rename(small_ratings)

    homes = f"home=Path({str(settings.home)!r}), data=Path({str(settings.data)!r})"
    trainer = [sys.executable, "-c", textwrap.dedent(EXECUTE).replace("HOMES", homes)]
    with supervising(run_id, settings):
        assert Supervisor(run_id, settings, trainer).run() == 1, "it is not patient"
        assert store.load_run(run_id, settings).state is RunState.PLANNED
        patient = Supervisor(run_id, settings, trainer, (), bring_back, patient=True, retry_s=0.1)
        assert patient.run() == 0
    assert store.load_run(run_id, settings).state is RunState.COMPLETED


def test_a_trainer_that_a_signal_kills_after_its_work_has_completed(
    run_id: str, settings: Settings, trainer: Plan
) -> None:
    with start(run_id, settings, trainer("epoch complete wait")) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_a_signal_ends_the_waiting(settings: Settings, small_ratings: Path) -> None:
    changes = {"data": {"path": f"{small_ratings}.away"}}
    run_id = store.create_run(config_from_template("user_item_bias", "a", changes), settings).id
    record_refusal(settings.runs / run_id, "nothing there", passing=True)

    def stop() -> None:
        if "waiting: nothing there" in log(run_id, settings):
            os.kill(os.getpid(), signal.SIGTERM)

    with supervising(run_id, settings):
        supervisor = Supervisor(run_id, settings, [sys.executable, "-c", "exit(1)"], (), stop, patient=True)
        assert supervisor.run() == 143
