"""Losses: the objective that a step minimises, and the loss that is reported."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from movielens_recsys.errors import TrainingError
from movielens_recsys.models.networks.layers import RatingOutput
from movielens_recsys.training.config import TrainingConfig


def objective(
    output: RatingOutput, ratings: Tensor, mean_rating: float, kl_weight: float, training: TrainingConfig
) -> Tensor:
    """Return MSE to the targets + nll_weight x NLL + kl_weight x mean_j max(free_bits, KL_j), a scalar.

    NLL is the mean negative log likelihood of the ratings themselves, in nats, under the distribution over
    the scale that an ordinal network gives.

    Free bits: Kingma et al., 2016, equation 15 (https://arxiv.org/abs/1606.04934); KL_j is the batch's mean
    of latent unit j, so a unit below the floor has no gradient towards the prior. Label smoothing: Szegedy
    et al., 2016 (https://arxiv.org/abs/1512.00567), whose mixture of the label with the prior is for ratings
    target = (1 - e) rating + e mean_rating.
    """
    target = ratings
    if training.label_smoothing:
        target = ratings + training.label_smoothing * (mean_rating - ratings)
    error = functional.mse_loss(output.ratings, target)
    if training.nll_weight:
        if output.ordinal is None:
            raise TrainingError(
                f"training.nll_weight is {training.nll_weight:g} and the model predicts no distribution",
                expected="an ordinal model, e.g. hybrid_vae with encoder: two_sided",
                next_step="set training.nll_weight to 0, or choose such a model",
            )
        error = error + training.nll_weight * output.ordinal.negative_log_likelihood(ratings)
    if not output.kl.numel():
        return error
    return error + kl_weight * output.kl.clamp(min=training.free_bits).mean()


def reported_loss(output: RatingOutput, ratings: Tensor, kl_weight: float) -> Tensor:
    """Return MSE + kl_weight x KL of a batch, a scalar: the same quantity whatever techniques are on."""
    return functional.mse_loss(output.ratings, ratings) + kl_weight * output.mean_kl
