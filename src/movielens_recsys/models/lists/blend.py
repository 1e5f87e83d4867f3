"""A blend of list models: their scores on one footing, added with weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.models.base import State, under
from movielens_recsys.models.config import ListBlendConfig
from movielens_recsys.models.lists.ease import Ease
from movielens_recsys.models.lists.ials import IALS
from movielens_recsys.models.lists.item_knn import ItemKNN
from movielens_recsys.models.lists.model import F32, Histories, ListModel
from movielens_recsys.models.lists.mult_vae import MultVAE
from movielens_recsys.seeds import derive_seed

SINGLE: Mapping[str, type[ListModel]] = {"ease": Ease, "ials": IALS, "item_knn": ItemKNN, "mult_vae": MultVAE}


class ListBlend(ListModel):
    """score(u, .) = sum over members of weight x (scores - their mean) / their standard deviation.

    Mean and deviation are those of one user's scores over the catalogue.
    """

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        assert isinstance(self.config, ListBlendConfig)
        self.members: list[tuple[float, ListModel]] = []
        for position, member in enumerate(self.config.members):
            learned = under(f"{position}.", self.learned)
            model = SINGLE[member.model.name](
                member.model, self.domain, self.histories, self.fallback, learned
            )
            self.members.append((member.weight, model))

    @classmethod
    def learn(cls, config: ListBlendConfig, histories: Histories, seed: int) -> State:
        """Let each member learn from a seed of its own; names of its arrays begin with its position."""
        learned: dict[str, NDArray[np.generic]] = {}
        for position, member in enumerate(config.members):
            own_seed = derive_seed(seed, f"member {position}")
            own = SINGLE[member.model.name].learn(member.model, histories, own_seed)
            learned |= {f"{position}.{name}": array for name, array in own.items()}
        return learned

    def order(self, histories: Histories) -> F32:
        """Return the members' standardised scores, weighted and added."""
        total = np.zeros((histories.shape[0], self.n_items), np.float32)
        for weight, model in self.members:
            total += np.float32(weight) * standardised(model.order(histories))
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
