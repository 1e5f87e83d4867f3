"""Replies that are Discord's own, and those of what stands before it, over a real connection."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from tests.notify.conftest import Time
from tests.notify.discord_server import TOKEN, URL, WEBHOOK_ID, Act, Discord, Handler, failing, page

from movielens_recsys.errors import ChannelClosedError, NotificationError
from movielens_recsys.notify.discord import DiscordChannel
from movielens_recsys.notify.messages import Kind, Message

MESSAGE = Message("demo", 1, "2026-11-23T12:00:00+00:00", Kind.START, "Started")
GONE = {
    "unknown webhook": (404, "Unknown Webhook", 10015),
    "unknown channel": (404, "Unknown Channel", 10003),
    "invalid token": (401, "Invalid Webhook Token", 50027),
    "unauthorized": (401, "401: Unauthorized", 0),
}
FOREIGN: dict[str, tuple[Act, str]] = {
    "guard, plain": (page(403, "error code: 1010"), "403: 'error code: 1010'"),
    "guard, page": (page(403, "<html><title>Just a moment...</title></html>"), "Just a moment"),
    "guard, JSON": (failing(403, {"message": "internal network error", "code": 40333}), "internal network"),
    "other JSON": (failing(403, {"error": "forbidden"}), "forbidden"),
    "no code": (failing(404, {"message": "Not Found"}), "Not Found"),
    "code as text": (failing(404, {"message": "no", "code": "10015"}), "10015"),
    "list": (failing(401, [10015]), "10015"),
    "proxy's sign-in": (page(401, "<html>sign in to the proxy</html>"), "'sign in to the proxy'"),
    "proxy, 407": (page(407, "authenticate first"), "authenticate first"),
    "missing page": (page(404, "<html>not found</html>"), "not found"),
    "filter, 400": (page(400, "<h1>Blocked by policy</h1>"), "Blocked by policy"),
    "filter, 451": (page(451, ""), "451: no content"),
    "gateway": (page(502, "<html><body>Bad gateway</body></html>"), "Bad gateway"),
    "captive portal": (
        page(200, "<html><script>go()</script>Welcome to the hotel</html>"),
        "'Welcome to the",
    ),
    "empty portal": (failing(204), "204: no content"),
    "portal's JSON": (failing(200, {"status": "ok"}), "status"),
    "redirect": (failing(302, None, Location="https://portal.example.org/"), "none is followed"),
    "only markup": (page(403, "<html></html>"), "<html></html>"),
    "control characters": (page(403, "a\x1b[31m\x07b\u202e"), r"'a\\x1b[31m\\x07b\\u202e'"),
}


@pytest.mark.parametrize(("status", "text", "code"), GONE.values(), ids=GONE)
def test_what_discord_itself_says_closes_the_channel(
    status: int, text: str, code: int, channel: DiscordChannel, discord: Discord
) -> None:
    discord.always = failing(status, {"message": text, "code": code})
    with pytest.raises(ChannelClosedError, match=f"gone.*{status}: {text}"):
        channel.send([MESSAGE])
    assert len(discord.requests) == 1


@pytest.mark.parametrize(("act", "words"), FOREIGN.values(), ids=FOREIGN)
def test_what_another_says_is_retried_and_named(act: Act, words: str, discord: Discord, time: Time) -> None:
    channel = DiscordChannel(SecretStr(URL), patience_s=5.0, wait=time.wait, clock=time.clock)
    discord.always = act
    with pytest.raises(NotificationError, match="not Discord's") as caught:
        channel.send([MESSAGE])
    assert not isinstance(caught.value, ChannelClosedError)
    assert words.replace(r"\\", "\\") in str(caught.value)
    assert len(discord.requests) >= 2
    assert time.now <= 5.0
    discord.always = None
    assert channel.send([MESSAGE]) == 1


def test_a_message_waits_while_discord_refuses_access(channel: DiscordChannel, discord: Discord) -> None:
    discord.acts = [failing(403, {"message": "Missing Access", "code": 50001})]
    assert channel.send([MESSAGE]) == 1
    assert len(discord.requests) == 2


def test_a_page_that_quotes_the_address_does_not_reveal_it(channel: DiscordChannel, discord: Discord) -> None:
    def quoting(handler: Handler) -> None:
        page(403, f"<p>blocked: https://discord.com{handler.path}</p>")(handler)

    discord.always = quoting
    with pytest.raises(NotificationError, match=r"blocked: https://discord\.com") as caught:
        channel.send([MESSAGE])
    assert TOKEN not in str(caught.value)
    assert WEBHOOK_ID not in str(caught.value)
