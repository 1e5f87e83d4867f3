"""iALS against the dense weighted regression that each of its steps solves."""

from __future__ import annotations

import numpy as np

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.implicit.ials import IALS, solve_rows
from movielens_recsys.models.implicit.ials_config import IALSConfig
from movielens_recsys.models.implicit.model import interaction_matrix

CONFIG = IALSConfig(n_factors=3, unobserved_weight=0.2, regularization=0.05)


def objective(config: IALSConfig, table: np.ndarray, users: np.ndarray, items: np.ndarray) -> float:
    w0, scores = config.unobserved_weight, users @ items.T
    fit = (table * (scores - 1) ** 2).sum() + w0 * (scores**2).sum()
    user_penalty = table.sum(1) + w0 * table.shape[1]
    item_penalty = table.sum(0) + w0 * table.shape[0]
    penalty = (user_penalty * (users**2).sum(1)).sum() + (item_penalty * (items**2).sum(1)).sum()
    return float(fit + config.regularization * penalty)


def test_user_factors_minimise_the_objective_given_item_factors(ratings: Ratings) -> None:
    histories, rng = interaction_matrix(ratings, None), np.random.default_rng(0)
    items = rng.normal(size=(30, 3)).astype(np.float32)
    users, table = solve_rows(CONFIG, histories, items), histories.toarray()
    best = objective(CONFIG, table, users, items)
    for _ in range(20):
        elsewhere = users + 0.01 * rng.normal(size=users.shape).astype(np.float32)
        assert objective(CONFIG, table, elsewhere, items) > best


def test_sweeps_lower_the_objective(ratings: Ratings) -> None:
    histories = interaction_matrix(ratings, None)
    reached = []
    for sweeps in (1, 2, 8):
        config = CONFIG.model_copy(update={"sweeps": sweeps})
        items = IALS.fit_arrays(config, histories, seed=0)["items"]
        users = solve_rows(config, histories, items)
        reached.append(objective(config, histories.toarray(), users, items))
    assert reached[0] > reached[1] > reached[2]
