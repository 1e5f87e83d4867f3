"""What a reply to a message means, and whether it is Discord's own.

A proxy, a captive portal or Cloudflare may reply in Discord's place, with any status. Only what Discord
itself says decides for good, and Discord says it as JSON with one of its codes:
https://discord.com/developers/docs/topics/opcodes-and-status-codes#json. A retry may resolve any other reply.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from movielens_recsys.errors import ChannelClosedError, NotificationError, shorten
from movielens_recsys.notify.transport import HttpReply

UNAUTHORIZED = 0
"""The code of "401: Unauthorized"; with another status it is that of any malformed request."""
CLOUDFLARE = 40333
"""The code of Cloudflare in front of Discord, which blocks the network that the request came from."""
GONE = frozenset({10003, 10004, 10015, 50027})
"""Discord's codes of an unknown channel, server or webhook, and of an invalid token of a webhook."""
BUSY = frozenset({408, 429, *range(500, 600)})
"""Statuses of a server that may accept the message later; any server may say that."""
_WORDS = 80
_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^<>]*>", re.DOTALL | re.IGNORECASE)


class TransientError(NotificationError):
    """A failure that a retry may resolve."""


class ContentRefusedError(Exception):
    """Discord refuses the content of a message."""


def check_reply(reply: HttpReply, redact: Callable[[str], str]) -> None:
    """Return if Discord has accepted the message.

    Parameters
    ----------
    redact
        Removes the webhook's address from a text of another program.

    Raises
    ------
    ChannelClosedError
        Discord says that the webhook does not exist.
    ContentRefusedError
        Discord refuses the content of the message.
    TransientError
        Discord is busy, or the reply is not Discord's.
    """
    if _accepts(reply):
        return
    status, text = reply.status, reply.values.get("message")
    if status in BUSY and (isinstance(text, str) or not reply.body):
        reason = redact(f"{status}: {text}") if text else f"{status}"
        raise TransientError(f"Discord is busy ({reason})", next_step="try again later")
    if status in BUSY or not _is_discords_error(reply):
        raise TransientError(
            f"the reply is not Discord's ({redact(f'{status}: {_first_words(reply)}')})",
            next_step="check the network's proxy and its sign-in page, then try again",
        )
    reason = redact(f"{status}: {text}")
    if _is_gone(status, reply.values["code"]):
        raise ChannelClosedError(
            f"the webhook is gone ({reason})",
            next_step="create a new one in the channel's settings and set DISCORD_WEBHOOK_URL to it",
        )
    if status in {401, 403, 404}:
        raise TransientError(f"Discord refuses for now ({reason})", next_step="try again later")
    raise ContentRefusedError(reason)


def _accepts(reply: HttpReply) -> bool:
    """Whether Discord has stored the message.

    With ``wait=true`` it sends the stored message back, of which a broken connection may leave the beginning;
    without, it sends nothing, and only the headers of its rate limit show that the reply is its own.
    """
    if not 200 <= reply.status < 300:
        return False
    if not reply.body:
        return any(name.startswith("x-ratelimit-") for name in reply.headers)
    return "id" in reply.values or (not reply.complete and reply.body.lstrip().startswith(b"{"))


def _is_discords_error(reply: HttpReply) -> bool:
    """Whether the reply is an error with one of Discord's own codes."""
    text, code = reply.values.get("message"), reply.values.get("code")
    own_code = isinstance(code, int) and not isinstance(code, bool) and code != CLOUDFLARE
    return 400 <= reply.status < 500 and isinstance(text, str) and own_code


def _is_gone(status: int, code: Any) -> bool:
    return (status in {401, 403, 404} and code in GONE) or (status == 401 and code == UNAUTHORIZED)


def _first_words(reply: HttpReply) -> str:
    """Return the beginning of a page as a quoted text without its markup."""
    if 300 <= reply.status < 400:
        return "a redirect, and none is followed"
    text = reply.body.decode("utf-8", errors="replace")
    words = " ".join(_MARKUP.sub(" ", text).split()) or " ".join(text.split())
    return repr(shorten(words, _WORDS)) if words else "no content"


def requested_wait_s(reply: HttpReply) -> float:
    """Return how many seconds to wait before the next request, as the reply requests.

    Several headers and the body may say it; the longest counts. A successful reply requests it only when the
    limit is exhausted.
    """
    headers = reply.headers
    waits = [headers.get("Retry-After"), reply.values.get("retry_after")]
    if reply.status == 429 or headers.get("X-RateLimit-Remaining") == "0":
        waits.append(headers.get("X-RateLimit-Reset-After"))
    return max(_seconds(value) for value in waits)


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
