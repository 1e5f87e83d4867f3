import stat
import zipfile
from pathlib import Path

import pytest

from movielens_recsys.data.sources.archives import extract
from movielens_recsys.errors import SourceError

WANTED = {"ml/ratings.csv": "ratings.csv", "ml/movies.csv": "movies.csv"}


def pack(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def assert_refused(archive: Path, match: str, **options: int) -> None:
    destination = archive.parent / "out" / "ml"
    with pytest.raises(SourceError, match=match):
        extract(archive, destination, WANTED, required=frozenset({"ratings.csv"}), **options)
    assert list((archive.parent / "out").iterdir()) == []
    assert sorted(path.name for path in archive.parent.iterdir()) == sorted([archive.name, "out"])


def test_only_wanted_files_come_out(tmp_path: Path):
    archive = pack(
        tmp_path / "ml.zip",
        {"ml/ratings.csv": b"1", "ml/movies.csv": b"2", "ml/run.sh": b"rm", "__MACOSX/ml/._x": b"x"},
    )
    extract(archive, tmp_path / "out" / "ml", WANTED, required=frozenset({"ratings.csv"}))
    found = {path.name: path.read_bytes() for path in (tmp_path / "out" / "ml").iterdir()}
    assert found == {"ratings.csv": b"1", "movies.csv": b"2"}


@pytest.mark.parametrize(
    "name", ["../evil", "ml/../../evil", "/etc/evil", "C:/evil", "C:\\evil", "..\\evil", "\\\\host\\evil"]
)
def test_a_path_that_leaves_the_folder_refuses_the_whole_archive(tmp_path: Path, name: str):
    assert_refused(pack(tmp_path / "ml.zip", {"ml/ratings.csv": b"1", name: b"evil"}), "points outside")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_refuse_the_whole_archive(tmp_path: Path, kind: int):
    entry = zipfile.ZipInfo("ml/ratings.csv")
    entry.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "ml.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert_refused(tmp_path / "ml.zip", "is a link or a device")


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "ml.zip", "w") as archive:
        archive.writestr("ml/ratings.csv", "1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("ml/ratings.csv", "2")
    assert_refused(tmp_path / "ml.zip", "is there twice")


def test_a_bomb_is_stopped_by_its_ratio(tmp_path: Path):
    assert_refused(pack(tmp_path / "ml.zip", {"ml/ratings.csv": bytes(50_000_000)}), "unpacks to more than")


def test_a_large_file_is_stopped_by_its_size(tmp_path: Path):
    archive = pack(tmp_path / "ml.zip", {"ml/ratings.csv": bytes(range(256)) * 40})
    assert_refused(archive, "unpacks to more than 10,000 bytes", max_file_bytes=10_000)


def test_a_missing_file_is_named(tmp_path: Path):
    assert_refused(pack(tmp_path / "ml.zip", {"ml/movies.csv": b"1"}), "does not hold ratings.csv")


@pytest.mark.parametrize("length", [0, 10, 300])
def test_a_cut_archive_is_refused(tmp_path: Path, length: int):
    archive = pack(tmp_path / "ml.zip", {"ml/ratings.csv": bytes(range(256)) * 40})
    archive.write_bytes(archive.read_bytes()[:length])
    assert_refused(archive, "not a sound zip archive")


def test_a_flipped_byte_is_refused(tmp_path: Path):
    archive = pack(tmp_path / "ml.zip", {"ml/ratings.csv": bytes(range(256)) * 40})
    content = bytearray(archive.read_bytes())
    content[120] ^= 0xFF
    archive.write_bytes(content)
    assert_refused(archive, "not a sound zip archive")


def test_a_page_instead_of_an_archive_is_refused(tmp_path: Path):
    (tmp_path / "ml.zip").write_text("<html>please log in</html>")
    assert_refused(tmp_path / "ml.zip", "not a sound zip archive")
