"""What a caller states about a file, beside what its import stated."""

from __future__ import annotations

from typing import Any

import pytest

from movielens_recsys.data.readers.options import ReadOptions
from movielens_recsys.errors import UsageError


def test_only_what_is_stated_is_written():
    assert ReadOptions().to_json() == {}
    stated = ReadOptions({"user": "who"}, separator=";", header=False)
    assert stated.to_json() == {"columns": {"user": "who"}, "separator": ";", "header": False}
    assert ReadOptions(**stated.to_json()) == stated


def test_what_is_left_open_comes_from_the_import():
    imported = ReadOptions({"user": "who"}, decimal=",", header=False)
    assert ReadOptions(decimal=".").filled_from(imported) == ReadOptions(
        {"user": "who"}, decimal=".", header=False
    )


@pytest.mark.parametrize("stated", [{"separator": ""}, {"separator": ";\n"}, {"decimal": ";"}])
def test_what_no_file_is_written_in_is_refused(stated: dict[str, Any]):
    with pytest.raises(UsageError, match=r"separates no fields|no decimal sign"):
        ReadOptions(**stated)
