"""Times that are numbers have one unit for the column, and are never taken for 1970 by mistake."""

import polars as pl
import pytest
from tests.data.readers.values.conftest import written

from movielens_recsys.data.readers.values.epochs import is_seconds, read_numbers, read_unit
from movielens_recsys.errors import ReadError


def numbers(*texts: str) -> list[int | None]:
    return read_numbers(written(*texts).texts, written(*texts))[0].to_list()


@pytest.mark.parametrize("digits", ["", "000", "000000", "000000000"])
def test_the_unit_is_known_by_the_size(digits: str):
    assert numbers(f"1260759144{digits}", "0", f"999999999{digits}") == [1260759144, 0, 999_999_999]


def test_fractions_are_cut_and_unset_times_have_no_unit():
    assert numbers("1260759144.9", "-1", "0", "12") == [1260759144, -1, 0, 12]


@pytest.mark.parametrize(
    ("texts", "seconds"),
    [
        (["20240301", "20240302", "0"], [1_709_251_200, 1_709_337_600, 0]),
        (["20240301", "20240332"], [1_709_251_200, None]),
        (["20240301100000"], [1_709_287_200]),
        (["202403011000"], [1_709_287_200]),
    ],
)
def test_dates_without_separators_are_dates(texts: list[str], seconds: list[int | None]):
    assert numbers(*texts) == seconds


def test_numbers_of_another_size_are_not_read():
    assert numbers("1260759144000", "1260759145000", "1260759146") == [1260759144, 1260759145, None]
    assert numbers("1700000000", "1700000001", "20240301") == [1_700_000_000, 1_700_000_001, None]
    assert numbers("1.26E+09", "x") == [None, None]


@pytest.mark.parametrize(
    ("texts", "word"),
    [(["43831.5", "45000"], "excel"), (["19723"], "days"), (["2024", "1999"], "%Y"), (["202403"], "%Y%m")],
)
def test_numbers_that_may_be_days_or_years_are_asked_about(texts: list[str], word: str):
    with pytest.raises(ReadError, match=rf"a.csv line 2: .*'{texts[0]}'.*--time-format seconds or .*{word}$"):
        numbers(*texts)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["14092007", "19112006"], "seconds or --time-format %d%m%Y"),
        (["110702"], "seconds or --time-format %y%m%d"),
        (["2021191", "2024249"], "seconds or --time-format %Y%j"),
        (["240204033052"], "milliseconds or --time-format %y%m%d%H%M%S"),
    ],
)
def test_numbers_that_are_all_dates_of_digits_are_asked_about(texts: list[str], words: str):
    with pytest.raises(ReadError, match=rf"a.csv line 2: .*'{texts[0]}'.*--time-format {words}$"):
        numbers(*texts)
    assert numbers(*texts, "1260759144")[-1] == 1260759144


def test_a_number_with_a_zero_before_it_is_no_time():
    assert numbers("0201132135", "1260759144", "0", "0.5") == [None, 1260759144, 0, 0]


@pytest.mark.parametrize(
    ("word", "text", "seconds"),
    [
        ("seconds", "43831", 43_831),
        ("milliseconds", "1500", 1),
        ("days", "19783", 1_709_251_200),
        ("excel", "45352.5", 1_709_294_400),
        ("seconds", "253402300800", None),
        ("excel", "1/2", None),
    ],
)
def test_a_stated_unit_is_followed(word: str, text: str, seconds: int | None):
    assert read_unit(pl.Series([text]), word).to_list() == [seconds]


def test_only_times_after_1973_are_seconds_at_first_sight():
    assert is_seconds(pl.Series([0, 10**8, 10**11 - 1])).all()
    assert not is_seconds(pl.Series([1, 20240301, 10**11, -5])).any()
