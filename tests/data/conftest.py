"""Small data sets in every official layout, and an https server with faults to switch on."""

from __future__ import annotations

import hashlib
import http.server
import io
import ssl
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import trustme

from movielens_recsys.data.datasets import DATASETS, DatasetInfo

ROWS = [(1, 10, 5, 874965758), (1, 20, 3, 876893171), (7, 10, 4, 878542960), (3, 30, 1, 876893119)]
U_DATA = "".join(f"{user}\t{item}\t{rating}\t{time}\n" for user, item, rating, time in ROWS)
U_ITEM = (
    "10|Misérables, Les (1995)|01-Jan-1995||http://example.org|0|1|1\n"
    "20|unknown||||1|0|0\n"
    "30|Kolya (1996)|24-Jan-1997||http://example.org|0|0|1\n"
)
RATING_CSV = "user,item,rating,timestamp\n5,50,4,10\n3,40,2,20\n5,40,3,30\n"


@pytest.fixture
def rating_file(tmp_path: Path) -> Path:
    """A user's CSV file with three ratings."""
    path = tmp_path / "own.csv"
    path.write_text(RATING_CSV)
    return path


def write_u_data(folder: Path) -> Path:
    """Write a folder in ML-100K's layout, latin-1 titles included."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "u.data").write_text(U_DATA)
    (folder / "u.item").write_text(U_ITEM, encoding="latin-1")
    (folder / "u.genre").write_text("unknown|0\nAction|1\nComedy|2\n\n")
    (folder / "u.user").write_text("1|24|M|technician|85711\n3|53|F|other|T8H1N\n7|23|M|writer|32067\n")
    return folder


def zip_of(files: dict[str, bytes]) -> bytes:
    """Pack files into a zip archive in memory."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.fixture
def ml_100k_zip(tmp_path: Path) -> bytes:
    """An archive like GroupLens' ml-100k.zip, with four ratings."""
    folder = write_u_data(tmp_path / "packed" / "ml-100k")
    return zip_of({f"ml-100k/{path.name}": path.read_bytes() for path in folder.iterdir()})


@dataclass
class Server:
    """How the server replies next, and the requests it received."""

    url: str
    content: bytes = b""
    status: int = 200
    cuts: list[int] = field(default_factory=list)
    location: str = ""
    md5_file: str | None = None
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    def info(self, **changes: object) -> DatasetInfo:
        """Return the details of an ml-100k on this server, without another source."""
        values = {
            "url": f"{self.url}/ml-100k.zip",
            "archive_bytes": len(self.content),
            "md5": hashlib.md5(self.content).hexdigest(),
            "wheel": None,
            **changes,
        }
        return replace(DATASETS["ml-100k"], **values)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setattr("movielens_recsys.data.sources.downloads._PAUSE_S", 0.01)
    state = Server(url="")
    listener = http.server.ThreadingHTTPServer(("localhost", 0), _handler(state))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    listener.socket = context.wrap_socket(listener.socket, server_side=True)
    state.url = f"https://localhost:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield state
    listener.shutdown()
    listener.server_close()
    thread.join()


def _handler(state: Server) -> Callable[..., http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append((self.path, self.headers.get("Range")))
            if self.path.endswith(".md5"):
                self._send(200 if state.md5_file else 404, (state.md5_file or "").encode())
            elif state.location:
                self._send(302, b"", Location=state.location)
            elif state.status != 200:
                self._send(state.status, b"trouble")
            else:
                self._send_file()

        def _send_file(self) -> None:
            wanted = self.headers.get("Range")
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
            total = len(state.content)
            place = {"Content-Range": f"bytes {start}-{total - 1}/{total}"} if wanted else {}
            self._send(206 if wanted else 200, state.content[start:], ETag='"one"', **place)

        def _send(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body[: state.cuts.pop(0)] if state.cuts and body else body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
