"""Dates in the forms that people and programs write."""

import polars as pl
import pytest

from movielens_recsys.data.readers.values.dates import DATE_READINGS, read_format
from movielens_recsys.errors import ReadError

MARCH_1 = 1_709_251_200
AT_TEN = MARCH_1 + 10 * 3600


@pytest.mark.parametrize(
    ("reading", "text", "seconds"),
    [
        ("iso", "2024-03-01", MARCH_1),
        ("iso", "2024-3-1 10:00", AT_TEN),
        ("iso", "2024-03-01T10:00:00.999Z", AT_TEN),
        ("iso", "2024-03-01T15:30:00+05:30", AT_TEN),
        ("iso", "2024/03/01 10:00:00 UTC", AT_TEN),
        ("iso", "20240301T100000Z", AT_TEN),
        ("iso", "2024-02-30", None),
        ("iso", "2024-03-01T10:00:00+99:00", None),
        ("iso", "2024-03-01 10:00:00 PST", None),
        ("day-first", "1/3/2024", MARCH_1),
        ("day-first", "01.03.24", MARCH_1),
        ("day-first", "31/12/69", -86_400),
        ("month-first", "03/01/2024 10:00 AM", AT_TEN),
        ("month-first", "3-1-2024, 10:00:00 pm", AT_TEN + 12 * 3600),
        ("month-first", "03/01/2024 12:00 AM", MARCH_1),
        ("month-first", "03.01.2024", MARCH_1),
        ("year-first", "24.03.01", MARCH_1),
        ("month-first", "13/01/2024", None),
        ("year-first", "24/03/01", MARCH_1),
        ("month-names", "1 Mar 2024", MARCH_1),
        ("month-names", "March 1st, 2024", MARCH_1),
        ("month-names", "01-Mar-2024", MARCH_1),
        ("month-names", "Fri Mar  1 03:00:00 -0700 2024", AT_TEN),
        ("month-names", "Fri, 01 Mar 2024 10:00:00 GMT", AT_TEN),
        ("month-names", "01/Mar/2024:10:00:00 +0000", AT_TEN),
        ("month-names", "Fri Mar 01 2024 10:00:00 GMT+0000 (Coordinated Universal Time)", AT_TEN),
        ("month-names", "1 März 2024", None),
        ("month-names", "1 marca 2024", None),
        ("month-names", "Marble 1, 2024", None),
        ("month-names", "1 MARCH 2024", MARCH_1),
    ],
)
def test_a_date_is_read_as_it_says_or_not_at_all(reading: str, text: str, seconds: int | None):
    assert DATE_READINGS[reading].read(pl.Series([text])).to_list() == [seconds]


@pytest.mark.parametrize(
    ("time_format", "text"),
    [
        ("%d/%m/%Y", "01/03/2024"),
        ("%Y%m%d", "20240301"),
        ("%d. %b %y", "01. Mar 24"),
        ("%Y-%m-%d %H:%M:%S %z", "2024-02-29 19:00:00 -0500"),
        ("%Y-%j", "2024-061"),
        ("%Y-%m", "2024-03"),
    ],
)
def test_a_stated_format_is_followed(time_format: str, text: str):
    assert read_format(pl.Series([text, "no date"]), time_format).to_list() == [MARCH_1, None]


@pytest.mark.parametrize("time_format", ["%Q", "%q", "day/month/year", "%H", "%", "%d/%m", "%m/%d"])
def test_what_is_no_format_is_refused(time_format: str):
    with pytest.raises(ReadError, match=r"is no format of times; expected seconds, .*day-first"):
        read_format(pl.Series(["1"]), time_format)
