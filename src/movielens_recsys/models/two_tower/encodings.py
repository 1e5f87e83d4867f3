"""`EncodedEntities`: all that is known of everybody, as the encoders leave it."""

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


class EncodedEntities(NamedTuple):
    """What predictions are made from, and newcomers encoded with.

    ``keys`` and ``start`` are the rows of items that the users' last encoder read; ``extras`` is what
    variants look up, by name.
    """

    users: Encoded
    items: Encoded
    keys: Tensor
    start: Tensor
    averages: BiasStatistics
    shifts: GroupBiases
    extras: Mapping[str, Tensor]

    def state(self) -> Arrays:
        """Return every array by name."""
        tensors = {"keys": self.keys, "start": self.start}
        for name, side in (("users", self.users), ("items", self.items)):
            tensors |= {f"{name}.mean": side.latent.mean, f"{name}.precision": side.latent.precision}
            tensors[f"{name}.heads"] = side.heads
        for field in fields(BiasStatistics):
            tensors[f"averages.{field.name}"] = getattr(self.averages, field.name)
        for name, (mean, count) in self.shifts.items():
            tensors |= {f"shifts.{name}.mean": mean, f"shifts.{name}.count": count}
        tensors |= {f"extras.{name}": tensor for name, tensor in self.extras.items()}
        return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]], effects: Sequence[str]) -> Self:
        """Rebuild from the arrays of `state`; ``effects`` are the names of the shifts in their order."""
        tensors = {name: torch.from_numpy(array.copy()) for name, array in state.items()}

        def side(name: str) -> Encoded:
            latent = Normal(tensors[f"{name}.mean"], tensors[f"{name}.precision"])
            return Encoded(latent, tensors[f"{name}.heads"])

        averages = BiasStatistics(*(tensors[f"averages.{field.name}"] for field in fields(BiasStatistics)))
        shifts = {name: (tensors[f"shifts.{name}.mean"], tensors[f"shifts.{name}.count"]) for name in effects}
        prefix = "extras."
        extras = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        return cls(side("users"), side("items"), tensors["keys"], tensors["start"], averages, shifts, extras)
