"""One request to a secret address, within a time limit.

The transport below httpx puts the address into the request, so that log lines and errors of httpx, which
contain addresses, never contain this one. Log lines of httpcore that contain it are suppressed.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from pydantic import SecretStr

from movielens_recsys import __version__
from movielens_recsys.errors import NotificationError

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_MAX_BYTES = 2**16
_LOGGERS = ("connection", "http11", "http2", "proxy", "socks")


class HttpReply(NamedTuple):
    """A server's reply; ``complete`` says whether its body arrived whole."""

    status: int
    headers: httpx.Headers
    body: bytes
    complete: bool

    @property
    def values(self) -> Mapping[str, Any]:
        """The JSON object in the body; empty if it holds anything else."""
        try:
            values = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) else {}


def post(url: SecretStr, content: bytes, within_s: float) -> HttpReply:
    """Post JSON to the address and return the reply within ``within_s`` seconds; redirects are not followed.

    Raises
    ------
    httpx.HTTPError, OSError
        There was no reply; one whose body breaks off counts as a reply.
    NotificationError
        The proxy of the environment cannot be used.
    """
    address = urlsplit(url.get_secret_value())
    headers = {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"movielens-recsys/{__version__}",
    }
    with (
        _secret_not_logged(address.path.rpartition("/")[2]),
        httpx.Client(transport=_SecretAddress(url), timeout=_TIMEOUT) as client,
        _Deadline(within_s) as deadline,
        client.stream(
            "POST",
            f"https://{address.netloc}/",
            content=content,
            headers=headers,
            extensions={"trace": deadline.watch},
        ) as response,
    ):
        return HttpReply(response.status_code, response.headers, *_body(response))


def _body(response: httpx.Response) -> tuple[bytes, bool]:
    """Return the received part of the body, and whether it is all of it."""
    content = b""
    try:
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > _MAX_BYTES:
                return content, False
    except (httpx.HTTPError, OSError):
        return content, False
    return content, True


@contextmanager
def _secret_not_logged(secret: str) -> Iterator[None]:
    """Remove lines with the secret from httpcore's debug log, which shows the headers of replies."""

    def has_no_secret(record: logging.LogRecord) -> bool:
        return secret not in record.getMessage()

    loggers = [logging.getLogger(f"httpcore.{name}") for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(has_no_secret)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(has_no_secret)


class _SecretAddress(httpx.BaseTransport):
    """Sends every request to the secret address, whatever address the request has."""

    def __init__(self, url: SecretStr) -> None:
        self._url = url
        host = urlsplit(url.get_secret_value()).netloc
        proxies = {} if proxy_bypass(host) else getproxies()
        try:
            self._network = httpx.HTTPTransport(proxy=proxies.get("https") or proxies.get("all"))
        except (ValueError, ImportError, httpx.InvalidURL) as exc:
            raise NotificationError(
                "the environment's proxy for https cannot be used",
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
    """Ends a request after a total time, however slowly a server sends.

    The timeouts of httpx apply to each read separately. This one shuts the socket down, which ends any read.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._socket: socket.socket | None = None
        self._expired = False

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Remember the connection's socket; httpx's trace extension calls this."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self._expired:
                self._end()

    def _end(self) -> None:
        self._expired = True
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
