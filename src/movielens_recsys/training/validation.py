"""Metrics of a network on the validation rows, as its predictions will be served."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from movielens_recsys.data.scale import Scale
from movielens_recsys.models.networks.network import RatingNetwork
from movielens_recsys.training.batches import RatingTensors, split_batches
from movielens_recsys.training.config import VALIDATION_BATCH

ACTIVE_VARIANCE = 0.01
"""A latent unit is active if its posterior mean varies more than this over pairs (Burda et al., 2016)."""


class ValidationMetrics(NamedTuple):
    """MSE in squared stars, KL averaged over latent units, and the share of active latent units."""

    mse: float
    kl: float
    active_units: float | None


@torch.inference_mode()
def validate(network: RatingNetwork, rows: RatingTensors, scale: Scale) -> ValidationMetrics:
    """Evaluate predictions of ``rows`` clipped to ``scale``, in full precision and without dropout."""
    network.eval()
    network.cache_encodings()
    squared_error, kl, n = 0.0, 0.0, len(rows)
    moments: list[Tensor] = []
    for batch in split_batches(torch.arange(n, device=rows.ratings.device), VALIDATION_BATCH):
        users, items, time_context, ratings = rows.at(batch)
        output = network(users, items, time_context)
        clipped = output.ratings.clamp(scale.minimum, scale.maximum)
        squared_error += float((clipped - ratings).square().sum(dtype=torch.float64))
        kl += float(output.mean_kl) * len(ratings)
        latent = output.latent.double()
        moments.append(torch.stack([latent.sum(0), latent.square().sum(0)]))
    mean, mean_square = torch.stack(moments).sum(0) / n
    variance = mean_square - mean.square()
    active = float((variance > ACTIVE_VARIANCE).double().mean()) if variance.numel() else None
    return ValidationMetrics(squared_error / n, kl / n, active)
