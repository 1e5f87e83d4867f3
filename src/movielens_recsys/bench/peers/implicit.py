"""implicit: alternating least squares for lists, as in its MovieLens example.

The ratings from ``relevance_threshold`` on are the positives, weighted by BM25. Settings: ``factors``,
``regularization``, ``alpha``, ``iterations``, ``bm25`` (B of the weighting; if missing, no weighting) and
``scale`` after it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LIBRARY = "implicit"
DISTRIBUTIONS = ("implicit", "scipy")
PARAMETERS = ("factors", "regularization", "alpha", "iterations")


def fit(train: Any, validation: Any, job: Any) -> Model:
    """Weight the positives and factorise."""
    from implicit.cpu.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import bm25_weight
    from scipy.sparse import csr_matrix

    liked = train.ratings >= job.relevance_threshold
    positives = csr_matrix(
        (np.ones(int(liked.sum()), dtype=np.float32), (train.users[liked], train.items[liked])),
        shape=(job.n_users, job.n_items),
    )
    parameters = {name: job.settings[name] for name in PARAMETERS if name in job.settings}
    model = AlternatingLeastSquares(random_state=job.seed, num_threads=1, **parameters)
    weighted = positives
    if "bm25" in job.settings:
        # The example weights items by users, then transposes the matrix.
        weighted = bm25_weight(positives.T.tocsr(), B=job.settings["bm25"]).T.tocsr()
    model.fit((weighted * job.settings.get("scale", 1.0)).tocsr(), show_progress=False)
    return Model(model)


class Model:
    """Fitted factors."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def score(self, users: Any) -> Any:
        """Return the products of the factors."""
        return self._model.user_factors[users] @ self._model.item_factors.T
