import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.data.conftest import write_u_data

from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.sources.cache import Fingerprints, RatingsCache
from movielens_recsys.settings import Settings

LONG_AGO = 1_000_000_000


@pytest.fixture
def ratings(settings: Settings, tmp_path: Path) -> Ratings:
    return load_ratings(write_u_data(tmp_path / "set"), settings)


@pytest.fixture
def cache(tmp_path: Path) -> RatingsCache:
    return RatingsCache(tmp_path / "cache")


def assert_same(one: Ratings, other: Ratings) -> None:
    for name in ("users", "items", "ratings", "timestamps", "user_ids", "item_ids"):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
    for name in ("item_table", "user_table"):
        assert getattr(one, name).equals(getattr(other, name))
    assert (one.scale, one.rows_read, one.rows_rejected) == (
        other.scale,
        other.rows_read,
        other.rows_rejected,
    )
    assert one.findings == other.findings
    assert replace(one).content_hash == other.content_hash


def test_what_was_stored_comes_back_whole(cache: RatingsCache, ratings: Ratings):
    cache.store("key", ratings)
    back = cache.load("key", "renamed")
    assert back is not None
    assert back.name == "renamed"
    assert_same(back, ratings)


def test_text_ids_and_missing_times_come_back(cache: RatingsCache, settings: Settings, tmp_path: Path):
    (tmp_path / "a.csv").write_text("user,item,rating\nbob,x,1\nann,y,5\n")
    own = load_ratings(tmp_path / "a.csv", settings)
    cache.store("key", own)
    back = cache.load("key", "a")
    assert back is not None
    assert back.timestamps is None
    assert back.user_ids.tolist() == ["ann", "bob"]
    assert replace(back).content_hash == own.content_hash


def test_an_unknown_key_is_a_miss(cache: RatingsCache):
    assert cache.load("key", "x") is None


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "manifest", "no manifest"])
def test_a_damaged_entry_is_a_miss_and_can_be_stored_again(
    cache: RatingsCache, ratings: Ratings, damage: str
):
    cache.store("key", ratings)
    rows, manifest = (cache.folder / "key" / name for name in ("rows.parquet", "manifest.json"))
    content = bytearray(rows.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
        rows.write_bytes(content)
    elif damage == "cut":
        rows.write_bytes(content[:-1])
    elif damage == "remove":
        rows.unlink()
    elif damage == "manifest":
        manifest.write_text('{"files": {}')
    else:
        manifest.unlink()
    assert cache.load("key", "x") is None
    assert list(cache.folder.iterdir()) == []
    cache.store("key", ratings)
    back = cache.load("key", "x")
    assert back is not None
    assert_same(back, ratings)


def test_many_writers_at_once_leave_one_whole_entry(cache: RatingsCache, ratings: Ratings):
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                cache.store("key", ratings)
                back = cache.load("key", "x")
                assert back is not None
                assert back.content_hash == ratings.content_hash
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [path.name for path in cache.folder.iterdir()] == ["key"]


def test_the_key_follows_the_bytes_and_the_way_of_reading(cache: RatingsCache, tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("one")
    first = cache.key([path], {"bad_rows": "refuse"})
    assert cache.key([path], {"bad_rows": "refuse"}) == first
    assert cache.key([path], {"bad_rows": "reject"}) != first
    path.write_text("two")
    assert cache.key([path], {"bad_rows": "refuse"}) != first


def test_a_settled_file_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, prints = tmp_path / "a", Fingerprints(tmp_path / "prints")
    path.write_text("one")
    monkeypatch.setattr("movielens_recsys.data.sources.cache._MIN_AGE_S", -1.0)
    digest = prints.sha256(path)
    note = next((tmp_path / "prints").iterdir())
    note.write_text(note.read_text().replace(digest, "remembered"))
    assert prints.sha256(path) == "remembered"
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert prints.sha256(path) == digest
    note.write_text("torn")
    assert prints.sha256(path) == digest


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path: Path):
    path, prints = tmp_path / "a", Fingerprints(tmp_path / "prints")
    path.write_text("one")
    prints.sha256(path)
    assert not prints.folder.exists()
