"""Ids are whole numbers where each comes back as it is written, else text; nothing is merged."""

import polars as pl
import pytest

from movielens_recsys.data.readers.values.ids import read_ids


def ids(*texts: str | None) -> list[object]:
    series = pl.Series(texts, dtype=pl.String)
    return read_ids(series, series.is_not_null(), "user").values.to_list()


def test_whole_numbers_are_numbers():
    assert ids("7", "0", "-3", None, "9223372036854775807") == [7, 0, -3, None, 2**63 - 1]


def test_whole_numbers_of_a_column_with_gaps_are_numbers():
    assert ids("7.0", "8.0", None) == [7, 8, None]


@pytest.mark.parametrize(
    "odd", ["007", "+7", "7.0", "1e5", "18446744073709551615", "-0", "00", "B00004Y2UT", "٧", "7_0"]
)
def test_one_id_that_does_not_come_back_makes_the_column_text(odd: str):
    assert ids("7", odd, None) == ["7", odd, None]


def test_rows_that_are_not_counted_do_not_decide():
    typed = read_ids(pl.Series(["7", "user"]), pl.Series([True, False]), "user")
    assert typed.values.to_list() == [7, None]


def test_ids_that_are_one_number_written_differently_are_told():
    texts = pl.Series(["7", "007", "8", "7.0", "x"])
    (finding,) = read_ids(texts, texts.is_not_null(), "item").findings
    assert (finding.name, finding.value) == ("item_ids_alike", 3.0)
    large = pl.Series(["18446744073709551615", "18446744073709551614"])
    assert read_ids(large, large.is_not_null(), "item").findings == ()
