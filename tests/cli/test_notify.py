"""`recsys notify` against a server at Discord's address."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import RUN
from tests.notify.conftest import Log
from tests.notify.discord_server import TOKEN, URL, Discord, failing, limited, page

from movielens_recsys.cli.main import main

Recsys = Callable[..., tuple[int, str, str]]


pytestmark = pytest.mark.usefixtures("own_home")


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_WEBHOOK_URL", URL)


@pytest.fixture
def recsys(capsys: pytest.CaptureFixture[str]) -> Recsys:
    """Return a function that runs the command and returns exit code, output and errors, without secret."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capsys.readouterr()
        assert TOKEN not in out + err
        return code, out, err

    return run


def test_a_test_message_arrives(webhook: None, recsys: Recsys, discord: Discord) -> None:
    code, out, _ = recsys("notify", "test")
    assert code == 0
    assert re.fullmatch(r"Discord accepted the message in \d+\.\d s\n", out)
    assert discord.titles() == ["A test"]
    code, out, _ = recsys("notify", "test", "--json")
    assert json.loads(out)["delivered"] is True


def test_a_test_without_a_webhook_says_how_to_create_one(recsys: Recsys) -> None:
    code, _, err = recsys("notify", "test")
    assert code == 2
    assert "no webhook is set, so there are no notifications" in err
    assert "DISCORD_WEBHOOK_URL" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"https://example.org/api/webhooks/1/{TOKEN}", "not one of Discord's"),
        (f"http://discord.com/api/webhooks/1/{TOKEN}", "not one of Discord's"),
        (f"{TOKEN}", "not one of Discord's"),
    ],
)
@pytest.mark.parametrize("debug", [[], ["--debug"]], ids=["", "debug"])
def test_a_wrong_address_is_refused_and_not_shown(
    url: str, message: str, debug: list[str], recsys: Recsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_WEBHOOK_URL", url)
    code, _, err = recsys("notify", "test", *debug)
    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            failing(404, {"message": "Unknown Webhook", "code": 10015}),
            "the webhook is gone (404: Unknown Webhook)",
        ),
        (
            failing(401, {"message": f"no {URL}", "code": 50027}),
            "the webhook is gone (401: no https://discord.com",
        ),
        (page(403, "error code: 1010"), "the reply is not Discord's (403: 'error code: 1010')"),
        (limited(60), "Discord is busy (429: You are being rate limited.)"),
    ],
)
def test_a_failed_test_names_the_reason_in_one_line(
    act: object, message: str, webhook: None, recsys: Recsys, discord: Discord
) -> None:
    discord.always = act  # type: ignore[assignment]
    code, out, err = recsys("notify", "test")
    assert (code, out) == (1, "")
    assert message in err
    assert err.count("\n") == 1


def test_the_address_can_be_in_a_file(
    recsys: Recsys, discord: Discord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "webhook").write_text(f"  {URL}\n")
    monkeypatch.setenv("DISCORD_WEBHOOK_FILE", str(tmp_path / "webhook"))
    assert recsys("notify", "test")[0] == 0
    assert discord.titles() == ["A test"]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("missing", "cannot read the file that DISCORD_WEBHOOK_FILE names (No such file or directory)"),
        ("empty", "the file that DISCORD_WEBHOOK_FILE names is empty"),
        ("binary", "cannot read the file that DISCORD_WEBHOOK_FILE names (it is not text)"),
        (URL, "expected a file that holds the webhook's address, not the address itself"),
        ("", "no webhook is set"),
    ],
)
def test_a_file_without_an_address_is_refused(
    file: str, message: str, recsys: Recsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("DISCORD_WEBHOOK_FILE", file)
    code, _, err = recsys("notify", "test")
    assert code == 2
    assert message in err


def test_pending_messages_are_shown_and_then_delivered_once(
    webhook: None, recsys: Recsys, discord: Discord, log: Log
) -> None:
    code, out, _ = recsys("notify", "deliver", "demo", "--dry-run")
    assert code == 0
    assert out.splitlines()[0] == f"{RUN}: Started"
    assert f"{RUN}: New best: val_rmse 0.9312 at epoch 1" in out
    waiting = json.loads(recsys("notify", "deliver", RUN, "--dry-run", "--json")[1])["waiting"]
    assert [message["kind"] for message in waiting] == ["start", "best"]
    assert discord.requests == []

    assert recsys("notify", "deliver", RUN)[:2] == (0, f"messages delivered of {RUN}: 2\n")
    assert discord.titles() == ["Started", "New best: val_rmse 0.9312 at epoch 1"]
    assert json.loads(recsys("notify", "deliver", RUN, "--json")[1]) == {"id": RUN, "delivered": 0}
    assert recsys("notify", "deliver", RUN, "--dry-run")[1] == f"every message of {RUN} is delivered\n"


def test_an_unknown_run_or_a_missing_webhook_is_refused(recsys: Recsys, log: Log) -> None:
    code, _, err = recsys("notify", "deliver", "dem")
    assert code == 2
    assert "no webhook is set" in err
    code, _, err = recsys("notify", "deliver", "other")
    assert code == 2
    assert "unknown experiment 'other'" in err
