"""Discord's webhooks: a form for messages, and sending them through good days and bad.

The address is a secret that anyone could write to the channel with. It goes into a request below httpx, in
the transport, so that httpx's log lines and errors, which name addresses, never hold it.

Discord's rules: https://discord.com/developers/docs/resources/webhook#execute-webhook (limits of embeds:
resources/message#embed-object-embed-limits) and https://discord.com/developers/docs/topics/rate-limits.
"""

from __future__ import annotations

import json
import math
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from pydantic import SecretStr
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from movielens_recsys import __version__
from movielens_recsys.errors import ChannelClosedError, NotificationError, UsageError
from movielens_recsys.notify.delivery import Wait
from movielens_recsys.notify.messages import Message
from movielens_recsys.notify.payloads import payload, plain_payload

HOSTS = frozenset(
    f"{kind}{host}" for kind in ("", "ptb.", "canary.") for host in ("discord.com", "discordapp.com")
)
PATIENCE_S = 60.0
MOST_PATIENCE_S = 3600.0
REQUEST_S = 15.0
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_MOST_BYTES = 2**16
_PATH = re.compile(r"/api(?:/v\d{1,2})?(/webhooks/\d{1,20}/[A-Za-z0-9_-]{1,200})/?")
_QUERY = re.compile(r"(?:thread_id=\d{1,20})?")
_BACKOFF = wait_exponential_jitter(initial=1.0, max=60.0, jitter=1.0)


def check_address(url: SecretStr) -> SecretStr:
    """Return the address to post to: version 10 of the API, and an answer only once the message is kept.

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
            return SecretStr(f"https://{host}/api/v10{path[1]}?{query}")
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
        wait: Wait | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = check_address(url)
        self._patience_s = patience_s
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
        retrying = Retrying(
            retry=retry_if_exception_type(_PassingError),
            wait=lambda state: max(_BACKOFF(state), self._not_before - self._clock()),
            stop=self._out_of_patience,
            sleep=self._sleep,
            reraise=True,
        )
        retrying(self._attempt, json.dumps(body).encode())

    def _out_of_patience(self, state: RetryCallState) -> bool:
        return state.idle_for + state.upcoming_sleep > self._patience_s

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
            status, headers, answer = self._post(content)
        except (httpx.HTTPError, OSError) as exc:
            raise _PassingError(
                f"Discord cannot be reached ({type(exc).__name__})", next_step="try again later"
            ) from exc
        self._hold(_pause(status, headers, answer))
        self._judge(status, answer)

    def _post(self, content: bytes) -> tuple[int, httpx.Headers, Any]:
        """Post, and return status, headers and what JSON the answer holds, within `REQUEST_S`."""
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"movielens-recsys/{__version__}",
        }
        with (
            httpx.Client(transport=_SecretAddress(self._url), timeout=_TIMEOUT) as client,
            _Deadline(REQUEST_S) as deadline,
            client.stream(
                "POST",
                f"https://{urlsplit(self._url.get_secret_value()).netloc}/",
                content=content,
                headers=headers,
                extensions={"trace": deadline.watch},
            ) as response,
        ):
            answer = b""
            for chunk in response.iter_raw():
                answer += chunk
                if len(answer) > _MOST_BYTES:
                    break
            return response.status_code, response.headers, _json(answer)

    def _hold(self, seconds: float) -> None:
        self._not_before = self._clock() + min(seconds, MOST_PATIENCE_S)

    def _judge(self, status: int, answer: Any) -> None:
        """Return for a message that was taken, and raise what an answer means otherwise."""
        if status in {200, 204}:
            return
        said = self._said(status, answer)
        if status in {408, 429} or status >= 500:
            raise _PassingError(f"Discord is busy ({said})", next_step="try again later")
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

    def _said(self, status: int, answer: Any) -> str:
        """Return the status and Discord's own words for it, without the address in case they quote it."""
        words = answer.get("message") if isinstance(answer, dict) else None
        if not isinstance(words, str):
            return str(status)
        for secret in urlsplit(self._url.get_secret_value()).path.split("/")[-2:]:
            words = words.replace(secret, "***")
        return f"{status}: {words[:100]}"


class _PassingError(NotificationError):
    """It did not work now; trying again may help."""


class _RefusedContentError(Exception):
    """Discord does not like what a message says."""


class _SecretAddress(httpx.BaseTransport):
    """Sends every request to the secret address, whatever address it carries."""

    def __init__(self, url: SecretStr) -> None:
        self._url = url
        host = urlsplit(url.get_secret_value()).netloc
        proxies = {} if proxy_bypass(host) else getproxies()
        try:
            self._network = httpx.HTTPTransport(proxy=proxies.get("https") or proxies.get("all"))
        except (ValueError, ImportError) as exc:
            raise NotificationError(
                "the proxy that the environment names for https cannot be used",
                next_step="correct HTTPS_PROXY",
            ) from exc

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it."""
        return self._network.handle_request(
            httpx.Request(
                request.method,
                self._url.get_secret_value(),
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        )

    def close(self) -> None:
        """Close the connections."""
        self._network.close()


class _Deadline:
    """Ends a request after so many seconds in all, however slowly a server drips.

    httpx's timeouts are for each read alone. This one shuts the socket down, which ends any read.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._socket: socket.socket | None = None

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Note the connection's socket; httpx's trace extension calls this."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")

    def _end(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def _pause(status: int, headers: httpx.Headers, answer: Any) -> float:
    """Return how many seconds the answer asks to wait before the next request.

    Several places may say it; the longest counts. Without a refusal, only an exhausted limit asks.
    """
    said = [headers.get("Retry-After"), answer.get("retry_after") if isinstance(answer, dict) else None]
    if status == 429 or headers.get("X-RateLimit-Remaining") == "0":
        said.append(headers.get("X-RateLimit-Reset-After"))
    return max((_seconds(value) for value in said), default=0.0)


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
