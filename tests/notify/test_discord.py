"""Sending to a server that behaves like Discord and fails on request, on a simulated clock."""

from __future__ import annotations

import traceback

import pytest
from pydantic import SecretStr
from tests.notify.conftest import Time
from tests.notify.discord_server import (
    TOKEN,
    WEBHOOK_ID,
    Act,
    Discord,
    exhausted,
    failing,
    limited,
    reset,
)

from movielens_recsys.errors import ChannelClosedError, NotificationError, UsageError
from movielens_recsys.notify.discord import PATIENCE_S, DiscordChannel, check_address
from movielens_recsys.notify.messages import Kind, Message

UNKNOWN = {"message": "Unknown Webhook", "code": 10015}
ELSEWHERE = f"https://example.org/api/webhooks/{WEBHOOK_ID}/{TOKEN}"


def message(number: int = 1, title: str = "", text: str = "") -> Message:
    return Message("demo", number, "2026-11-23T12:00:00+00:00", Kind.START, title or f"Number {number}", text)


def messages(count: int) -> list[Message]:
    return [message(number) for number in range(1, count + 1)]


def send_all(channel: DiscordChannel, pending: list[Message]) -> None:
    while pending:
        pending = pending[channel.send(pending) :]


def test_messages_are_sent_in_as_few_requests_as_fit(
    channel: DiscordChannel, discord: Discord, time: Time
) -> None:
    send_all(channel, messages(23))
    assert [len(body["embeds"]) for body in discord.accepted] == [10, 10, 3]
    assert discord.requests == [f"/api/v10/webhooks/{WEBHOOK_ID}/{TOKEN}?wait=true"] * 3
    assert set(discord.connected) == {"discord.com:443"}
    assert time.waits == []


def test_a_reply_without_content_is_a_success(channel: DiscordChannel, discord: Discord) -> None:
    discord.acts = [failing(204, X_RateLimit_Remaining="4")]
    assert channel.send([message()]) == 1
    assert len(discord.requests) == 1


@pytest.mark.parametrize(
    "act",
    [
        limited(7),
        limited(7, body=False),
        limited(7, header=False),
        limited(7, everywhere=True),
        failing(429, {"retry_after": 2}, X_RateLimit_Reset_After="7"),
        failing(429, {"retry_after": "7"}, Retry_After="1"),
        failing(503, None, Retry_After="7"),
    ],
    ids=["both", "header", "body", "global", "reset-after", "text", "503"],
)
def test_a_rate_limit_is_waited_for(act: Act, channel: DiscordChannel, discord: Discord, time: Time) -> None:
    discord.acts = [act]
    assert channel.send([message()]) == 1
    assert 7 <= time.now < 8
    assert (len(discord.requests), len(discord.accepted)) == (2, 1)


def test_a_fraction_of_a_second_is_not_truncated(
    channel: DiscordChannel, discord: Discord, time: Time
) -> None:
    discord.acts = [limited(5.63)]
    channel.send([message()])
    assert time.now >= 5.63


def test_consecutive_rate_limits_are_each_waited_for(
    channel: DiscordChannel, discord: Discord, time: Time
) -> None:
    discord.acts = [limited(9, everywhere=True), limited(8, header=False), limited(11, body=False)]
    channel.send([message()])
    assert len(time.waits) == 3
    assert all(wait >= requested for wait, requested in zip(time.waits, (9, 8, 11), strict=True))
    assert len(discord.accepted) == 1


def test_an_exhausted_limit_delays_the_next_request(
    channel: DiscordChannel, discord: Discord, time: Time
) -> None:
    discord.acts = [exhausted("4")]
    channel.send([message(1)])
    assert time.now == 0
    channel.send([message(2)])
    assert time.now == 4


