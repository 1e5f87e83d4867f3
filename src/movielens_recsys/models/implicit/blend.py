"""A blend of list models: their scores on one footing, added with weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F32
from movielens_recsys.models.base import Arrays, strip_prefix
from movielens_recsys.models.config import ScoreBlendConfig
from movielens_recsys.models.implicit.ease import EASE
from movielens_recsys.models.implicit.ials import IALS
from movielens_recsys.models.implicit.item_knn import ItemKNN
from movielens_recsys.models.implicit.model import ImplicitModel, InteractionMatrix
from movielens_recsys.models.implicit.mult_vae import MultVAE
from movielens_recsys.seeds import derive_seed

BASE_MODELS: Mapping[str, type[ImplicitModel]] = {
    "ease": EASE,
    "ials": IALS,
    "item_knn": ItemKNN,
    "mult_vae": MultVAE,
}


class ScoreBlend(ImplicitModel):
    """score(u, .) = sum over members of weight x (scores - their mean) / their standard deviation.

    Mean and deviation are those of one user's scores over the catalogue.
    """

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        assert isinstance(self.config, ScoreBlendConfig)
        self.members: list[tuple[float, ImplicitModel]] = []
        for position, member in enumerate(self.config.members):
            learned = strip_prefix(f"{position}.", self.learned)
            model = BASE_MODELS[member.model.name](
                member.model, self.domain, self.histories, self.fallback, learned
            )
            self.members.append((member.weight, model))

    @classmethod
    def fit_arrays(cls, config: ScoreBlendConfig, histories: InteractionMatrix, seed: int) -> Arrays:
        """Let each member learn from a seed of its own; names of its arrays begin with its position."""
        learned: dict[str, NDArray[np.generic]] = {}
        for position, member in enumerate(config.members):
            own_seed = derive_seed(seed, f"member {position}")
            own = BASE_MODELS[member.model.name].fit_arrays(member.model, histories, own_seed)
            learned |= {f"{position}.{name}": array for name, array in own.items()}
        return learned

    def score_histories(self, histories: InteractionMatrix) -> F32:
        """Return the members' standardised scores, weighted and added."""
        total = np.zeros((histories.shape[0], self.n_items), np.float32)
        for weight, model in self.members:
            total += np.float32(weight) * standardised(model.score_histories(histories))
        return total


def standardised(scores: F32) -> F32:
    """Return each row with mean 0 and standard deviation 1; a constant row becomes 0.

    >>> standardised(np.array([[1.0, 3.0], [2.0, 2.0]], np.float32))
    array([[-1.,  1.],
           [ 0.,  0.]], dtype=float32)
    """
    centred = scores - scores.mean(1, keepdims=True)
    spread = scores.std(1, keepdims=True)
    standard: F32 = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    return standard
