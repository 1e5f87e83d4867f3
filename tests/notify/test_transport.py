"""One request: its time limit, its proxy, its certificate, and an address that stays secret."""

from __future__ import annotations

import logging
import socket
import traceback

import pytest
from pydantic import SecretStr
from tests.notify.conftest import Time
from tests.notify.discord_server import (
    TOKEN,
    URL,
    WEBHOOK_ID,
    Act,
    Discord,
    Handler,
    break_off,
    drip,
    failing,
    limited,
    reset,
    silent,
)

from movielens_recsys.errors import NotificationError
from movielens_recsys.notify.discord import PATIENCE_S, DiscordChannel
from movielens_recsys.notify.messages import Kind, Message

ELSEWHERE = f"https://example.org/api/webhooks/{WEBHOOK_ID}/{TOKEN}"


def message(number: int = 1, title: str = "", text: str = "") -> Message:
    return Message("demo", number, "2026-11-23T12:00:00+00:00", Kind.START, title or f"Number {number}", text)


@pytest.mark.parametrize("act", [drip, silent], ids=["drip", "silent"])
def test_a_slow_request_is_aborted_and_retried(act: Act, discord: Discord, time: Time) -> None:
    channel = DiscordChannel(SecretStr(URL), request_s=0.2, wait=time.wait, clock=time.clock)
    discord.acts = [act]
    assert channel.send([message()]) == 1
    assert len(discord.requests) == 2
    assert discord.abandoned == (["drip"] if act is drip else [])


def test_an_accepted_message_is_not_sent_again_after_a_truncated_reply(
    channel: DiscordChannel, discord: Discord
) -> None:
    discord.acts = [break_off]
    assert channel.send([message()]) == 1
    assert len(discord.requests) == 1


def test_an_unreachable_server_is_named(
    channel: DiscordChannel, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    with pytest.raises(NotificationError, match=r"cannot be reached .*Connection refused"):
        channel.send([message()])
    assert 30 < time.now <= PATIENCE_S


def test_a_server_without_discords_certificate_receives_nothing(
    channel: DiscordChannel, discord: Discord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(NotificationError, match="CERTIFICATE_VERIFY_FAILED"):
        channel.send([message()])
    assert discord.connected
    assert discord.requests == []


def test_an_invalid_proxy_is_named(channel: DiscordChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "carrier-pigeon://loft")
    with pytest.raises(NotificationError, match="correct HTTPS_PROXY"):
        channel.send([message()])


def quoting(handler: Handler) -> None:
    """Fail, with the address wherever a reply can contain it."""
    text = f"no https://discord.com{handler.path} here, {TOKEN}"
    handler.reply(500, {"message": text}, Location=ELSEWHERE, X_Debug=TOKEN)


@pytest.mark.parametrize(
    "act",
    [
        Handler.accept,
        quoting,
        reset,
        limited(100),
        failing(307, {"message": URL}, Location=ELSEWHERE),
        failing(302, None, Location=f"https://{TOKEN}:{TOKEN}/"),
        failing(404, {"message": f"nothing at {URL}"}),
        failing(400, {"message": URL}),
    ],
    ids=["accepted", "quoting", "reset", "limited", "redirect", "nonsense redirect", "gone", "refused"],
)
def test_no_log_and_no_error_contains_the_address(
    act: Act, channel: DiscordChannel, discord: Discord, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpcore").setLevel(logging.DEBUG)
    discord.always = act
    shown: list[str] = []
    try:
        channel.send([message()])
    except NotificationError as exc:
        shown = [str(exc), *traceback.format_exception(exc)]
    assert bool(shown) is (act is not Handler.accept)
    logged = caplog.text
    assert "httpcore" in logged
    assert "HTTP Request: POST https://discord.com/" in logged or act is reset
    for secret in (TOKEN, WEBHOOK_ID):
        assert secret not in "".join(shown)
        assert secret not in logged
