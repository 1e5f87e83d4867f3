"""The scale is inferred from the ratings where they determine it."""

from __future__ import annotations

import polars as pl
import pytest
from tests.data.cleaning.conftest import NOW, findings, frame

from movielens_recsys.data.cleaning.rows import clean_rows
from movielens_recsys.data.cleaning.scale_inference import suspicious_ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import ReadError
from movielens_recsys.schema import Severity


@pytest.mark.parametrize(
    ("ratings", "scale"),
    [
        ([1, 2, 5], Scale(1, 5, 1)),
        ([0.5, 3, 5], Scale(0.5, 5, 0.5)),
        ([0.5, 1.5], Scale(0.5, 1.5, 0.5)),
        ([-10, 10], Scale(-10, 10, 1)),
        ([0.25, 0.75, 1.0], Scale(0.25, 1.0, 0.25)),
        ([0, 7, 100], Scale(0, 100, 1)),
    ],
)
def test_the_scale_is_inferred(ratings, scale):
    cleaned = clean_rows(frame([(1, item, float(s), 1) for item, s in enumerate(ratings)]), None, now=NOW)
    assert cleaned.scale == scale
    assert findings(cleaned) == {"scale_inferred": scale.n_levels}


@pytest.mark.parametrize(
    ("ratings", "bounds"),
    [
        ([-9.99, 0.01, 7.3, 9.87], (-9.99, 9.87)),
        ([1, 2, 9999], (1, 9999)),
        ([1, 2.3, 4.7], (1, 4.7)),
        ([number / 7 for number in range(150)], (0, 149 / 7)),
    ],
)
def test_without_a_coarse_step_the_scale_is_continuous_and_its_bounds_are_asked_for(ratings, bounds):
    table = frame([(1, item, float(s), 1) for item, s in enumerate(ratings)])
    cleaned = clean_rows(table, None, now=NOW)
    assert cleaned.scale == Scale(*bounds)
    (finding,) = cleaned.findings
    assert (finding.name, finding.severity) == ("scale_inferred", Severity.WARNING)
    assert "state the true bounds with --scale LOWEST:HIGHEST" in finding.advice


def test_one_rating_only_is_no_scale():
    table = frame([(1, item, 3.0, 1) for item in range(2)])
    with pytest.raises(ReadError, match=r"mine.csv: every rating is 3; .* --implicit; .* --scale 1:5:1"):
        clean_rows(table, None, source="mine.csv")


def test_on_a_continuous_scale_only_the_bounds_count():
    table = frame([(1, item, rating, 1) for item, rating in enumerate([-10, 3.14159, 10, 10.01])])
    cleaned = clean_rows(table, Scale(-10, 10), bad_rows="reject", now=NOW)
    assert cleaned.frame["rating"].to_list() == [-10, 3.14159, 10]
    assert cleaned.rejected == {"rating_out_of_scale": 1}


@pytest.mark.parametrize(
    ("ratings", "scale", "found"),
    [
        ([0, 0, 0, 7, 10], Scale(0, 10, 1), "ratings_mostly_lowest"),
        ([0, 0, 0, 1], Scale(0, 1, 1), None),
        ([3, 3, 3], Scale(1, 5, 1), "ratings_all_equal"),
        ([1, 1, 3, 4], Scale(1, 5, 1), None),
        ([-10, -10, -10, 3.3], Scale(-10, 10), "ratings_mostly_lowest"),
    ],
)
def test_ratings_that_may_be_none_are_found(ratings, scale, found):
    names = [finding.name for finding in suspicious_ratings(pl.Series(ratings, dtype=pl.Float64), scale)]
    assert names == ([found] if found else [])


def test_the_way_to_leave_them_out_is_said():
    (finding,) = suspicious_ratings(pl.Series([0.0, 0.0, 5.0]), Scale(0, 10, 1))
    assert "67% of the ratings are 0" in finding.advice
    assert "--unrated 0" in finding.advice


@pytest.mark.parametrize(
    ("far", "severity"), [(-3, Severity.WARNING), (10, Severity.WARNING), (0, Severity.INFO)]
)
def test_a_rare_rating_far_from_all_others_is_asked_about(far: float, severity: Severity):
    ratings = [float(far), *(float(1 + item % 5) for item in range(78))]
    cleaned = clean_rows(frame([(1, item, s, 1) for item, s in enumerate(ratings)]), None, now=NOW)
    (finding,) = cleaned.findings
    assert (finding.name, finding.severity) == ("scale_inferred", severity)
    assert (f"{far} stands in 1 of 79 rows" in finding.advice) == (severity is Severity.WARNING)
    assert ("--scale 1:5:1 --on-bad-rows reject" in finding.advice) == (severity is Severity.WARNING)
