"""`recsys auto`: killed trainings, closed terminals, and notifications in Discord."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.notify.discord_server import TOKEN, URL, Discord

from movielens_recsys.cli.main import main
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store, transitions
from movielens_recsys.runs.event_writer import open_log
from movielens_recsys.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
RECSYS = (sys.executable, "-m", "movielens_recsys")
EPOCHS = 10
Environment = dict[str, str]


@pytest.fixture
def modifications(modifications: str) -> str:
    """A shorter training."""
    values = json.loads(modifications)
    return json.dumps({**values, "training": {**values["training"], "epochs": EPOCHS}})


@pytest.fixture
def environment(environment: Environment, discord: Discord) -> Iterator[Environment]:
    """A home and a webhook; what was left running there is ended."""
    environment = {**environment, "DISCORD_WEBHOOK_URL": URL}
    for name in ("HTTPS_PROXY", "SSL_CERT_FILE"):
        environment[name] = os.environ[name]
    yield environment
    for path in Path(environment["RECSYS_HOME"]).glob("runs/*/auto.log"):
        for pid in trainers(path.parent):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def recsys(environment: Environment, *words: str) -> str:
    """Type a line and return the answer."""
    done = subprocess.run([*RECSYS, *words], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return done.stdout


def create(environment: Environment, modifications: str, template: str = "quickstart") -> Path:
    """Plan an experiment and return its folder."""
    answer = recsys(environment, "experiment", "create", template, "night", "-m", modifications, "--json")
    return Path(environment["RECSYS_HOME"]) / "runs" / str(json.loads(answer)["id"])


def until(condition: Callable[[], Any]) -> None:
    ends = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < ends, "not within 120 s"
        time.sleep(0.02)


def epochs(folder: Path) -> int:
    return (folder / "events.jsonl").read_text().count('"kind":"epoch"')


def trainers(folder: Path) -> list[int]:
    """Return every trainer's process id, in order."""
    log = folder / "auto.log"
    return [int(pid) for pid in re.findall(r"process (\d+) trains", log.read_text())] if log.exists() else []


