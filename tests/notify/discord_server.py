"""A server that behaves as Discord's webhook API does, on good days and bad, at its own address.

It is reached as Discord is behind a company's proxy: HTTPS_PROXY names it, it takes `CONNECT discord.com:443`
and speaks TLS with a certificate for that name. What is tested is thus what runs, address check included.
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
    """What the server took, and what it does to the next requests; when that is used up, it takes them.

    ``left`` names the acts that the client did not wait for.
    """

    context: ssl.SSLContext
    acts: list[Act] = field(default_factory=list)
    always: Act | None = None
    taken: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def titles(self) -> list[str]:
        """Return the titles of all embeds taken, in order."""
        return [embed["title"].replace("\\", "") for body in self.taken for embed in body["embeds"]]


class Handler(http.server.BaseHTTPRequestHandler):
    """Takes CONNECT, then the requests inside it."""

    protocol_version = "HTTP/1.1"
    state: Discord

    def do_CONNECT(self) -> None:
        """Open the tunnel and be what is at its end."""
        self.state.connected.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.connection = self.request = self.state.context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)

    def do_POST(self) -> None:
        """Execute the webhook, or what a test prepared."""
        self.state.asked.append(self.path)
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        act = self.state.acts.pop(0) if self.state.acts else self.state.always or Handler.take
        act(self)

    def take(self) -> None:
        """Keep the message, if it is right and the webhook exists."""
        if self.path.split("?")[0] != f"/api/v10/webhooks/{WEBHOOK_ID}/{TOKEN}":
            self.answer(404, {"message": "Unknown Webhook", "code": 10015})
        elif fault := fault_of(self.body):
            self.answer(400, {"message": fault, "code": 50035})
        else:
            self.state.taken.append(self.body)
            kept = "wait=true" in self.path
            limits = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "4", "X-RateLimit-Reset-After": "2"}
            self.answer(200 if kept else 204, {"id": "1"} if kept else None, **limits)

    def answer(self, status: int, values: Any = None, **headers: str) -> None:
        """Answer with JSON."""
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
    """Serve on a free port, and write to ``authority`` whom a client must trust for it."""
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


def fault_of(body: dict[str, Any]) -> str:
    """Return what Discord would refuse about a message; empty if nothing."""
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
    """Answer 429, saying when to come again in the header, in the body or in both."""

    def act(handler: Handler) -> None:
        headers = {"Retry-After": f"{seconds:.0f}"} if header else {}
        if everywhere:
            headers["X-RateLimit-Global"] = "true"
        else:
            headers |= {"X-RateLimit-Scope": "user", "X-RateLimit-Bucket": "abcd"}
        values = {"message": "You are being rate limited.", "retry_after": seconds, "global": everywhere}
        handler.answer(429, values if body else None, **headers)

    return act


def failing(status: int, values: Any = None, **headers: str) -> Act:
    """Answer with a status."""
    return lambda handler: handler.answer(status, values, **headers)


def exhausted(seconds: str) -> Act:
    """Take the message, and say that it was the last before the limit."""

    def act(handler: Handler) -> None:
        handler.state.taken.append(handler.body)
        handler.answer(200, {"id": "1"}, X_RateLimit_Remaining="0", X_RateLimit_Reset_After=seconds)

    return act


def break_off(handler: Handler) -> None:
    """Take the message, and end the connection within the answer to it."""
    handler.close_connection = True
    handler.state.taken.append(handler.body)
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"id"')


def reset(handler: Handler) -> None:
    """Cut the connection hard."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def drip(handler: Handler) -> None:
    """Send headers forever, a byte at a time."""
    handler.close_connection = True
    ends = time.monotonic() + HANG_S
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while time.monotonic() < ends and not handler.state.released.wait(0.02):
        try:
            handler.wfile.write(b"x")
        except OSError:
            handler.state.left.append("drip")
            return


def silent(handler: Handler) -> None:
    """Say nothing at all."""
    handler.close_connection = True
    handler.state.released.wait(HANG_S)
