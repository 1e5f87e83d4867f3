"""A scale: its levels, its bins, the levels of ratings, and thresholds at a share of its width."""

from __future__ import annotations

import numpy as np
import pytest

from movielens_recsys.data.scale import MAX_LEVELS, ORDINAL_BINS, Scale
from movielens_recsys.errors import DataError

WHOLE, HALF, TEN = Scale(1, 5, 1), Scale(0.5, 5, 0.5), Scale(1, 10, 1)
LIKES, PERCENT, JOKES = Scale(0, 1, 1), Scale(0, 100, 1), Scale(-10, 10)


@pytest.mark.parametrize(
    ("scale", "levels"),
    [
        (WHOLE, [1, 2, 3, 4, 5]),
        (HALF, [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]),
        (Scale(0, 1, 0.1), [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
    ],
)
def test_levels_are_all_legal_ratings(scale, levels):
    assert scale.levels == pytest.approx(levels)
    assert scale.n_levels == len(levels)
    assert scale.span == levels[-1] - levels[0]
    assert scale.level_of(scale.levels).tolist() == list(range(len(levels)))


def test_a_continuous_scale_has_no_levels():
    assert JOKES.continuous
    assert not WHOLE.continuous
    for name in ("levels", "n_levels", "step_width"):
        with pytest.raises(DataError, match=r"the scale -10 to 10 without steps has no levels; .* --scale"):
            getattr(JOKES, name)


@pytest.mark.parametrize(
    ("scale", "threshold", "middle"),
    [(WHOLE, 4, 3), (HALF, 4, 3), (TEN, 8, 6), (LIKES, 1, 1), (PERCENT, 75, 50), (JOKES, 5, 0)],
)
def test_thresholds_are_the_first_level_at_or_above_a_share_of_the_width(scale, threshold, middle):
    assert (scale.at_share(0.75), scale.at_share(0.5)) == (threshold, middle)
    assert (scale.at_share(0), scale.at_share(1)) == (scale.minimum, scale.maximum)


def test_a_threshold_is_reached_by_the_rating_of_its_level_in_32_bits():
    tenths = Scale(0, 1, 0.1)
    assert (tenths.levels >= tenths.at_share(0.7)).sum() == 4


def test_few_levels_stay_as_they_are_and_more_become_bins_of_equal_width():
    assert WHOLE.discretized(5) is WHOLE
    assert PERCENT.ordinal is PERCENT
    assert PERCENT.n_levels == MAX_LEVELS
    assert JOKES.ordinal == Scale(-10, 10, 0.01).ordinal == JOKES.discretized(ORDINAL_BINS)
    for scale in (JOKES, Scale(-10, 10, 0.01)):
        bins = scale.discretized(20)
        assert bins.levels[[0, 1, -1]].tolist() == [-9.5, -8.5, 9.5]
        ratings = np.array([-10, -9.01, -8.99, 0.49, 10])
        assert bins.level_of(ratings).tolist() == [0, 0, 1, 10, 19]


@pytest.mark.parametrize(("scale", "star"), [(WHOLE, 1), (HALF, 1), (TEN, 2.25), (LIKES, 0.25), (JOKES, 5)])
def test_a_star_is_a_quarter_of_the_width_but_on_scales_that_are_counted_in_stars(scale, star):
    assert scale.star == star
    assert scale.in_stars().span == (scale.span if star == 1 else 4)
    assert scale.in_stars().continuous is scale.continuous


def test_ratings_between_two_steps_are_found_and_those_in_32_bits_are_not():
    assert HALF.is_off_step(np.array([0.5, 3.5, 3.75])).tolist() == [False, False, True]
    cents = Scale(-10, 10, 0.01)
    assert not cents.is_off_step(cents.levels.astype(np.float64)).any()
    assert not JOKES.is_off_step(np.array([3.14159])).any()
