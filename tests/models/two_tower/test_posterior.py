"""The posterior layer against its equations, its gradients against finite differences."""

from __future__ import annotations

import torch

from movielens_recsys.models.two_tower.posterior import LinearPosterior, Normal, _Solve
from movielens_recsys.models.two_tower.segments import SegmentIndex, SegmentSum


def test_the_mean_is_that_of_ridge_regression_on_the_visible_ratings() -> None:
    torch.manual_seed(0)
    layer = LinearPosterior(3)
    with torch.no_grad():
        layer.log_precision.copy_(torch.tensor([0.0, 1.0, 2.0]))
        layer.log_noise_precision.fill_(0.5)
    segment, row = torch.tensor([0, 0, 1, 0, 1]), torch.tensor([0, 1, 2, 3, 0])
    ratings = SegmentSum.of(segment, row, SegmentIndex.of(segment, 3), SegmentIndex.of(row, 4))
    keys, center, confidence = torch.randn(4, 3), torch.randn(3, 3), torch.tensor([0.3, -0.2, 0.0])
    visible = torch.tensor([1.0, 1.0, 1.0, 0.0, 1.0])
    residuals = torch.randn(5) * visible
    posterior = layer(center, keys, ratings, visible, residuals, confidence)
    prior = torch.diag(layer.prior_precision)
    for n in range(3):
        own = (segment == n) & (visible > 0)
        noise = (0.5 + confidence[n]).exp()
        design = keys[row[own]]
        matrix = prior + noise * design.T @ design
        expected = torch.linalg.solve(matrix, prior @ center[n] + noise * design.T @ residuals[own])
        torch.testing.assert_close(posterior.mean[n], expected)
        torch.testing.assert_close(posterior.precision[n], matrix.diagonal())
    torch.testing.assert_close(posterior.mean[2], center[2])


def test_gradients_of_the_solution_equal_finite_differences() -> None:
    torch.manual_seed(1)
    root, vector = torch.randn(2, 4, 4, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)

    def solution(root: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
        return _Solve.apply(root @ root.mT + torch.eye(4), vector)

    assert torch.autograd.gradcheck(solution, (root.requires_grad_(), vector.requires_grad_()))


def test_kl_and_samples_are_those_of_normals() -> None:
    mean, precision = torch.tensor([[0.5, -1.0]]), torch.tensor([[4.0, 0.5]])
    kl = Normal(mean, precision).kl(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]))
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, precision.rsqrt()),
        torch.distributions.Normal(torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 2.0]]).rsqrt()),
    )
    torch.testing.assert_close(kl, expected)
    torch.manual_seed(0)
    samples = Normal(mean.expand(20_000, 2), precision.expand(20_000, 2)).sample(0.5)
    torch.testing.assert_close(samples.mean(0), mean[0], atol=0.02, rtol=0)
    torch.testing.assert_close(samples.std(0), 0.5 * precision[0].rsqrt(), atol=0.02, rtol=0)
