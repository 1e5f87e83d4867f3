"""ML-100K from the RecBole wheel on a package index, if GroupLens fails."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from tests.data.conftest import U_DATA, Server, write_u_data, zip_of
from tests.data.sources.conftest import leftovers

from movielens_recsys.data.datasets import DATASETS, RECBOLE, WheelSource
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.sources.fetch import ensure_downloaded, fetch_from_file, find_folder, origin
from movielens_recsys.errors import SourceError
from movielens_recsys.settings import Settings

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + U_DATA


ITEM = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    "10\tMisérables, Les\t1995\tAction Comedy\n20\tunkonwn\tunkonwn\tunknown\n30\tKolya\t1997\tComedy\n"
)


USER = (
    "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n1\t24\tM\ttechnician\t85711\n"
)


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


def test_if_both_sources_fail_the_error_names_both(
    server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
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
