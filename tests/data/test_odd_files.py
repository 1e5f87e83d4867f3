"""The catalogue of odd rating files in `benchmarks/`: every file is read rightly, or refused rightly."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest
from benchmarks.odd_catalogue.case import ROWS, Case, Kept, Refused, table
from benchmarks.odd_catalogue.check import check_case
from benchmarks.odd_catalogue.families import FAMILIES

SAMPLED = 29
"""One file in so many is read by default, and the first of each family."""


@pytest.mark.parametrize("family", FAMILIES)
def test_some_files_of_each_family(family: str):
    assert wrong(family, SAMPLED) == {}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_all_files_of_each_family(family: str):
    assert wrong(family, 1) == {}


def wrong(family: str, step: int) -> dict[str, str]:
    results = ((case.name, check_case(case)) for case in islice(FAMILIES[family](), 0, None, step))
    return {name: result.complaint for name, result in results if result.complaint}


def test_the_catalogue_is_large_and_names_nothing_twice():
    names = Counter((family, case.name) for family, cases in FAMILIES.items() for case in cases())
    assert len(names) >= 400
    assert {name: count for name, count in names.items() if count > 1} == {}


GOOD = Case("good", table(ROWS), (Kept(ROWS),))
BAD = Case(
    "bad", table(ROWS).replace(",5,", ",inf,"), (Refused(("inf",), line=2),), (Kept(ROWS[1:], rejected=1),)
)


def test_a_right_outcome_is_right():
    assert [check_case(GOOD).became, check_case(BAD).became] == ["accepted", "refused"]
    assert [check_case(GOOD).complaint, check_case(BAD).complaint] == ["", ""]
    assert check_case(replace(GOOD, right=(Refused(), Kept(ROWS)))).complaint == ""


@pytest.mark.parametrize(
    ("case", "complaint"),
    [
        (replace(GOOD, right=(Kept(ROWS[:3]),)), "4 rows, expected 3"),
        (replace(GOOD, right=(Kept([*ROWS[:3], (3, 30, 2.0, 876893119)]),)), "expected (3, 30, 2.0"),
        (replace(GOOD, right=(Kept([("1", *ROWS[0][1:]), *ROWS[1:]]),)), "expected ('1', 10"),
        (replace(GOOD, right=(Kept(ROWS, rejected=1),)), "rejected 0, expected 1"),
        (replace(GOOD, right=(Kept(ROWS, joined_lines=1),)), "4 rows of 4 lines"),
        (replace(GOOD, right=(Kept(ROWS, says="swallowed"),)), "no finding says 'swallowed'"),
        (replace(GOOD, right=(Kept(ROWS, titles={10: "Heat"}),)), "titles {10: '10'}"),
        (replace(GOOD, right=(Refused(),)), "expected a refusal"),
        (replace(GOOD, options={"bad_rows_": 1}), "TypeError"),
        (replace(BAD, right=(Kept(ROWS),)), "refused: "),
        (replace(BAD, right=(Refused(("no such word",)),)), "refused without ['no such word']"),
        (replace(BAD, right=(Refused(line=3),)), "refused without ['line 3']"),
        (replace(BAD, rejecting=(Refused(),)), "bad_rows='reject': kept"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_outcome_is_wrong(case: Case, complaint: str):
    assert complaint in check_case(case).complaint
