"""One format for a column of times: the only one that fits is taken, two that differ are asked about."""

import pytest
from tests.data.readers.values.conftest import written

from movielens_recsys.data.readers.values.times import read_times
from movielens_recsys.errors import ReadError

MARCH_1 = 1_709_251_200


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["03/01/2024", "03/15/2024"], "dates month/day/year"),
        (["01/03/2024", "15/03/2024"], "dates day/month/year"),
        (["01.03.2024", "15.03.2024"], "dates day/month/year"),
        (["2024-03-01", "2024-03-15T10:00:00Z"], "dates year-month-day"),
        (["20240301", "20240315"], "dates %Y%m%d"),
        (["1709251200", "1710460800"], "seconds since 1970"),
        (["Mar 1, 2024", "15 March 2024"], "dates with names of months"),
    ],
)
def test_the_only_format_that_reads_every_value_is_taken_and_said(texts: list[str], form: str):
    typed = read_times(written(*texts), None)
    assert typed.values[0] == MARCH_1
    assert typed.values.null_count() == 0
    assert typed.form.startswith(form)
    assert "2024-03-01 to 2024-03-" in typed.form


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["03/01/2024", "04/02/2024"], r"line 2: the time '03/01/2024' may be 2024-01-03 \(day-first\) or"),
        (["04/02/2024", "03/15/2024", "15/03/2024"], r"and '15/03/2024' is no month-first date|'03/15/2024'"),
        (["01/02/03"], "--time-format day-first or --time-format month-first"),
    ],
)
def test_two_formats_that_differ_are_asked_about(texts: list[str], words: str):
    with pytest.raises(ReadError, match=words):
        read_times(written(*texts), None)


@pytest.mark.parametrize(
    ("word", "seconds"),
    [("month-first", MARCH_1), ("day-first", MARCH_1 - 58 * 86_400), ("%m/%d/%Y", MARCH_1)],
)
def test_a_stated_format_settles_it(word: str, seconds: int):
    assert read_times(written("03/01/2024", None, "15/15/2024"), word).values.to_list() == [
        seconds,
        None,
        None,
    ]


def test_what_the_format_does_not_read_is_null_never_1970():
    typed = read_times(written("2024-03-01", "soon", "03/15/2024", None, "2024-03-01"), None)
    assert typed.values.to_list() == [MARCH_1, None, None, None, MARCH_1]
    late = read_times(written(*["1709251200"] * 3, "2024-03-01"), None)
    assert late.values.to_list() == [MARCH_1] * 3 + [None]


def test_finer_units_become_seconds_and_are_told():
    typed = read_times(written("1709251200123", "0"), None)
    assert typed.values.to_list() == [MARCH_1, 0]
    assert [(finding.name, finding.value) for finding in typed.findings] == [
        ("timestamps_finer_than_seconds", 2.0)
    ]


@pytest.mark.parametrize("texts", [("31/12/2023", "12/31/2023"), ("12/31/2023", "31/12/2023", "01/02/2023")])
def test_two_orders_in_one_column_are_named_with_a_line_of_each(texts: tuple[str, ...]):
    with pytest.raises(ReadError) as caught:
        read_times(written(*texts), None)
    message = str(caught.value)
    assert "both orders stand in the column" in message
    for line, text in enumerate(texts[:2], 2):
        assert f"a.csv line {line}" in message
        assert repr(text) in message
    assert "--on-bad-rows reject" in message
