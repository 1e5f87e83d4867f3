"""Curves in text: as wide and high as allowed, and as high as their values."""

from __future__ import annotations

import math

import pytest

from movielens_recsys.cli.sparklines import sparkline


def test_the_lowest_value_is_an_eighth_and_the_highest_fills_all_lines() -> None:
    assert sparkline([0.0, 1.0], 10, 2) == [" █", "▁█"]
    assert sparkline([3.0, 3.0, 3.0], 10, 1) == ["▁▁▁"]


def test_more_values_than_characters_are_averaged() -> None:
    values = [1.0, 3.0, 2.0, 2.0, 5.0, 7.0]
    assert sparkline(values, 3, 4) == sparkline([2.0, 2.0, 6.0], 3, 4)
    assert [len(line) for line in sparkline([0.1 * n for n in range(1_000)], 37, 3)] == [37] * 3


def test_a_high_first_value_does_not_flatten_the_rest() -> None:
    curve = [2.0 - n / 20 for n in range(20)]
    assert sparkline([1e6, 1e6, *curve], 30, 2) == sparkline([2.0, 2.0, *curve], 30, 2)
    assert sparkline([*curve[:3], 1e6, *curve[3:]], 30, 1)[0].count("▁") > 10


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, math.nan]])
def test_without_a_finite_value_the_lines_are_empty(values: list[float]) -> None:
    assert sparkline(values, 10, 3) == ["", "", ""]


def test_a_value_that_is_not_finite_leaves_a_gap() -> None:
    assert sparkline([1.0, math.nan, 1.0], 10, 1) == ["▁ ▁"]