def state(folder: Path) -> str:
    return str(store.load_run(folder.name, Settings(home=folder.parent.parent)).state)


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_killed_training_is_restarted_and_discord_is_notified(
    modifications: str, environment: Environment, discord: Discord, tmp_path: Path
) -> None:
    folder = create(environment, modifications)
    with subprocess.Popen(
        [*RECSYS, "auto", folder.name, "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until(lambda: epochs(folder) >= 3)
        trainer = trainers(folder)[0]
        assert TOKEN.encode() not in command_line(process.pid) + command_line(trainer)
        os.kill(trainer, signal.SIGKILL)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    answer = json.loads(out)
    assert (answer["state"], answer["attempts"], len(answer["history"])) == ("completed", 2, EPOCHS)
    assert re.search(r"auto: it died of SIGKILL after epoch \d+; going on, 1 of 3", err)
    assert f"epoch {EPOCHS}/{EPOCHS}" in err
    assert err.removesuffix("\n") in (folder / "auto.log").read_text()

    titles = discord.titles()
    assert titles[0] == "Started"
    assert "Resumed" in titles
    assert titles[-1] == "Completed"
    texts = [out, err, *(path.read_bytes().decode(errors="replace") for path in tmp_path.rglob("*.*"))]
    assert not any(TOKEN in text for text in texts)


def test_a_background_run_is_resumed_once_and_not_after_ctrl_c(
    modifications: str, environment: Environment
) -> None:
    folder = create(environment, modifications)
    del environment["DISCORD_WEBHOOK_URL"]
    answer = json.loads(recsys(environment, "auto", folder.name, "--detach", "--json"))
    assert answer["id"] == folder.name
    assert f"recsys watch {folder.name}" in answer["follow"]
    assert os.getsid(answer["pid"]) == answer["pid"]
    until(lambda: epochs(folder) >= 2)
    os.kill(answer["pid"], signal.SIGTERM)
    until(lambda: not Path(f"/proc/{answer['pid']}").exists())
    log = Path(answer["log"]).read_text()
    assert "no webhook is set, so there are no notifications" in log
    assert "it ended with exit code 143" in log
    assert state(folder) == "stopped"

    line = [*RECSYS, "auto", "--resume-all", "--json"]
    both = [subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in both]
    resumed = [run for each in answers for run in each["resumed"]]
    assert [process.returncode for process in both] == [0, 0]
    assert [run["id"] for run in resumed] == [folder.name]
    until(lambda: state(folder) == "running")
    (again,) = json.loads(recsys(environment, "auto", "--resume-all", "--json"))["left"]
    assert again == {"id": folder.name, "why": f"process {resumed[0]['pid']} supervises it"}
    assert len(trainers(folder)) == 2

    until(lambda: "epoch" in Path(answer["log"]).read_text().rpartition("trains")[2])
    os.kill(resumed[0]["pid"], signal.SIGINT)
    until(lambda: not Path(f"/proc/{resumed[0]['pid']}").exists())
    assert recsys(environment, "auto", "--resume-all") == f"not resumed {folder.name}: stopped: interrupted\n"


IN_A_TERMINAL = """
    import os, pty, sys
    pid, _ = pty.fork()
    if pid == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    print(pid, flush=True)
    sys.stdin.read()
"""


def test_a_closed_terminal_does_not_end_the_training(modifications: str, environment: Environment) -> None:
    folder = create(environment, modifications, template="user_item_bias")
    terminal = [sys.executable, "-c", textwrap.dedent(IN_A_TERMINAL)]
    with subprocess.Popen(
        [*terminal, *RECSYS, "auto", folder.name],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        until(lambda: trainers(folder))
        process.kill()
    until(lambda: not Path(f"/proc/{pid}").exists())
    assert state(folder) == "completed"
    assert "it ended with exit code 0" in (folder / "auto.log").read_text()


@pytest.fixture
def run_auto(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Type a line in this process."""
    monkeypatch.setenv("RECSYS_HOME", str(settings.home))

    def type_line(*words: str) -> tuple[int, str, str]:
        return main(["auto", *words]), *capsys.readouterr()

    return type_line


def ended(settings: Settings, name: str, kind: str, reason: str = "") -> str:
    run = store.create_run(config_from_template("quickstart", name, {}), settings)
    with open_log(run.id, settings) as writer:
        transitions.start_run(run, writer, {"code": {}, "environment": {}, "seeds": {}})
        writer.append(kind, {"reason": reason, "final": kind == "failed"})
    return run.id


def test_a_completed_run_is_shown_again(run_auto: Any, settings: Settings) -> None:
    run_id = ended(settings, "done", "completed")
    code, out, err = run_auto(run_id, "--json")
    assert (code, err) == (0, f"{run_id} is completed already\n")
    assert json.loads(out)["state"] == "completed"
    assert run_auto(run_id, "--detach", "--json")[:2] == (0, out)


def test_name_timestamp_is_the_newest_run_of_the_name(run_auto: Any, settings: Settings) -> None:
    ended(settings, "rmse", "completed")
    ended(settings, "rmse_other", "completed")
    newest = ended(settings, "rmse", "completed")
    code, out, err = run_auto("rmse_TIMESTAMP", "--json")
    assert code == 0
    assert json.loads(out)["id"] == newest
    assert err.splitlines()[0] == f"rmse_TIMESTAMP stands for {newest}, the newest of that name"
    code, _, err = run_auto("nothing_TIMESTAMP")
    assert code == 2
    assert "unknown experiment or template 'nothing_TIMESTAMP'" in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "either an ID"),
        (["x", "--resume-all"], "either an ID"),
        (["--resume-all", "--detach"], "either an ID"),
        (["unknown"], "unknown experiment or template 'unknown'"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(words: list[str], expected: str, run_auto: Any) -> None:
    code, out, err = run_auto(*words)
    assert (code, out) == (2, "")
    assert expected in err
    assert err.count("\n") == 1


def test_failed_and_running_runs_are_refused_with_the_next_step(run_auto: Any, settings: Settings) -> None:
    failed = ended(settings, "failed", "failed", "bad data")
    code, _, err = run_auto(failed)
    assert code == 1
    assert f"experiment {failed} has failed: bad data; run a copy" in err
    running = ended(settings, "running", "note")
    with open_log(running, settings):
        code, _, err = run_auto(running, "--detach")
    assert code == 1
    assert "is being run by another process" in err
    archived = ended(settings, "old", "completed")
    transitions.archive_run(archived, settings)
    assert "is archived" in run_auto(archived)[2]


def test_a_run_whose_data_are_away_waits_for_them_after_a_reboot(
    modifications: str, environment: Environment
) -> None:
    folder = create(environment, modifications, template="user_item_bias")
    data = Path(json.loads(modifications)["data"]["path"])
    data.rename(data.with_name("away.csv"))
    done = subprocess.run(
        [*RECSYS, "auto", folder.name], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 1
    assert f"nothing at {data}" in done.stderr
    assert f"`recsys auto {folder.name} --wait-for-data`" in done.stderr
    (folder / "auto.json").touch()  # as a supervisor leaves it that a reboot has ended
    answer = json.loads(recsys(environment, "auto", "--resume-all", "--json"))
    ((left),) = answer["left"]
    pid = int(re.findall(r"process (\d+) waits for its data", left["why"])[0])
    assert f"nothing at {data}" in left["why"]
    until(lambda: "auto: waiting: nothing at" in (folder / "auto.log").read_text())
    (again,) = json.loads(recsys(environment, "auto", "--resume-all", "--json"))["left"]
    assert again["why"].startswith(f"process {pid} waits to go on with it: nothing at")
    assert state(folder) == "planned"
    os.kill(pid, signal.SIGTERM)
    until(lambda: not Path(f"/proc/{pid}").exists())


def test_the_cap_is_checked_before_anything_starts(run_auto: Any, settings: Settings) -> None:
    planned = store.create_run(config_from_template("quickstart", "planned", {}), settings)
    code, _, err = run_auto(planned.id, "--cap-usd", "5")
    assert code == 2
    assert "has not started" in err
    resources = {"resources": {"price_usd_per_hour": 3600.0, "cap_usd": 2.0}}
    run = store.create_run(config_from_template("quickstart", "dear", resources), settings)
    with open_log(run.id, settings) as writer:
        transitions.start_run(run, writer, {"code": {}, "environment": {}, "seeds": {}})
        writer.append("stopped", {"run_seconds": 2.0, "reason": "its cap"})
    code, _, err = run_auto(run.id, "--detach")
    assert code == 3
    assert "has spent $2.00 of its cap of $2.00" in err
    assert run_auto(run.id, "--cap-usd", "1")[0] == 2


def test_an_unknown_mode_of_wandb_is_refused_before_anything_starts(
    run_auto: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "ofline")
    tracked = config_from_template("quickstart", "tracked", {"tracking": {"wandb_project": "x"}})
    run = store.create_run(tracked, settings)
    code, _, err = run_auto(run.id, "--detach")
    assert (code, "WANDB_MODE is 'ofline'" in err) == (2, True)
    assert store.load_run(run.id, settings).state == "planned"


def test_resume_all_without_runs_to_resume(run_auto: Any, settings: Settings) -> None:
    ended(settings, "by_hand", "stopped")
    assert run_auto("--resume-all")[:2] == (0, "no run needs to be resumed\n")
    assert json.loads(run_auto("--resume-all", "--json")[1]) == {"resumed": [], "left": [], "failed": []}


@pytest.mark.real_data
@pytest.mark.slow
def test_the_plans_commands_verbatim(
    environment: Environment, discord: Discord, real_data_folder: Path, tmp_path: Path
) -> None:
    """The plan's section on its rented machine, but for cloning and two epochs in place of fifty."""
    checkout = tmp_path / "MovieLens-RecSys"
    shutil.copytree(ROOT / "experiments", checkout / "experiments")
    shutil.copy(ROOT / "auto_train_with_notification.py", checkout)
    script = r"""
        export DISCORD_WEBHOOK_URL="your_webhook_url"
        sed -i 's/TRAINING_SCRIPT = "train.py"/TRAINING_SCRIPT = "experiments\/run_experiment.py"/' auto_train_with_notification.py
        sed -i 's/PROJECT_NAME = "My ML Project"/PROJECT_NAME = "MovieLens RMSE Breakthrough"/' auto_train_with_notification.py
        python experiments/experiment_manager.py create hybrid_vae_optimized rmse_breakthrough --modifications '{"training": {"epochs": 2}}'
        python auto_train_with_notification.py rmse_breakthrough_TIMESTAMP
    """.replace("your_webhook_url", URL)  # noqa: E501
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", textwrap.dedent(script)],
        cwd=checkout,
        env={**environment, "PATH": path, "RECSYS_DATA_PATH": str(real_data_folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    titles = discord.titles()
    assert titles[0] == "Started"
    assert re.fullmatch(r"Completed, \d of \d targets met", titles[-1])
    fields = {field["name"].replace("\\", "") for field in discord.accepted[-1]["embeds"][-1]["fields"]}
    assert {"test_rmse", "val_loss", "target rmse < 0.55", "duration", "cost", "device"} <= fields
