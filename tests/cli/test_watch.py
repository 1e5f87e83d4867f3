"""`recsys watch`: once, as JSON, and on a terminal, where Ctrl-C does not stop the run."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.example_runs import carry_on, epoch_record

from movielens_recsys.cli.main import main
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store, transitions
from movielens_recsys.runs.event_writer import open_log
from movielens_recsys.runs.events import FILE_NAME
from movielens_recsys.runs.heartbeat import HeartbeatRecord
from movielens_recsys.settings import Settings, load_settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")
    return load_settings()


@pytest.fixture
def run_id(home: Settings) -> str:
    return store.create_run(config_from_template("quickstart", "seen"), home).id


def seen(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["watch", "seen", *words]) == 0
    return capsys.readouterr().out


def test_a_run_is_shown_in_every_state(
    run_id: str, home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"recsys experiment run {run_id}" in seen(capsys, "--once")
    carry_on(run_id, home, range(1, 13))
    gone = seen(capsys)
    assert "its process is gone" in gone
    assert f"recsys experiment resume {run_id}" in gone
    carry_on(run_id, home, range(13, 31), "completed")
    log = store.run_folder(run_id, home) / FILE_NAME
    before = log.read_bytes()
    finished = seen(capsys)
    assert "completed" in finished
    assert "30 of at most 60 epochs" in finished
    assert "val_rmse  last 0.9700, lowest 0.9700 at epoch 30  in ratings" in finished
    assert "val_loss  last 0.9419, lowest 0.9419 at epoch 30  MSE + 0.01 × KL, not an RMSE" in finished
    assert re.search(r"█+▇*▆*", finished)
    assert f"recsys experiment show {run_id}" in finished
    assert log.read_bytes() == before


def test_a_run_in_another_process_is_shown_by_its_heartbeat(
    run_id: str, home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    carry_on(run_id, home, range(1, 6))
    folder = store.run_folder(run_id, home)
    finding = {
        "name": "loss_gap",
        "value": 0.2,
        "threshold": 0.15,
        "severity": "warning",
        "advice": "[red]do",
    }
    with open_log(run_id, home) as writer:
        writer.append("finding", {"epoch": 3, **finding})
        beat = HeartbeatRecord(
            writer.events[-1].time, 6, 12, 48, {"gpu_power_watts": 251.0, "memory_share": 0.4}
        )
        (folder / "pulse.json").write_text(json.dumps(beat._asdict()))
        shown = seen(capsys)
        values = json.loads(seen(capsys, "--json"))
    assert "5 of at most 60 epochs, step 12 of 48 in the next" in shown
    assert "of training left" in shown
    assert "if no further epoch improves" in shown
    assert "GPU power 251 W" in shown
    assert "epoch 3: loss_gap 0.2 against 0.15: [red]do" in shown
    assert "Ctrl-C does not stop the run" in shown
    assert values["run"]["state"] == "running"
    assert values["progress"]["share"] == pytest.approx(5.25 / 60)
    assert values["now"]["gpu_power_watts"] == 251.0


def test_the_phase_of_a_run_is_shown(run_id: str, home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    def phase() -> str:
        shown = seen(capsys)
        assert "Ctrl-C does not stop the run" in shown
        assert json.loads(seen(capsys, "--json"))["progress"]["phase"] in shown
        return shown

    with open_log(run_id, home) as writer:
        assert f"{run_id}  running: loading" in phase()
        transitions.start_run(writer.run, writer, {"code": {}, "environment": {}, "seeds": {}})
        writer.append("data", {"data": {"name": "d", "hash": "1"}, "split": {"name": "s", "hash": "2"}})
        writer.append("epoch", epoch_record(1))
        assert "running: training" in phase()
        writer.append("fitted", {"best_epoch": 1, "stopped_because": "", "seconds": 1.0})
        evaluating = phase()
        assert "running: evaluating" in evaluating
        assert "trained: 1 of at most 60 epochs" in evaluating
        assert "of training left" not in evaluating
        writer.append("gate", {"targets": []})
        assert "running: saving" in phase()
    assert "its process is gone" in seen(capsys)


class Terminal:
    """`recsys watch` on a terminal of its own."""

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "movielens_recsys", "watch", "seen"]
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=os.environ
        )
        os.close(theirs)
        self.text = ""

    def read_until(self, words: str) -> None:
        deadline = time.monotonic() + 30
        while words not in self.text:
            assert time.monotonic() < deadline, self.text
            try:
                self.text += os.read(self._ours, 65536).decode(errors="replace")
            except OSError:  # its other side is closed
                assert words in self.text
                return

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal(run_id: str) -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


def test_a_terminal_follows_a_run_to_its_end(run_id: str, home: Settings, terminal: Terminal) -> None:
    terminal.read_until("it has not started")
    carry_on(run_id, home, range(1, 4), "completed")
    terminal.read_until("completed")
    assert terminal.process.wait(30) == 0


def test_ctrl_c_does_not_stop_the_run(run_id: str, home: Settings, terminal: Terminal) -> None:
    terminal.read_until("it has not started")
    terminal.process.send_signal(signal.SIGINT)
    terminal.read_until("the run goes on")
    assert terminal.process.wait(30) == 0
    assert store.load_run(run_id, home).state == "planned"
