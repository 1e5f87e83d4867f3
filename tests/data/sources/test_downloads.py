"""Downloads: resumed after a cut, verified, bounded in tries, and never redirected elsewhere."""

from pathlib import Path

import pytest
from tests.data.conftest import U_DATA, Server
from tests.data.sources.conftest import leftovers

from movielens_recsys.data.sources.downloads import ResumableDownloader, fetch_text
from movielens_recsys.data.sources.fetch import ensure_downloaded, find_folder
from movielens_recsys.errors import SourceError
from movielens_recsys.settings import Settings


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (403, 1), (500, 3), (503, 3)])
def test_an_error_status_is_one_error_after_bounded_tries(
    server: Server, settings: Settings, status: int, requests: int
):
    server.content, server.status = b"x", status
    with pytest.raises(SourceError, match=f"{status}.*RECSYS_DATA_PATH"):
        ensure_downloaded("ml-100k", settings, info=server.info())
    assert len(server.requests) == requests
    assert leftovers(settings) == []


def test_a_cut_download_goes_on_from_where_it_stopped(server: Server, settings: Settings, ml_100k_zip: bytes):
    server.content, server.cuts = ml_100k_zip, [100]
    folder = ensure_downloaded("ml-100k", settings, info=server.info(), announce=lambda _: None)
    assert [range_header for _, range_header in server.requests] == [None, "bytes=100-"]
    assert (folder / "u.data").read_text() == U_DATA


def test_a_download_cut_too_often_is_resumed_by_the_next_command(
    server: Server, settings: Settings, ml_100k_zip: bytes
):
    server.content, server.cuts = ml_100k_zip, [100, 50, 25]
    with pytest.raises(SourceError, match="175 bytes are kept"):
        ensure_downloaded("ml-100k", settings, info=server.info())
    assert find_folder("ml-100k", settings) is None
    folder = ensure_downloaded("ml-100k", settings, info=server.info(), announce=lambda _: None)
    assert server.requests[-1][1] == "bytes=175-"
    assert (folder / "u.data").read_text() == U_DATA


def test_wrong_bytes_are_refused_and_not_kept(server: Server, settings: Settings, ml_100k_zip: bytes):
    server.content = ml_100k_zip
    with pytest.raises(SourceError, match="checksum differs"):
        ensure_downloaded("ml-100k", settings, info=server.info(md5="0" * 32))
    assert leftovers(settings) == []
    assert not list(settings.data.rglob("*.part"))


def test_a_file_of_another_size_is_refused_before_it_is_read(
    server: Server, settings: Settings, ml_100k_zip: bytes
):
    server.content = ml_100k_zip
    with pytest.raises(SourceError, match=r"offers .* bytes; expected 7"):
        ensure_downloaded("ml-100k", settings, info=server.info(archive_bytes=7))
    assert leftovers(settings) == []


@pytest.mark.parametrize("location", ["https://example.org/ml-100k.zip", "http://localhost/ml-100k.zip"])
def test_a_redirect_elsewhere_is_not_followed(server: Server, settings: Settings, location: str):
    server.content, server.location = b"x", location
    with pytest.raises(SourceError, match="redirects to"):
        ensure_downloaded("ml-100k", settings, info=server.info())
    assert len(server.requests) == 1


def test_a_redirect_in_a_circle_ends(server: Server, settings: Settings):
    server.content, server.location = b"x", "/again.zip"
    with pytest.raises(SourceError, match="without end"):
        ensure_downloaded("ml-100k", settings, info=server.info())


def test_a_server_without_a_trusted_certificate_is_refused(
    server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(SourceError, match="cannot reach localhost"):
        ensure_downloaded("ml-100k", settings, info=server.info())


def test_plain_http_is_refused(server: Server, settings: Settings):
    with pytest.raises(SourceError, match="not https"):
        ensure_downloaded("ml-100k", settings, info=server.info(url="http://localhost/ml-100k.zip"))


def test_an_unreachable_host_is_an_error_with_a_next_step(server: Server, settings: Settings):
    with pytest.raises(SourceError, match=r"cannot reach localhost .*RECSYS_DATA_PATH.*--from-file"):
        ensure_downloaded("ml-100k", settings, info=server.info(url="https://localhost:9/ml-100k.zip"))
    assert leftovers(settings) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HTTPS_PROXY", "pigeon://me:sEcReT@loft", "proxy cannot be used"),
        ("HTTPS_PROXY", "http://[::1", "proxy cannot be used"),
        ("SSL_CERT_FILE", "/no/such/file.pem", "certificates of the environment cannot be read"),
    ],
)
def test_a_proxy_and_certificates_that_cannot_be_used_are_named(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, value)
    for fetch in (lambda: ResumableDownloader(Path("part"))("https://example.org", "out", None),
                  lambda: fetch_text("https://example.org")):  # fmt: skip
        with pytest.raises(SourceError, match=words) as caught:
            fetch()
        assert "sEcReT" not in str(caught.value)
