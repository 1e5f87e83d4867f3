"""`recsys notify` as typed, against a server at Discord's address; and a run whose webhook stays a secret."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.notify.conftest import CONFIG, Log
from tests.notify.discord_server import TOKEN, URL, Discord, failing, limited

from movielens_recsys.cli.main import main
from movielens_recsys.cli.notify import notifications_for
from movielens_recsys.settings import load_settings

RUN = "demo_20261123_120000"
Type = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RECSYS_DATA", str(tmp_path / "data"))


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_WEBHOOK_URL", URL)


@pytest.fixture
def recsys(capsys: pytest.CaptureFixture[str]) -> Type:
    """Type a line; get exit code, standard output and standard error, which never show the secret."""

    def type_line(*words: str) -> tuple[int, str, str]:
        code = main(words)
        out, err = capsys.readouterr()
        assert TOKEN not in out + err
        return code, out, err

    return type_line


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """A run in the home that has begun and found its first best."""
    made = Log(tmp_path / "home" / "runs" / RUN, CONFIG)
    made.start()
    made.epoch(1)
    return made


def test_a_test_arrives(webhook: None, recsys: Type, discord: Discord) -> None:
    code, out, _ = recsys("notify", "test")
    assert code == 0
    assert re.fullmatch(r"Discord took the message in \d+\.\d s\n", out)
    assert discord.titles() == ["A test"]
    code, out, _ = recsys("notify", "test", "--json")
    assert json.loads(out)["delivered"] is True


def test_without_a_webhook_a_test_says_where_to_get_one(recsys: Type) -> None:
    code, _, err = recsys("notify", "test")
    assert code == 2
    assert "no webhook is set, so nobody will be told" in err
    assert "DISCORD_WEBHOOK_URL" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"https://example.org/api/webhooks/1/{TOKEN}", "not one of Discord's"),
        (f"http://discord.com/api/webhooks/1/{TOKEN}", "not one of Discord's"),
        (f"{TOKEN}", "not one of Discord's"),
    ],
)
@pytest.mark.parametrize("debug", [[], ["--debug"]], ids=["", "debug"])
def test_a_wrong_address_is_refused_and_not_shown(
    url: str, words: str, debug: list[str], recsys: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_WEBHOOK_URL", url)
    code, _, err = recsys("notify", "test", *debug)
    assert code == 2
    assert words in err


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (failing(404, {"message": "Unknown Webhook"}), "the webhook is gone (404: Unknown Webhook)"),
        (failing(401, {"message": f"no {URL}"}), "the webhook is gone (401: no https://discord.com"),
        (limited(60), "Discord is busy (429: You are being rate limited.)"),
    ],
)
def test_a_test_that_fails_says_why_in_one_line(
    act: object, words: str, webhook: None, recsys: Type, discord: Discord
) -> None:
    discord.always = act  # type: ignore[assignment]
    code, out, err = recsys("notify", "test")
    assert (code, out) == (1, "")
    assert words in err
    assert err.count("\n") == 1


def test_the_address_may_stand_in_a_file(
    recsys: Type, discord: Discord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "webhook").write_text(f"  {URL}\n")
    monkeypatch.setenv("DISCORD_WEBHOOK_FILE", str(tmp_path / "webhook"))
    assert recsys("notify", "test")[0] == 0
    assert discord.titles() == ["A test"]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("missing", "cannot read the file that DISCORD_WEBHOOK_FILE names (No such file or directory)"),
        ("empty", "the file that DISCORD_WEBHOOK_FILE names is empty"),
        ("binary", "cannot read the file that DISCORD_WEBHOOK_FILE names (it is not text)"),
        (URL, "expected a file that holds the webhook's address, not the address itself"),
        ("", "no webhook is set"),
    ],
)
def test_a_file_that_holds_no_address_is_refused(
    file: str, words: str, recsys: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("DISCORD_WEBHOOK_FILE", file)
    code, _, err = recsys("notify", "test")
    assert code == 2
    assert words in err


def test_what_waits_is_shown_and_then_delivered_once(
    webhook: None, recsys: Type, discord: Discord, log: Log
) -> None:
    code, out, _ = recsys("notify", "deliver", "demo", "--dry-run")
    assert code == 0
    assert out.splitlines()[0] == f"{RUN}: Started"
    assert f"{RUN}: New best: val_rmse 0.9312 at epoch 1" in out
    waiting = json.loads(recsys("notify", "deliver", RUN, "--dry-run", "--json")[1])["waiting"]
    assert [message["kind"] for message in waiting] == ["start", "best"]
    assert discord.asked == []

    assert recsys("notify", "deliver", RUN)[:2] == (0, f"messages delivered of {RUN}: 2\n")
    assert discord.titles() == ["Started", "New best: val_rmse 0.9312 at epoch 1"]
    assert json.loads(recsys("notify", "deliver", RUN, "--json")[1]) == {"id": RUN, "delivered": 0}
    assert recsys("notify", "deliver", RUN, "--dry-run")[1] == f"every message of {RUN} is delivered\n"


def test_delivering_nothing_known_or_to_nobody_is_refused(recsys: Type, log: Log) -> None:
    code, _, err = recsys("notify", "deliver", "dem")
    assert code == 2
    assert "no webhook is set" in err
    code, _, err = recsys("notify", "deliver", "other")
    assert code == 2
    assert "unknown experiment 'other'" in err


def typed(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type a line in a process of its own."""
    command = [sys.executable, "-m", "movielens_recsys", *words]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, check=True
    )


def test_a_run_tells_how_it_goes_and_leaves_the_address_nowhere(discord: Discord, tmp_path: Path) -> None:
    lines = ["user,item,rating,timestamp"]
    for user in range(1, 21):
        lines += [f"{user},{item},{1 + (user * item) % 5},{10**9 + item}" for item in range(1, 11)]
    (tmp_path / "small.csv").write_text("\n".join(lines) + "\n")
    data = json.dumps({"data": {"name": "mine", "path": str(tmp_path / "small.csv")}})
    created = typed("experiment", "create", "user_item_bias", "told", "-m", data, "--json")
    run_id = json.loads(created.stdout)["id"]
    done = typed("experiment", "run", run_id, "--debug", DISCORD_WEBHOOK_URL=URL)
    assert discord.titles() == ["Started", "Completed"]
    assert "nobody" not in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert {"events.jsonl", "report.html", "outbox.jsonl"} <= {path.name for path in files}
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []


def test_with_nothing_set_nothing_is_told(capsys: pytest.CaptureFixture[str], log: Log) -> None:
    with notifications_for(RUN, load_settings()):
        pass
    assert capsys.readouterr() == ("", "")
    assert not (log.folder / "outbox.jsonl").exists()


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("DISCORD_WEBHOOK_URL", TOKEN, "the webhook's address is not one of Discord's"),
        ("DISCORD_WEBHOOK_FILE", "missing", "cannot read the file that DISCORD_WEBHOOK_FILE names"),
    ],
)
def test_a_webhook_that_cannot_be_used_costs_a_warning(
    variable: str,
    value: str,
    words: str,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    with notifications_for(RUN, load_settings()):
        pass
    said = capsys.readouterr().err
    assert said.startswith(f"warning: nobody will be told: {words}")
    assert TOKEN not in said
