"""A server that behaves like Discord's webhook API and fails on request, at Discord's own address.

It is reached like Discord through a proxy: HTTPS_PROXY names it, it accepts `CONNECT discord.com:443` and
speaks TLS with a certificate for that name. The tests therefore run the production code, address check
included.
"""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

WEBHOOK_ID = "1234567890123456789"
TOKEN = "sEcReT-tOkEn_0123456789abcdef"
URL = f"https://discord.com/api/webhooks/{WEBHOOK_ID}/{TOKEN}"
EMBED_LIMITS = {"title": 256, "description": 4096}
HANG_S = 30.0

Act = Callable[["Handler"], None]


@dataclass
class Discord:
    """The accepted messages, and the replies to the next requests; by default the server accepts them.

    ``abandoned`` names the acts whose reply the client did not wait for.
    """

    context: ssl.SSLContext
    acts: list[Act] = field(default_factory=list)
    always: Act | None = None
    accepted: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def titles(self) -> list[str]:
        """Return the titles of all accepted embeds, in order."""
        return [embed["title"].replace("\\", "") for body in self.accepted for embed in body["embeds"]]


class Handler(http.server.BaseHTTPRequestHandler):
    """Accepts CONNECT, then the requests inside it."""

    protocol_version = "HTTP/1.1"
    state: Discord

    def do_CONNECT(self) -> None:
        """Open the tunnel and serve its end."""
        self.state.connected.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.connection = self.request = self.state.context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)

    def do_POST(self) -> None:
        """Execute the webhook, or what the test prepared."""
        self.state.requests.append(self.path)
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        act = self.state.acts.pop(0) if self.state.acts else self.state.always or Handler.accept
        act(self)

    def accept(self) -> None:
        """Accept the message if it is valid and the webhook exists."""
        if self.path.split("?")[0] != f"/api/v10/webhooks/{WEBHOOK_ID}/{TOKEN}":
            self.reply(404, {"message": "Unknown Webhook", "code": 10015})
        elif error := validation_error(self.body):
            self.reply(400, {"message": error, "code": 50035})
        else:
            self.state.accepted.append(self.body)
            waits = "wait=true" in self.path
            limits = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "4", "X-RateLimit-Reset-After": "2"}
            self.reply(200 if waits else 204, {"id": "1"} if waits else None, **limits)

    def reply(self, status: int, values: Any = None, **headers: str) -> None:
        """Reply with JSON."""
        content = b"" if values is None else json.dumps(values).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def finish(self) -> None:
        """Close what CONNECT opened."""
        super().finish()
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def serve(authority: Path) -> Iterator[tuple[Discord, int]]:
    """Serve on a free port, and write the certificate that a client must trust to ``authority``."""
    signer = trustme.CA()
    signer.cert_pem.write_to_path(authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    signer.issue_cert("discord.com").configure_cert(context)
    state = Discord(context)
    handler = type("ThisHandler", (Handler,), {"state": state})
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    listener.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state, listener.server_address[1]
    finally:
        state.released.set()
        listener.shutdown()
        listener.server_close()
        thread.join()


def validation_error(body: dict[str, Any]) -> str:
    """Return Discord's error for a message; empty if it is valid."""
    embeds = body.get("embeds", [])
    if not body.get("content") and not embeds:
        return "Cannot send an empty message"
    if len(body.get("content", "")) > 2000 or len(embeds) > 10:
        return "Must be 2000 or fewer in length."
    total = 0
    for embed in embeds:
        fields = embed.get("fields", [])
        texts = [(embed[name], limit) for name, limit in EMBED_LIMITS.items() if name in embed]
        texts += [(entry["name"], 256) for entry in fields] + [(entry["value"], 1024) for entry in fields]
        texts.append((embed["footer"]["text"], 2048))
        if len(fields) > 25 or any(not text.strip() or units(text) > limit for text, limit in texts):
            return "Invalid Form Body"
        total += sum(units(text) for text, _ in texts)
    return "Embed size exceeds maximum size of 6000" if total > 6000 else ""


def units(text: str) -> int:
    """Return the length in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def limited(seconds: float, *, everywhere: bool = False, body: bool = True, header: bool = True) -> Act:
    """Reply 429 with the time to wait in the header, in the body or in both."""

    def act(handler: Handler) -> None:
        headers = {"Retry-After": f"{seconds:.0f}"} if header else {}
        if everywhere:
            headers["X-RateLimit-Global"] = "true"
        else:
            headers |= {"X-RateLimit-Scope": "user", "X-RateLimit-Bucket": "abcd"}
        values = {"message": "You are being rate limited.", "retry_after": seconds, "global": everywhere}
        handler.reply(429, values if body else None, **headers)

    return act


def failing(status: int, values: Any = None, **headers: str) -> Act:
    """Reply with a status."""
    return lambda handler: handler.reply(status, values, **headers)


def page(status: int, text: str) -> Act:
    """Reply with a page, as a proxy or a guard in front of Discord does."""

    def act(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", str(len(text.encode())))
        handler.end_headers()
        handler.wfile.write(text.encode())

    return act


def exhausted(seconds: str) -> Act:
    """Accept the message as the last one before the rate limit."""

    def act(handler: Handler) -> None:
        handler.state.accepted.append(handler.body)
        handler.reply(200, {"id": "1"}, X_RateLimit_Remaining="0", X_RateLimit_Reset_After=seconds)

    return act


def break_off(handler: Handler) -> None:
    """Accept the message, and close the connection within the reply."""
    handler.close_connection = True
    handler.state.accepted.append(handler.body)
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"id"')


def reset(handler: Handler) -> None:
    """Reset the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def drip(handler: Handler) -> None:
    """Send headers forever, byte by byte."""
    handler.close_connection = True
    ends = time.monotonic() + HANG_S
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while time.monotonic() < ends and not handler.state.released.wait(0.02):
        try:
            handler.wfile.write(b"x")
        except OSError:
            handler.state.abandoned.append("drip")
            return


def silent(handler: Handler) -> None:
    """Never reply."""
    handler.close_connection = True
    handler.state.released.wait(HANG_S)
