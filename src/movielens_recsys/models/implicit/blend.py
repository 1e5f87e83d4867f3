"""A blend of ranking models: their scores standardised and added with weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import F32
from movielens_recsys.models.base import Arrays, DataSpec, prefixed, strip_prefix
from movielens_recsys.models.baselines import UserItemBias
from movielens_recsys.models.implicit.blend_config import BlendMember, ScoreBlendConfig
from movielens_recsys.models.implicit.model import ImplicitModel, InteractionMatrix
from movielens_recsys.models.scores import standardize
from movielens_recsys.models.table import entry_of
from movielens_recsys.recommender import SimilarityRecommender
from movielens_recsys.seeds import derive_seed


class ScoreBlend(ImplicitModel):
    """score(u, .) = sum over members of weight x (scores - their mean) / their standard deviation.

    Mean and deviation are those of one user's scores over the catalogue.
    """

    def __init__(
        self,
        config: ScoreBlendConfig,
        domain: DataSpec,
        histories: InteractionMatrix,
        fallback: UserItemBias,
        learned: Mapping[str, NDArray[np.generic]],
    ) -> None:
        super().__init__(config, domain, histories, fallback, learned)
        self.members: list[tuple[float, ImplicitModel]] = []
        for position, member in enumerate(config.members):
            arrays = strip_prefix(f"{position}.", learned)
            model = _model_class(member)(member.model, domain, histories, fallback, arrays)
            self.members.append((member.weight, model))

    @classmethod
    def fit_arrays(cls, config: ScoreBlendConfig, histories: InteractionMatrix, seed: int) -> Arrays:
        """Fit each member with a seed derived from its position, with which the names of its arrays begin."""
        learned: dict[str, NDArray[np.generic]] = {}
        for position, member in enumerate(config.members):
            member_seed = derive_seed(seed, f"member {position}")
            arrays = _model_class(member).fit_arrays(member.model, histories, member_seed)
            learned |= prefixed(f"{position}.", arrays)
        return learned

    def score_histories(self, histories: InteractionMatrix) -> F32:
        """Return the members' standardised scores, weighted and added."""
        total = np.zeros((histories.shape[0], self.n_items), np.float32)
        for weight, model in self.members:
            total += np.float32(weight) * standardize(model.score_histories(histories))
        return total

    @property
    def similarity_meaning(self) -> str:
        """Similarities are blended."""
        return "sum of the members' similarities, standardised and weighted"

    def item_similarities(self, item: int) -> F32:
        """Return the members' similarities, standardised over the items, weighted and added."""
        total = np.zeros((1, self.n_items), np.float32)
        for weight, model in self.members:
            if isinstance(model, SimilarityRecommender):
                similarities = np.asarray(model.item_similarities(item), np.float32)
                total += np.float32(weight) * standardize(similarities[None])
        blended: F32 = total[0]
        return blended


def _model_class(member: BlendMember) -> type[ImplicitModel]:
    model_class = entry_of(member.model.name).model_class()
    assert issubclass(model_class, ImplicitModel)
    return model_class
