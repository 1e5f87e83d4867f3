"""`DiscordChannel`: sends messages to a Discord webhook, with retries and rate limits.

The address is a secret, with which anyone could write to the channel: no error and no log contains it.

Discord's rules: https://discord.com/developers/docs/resources/webhook#execute-webhook (limits of embeds:
resources/message#embed-object-embed-limits) and https://discord.com/developers/docs/topics/rate-limits.
"""

from __future__ import annotations

import json
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
from movielens_recsys.notify.discord_replies import (
    ContentRefusedError,
    TransientError,
    check_reply,
    requested_wait_s,
)
from movielens_recsys.notify.messages import Message
from movielens_recsys.notify.transport import post

HOSTS = frozenset(
    f"{kind}{host}" for kind in ("", "ptb.", "canary.") for host in ("discord.com", "discordapp.com")
)
PATIENCE_S = 60.0
MAX_WAIT_S = 3600.0
REQUEST_TIMEOUT_S = 15.0
_PATH = re.compile(r"/api(?:/v[0-9]{1,2})?(/webhooks/[0-9]{1,20}/[A-Za-z0-9_-]{1,200})/?")
_QUERY = re.compile(r"(?:thread_id=[0-9]{1,20})?")
_BACKOFF = wait_exponential_jitter(initial=1.0, max=60.0, jitter=1.0)


def check_address(url: SecretStr) -> SecretStr:
    """Return the address to post to: version 10 of the API, with a reply once the message is stored.

    ``discordapp.com``, the former name of ``discord.com``, is replaced.

    Raises
    ------
    UsageError
        It is not the https address of a webhook on one of Discord's own hosts. The error does not contain it.
    """
    try:
        parts = urlsplit(url.get_secret_value())
        path = _PATH.fullmatch(parts.path)
        host, secure = parts.netloc.lower(), parts.scheme == "https"
        if secure and host in HOSTS and path and _QUERY.fullmatch(parts.query) and not parts.fragment:
            query = "&".join(filter(None, ("wait=true", parts.query)))
            current_host = host.replace("discordapp.com", "discord.com")
            return SecretStr(f"https://{current_host}/api/v10{path[1]}?{query}")
    except ValueError:
        pass  # the error of urlsplit contains the address
    raise UsageError(
        "the webhook's address is not one of Discord's (it is a secret and not shown)",
        expected="https://discord.com/api/webhooks/NUMBER/TOKEN",
        next_step="copy it from the channel's settings: Integrations, Webhooks",
    )


class DiscordChannel:
    """Sends messages to one webhook, several in one request where they fit.

    Parameters
    ----------
    url
        The webhook's address, as Discord gives it.
    patience_s
        How long to retry in all while the server is busy, failing or unreachable.
    request_s
        Time limit of one request.
    wait, clock
        Waiting between attempts, and a monotonic clock in seconds; replaced in tests.

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
        request_s: float = REQUEST_TIMEOUT_S,
        wait: Wait | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = check_address(url)
        self._patience_s, self._request_s = patience_s, request_s
        self._wait = wait or threading.Event().wait
        self._clock = clock
        self._next_request = 0.0

    def send(self, messages: Sequence[Message]) -> int:
        """Deliver as many of the first messages as fit into one request, and return how many.

        Raises
        ------
        ChannelClosedError
            The webhook does not exist any more, or refuses even plain text.
        NotificationError
            Discord did not accept them in time, or something before Discord replied in its place.
        """
        body, count = payload(messages)
        try:
            self._deliver(body)
        except ContentRefusedError as refused:
            if count > 1:
                return self.send(messages[:1])
            try:
                self._deliver(plain_payload(messages[0]))
            except ContentRefusedError:
                raise ChannelClosedError(
                    f"Discord refuses every message ({refused})", next_step="create another webhook"
                ) from None
        return count

    def _deliver(self, body: Mapping[str, Any]) -> None:
        deadline = self._clock() + self._patience_s

        def out_of_patience(state: RetryCallState) -> bool:
            return self._clock() + state.upcoming_sleep > deadline

        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=lambda state: max(_BACKOFF(state), self._next_request - self._clock()),
            stop=out_of_patience,
            sleep=self._sleep,
            reraise=True,
        )
        retrying(self._attempt, json.dumps(body).encode())

    def _sleep(self, seconds: float) -> None:
        if self._wait(seconds):
            raise NotificationError("stopped before Discord could be reached again")

    def _attempt(self, content: bytes) -> None:
        wait_s = self._next_request - self._clock()
        if wait_s > self._patience_s:
            raise NotificationError(f"Discord asks to wait {wait_s:.0f} s", next_step="try again then")
        if wait_s > 0:
            self._sleep(wait_s)
        try:
            reply = post(self._url, content, self._request_s)
        except (httpx.HTTPError, OSError) as exc:
            reason = self._redact(f"{type(exc).__name__}: {exc}")
            raise TransientError(
                f"Discord cannot be reached ({reason})", next_step="try again later"
            ) from None
        self._next_request = self._clock() + min(requested_wait_s(reply), MAX_WAIT_S)
        check_reply(reply, self._redact)

    def _redact(self, text: str) -> str:
        """Return a text of another program, shortened and without the address."""
        for secret in urlsplit(self._url.get_secret_value()).path.split("/")[-2:]:
            text = text.replace(secret, "***")
        return shorten(text, 120)
