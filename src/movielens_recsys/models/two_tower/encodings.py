"""`EncodedEntities`: all users and items as the encoders leave them, ready to predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from movielens_recsys.models.base import Arrays
from movielens_recsys.models.two_tower.bias_features import BiasStatistics, GroupBiases
from movielens_recsys.models.two_tower.encoder import Encoded
from movielens_recsys.models.two_tower.posterior import Normal

_VARIANT_ARRAYS = {"residuals": "extras.left", "item_prior": "extras.item_prior", "days": "extras.days"}
"""Fields that only variants have, with the names of their arrays in a bundle."""


class EncodedEntities(NamedTuple):
    """What pairs are predicted from, and new users encoded with.

    Attributes
    ----------
    users, items
        The latents of all users and items, offsets and scales.
    keys, item_svd
        The items' keys and SVD embeddings as the users' last encoder read them, shapes (n_items, latent_dim)
        and (n_items, n_factors).
    biases, group_biases
        From the ratings that were encoded.
    residuals
        Variant ``attention``: each training rating's residual beyond biases and latents, sorted by user and
        timestamp, NaN where masked, float32 of shape (n_ratings,).
    item_prior
        Variant ``hierarchical``: prior means of the items' latents, shape (n_items, latent_dim).
    days
        Variant ``hierarchical``: the latents of users' days, shape (n_groups, DAY_DIM).
    """

    users: Encoded
    items: Encoded
    keys: Tensor
    item_svd: Tensor
    biases: BiasStatistics
    group_biases: GroupBiases
    residuals: Tensor | None = None
    item_prior: Tensor | None = None
    days: Tensor | None = None

    def state(self) -> Arrays:
        """Return every array under its name in a bundle."""
        tensors = {"keys": self.keys, "start": self.item_svd}
        for name, encoded in (("users", self.users), ("items", self.items)):
            tensors |= {f"{name}.mean": encoded.latent.mean, f"{name}.precision": encoded.latent.precision}
            tensors[f"{name}.heads"] = encoded.offset_and_scale
        for field in fields(BiasStatistics):
            tensors[f"averages.{field.name}"] = getattr(self.biases, field.name)
        for name, (mean, count) in self.group_biases.items():
            tensors |= {f"shifts.{name}.mean": mean, f"shifts.{name}.count": count}
        for field_name, array_name in _VARIANT_ARRAYS.items():
            tensor = getattr(self, field_name)
            if tensor is not None:
                tensors[array_name] = tensor
        return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]], effects: Sequence[str]) -> Self:
        """Rebuild from `state`'s arrays; ``effects`` are the names of the group biases in their order."""
        # Group biases become feature columns in the order of ``effects``, not in that of a bundle's arrays.
        tensors = {name: torch.from_numpy(array.copy()) for name, array in state.items()}

        def encoded(name: str) -> Encoded:
            latent = Normal(tensors[f"{name}.mean"], tensors[f"{name}.precision"])
            return Encoded(latent, tensors[f"{name}.heads"])

        return cls(
            users=encoded("users"),
            items=encoded("items"),
            keys=tensors["keys"],
            item_svd=tensors["start"],
            biases=BiasStatistics(
                **{field.name: tensors[f"averages.{field.name}"] for field in fields(BiasStatistics)}
            ),
            group_biases={
                name: (tensors[f"shifts.{name}.mean"], tensors[f"shifts.{name}.count"]) for name in effects
            },
            **{field: tensors[name] for field, name in _VARIANT_ARRAYS.items() if name in tensors},
        )
