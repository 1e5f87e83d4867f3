"""One request to an address that is a secret, within a time.

The address goes into the request below httpx, in the transport, so that httpx's log lines and errors, which
name addresses, never hold it. What httpcore logs of an answer that quotes it is left out of the log.
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
_MOST_BYTES = 2**16
_LOGGERS = ("connection", "http11", "http2", "proxy", "socks")


class HttpReply(NamedTuple):
    """A server's answer; ``values`` is the JSON in it, or None."""

    status: int
    headers: httpx.Headers
    values: Any


def post(url: SecretStr, content: bytes, within_s: float) -> HttpReply:
    """Post JSON to the address and return the answer, within so many seconds; no redirect is followed.

    Raises
    ------
    httpx.HTTPError, OSError
        No answer came; an answer whose body breaks off is one.
    NotificationError
        The environment names a proxy that cannot be used.
    """
    address = urlsplit(url.get_secret_value())
    headers = {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"movielens-recsys/{__version__}",
    }
    with (
        _unlogged(address.path.rpartition("/")[2]),
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
        return HttpReply(response.status_code, response.headers, _json(_body(response)))


def _body(response: httpx.Response) -> bytes:
    """Return what comes of the body; status and headers, which say enough, are there already."""
    content = b""
    with suppress(httpx.HTTPError, OSError):
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > _MOST_BYTES:
                break
    return content


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


@contextmanager
def _unlogged(secret: str) -> Iterator[None]:
    """Keep lines that hold the secret out of httpcore's debug log, which shows the headers of answers."""

    def is_discreet(record: logging.LogRecord) -> bool:
        return secret not in record.getMessage()

    loggers = [logging.getLogger(f"httpcore.{name}") for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(is_discreet)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(is_discreet)


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
        self._over = False

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Note the connection's socket; httpx's trace extension calls this."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self._over:
                self._end()

    def _end(self) -> None:
        self._over = True
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
