import re
from urllib.parse import urlsplit

import pytest

from movielens_recsys.data.datasets import DATASETS, dataset_info
from movielens_recsys.data.readers.layouts import RATING_FILES
from movielens_recsys.errors import UnknownNameError


@pytest.mark.parametrize("name", DATASETS)
def test_every_entry_is_complete(name: str):
    info = DATASETS[name]
    address = urlsplit(info.url)
    assert info.name == name
    assert (address.scheme, address.hostname) == ("https", "files.grouplens.org")
    assert address.path.endswith(f"/{name}.zip")
    assert RATING_FILES[info.layout] in info.files
    assert info.n_users < info.n_ratings
    assert info.n_items < info.n_ratings
    assert "no commercial use" in info.notice
    assert "10.1145/2827872" in info.notice


@pytest.mark.parametrize("name", DATASETS)
def test_only_archives_that_grouplens_replaces_have_no_fixed_checksum(name: str):
    info = DATASETS[name]
    if name.startswith("ml-latest"):
        assert info.md5 is None
        assert info.archive_bytes is None
    else:
        assert info.md5 is not None
        assert re.fullmatch("[0-9a-f]{32}", info.md5)
        assert info.archive_bytes is not None


def test_the_eight_data_sets_are_there_and_only_the_smallest_has_another_source():
    assert list(DATASETS) == [
        *("ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m", "ml-latest-small", "ml-latest")
    ]
    assert [name for name, info in DATASETS.items() if info.wheel is not None] == ["ml-100k"]


def test_a_misspelt_name_is_an_error_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'ml-20m'"):
        dataset_info("ml20m")
