"""From an answer to what each user contributes to each figure, by the evaluation that judges everything."""

from __future__ import annotations

import numpy as np

from movielens_recsys.bench.jobs import PeerOutput
from movielens_recsys.data.splits.split import Split
from movielens_recsys.evaluation.candidates import HeldOut, TopK
from movielens_recsys.evaluation.per_user import PerUserMetrics, ranking_aggregates
from movielens_recsys.evaluation.rating import rating_aggregates, root_mean_squared_error

K = 10
UNUSED = 0.0


def score_output(answer: PeerOutput, split: Split, relevance_threshold: float | None) -> PerUserMetrics:
    """Judge the test part: stars by every row, lists under the protocol `full` at `K`."""
    if answer.lists is not None:
        assert relevance_threshold is not None
        held = HeldOut.of(split, "test", relevance_threshold)
        lists = TopK.of(answer.lists[:, :K], held)
        return PerUserMetrics(
            split.ratings.content_hash,
            split.hash,
            "test",
            K,
            relevance_threshold,
            held.users,
            ranking_aggregates("full", lists, held),
            {"full:coverage@10": len(np.unique(lists.items[lists.items >= 0])) / held.n_items},
        )
    assert answer.predictions is not None
    test = split.part("test")
    users, owner = np.unique(test.users, return_inverse=True)
    sums = rating_aggregates(owner, test.ratings, answer.predictions["test"], test.scale, len(users))
    return PerUserMetrics(
        split.ratings.content_hash, split.hash, "test", K, UNUSED, users.astype(np.int64), sums, {}
    )


def validation_rmse(answer: PeerOutput, split: Split) -> float | None:
    """Return the RMSE on the validation rows; None where there are none or no stars are predicted."""
    if answer.predictions is None or len(split.validation) == 0:
        return None
    return root_mean_squared_error(answer.predictions["validation"], split.part("validation").ratings)
