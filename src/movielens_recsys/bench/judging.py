"""From an answer to what each user contributes to each figure, by the evaluation that judges everything."""

from __future__ import annotations

import numpy as np

from movielens_recsys.bench.jobs import Answer
from movielens_recsys.data.splits import Split
from movielens_recsys.evaluation.per_user import PerUser, ranking_sums
from movielens_recsys.evaluation.protocols import HeldOut, Lists
from movielens_recsys.evaluation.rating import rating_sums

K = 10
UNUSED = 0.0


def judge(answer: Answer, split: Split, relevant_from: float | None) -> PerUser:
    """Judge the test part: stars by every row, lists under the protocol `full` at `K`."""
    if answer.lists is not None:
        assert relevant_from is not None
        held = HeldOut.of(split, "test", relevant_from)
        lists = Lists.of(answer.lists[:, :K], held)
        return PerUser(
            split.ratings.content_hash,
            split.hash,
            "test",
            K,
            relevant_from,
            held.users,
            ranking_sums("full", lists, held),
            {"full:coverage@10": len(np.unique(lists.items[lists.items >= 0])) / held.n_items},
        )
    assert answer.predictions is not None
    test = split.part("test")
    users, owner = np.unique(test.users, return_inverse=True)
    sums = rating_sums(owner, test.ratings, answer.predictions["test"], test.scale, len(users))
    return PerUser(
        split.ratings.content_hash, split.hash, "test", K, UNUSED, users.astype(np.int64), sums, {}
    )


def validation_rmse(answer: Answer, split: Split) -> float | None:
    """Return the RMSE on the validation rows; None where there are none or no stars are predicted."""
    if answer.predictions is None or len(split.validation) == 0:
        return None
    actual = split.part("validation").ratings.astype(np.float64)
    return float(np.sqrt(np.mean((answer.predictions["validation"] - actual) ** 2)))
