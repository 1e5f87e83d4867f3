"""Candidates, tie-breaking, and the top k against a plain sort."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movielens_recsys.errors import EvaluationError
from movielens_recsys.evaluation import candidates
from movielens_recsys.evaluation.candidates import HeldOut, TieBreaker, rank_top_k, top_k
from movielens_recsys.evaluation.ranking_metrics import NO_ITEM


def rankings_of(recommender, split, k=10, part="test", seed=0):
    held_out = HeldOut.of(split, part, 4.0)
    return held_out, rank_top_k(recommender, held_out, k, ("full", "rated"), seed)


def test_candidates_by_hand(by_hand, matrix_recommender):
    split = by_hand(
        train=[(0, 0, 5), (1, 3, 2)],
        validation=[(0, 1, 5)],
        test=[(0, 2, 5), (0, 3, 2), (1, 0, 4)],
        n_users=3,
        n_items=5,
    )
    scores = matrix_recommender([[9, 8, 7, 6, 5], [1, 2, 3, 9, 5], [0, 0, 0, 0, 0]])
    held_out, rankings = rankings_of(scores, split, k=4)
    assert held_out.users.tolist() == [0, 1]
    assert held_out.n_relevant.tolist() == [1, 1]
    assert rankings["full"].items.tolist() == [[1, 2, 3, 4], [4, 2, 1, 0]]
    assert rankings["full"].hits.tolist() == [[False, True, False, False], [False, False, False, True]]
    assert rankings["rated"].items.tolist() == [[2, 3, NO_ITEM, NO_ITEM], [0, NO_ITEM, NO_ITEM, NO_ITEM]]
    assert rankings["rated"].hits.tolist() == [[True, False, False, False], [True, False, False, False]]


def test_rankings_against_a_plain_sort(split, recommender):
    held_out, rankings = rankings_of(recommender, split, k=7)
    train = split.part("train")
    for position, user in enumerate(held_out.users):
        seen = set(train.items[train.users == user])
        order = [item for item in np.argsort(-recommender.matrix[user]) if item not in seen]
        assert rankings["full"].items[position].tolist() == order[:7]
        own = held_out.items[held_out.user_position == position]
        expected = own[np.argsort(-recommender.matrix[user, own])][:7]
        assert rankings["rated"].items[position][: len(expected)].tolist() == expected.tolist()
        assert (rankings["rated"].items[position][len(expected) :] == NO_ITEM).all()


def test_a_user_who_rated_almost_everything_gets_a_short_ranking(by_hand, matrix_recommender):
    train = [(0, item, 3) for item in range(4)] + [(1, 0, 3)]
    split = by_hand(train=train, test=[(0, 4, 5), (1, 1, 5)], n_users=2, n_items=5)
    _, rankings = rankings_of(matrix_recommender(np.ones((2, 5))), split, k=10)
    assert rankings["full"].items[0].tolist() == [4] + [NO_ITEM] * 9
    assert (rankings["full"].items[1] != NO_ITEM).sum() == 4
    assert rankings["full"].hits.sum(axis=1).tolist() == [1, 1]


def test_blocks_change_nothing(split, recommender, monkeypatch):
    _, whole = rankings_of(recommender, split)
    monkeypatch.setattr(candidates, "BLOCK_SCORES", 3 * split.ratings.n_items)
    _, blocks = rankings_of(recommender, split)
    for protocol in ("full", "rated"):
        assert (whole[protocol].items == blocks[protocol].items).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.integers(1, 20), st.integers(1, 25), st.integers(1, 4), st.integers(0, 99))
def test_top_k_is_a_sort_by_score_then_tie_order(n, n_items, k, levels, seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, (n, n_items)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.3] = -np.inf
    ties = TieBreaker.of(seed, n, n_items)
    found = top_k(scores, k, ties)
    for row in range(n):
        order = sorted(range(n_items), key=lambda item: (-scores[row, item], ties.rank(row, item)))
        expected = [item if scores[row, item] > -np.inf else NO_ITEM for item in order[:k]]
        assert found[row].tolist() == expected


def test_a_constant_scorer_ranks_at_random(by_hand, matrix_recommender):
    # The relevant items have the lowest indices: breaking ties by index would find all of them.
    n_users, n_items, k = 400, 50, 5
    split = by_hand(
        train=[(user, n_items - 1, 3) for user in range(n_users)],
        test=[(user, item, 5) for user in range(n_users) for item in range(k)],
        n_users=n_users,
        n_items=n_items,
    )
    constant = matrix_recommender(np.full((n_users, n_items), 3.0))
    shares = [rankings_of(constant, split, k, seed=seed)[1]["full"].hits.mean() for seed in range(5)]
    assert np.mean(shares) == pytest.approx(k / (n_items - 1), abs=0.015)


def test_ties_are_broken_alike_each_time_and_otherwise_with_another_seed(split, matrix_recommender):
    constant = matrix_recommender(np.ones((split.ratings.n_users, split.ratings.n_items)))
    first, again, other = (rankings_of(constant, split, seed=s)[1]["full"].items for s in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_an_empty_part_is_refused(by_hand):
    split = by_hand(train=[(0, 0, 5)], test=[(0, 1, 5)], n_users=1, n_items=2)
    with pytest.raises(EvaluationError, match="no validation rows"):
        HeldOut.of(split, "validation", 4.0)


def test_a_threshold_out_of_reach_is_refused(split):
    with pytest.raises(EvaluationError, match=r"relevance_threshold = 8; expected .* 1 to 5; set"):
        HeldOut.of(split, "test", 8.0)


def test_from_the_scale_s_minimum_every_held_out_rating_is_relevant(split):
    assert HeldOut.of(split, "test", split.ratings.scale.minimum).relevant.all()
    assert not HeldOut.of(split, "test", 4.0).relevant.all()
