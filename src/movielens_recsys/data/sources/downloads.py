"""Download of one file over https: verified, resumed after a cut, and with a bounded number of tries."""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pooch
from tqdm import tqdm

from movielens_recsys.errors import SourceError

TRIES = 3
MAX_BYTES = 2 * 2**30
_REDIRECTS = 3
_PAUSE_S = 0.5
_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_OFFLINE = (
    "put the unpacked folder on RECSYS_DATA_PATH, or give the downloaded archive with "
    "`recsys data fetch NAME --from-file ARCHIVE`"
)


class _CutOffError(Exception):
    """The server stopped, or is too busy, before the file was complete; trying again may help."""


def download(
    url: str, target: Path, *, known_hash: str | None, size: int | None = None, progress: bool = False
) -> None:
    """Fetch ``url`` into ``target``, which appears only once it is complete and verified.

    A cut download leaves ``<target>.part``, and the next call requests only the rest.

    Parameters
    ----------
    url
        An https address; redirects are followed only on the same host.
    target
        The file to make.
    known_hash
        ``"md5:..."`` or ``"sha256:..."``; None accepts any content.
    size
        The size that the file must have, in bytes, where it is known.
    progress
        Draw a progress bar on standard error.

    Raises
    ------
    SourceError
        No connection, another reply than the file, three cuts in a row, or content with another checksum.
    """
    if urlsplit(url).scheme != "https":
        raise SourceError(f"the address {url} is not https", expected="an address that starts with https://")
    pooch.get_logger().setLevel(logging.WARNING)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    fetcher = ResumableDownloader(part, size=size, progress=progress, trusted_rest=known_hash is not None)
    try:
        pooch.retrieve(url, known_hash=known_hash, fname=target.name, path=target.parent, downloader=fetcher)
    except ValueError as exc:
        raise SourceError(
            f"{url} sent other bytes than the published file: the checksum differs",
            expected=f"{known_hash}",
            next_step=f"try again later; if it stays, {_OFFLINE}",
        ) from exc


def fetch_text(url: str, max_bytes: int = 4096) -> str | None:
    """Return a small text file, or None where the server does not have it or cannot be reached."""
    try:
        with _client() as client, client.stream("GET", url) as response:
            if response.status_code != 200:
                return None
            return response.read()[:max_bytes].decode("ascii", errors="replace")
    except httpx.HTTPError:
        return None