@pytest.mark.parametrize("value", ["soon", "-5", "nan", "inf", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_an_invalid_wait_time_is_treated_like_a_failure(
    value: str, channel: DiscordChannel, discord: Discord, time: Time
) -> None:
    discord.acts = [failing(429, {"retry_after": value, "message": 7}, Retry_After=value)]
    channel.send([message()])
    assert 1 <= time.now <= 2


def test_a_rate_limit_beyond_the_patience_is_not_waited_for(
    channel: DiscordChannel, discord: Discord, time: Time
) -> None:
    discord.acts = [limited(300)]
    with pytest.raises(NotificationError, match=r"429: You are being rate limited\."):
        channel.send([message()])
    with pytest.raises(NotificationError, match="asks to wait 300 s"):
        channel.send([message()])
    assert len(discord.requests) == 1
    time.now += 300
    assert channel.send([message()]) == 1


@pytest.mark.parametrize(
    "act",
    [failing(500), failing(502, "<html>"), failing(503, {"message": "busy"}), failing(408), reset],
    ids=["500", "502", "503", "408", "reset"],
)
def test_transient_failures_are_retried_with_growing_waits(
    act: Act, channel: DiscordChannel, discord: Discord, time: Time
) -> None:
    discord.acts = [act] * 4
    assert channel.send([message()]) == 1
    assert len(discord.requests) == 5
    assert all(base <= wait <= base + 1 for base, wait in zip((1, 2, 4, 8), time.waits, strict=True))


def test_retries_end_with_the_patience(channel: DiscordChannel, discord: Discord, time: Time) -> None:
    discord.always = failing(503, {"message": "no"})
    with pytest.raises(NotificationError, match="503: no"):
        channel.send([message()])
    assert time.now <= PATIENCE_S


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_deleted_webhook_gets_one_request(status: int, channel: DiscordChannel, discord: Discord) -> None:
    discord.always = failing(status, UNKNOWN)
    with pytest.raises(ChannelClosedError, match=f"gone.*{status}: Unknown Webhook.*create a new one"):
        channel.send(messages(3))
    assert len(discord.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, channel: DiscordChannel, discord: Discord) -> None:
    discord.always = failing(status, None, Location=ELSEWHERE)
    with pytest.raises(NotificationError, match="none is followed") as caught:
        channel.send([message()])
    assert not isinstance(caught.value, ChannelClosedError)
    assert set(discord.connected) == {"discord.com:443"}


def test_a_refused_message_is_sent_alone_and_then_as_plain_text(
    channel: DiscordChannel, discord: Discord
) -> None:
    refusal = {"message": "Invalid Form Body", "code": 50035}
    discord.acts = [failing(400, refusal), failing(400, refusal)]
    assert channel.send(messages(3)) == 1
    assert discord.accepted[0]["content"] == "demo: Number 1"
    assert "embeds" not in discord.accepted[0]
    assert channel.send(messages(3)[1:]) == 2


def test_a_webhook_that_refuses_everything_closes_the_channel(
    channel: DiscordChannel, discord: Discord
) -> None:
    discord.always = failing(400, {"message": "Invalid Form Body", "code": 50035})
    with pytest.raises(ChannelClosedError, match="refuses every message"):
        channel.send(messages(2))
    assert len(discord.requests) == 3


def test_no_user_is_pinged(channel: DiscordChannel, discord: Discord) -> None:
    channel.send([message(title="@everyone @here <@&1>", text="@everyone")])
    assert discord.accepted[0]["allowed_mentions"] == {"parse": []}
    assert "@everyone" not in str(discord.accepted[0]).replace("\\\\@", "")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not an address",
        "http://discord.com/api/webhooks/1/sEcReT",
        "https://discord.com.evil.org/api/webhooks/1/sEcReT",
        "https://evil.org/discord.com/api/webhooks/1/sEcReT",
        "https://discord.com@evil.org/api/webhooks/1/sEcReT",
        "https://me:sEcReT@discord.com/api/webhooks/1/sEcReT",
        "https://discord.com:8443/api/webhooks/1/sEcReT",
        "https://127.0.0.1/api/webhooks/1/sEcReT",
        "https://[::1/api/webhooks/1/sEcReT",
        "https://discord.com/api/webhooks/1/../../users/@me",
        "https://discord.com/api/webhooks/1/sEcReT/messages/2",
        "https://discord.com/api/webhooks/١/sEcReT",
        "https://discord.com/api/webhooks/1/sEcReT?redirect=https://evil.org",
        "https://discord.com/api/webhooks/1/sEcReT#fragment",
        "https://discord.com/api/webhooks/1/sEcReT%0d%0aX: y",
        "https://dıscord.com/api/webhooks/1/sEcReT",
        "//discord.com/api/webhooks/1/sEcReT",
    ],
)
def test_another_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(UsageError, match="not one of Discord's") as caught:
        DiscordChannel(SecretStr(url))
    assert "sEcReT" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://discord.com/api/webhooks/1/ab", "https://discord.com/api/v10/webhooks/1/ab?wait=true"),
        ("https://DISCORD.com/api/v9/webhooks/1/ab/", "https://discord.com/api/v10/webhooks/1/ab?wait=true"),
        ("https://discordapp.com/api/webhooks/1/ab", "https://discord.com/api/v10/webhooks/1/ab?wait=true"),
        (
            "https://ptb.discord.com/api/webhooks/1/ab?thread_id=5",
            "https://ptb.discord.com/api/v10/webhooks/1/ab?wait=true&thread_id=5",
        ),
    ],
)
def test_discords_addresses_are_normalised(address: str, expected: str) -> None:
    assert check_address(SecretStr(address)).get_secret_value() == expected
