"""A damaged bundle is refused before anything in it is used, and saving replaces it whole."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import BundleError
from movielens_recsys.models.baselines_config import PopularityConfig
from movielens_recsys.models.bundle import DESCRIPTION, TENSORS, load_bundle, save_bundle
from movielens_recsys.models.factory import build_model


@pytest.fixture
def ratings() -> Ratings:
    return Ratings(
        name="text-ids",
        users=np.array([0, 1], np.int32),
        items=np.array([0, 1], np.int32),
        ratings=np.array([5, 3], np.float32),
        timestamps=None,
        user_ids=np.array(["ada", "bob"], dtype=object),
        item_ids=np.array([7, 9]),
        scale=Scale(0.5, 5, 0.5),
    )


@pytest.fixture
def bundle(ratings: Ratings, tmp_path: Path) -> Path:
    return save_bundle(build_model(PopularityConfig(), ratings), ratings, tmp_path / "bundle", {})


def test_without_ratings_its_ids_are_still_there(ratings: Ratings, bundle: Path) -> None:
    bare = load_bundle(bundle).without_ratings("away")
    assert (bare.name, len(bare), bare.titles(np.array([1]))) == ("away", 0, ["9"])
    assert (bare.user_index("bob"), bare.item_index(7), bare.scale) == (1, 0, ratings.scale)


def test_text_ids_and_half_star_scales_survive(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    assert list(loaded.user_ids) == ["ada", "bob"]
    assert list(loaded.item_ids) == [7, 9]
    assert loaded.recommender.domain.scale == Scale(0.5, 5, 0.5)


def test_nothing_is_left_beside_the_bundle(bundle: Path) -> None:
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle"]
    assert sorted(path.name for path in bundle.iterdir()) == [DESCRIPTION, TENSORS]


def test_every_flipped_byte_of_the_arrays_is_caught(bundle: Path) -> None:
    content = (bundle / TENSORS).read_bytes()
    for position in range(0, len(content), max(1, len(content) // 40)):
        damaged = bytearray(content)
        damaged[position] ^= 0x01
        (bundle / TENSORS).write_bytes(damaged)
        with pytest.raises(BundleError, match="damaged"):
            load_bundle(bundle)


@pytest.mark.parametrize("name", [DESCRIPTION, TENSORS])
def test_a_missing_or_cut_file_is_caught(bundle: Path, name: str) -> None:
    content = (bundle / name).read_bytes()
    (bundle / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(BundleError):
        load_bundle(bundle)
    (bundle / name).unlink()
    with pytest.raises(BundleError, match=r"no readable bundle|holds no bundle"):
        load_bundle(bundle)


@pytest.mark.parametrize(
    "change",
    [{"format": 99}, {"model": {"name": "user_item_bias"}}, {"domain": {}}, {"model": {"name": "no_such"}}],
)
def test_a_description_of_something_else_is_refused(bundle: Path, change: dict[str, object]) -> None:
    description = json.loads((bundle / DESCRIPTION).read_text())
    (bundle / DESCRIPTION).write_text(json.dumps({**description, **change}))
    with pytest.raises(BundleError):
        load_bundle(bundle)


def test_saving_again_replaces_the_bundle(bundle: Path, ratings: Ratings) -> None:
    save_bundle(build_model(PopularityConfig(shrinkage=1), ratings), ratings, bundle, {"second": True})
    loaded = load_bundle(bundle)
    assert loaded.metadata == {"second": True}
    assert loaded.recommender.config == PopularityConfig(shrinkage=1)


def test_a_path_without_a_bundle_is_said_to_be_one(bundle: Path) -> None:
    with pytest.raises(BundleError, match=r"no_such does not exist; .*check the path"):
        load_bundle(bundle.parent / "no_such")
    with pytest.raises(BundleError, match="is no folder"):
        load_bundle(bundle / TENSORS)
    run = bundle.parent / "of_a_run"
    run.mkdir()
    bundle.rename(run / "bundle")
    with pytest.raises(BundleError, match=r"of_a_run holds no bundle; .*open .*of_a_run/bundle"):
        load_bundle(run)


@pytest.mark.parametrize(
    "change",
    [{"ids": [1]}, {"domain": {"n_users": 1}}, {"domain": []}, {"model": {"name": "no_such"}}, {"ids": {}}],
)
def test_a_description_with_other_values_is_refused_in_words(bundle: Path, change: dict[str, object]) -> None:
    path = bundle / DESCRIPTION
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BundleError, match="does not hold the model"):
        load_bundle(bundle)


def test_a_bundle_and_its_ratings_are_shown_in_a_line(ratings: Ratings, bundle: Path) -> None:
    for shown in (repr(ratings), repr(load_bundle(bundle))):
        assert "\n" not in shown
        assert len(shown) < 150
