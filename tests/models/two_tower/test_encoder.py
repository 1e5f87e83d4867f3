"""The encoder of one tower."""

from __future__ import annotations

import torch

from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.two_tower.encoder import TowerEncoder, TowerInput
from movielens_recsys.models.two_tower.segments import SegmentIndex, SegmentSum


def test_an_untrained_encoder_is_ridge_regression_around_the_prior_mean(small: HybridVAEConfig) -> None:
    torch.manual_seed(0)
    user, item = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 2, 0])
    ratings = SegmentSum.of(user, item, SegmentIndex.of(user, 3), SegmentIndex.of(item, 3))
    residuals = torch.randn(4)
    tower = TowerInput(
        ratings=ratings,
        visible=torch.ones(4),
        residuals=residuals,
        counts=torch.tensor([3.0, 1.0, 0.0]),
    )
    keys, svd, prior_mean = torch.randn(3, 4), torch.randn(3, 6), torch.randn(3, 4)
    encoder = TowerEncoder(small, 2).eval()
    encoded = encoder(tower, keys, svd, [torch.randn(3, 2)], prior_mean)
    prior, noise = encoder.posterior.prior_precision, encoder.posterior.log_noise_precision.exp()
    design = keys[item[:3]]
    matrix = torch.diag(prior) + noise * design.T @ design
    expected = torch.linalg.solve(matrix, prior * prior_mean[0] + noise * design.T @ residuals[:3])
    torch.testing.assert_close(encoded.latent.mean[0], expected)
    torch.testing.assert_close(encoded.latent.mean[2], prior_mean[2])
    assert not encoded.offset_and_scale.any()
