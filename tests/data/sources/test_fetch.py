import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.data.conftest import U_DATA, Server, write_u_data, zip_of

from movielens_recsys.data.datasets import DATASETS, RECBOLE, WheelSource
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.sources.fetch import (
    ensure_downloaded,
    fetch_from_file,
    fetched_folder,
    find_folder,
    origin,
)
from movielens_recsys.errors import SourceError, UnknownNameError
from movielens_recsys.settings import Settings

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + U_DATA
ITEM = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    "10\tMisérables, Les\t1995\tAction Comedy\n20\tunkonwn\tunkonwn\tunknown\n30\tKolya\t1997\tComedy\n"
)
USER = (
    "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n1\t24\tM\ttechnician\t85711\n"
)


def leftovers(settings: Settings) -> list[str]:
    """Files under RECSYS_DATA other than locks and parts of downloads."""
    return [
        str(path.relative_to(settings.data))
        for path in settings.data.rglob("*")
        if path.is_file() and not path.name.endswith((".lock", ".part", ".etag"))
    ]


def wheel(folder: Path) -> Path:
    """Build a wheel that looks like RecBole's, with four ratings."""
    folder.mkdir()
    info = "recbole-1.2.1.dist-info"
    members = dict(zip(RECBOLE.members, (INTER, ITEM, USER), strict=True))
    files = {
        **members,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: recbole\nVersion: 1.2.1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "".join(f"{name},,\n" for name in (*members, f"{info}/METADATA", f"{info}/WHEEL")),
    }
    path = folder / "recbole-1.2.1-py3-none-any.whl"
    path.write_bytes(zip_of({name: text.encode() for name, text in files.items()}))
    return path


def wheel_source(path: Path) -> WheelSource:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return WheelSource("recbole==1.2.1", digest, RECBOLE.members)


def test_a_good_download_is_unpacked_and_its_terms_are_shown_once(
    server: Server, settings: Settings, ml_100k_zip: bytes
):
    server.content = ml_100k_zip
    said: list[str] = []
    folder = ensure_downloaded("ml-100k", settings, info=server.info(), announce=said.append)
    again = ensure_downloaded("ml-100k", settings, info=server.info(), announce=said.append)
    assert folder == again == fetched_folder("ml-100k", settings)
    assert (folder / "u.data").read_text() == U_DATA
    assert len(server.asked) == 1
    assert len(said) == 1
    assert "no commercial use" in said[0]
    assert "Harper" in said[0]
    came = origin("ml-100k", settings)
    assert came is not None
    assert came.source == f"{server.url}/ml-100k.zip"
    assert not list((settings.data / "archives").iterdir())


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (403, 1), (500, 3), (503, 3)])
def test_an_error_answer_is_one_clear_error_after_bounded_tries(
    server: Server, settings: Settings, status: int, requests: int
):
    server.content, server.status = b"x", status
    with pytest.raises(SourceError, match=f"{status}.*RECSYS_DATA_PATH"):
        ensure_downloaded("ml-100k", settings, info=server.info())
    assert len(server.asked) == requests
    assert leftovers(settings) == []


def test_a_cut_download_goes_on_from_where_it_stopped(server: Server, settings: Settings, ml_100k_zip: bytes):
    server.content, server.cuts = ml_100k_zip, [100]
    folder = ensure_downloaded("ml-100k", settings, info=server.info(), announce=lambda _: None)
    assert [asked for _, asked in server.asked] == [None, "bytes=100-"]
    assert (folder / "u.data").read_text() == U_DATA


def test_a_download_cut_too_often_is_resumed_by_the_next_command(
    server: Server, settings: Settings, ml_100k_zip: bytes
):
    server.content, server.cuts = ml_100k_zip, [100, 50, 25]
    with pytest.raises(SourceError, match="175 bytes are kept"):
        ensure_downloaded("ml-100k", settings, info=server.info())
    assert find_folder("ml-100k", settings) is None
    folder = ensure_downloaded("ml-100k", settings, info=server.info(), announce=lambda _: None)
    assert server.asked[-1][1] == "bytes=175-"
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


def test_the_checksum_file_beside_an_archive_that_changes_is_obeyed(
    server: Server, settings: Settings, ml_100k_zip: bytes
):
    server.content, server.md5_file = ml_100k_zip, "MD5 (ml-100k.zip) = " + "0" * 32
    with pytest.raises(SourceError, match="checksum differs"):
        ensure_downloaded("ml-100k", settings, info=server.info(md5=None, archive_bytes=None))
    server.md5_file = f"MD5 (ml-100k.zip) = {hashlib.md5(ml_100k_zip).hexdigest()}"
    ensure_downloaded(
        "ml-100k", settings, info=server.info(md5=None, archive_bytes=None), announce=lambda _: None
    )
    assert find_folder("ml-100k", settings) is not None


