"""What every notification channel promises: one suite for all channels, each against its local server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr
from tests.notify.conftest import Time, time
from tests.notify.discord_server import URL, Discord, failing

from movielens_recsys.errors import ChannelClosedError, NotificationError
from movielens_recsys.notify.delivery import Channel, Wait
from movielens_recsys.notify.discord import DiscordChannel
from movielens_recsys.notify.messages import Kind, Message

__all__ = ["time"]


@dataclass
class ChannelCase:
    """A channel with a wait function, what its server received, and how a test breaks and repairs the server.

    ``open`` returns a channel; ``received`` the titles in order; ``fail`` makes every request fail for now,
    ``remove`` for ever.
    """

    open: Callable[[Wait], Channel]
    received: Callable[[], list[str]]
    fail: Callable[[], None]
    repair: Callable[[], None]
    remove: Callable[[], None]


def discord_case(discord: Discord, time: Time) -> ChannelCase:
    def reply_always(status: int | None, values: Any = None) -> Callable[[], None]:
        def set_reply() -> None:
            discord.always = None if status is None else failing(status, values)

        return set_reply

    return ChannelCase(
        open=lambda wait: DiscordChannel(SecretStr(URL), wait=wait, clock=time.clock),
        received=discord.titles,
        fail=reply_always(503),
        repair=reply_always(None),
        remove=reply_always(404, {"message": "Unknown Webhook", "code": 10015}),
    )


@pytest.fixture(params=["discord"])
def case(request: pytest.FixtureRequest, time: Time) -> ChannelCase:
    """Each implementation in turn."""
    return discord_case(request.getfixturevalue("discord"), time)


def messages(count: int) -> list[Message]:
    time = "2026-11-23T12:00:00+00:00"
    return [Message("demo", number, time, Kind.START, f"Number {number}") for number in range(1, count + 1)]


def test_messages_arrive_once_and_in_order(case: ChannelCase, time: Time) -> None:
    channel, pending = case.open(time.wait), messages(23)
    while pending:
        count = channel.send(pending)
        assert 1 <= count <= len(pending)
        pending = pending[count:]
    assert case.received() == [message.title for message in messages(23)]


def test_a_failing_server_is_retried_and_then_raises(case: ChannelCase, time: Time) -> None:
    channel = case.open(time.wait)
    case.fail()
    with pytest.raises(NotificationError) as caught:
        channel.send(messages(1))
    assert not isinstance(caught.value, ChannelClosedError)
    assert time.waits
    case.repair()
    assert channel.send(messages(1)) == 1
    assert case.received() == ["Number 1"]


def test_a_wait_that_returns_true_gives_up(case: ChannelCase) -> None:
    waits: list[float] = []

    def give_up(seconds: float) -> bool:
        waits.append(seconds)
        return True

    case.fail()
    with pytest.raises(NotificationError, match="stopped"):
        case.open(give_up).send(messages(1))
    assert len(waits) == 1


def test_a_removed_channel_is_closed_without_a_retry(case: ChannelCase, time: Time) -> None:
    case.remove()
    with pytest.raises(ChannelClosedError):
        case.open(time.wait).send(messages(3))
    assert time.waits == []
    assert case.received() == []
