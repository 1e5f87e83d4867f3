"""Random, popularity and oracle score as documented."""

import numpy as np
import pytest

from movielens_recsys.evaluation.candidates import HeldOut
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.references import OracleScorer, PopularityScorer, RandomScorer


def test_random_ratings_come_from_training_alone(by_hand):
    split = by_hand(train=[(0, 0, 2), (0, 1, 4)], test=[(0, 2, 5)], n_users=1, n_items=3)
    scorer = RandomScorer.of(split, seed=0)
    drawn = scorer.predict(np.zeros(2000, dtype=int), np.zeros(2000, dtype=int))
    assert set(drawn) == {2, 4}
    assert drawn.mean() == pytest.approx(3, abs=0.1)


def test_random_scores_depend_on_seed_and_user_only(split):
    scorer = RandomScorer.of(split, seed=0)
    together = scorer.score(np.array([3, 4, 5]))
    assert (together[1] == scorer.score(np.array([4]))[0]).all()
    assert (together[0] != together[1]).any()
    assert (together != RandomScorer.of(split, seed=1).score(np.array([3, 4, 5]))).any()


def test_popularity_counts_training_ratings(split):
    scores = PopularityScorer.of(HeldOut.of(split, "test", 4.0)).score(np.array([0, 1]))
    assert (scores[1] == np.bincount(split.part("train").items, minlength=split.ratings.n_items)).all()


def test_perfect_knows_the_held_out_ratings(split):
    held_out, rows = HeldOut.of(split, "test", 4.0), split.part("test")
    scorer = OracleScorer(held_out)
    assert (scorer.predict(rows.users, rows.items) == rows.ratings).all()
    scores = scorer.score(np.array([5, 2]))
    own = rows.users == 2
    assert (scores[1, rows.items[own]] == rows.ratings[own]).all()
    assert (np.delete(scores[1], rows.items[own]) < 1).all()


def test_no_recommender_beats_the_oracle(split, recommender):
    report = evaluate(recommender, split)
    for metric in ("precision@10", "recall@10", "ndcg@10", "map@10", "mrr@10", "hit_rate@10"):
        for protocol in ("full", "rated"):
            perfect = report.metric_value(metric, protocol, reference="perfect").value
            assert report.metric_value(metric, protocol).value <= perfect
            assert report.metric_value(metric, protocol, reference="random").value <= perfect
    assert report.metric_value("ndcg@10", "full", reference="random").value < 0.5
    assert report.metric_value("ndcg@10", "full", reference="perfect").value == 1
    assert report.metric_value("rmse", reference="perfect").value == 0
    assert report.metric_value("r2", reference="perfect").value == 1
