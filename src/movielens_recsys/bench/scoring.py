"""Scoring a model's output with the project's own evaluation: each user's contribution to each metric."""

from __future__ import annotations

import numpy as np

from movielens_recsys.bench.jobs import ModelOutput
from movielens_recsys.data.splits.split import Split
from movielens_recsys.evaluation.candidates import HeldOut, TopK
from movielens_recsys.evaluation.per_user import PerUserMetrics, ranking_aggregates
from movielens_recsys.evaluation.rating_metrics import rating_aggregates, root_mean_squared_error

K = 10
UNUSED = 0.0


def score_output(output: ModelOutput, split: Split, relevance_threshold: float | None) -> PerUserMetrics:
    """Evaluate the test part: predicted ratings on every row, or lists under the protocol `full` at `K`."""
    if output.lists is not None:
        assert relevance_threshold is not None
        held_out = HeldOut.of(split, "test", relevance_threshold)
        top_k = TopK.of(output.lists[:, :K], held_out)
        return PerUserMetrics(
            split.ratings.content_hash,
            split.hash,
            "test",
            K,
            relevance_threshold,
            held_out.users,
            ranking_aggregates("full", top_k, held_out),
            {"full:coverage@10": len(np.unique(top_k.items[top_k.items >= 0])) / held_out.n_items},
        )
    assert output.predictions is not None
    test = split.part("test")
    users, user_position = np.unique(test.users, return_inverse=True)
    sums = rating_aggregates(user_position, test.ratings, output.predictions["test"], test.scale, len(users))
    return PerUserMetrics(
        split.ratings.content_hash, split.hash, "test", K, UNUSED, users.astype(np.int64), sums, {}
    )


def validation_rmse(output: ModelOutput, split: Split) -> float | None:
    """Return the RMSE on the validation rows; None if there are none, or no ratings were predicted."""
    if output.predictions is None or len(split.validation) == 0:
        return None
    return root_mean_squared_error(output.predictions["validation"], split.part("validation").ratings)
