"""Notifications of a run, with a webhook, without one and with an invalid one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import RUN
from tests.notify.conftest import Log
from tests.notify.discord_server import TOKEN, URL, Discord

from movielens_recsys.cli.notifications import notifications_for
from movielens_recsys.settings import load_settings

pytestmark = pytest.mark.usefixtures("own_home")


def run_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a separate process."""
    command = [sys.executable, "-m", "movielens_recsys", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, check=True
    )


@pytest.mark.usefixtures("with_store")
def test_a_run_sends_notifications_and_stores_the_address_nowhere(discord: Discord, tmp_path: Path) -> None:
    lines = ["user,item,rating,timestamp"]
    for user in range(1, 21):
        lines += [f"{user},{item},{1 + (user * item) % 5},{10**9 + item}" for item in range(1, 11)]
    (tmp_path / "small.csv").write_text("\n".join(lines) + "\n")
    data = json.dumps({"data": {"name": "mine", "path": str(tmp_path / "small.csv")}})
    created = run_command("experiment", "create", "user_item_bias", "notified", "-m", data, "--json")
    run_id = json.loads(created.stdout)["id"]
    done = run_command("experiment", "run", run_id, "--debug", DISCORD_WEBHOOK_URL=URL)
    assert discord.titles() == ["Started", "Completed"]
    assert "notifications" not in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert {"events.jsonl", "report.html", "outbox.jsonl"} <= {path.name for path in files}
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []


def test_without_a_webhook_nothing_is_sent(capsys: pytest.CaptureFixture[str], log: Log) -> None:
    with notifications_for(RUN, load_settings()):
        pass
    assert capsys.readouterr() == ("", "")
    assert not (log.folder / "outbox.jsonl").exists()


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("DISCORD_WEBHOOK_URL", TOKEN, "the webhook's address is not one of Discord's"),
        ("DISCORD_WEBHOOK_FILE", "missing", "cannot read the file that DISCORD_WEBHOOK_FILE names"),
    ],
)
def test_an_invalid_webhook_gives_a_warning(
    variable: str,
    value: str,
    message: str,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    with notifications_for(RUN, load_settings()):
        pass
    err = capsys.readouterr().err
    assert err.startswith(f"warning: no notifications: {message}")
    assert TOKEN not in err
