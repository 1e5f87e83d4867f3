"""Official data sets: fetched once, found where they are, verified."""

import hashlib
import os
from pathlib import Path

import pytest
from tests.data.conftest import U_DATA, Server, write_u_data

from movielens_recsys.data.sources.fetch import (
    ensure_downloaded,
    fetch_from_file,
    fetched_folder,
    find_folder,
    origin,
)
from movielens_recsys.errors import SourceError, UnknownNameError
from movielens_recsys.settings import Settings


def test_a_good_download_is_unpacked_and_its_terms_are_shown_once(
    server: Server, settings: Settings, ml_100k_zip: bytes
):
    server.content = ml_100k_zip
    said: list[str] = []
    folder = ensure_downloaded("ml-100k", settings, info=server.info(), announce=said.append)
    again = ensure_downloaded("ml-100k", settings, info=server.info(), announce=said.append)
    assert folder == again == fetched_folder("ml-100k", settings)
    assert (folder / "u.data").read_text() == U_DATA
    assert len(server.requests) == 1
    assert len(said) == 1
    assert "no commercial use" in said[0]
    assert "Harper" in said[0]
    came = origin("ml-100k", settings)
    assert came is not None
    assert came.source == f"{server.url}/ml-100k.zip"
    assert not list((settings.data / "archives").iterdir())


def test_an_archive_that_changes_is_verified_by_its_checksum_file(
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


def test_a_folder_on_the_path_comes_before_the_fetched_copy(settings: Settings, tmp_path: Path):
    fetched = write_u_data(fetched_folder("ml-100k", settings))
    assert ensure_downloaded("ml-100k", settings) == fetched
    empty, first = tmp_path / "empty", tmp_path / "first"
    empty.mkdir()
    here = write_u_data(first / "ml-100k")
    path = os.pathsep.join([str(empty), str(first)])
    assert ensure_downloaded("ml-100k", Settings(data=settings.data, data_path=path)) == here


def test_a_downloaded_archive_is_verified_and_used(
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