def _client() -> httpx.Client:
    """Return a client that uses the proxy and the certificates of the environment.

    Raises
    ------
    SourceError
        They cannot be used. The error does not contain the proxy's address, which may have a password.
    """
    try:
        return httpx.Client(timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"})
    except OSError as exc:
        raise SourceError(
            f"the certificates of the environment cannot be read ({exc.strerror or exc})",
            next_step="correct SSL_CERT_FILE and SSL_CERT_DIR, or unset them",
        ) from exc
    except (ValueError, ImportError, httpx.InvalidURL) as exc:
        raise SourceError(
            "the environment's proxy cannot be used",
            expected="an address such as http://HOST:PORT",
            next_step="correct HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or unset them",
        ) from exc


def parse_md5(text: str) -> str | None:
    """Read the checksum from GroupLens' ``.md5`` files.

    >>> parse_md5("MD5 (ml-20m.zip) = cd245b17a1ae2cc31bb14903e1204af3")
    'cd245b17a1ae2cc31bb14903e1204af3'
    """
    found = re.search(r"\b[0-9a-fA-F]{32}\b", text)
    return found.group().lower() if found else None


@dataclass
class ResumableDownloader:
    """A pooch downloader that keeps what it got in ``part`` and asks only for the rest next time.

    ``trusted_rest`` says that the caller verifies the whole file, so that a server which gives no
    validator (ETag, Last-Modified) may still continue a file.
    """

    part: Path
    size: int | None = None
    progress: bool = False
    trusted_rest: bool = False

    def __call__(self, url: str, output_file: str, pooch_object: object, check_only: bool = False) -> None:
        """Fetch ``url`` and move the complete file to ``output_file``, as pooch asks its downloaders to."""
        for attempt in range(1, TRIES + 1):
            try:
                with _client() as client:
                    self._attempt(client, url)
                break
            except (_CutOffError, httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError) as exc:
                if attempt == TRIES:
                    raise SourceError(
                        f"{url} broke off in {TRIES} tries ({_reason(exc)}); {self._held():,} bytes are kept",
                        next_step=f"run the command again to go on from there, or {_OFFLINE}",
                    ) from exc
                time.sleep(_PAUSE_S * attempt)
            except httpx.HTTPError as exc:
                host = urlsplit(url).hostname
                raise SourceError(f"cannot reach {host} ({_reason(exc)})", next_step=_OFFLINE) from exc
        self.part.replace(output_file)
        self._validator.unlink(missing_ok=True)

    @property
    def _validator(self) -> Path:
        return self.part.with_name(f"{self.part.name}.etag")

    def _held(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def _resume_headers(self) -> dict[str, str]:
        held = self._held()
        validator = self._validator.read_text() if self._validator.is_file() else ""
        if held == 0 or not (validator or self.trusted_rest):
            self.part.unlink(missing_ok=True)
            return {}
        headers = {"Range": f"bytes={held}-"}
        return {**headers, "If-Range": validator} if validator else headers

    def _attempt(self, client: httpx.Client, url: str) -> None:
        first = url
        for _ in range(_REDIRECTS + 1):
            with client.stream("GET", url, headers=self._resume_headers()) as response:
                if not response.is_redirect:
                    self._receive(response, first)
                    return
                url = urljoin(url, response.headers.get("location", ""))
            if (urlsplit(url).scheme, urlsplit(url).netloc) != ("https", urlsplit(first).netloc):
                raise SourceError(
                    f"{first} redirects to {url[:100]}", expected="the file itself", next_step=_OFFLINE
                )
        raise SourceError(f"{first} redirects without end", expected="the file itself", next_step=_OFFLINE)

    def _receive(self, response: httpx.Response, url: str) -> None:
        status = response.status_code
        if status == 416:
            self.part.unlink()
            raise _CutOffError("the kept part does not fit the server's file")
        if status >= 500 or status == 429:
            raise _CutOffError(f"the server answered {status}")
        if status not in {200, 206}:
            raise SourceError(f"{url} answered {status}", expected="the file (200)", next_step=_OFFLINE)
        offset = self._held() if status == 206 else 0
        if offset and not response.headers.get("content-range", "").startswith(f"bytes {offset}-"):
            self.part.unlink()
            raise _CutOffError("the server continued at another offset than requested")
        total = offset + int(response.headers.get("content-length", 0)) or None
        self._check_size(url, total)
        validator = response.headers.get("etag") or response.headers.get("last-modified", "")
        self._validator.write_text(validator)
        with (
            self.part.open("ab" if offset else "wb") as out,
            tqdm(
                total=total,
                initial=offset,
                unit="B",
                unit_scale=True,
                desc=self.part.name.removesuffix(".part"),
                disable=not self.progress,
            ) as bar,
        ):
            received = offset
            for chunk in response.iter_bytes():
                received += len(chunk)
                if received > MAX_BYTES:
                    self._check_size(url, received)
                out.write(chunk)
                bar.update(len(chunk))

    def _check_size(self, url: str, total: int | None) -> None:
        if total is not None and (total > MAX_BYTES or (self.size is not None and total != self.size)):
            self.part.unlink(missing_ok=True)
            raise SourceError(
                f"{url} offers {total:,} bytes",
                expected=f"{self.size:,}" if self.size else f"at most {MAX_BYTES:,}",
                next_step=f"try again later; if it stays, {_OFFLINE}",
            )


def _reason(exc: BaseException) -> str:
    return " ".join(str(exc).split())[:160] or type(exc).__name__
