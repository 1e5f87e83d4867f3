"""Discord's webhooks: a form for messages, and sending them through good days and bad.

The address is a secret that anyone could write to the channel with: no error and no log holds it.

Discord's rules: https://discord.com/developers/docs/resources/webhook#execute-webhook (limits of embeds:
resources/message#embed-object-embed-limits) and https://discord.com/developers/docs/topics/rate-limits.
"""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from movielens_recsys.errors import ChannelClosedError, NotificationError, UsageError, shorten
from movielens_recsys.notify.delivery import Wait
from movielens_recsys.notify.discord_payloads import payload, plain_payload
from movielens_recsys.notify.messages import Message
from movielens_recsys.notify.transport import HttpReply, post

HOSTS = frozenset(
    f"{kind}{host}" for kind in ("", "ptb.", "canary.") for host in ("discord.com", "discordapp.com")
)
PATIENCE_S = 60.0
MOST_PATIENCE_S = 3600.0
REQUEST_S = 15.0
_PATH = re.compile(r"/api(?:/v[0-9]{1,2})?(/webhooks/[0-9]{1,20}/[A-Za-z0-9_-]{1,200})/?")
_QUERY = re.compile(r"(?:thread_id=[0-9]{1,20})?")
_BACKOFF = wait_exponential_jitter(initial=1.0, max=60.0, jitter=1.0)


def check_address(url: SecretStr) -> SecretStr:
    """Return the address to post to: version 10 of the API, and an answer only once the message is kept.

    ``discordapp.com`` is the old name of ``discord.com``, which is used in its place.

    Raises
    ------
    UsageError
        It is not the https address of a webhook on one of Discord's own hosts. The error does not quote it.
    """
    try:
        parts = urlsplit(url.get_secret_value())
        path = _PATH.fullmatch(parts.path)
        host, secure = parts.netloc.lower(), parts.scheme == "https"
        if secure and host in HOSTS and path and _QUERY.fullmatch(parts.query) and not parts.fragment:
            query = "&".join(filter(None, ("wait=true", parts.query)))
            today = host.replace("discordapp.com", "discord.com")
            return SecretStr(f"https://{today}/api/v10{path[1]}?{query}")
    except ValueError:
        pass  # urlsplit quotes what it refuses
    raise UsageError(
        "the webhook's address is not one of Discord's (it is a secret and not shown)",
        expected="https://discord.com/api/webhooks/NUMBER/TOKEN",
        next_step="copy it from the channel's settings: Integrations, Webhooks",
    )


class DiscordChannel:
    """Sends messages to one webhook, several as one where they fit.

    Parameters
    ----------
    url
        The webhook's address, as Discord gives it.
    patience_s
        How long to wait altogether for a server that is busy, broken or away.
    request_s
        How long one request may take.
    wait, clock
        Time itself: waiting between tries, and seconds that only grow.

    Raises
    ------
    UsageError
        The address is not a webhook of Discord's.
    """

    def __init__(
        self,
        url: SecretStr,
        *,
        patience_s: float = PATIENCE_S,
        request_s: float = REQUEST_S,
        wait: Wait | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = check_address(url)
        self._patience_s, self._request_s = patience_s, request_s
        self._wait = wait or threading.Event().wait
        self._clock = clock
        self._not_before = 0.0

    def send(self, messages: Sequence[Message]) -> int:
        """Deliver as many of the first messages as fit into one request, and return how many.

        Raises
        ------
        ChannelClosedError
            The webhook is gone, or refuses even a plain line.
        NotificationError
            Discord did not take them within the patience.
        """
        body, count = payload(messages)
        try:
            self._deliver(body)
        except _RefusedContentError as refused:
            if count > 1:
                return self.send(messages[:1])
            try:
                self._deliver(plain_payload(messages[0]))
            except _RefusedContentError:
                raise ChannelClosedError(
                    f"Discord refuses every message ({refused})", next_step="make another webhook"
                ) from None
        return count

    def _deliver(self, body: Mapping[str, Any]) -> None:
        deadline = self._clock() + self._patience_s

        def out_of_patience(state: RetryCallState) -> bool:
            return self._clock() + state.upcoming_sleep > deadline

        retrying = Retrying(
            retry=retry_if_exception_type(_TransientError),
            wait=lambda state: max(_BACKOFF(state), self._not_before - self._clock()),
            stop=out_of_patience,
            sleep=self._sleep,
            reraise=True,
        )
        retrying(self._attempt, json.dumps(body).encode())

    def _sleep(self, seconds: float) -> None:
        if self._wait(seconds):
            raise NotificationError("told to stop before Discord could be reached again")

    def _attempt(self, content: bytes) -> None:
        rest = self._not_before - self._clock()
        if rest > self._patience_s:
            raise NotificationError(f"Discord asks to wait {rest:.0f} s", next_step="try again then")
        if rest > 0:
            self._sleep(rest)
        try:
            answer = post(self._url, content, self._request_s)
        except (httpx.HTTPError, OSError) as exc:
            what = self._redact(f"{type(exc).__name__}: {exc}")
            raise _TransientError(
                f"Discord cannot be reached ({what})", next_step="try again later"
            ) from None
        self._not_before = self._clock() + min(_pause(answer), MOST_PATIENCE_S)
        self._judge(answer)

    def _judge(self, answer: HttpReply) -> None:
        """Return for a message that was taken, and raise what an answer means otherwise."""
        status, words = answer.status, _get(answer.values, "message")
        said = self._redact(f"{status}: {words}") if isinstance(words, str) else f"{status}"
        if 200 <= status < 300:
            return
        if status in {408, 429} or status >= 500:
            raise _TransientError(f"Discord is busy ({said})", next_step="try again later")
        if status in {401, 403, 404}:
            raise ChannelClosedError(
                f"the webhook is gone ({said})",
                next_step="make a new one in the channel's settings and set DISCORD_WEBHOOK_URL to it",
            )
        if 300 <= status < 400:
            raise ChannelClosedError(
                f"a redirect came back ({said}), and none is followed: something stands before Discord",
                next_step="check the network's proxy",
            )
        raise _RefusedContentError(said)

    def _redact(self, words: str) -> str:
        """Return another's words, shortened, and without the address in case they quote it."""
        for secret in urlsplit(self._url.get_secret_value()).path.split("/")[-2:]:
            words = words.replace(secret, "***")
        return shorten(words, 120)


class _TransientError(NotificationError):
    """It did not work now; trying again may help."""


class _RefusedContentError(Exception):
    """Discord does not like what a message says."""


def _pause(answer: HttpReply) -> float:
    """Return how many seconds the answer asks to wait before the next request.

    Several places may say it; the longest counts. Without a refusal, only an exhausted limit asks.
    """
    headers = answer.headers
    said = [headers.get("Retry-After"), _get(answer.values, "retry_after")]
    if answer.status == 429 or headers.get("X-RateLimit-Remaining") == "0":
        said.append(headers.get("X-RateLimit-Reset-After"))
    return max(_seconds(value) for value in said)


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def _get(values: Any, key: str) -> Any:
    return values.get(key) if isinstance(values, dict) else None