@pytest.mark.parametrize("location", ["https://example.org/ml-100k.zip", "http://localhost/ml-100k.zip"])
def test_a_redirect_elsewhere_is_not_followed(server: Server, settings: Settings, location: str):
    server.content, server.location = b"x", location
    with pytest.raises(SourceError, match="redirects to"):
        ensure_downloaded("ml-100k", settings, info=server.info())
    assert len(server.asked) == 1


def test_a_redirect_in_a_circle_ends(server: Server, settings: Settings):
    server.content, server.location = b"x", "/again.zip"
    with pytest.raises(SourceError, match="without end"):
        ensure_downloaded("ml-100k", settings, info=server.info())


def test_a_server_that_nobody_vouches_for_is_refused(
    server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(SourceError, match="cannot reach localhost"):
        ensure_downloaded("ml-100k", settings, info=server.info())


def test_plain_http_is_refused(server: Server, settings: Settings):
    with pytest.raises(SourceError, match="not https"):
        ensure_downloaded("ml-100k", settings, info=server.info(url="http://localhost/ml-100k.zip"))


def test_an_unreachable_host_says_what_to_do(server: Server, settings: Settings):
    with pytest.raises(SourceError, match=r"cannot reach localhost .*RECSYS_DATA_PATH.*--from-file"):
        ensure_downloaded("ml-100k", settings, info=server.info(url="https://localhost:9/ml-100k.zip"))
    assert leftovers(settings) == []


def test_a_folder_on_the_path_comes_before_the_fetched_copy(settings: Settings, tmp_path: Path):
    fetched = write_u_data(fetched_folder("ml-100k", settings))
    assert ensure_downloaded("ml-100k", settings) == fetched
    empty, first = tmp_path / "empty", tmp_path / "first"
    empty.mkdir()
    here = write_u_data(first / "ml-100k")
    path = os.pathsep.join([str(empty), str(first)])
    assert ensure_downloaded("ml-100k", Settings(data=settings.data, data_path=path)) == here


def test_where_grouplens_fails_the_wheel_gives_the_same_rows(
    server: Server, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    packed = wheel(tmp_path / "wheels")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packed.parent))
    server.status = 404
    info = server.info(wheel=wheel_source(packed))
    by_wheel = load_ratings("ml-100k", settings, datasets={"ml-100k": info}, announce=lambda _: None)
    came = origin("ml-100k", settings)
    assert came is not None
    assert came.source == "recbole==1.2.1"
    by_file = load_ratings(write_u_data(tmp_path / "ml-100k"), settings)
    assert by_wheel.content_hash == by_file.content_hash
    assert by_wheel.titles([0, 1, 2]) == ["Misérables, Les (1995)", "unknown", "Kolya (1997)"]


def test_both_roads_closed_names_both(server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    server.status = 404
    with pytest.raises(SourceError, match=r"answered 404.*pip could not download recbole==1.2.1"):
        ensure_downloaded("ml-100k", settings, info=server.info(wheel=RECBOLE))
    assert leftovers(settings) == []


def test_another_wheel_than_the_published_one_is_refused(settings: Settings, tmp_path: Path):
    with pytest.raises(SourceError, match="SHA-256"):
        fetch_from_file("ml-100k", wheel(tmp_path / "wheels"), settings)
    assert find_folder("ml-100k", settings) is None


def test_an_archive_that_the_user_has_is_verified_and_used(
    server: Server, settings: Settings, tmp_path: Path, ml_100k_zip: bytes
):
    archive = tmp_path / "downloaded.zip"
    archive.write_bytes(ml_100k_zip)
    with pytest.raises(SourceError, match="MD5"):
        fetch_from_file("ml-100k", archive, settings)
    server.content = ml_100k_zip
    folder = fetch_from_file("ml-100k", archive, settings, info=server.info(), announce=lambda _: None)
    assert (folder / "u.item").is_file()
    with pytest.raises(SourceError, match="is already at"):
        fetch_from_file("ml-100k", archive, settings, info=server.info())
    with pytest.raises(SourceError, match="no file"):
        fetch_from_file("ml-1m", tmp_path / "missing.zip", settings)


def test_an_unknown_name_is_refused_with_the_nearest(settings: Settings):
    with pytest.raises(UnknownNameError, match="did you mean 'ml-100k'"):
        ensure_downloaded("ml-100", settings)


@pytest.mark.real_data
def test_the_published_wheel_and_the_official_file_hold_the_same_triples(
    settings: Settings, real_data_folder: Path, tmp_path: Path
):
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(tmp_path / "wheel")]
    done = subprocess.run([*command, RECBOLE.requirement], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("pip cannot download recbole here")
    published = next((tmp_path / "wheel").glob("*.whl"))
    fetch_from_file("ml-100k", published, settings, announce=lambda _: None)
    by_wheel = load_ratings("ml-100k", settings, fetch=False)
    by_file = load_ratings(real_data_folder / "ml-100k", settings)
    assert by_wheel.content_hash == by_file.content_hash
    assert len(by_wheel) == DATASETS["ml-100k"].n_ratings
