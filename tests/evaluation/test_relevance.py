"""Relevance in words, and the warning where the threshold tells hardly anything apart."""

from __future__ import annotations

import pytest

from movielens_recsys.evaluation.relevance import describe_relevance, relevance_finding


def test_threshold_and_share_stand_together():
    assert describe_relevance(8.0, 0.5517) == "relevant: 8 or more (55.2 % of the held-out ratings)"
    assert describe_relevance(3.5, None) == "relevant: 3.5 or more"
    assert describe_relevance(1.0, 1.0, implicit=True) == "relevant: every held-out interaction"


@pytest.mark.parametrize("share", [0.951, 0.009])
def test_a_share_that_tells_nothing_apart_is_found(share):
    finding = relevance_finding(4.0, share)
    assert finding is not None
    assert (finding.name, finding.value) == ("relevant_share", share)
    assert "4 or more" in finding.advice
    assert "evaluation.relevance_threshold" in finding.advice


def test_usual_shares_and_implicit_data_are_no_finding():
    assert relevance_finding(4.0, 0.55) is None
    assert relevance_finding(1.0, 1.0, implicit=True) is None
