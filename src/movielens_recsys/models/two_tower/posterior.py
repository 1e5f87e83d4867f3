"""The posterior of a latent vector given ratings that are linear in it, as a layer."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from movielens_recsys.models.two_tower.segments import SegmentSum

INITIAL_PRECISION = 8.0


class Normal(NamedTuple):
    """Independent normals: means and precisions, both of shape (n, latent_dim)."""

    mean: Tensor
    precision: Tensor

    def sample(self, noise: float) -> Tensor:
        """Return one sample of each, with the fraction ``noise`` of its standard deviation."""
        return self.mean + noise * torch.randn_like(self.mean) * self.precision.rsqrt()

    def kl(self, prior_mean: Tensor, prior_precision: Tensor) -> Tensor:
        """Return KL(self || prior) of each unit in nats, shape (n, latent_dim)."""
        ratio = prior_precision / self.precision
        distance = prior_precision * (self.mean - prior_mean).square()
        return 0.5 * (ratio - ratio.log() - 1 + distance)


class LinearPosterior(nn.Module):
    """q(z_n | ratings) for residual_e = key_e . z_n + noise of precision t_n, with z_n ~ N(m_n, 1 / l).

        A_n = diag(l) + t_n sum_e key_e key_e^T        (over the ratings e of n)
        mean_n = A_n^-1 (l m_n + t_n sum_e residual_e key_e)
        precision_nj = A_n[j, j]

    The mean is that of the exact posterior; the precisions are those of the best independent normals
    (Bishop, 2006, section 10.1.2). l and the base of t are learned. Gradients flow through the solution.
    """

    upper_row: Tensor
    upper_column: Tensor
    packed_position: Tensor

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.log_precision = nn.Parameter(torch.full((latent_dim,), math.log(INITIAL_PRECISION)))
        self.log_noise_precision = nn.Parameter(torch.zeros(()))
        row, column = torch.triu_indices(latent_dim, latent_dim)
        position = torch.zeros(latent_dim, latent_dim, dtype=torch.int64)
        position[row, column] = position[column, row] = torch.arange(len(row))
        self.register_buffer("upper_row", row, persistent=False)
        self.register_buffer("upper_column", column, persistent=False)
        self.register_buffer("packed_position", position.flatten(), persistent=False)

    @property
    def prior_precision(self) -> Tensor:
        """l, shape (latent_dim,)."""
        return self.log_precision.exp()

    def forward(
        self,
        center: Tensor,
        keys: Tensor,
        ratings: SegmentSum,
        visible: Tensor,
        residuals: Tensor,
        confidence: Tensor,
    ) -> Normal:
        """Return the posterior of each segment.

        Parameters
        ----------
        center
            m, shape (n, latent_dim).
        keys
            One for each table row of ``ratings``, shape (n_rows, latent_dim).
        ratings
            The segments, shape (n,), whose latents these are, and the keys that their ratings name.
        visible, residuals
            For each rating 1 and its residual in stars; 0 and 0 for a masked one.
        confidence
            Added to the logarithm of the noise precision, shape (n,).
        """
        size = keys.shape[1]
        # Only the upper triangle of key key^T is summed over the ratings, half the columns of the largest
        # tensor of a step; `packed_position` then spreads it to the full symmetric matrix.
        products = keys[:, self.upper_row] * keys[:, self.upper_column]
        gram = ratings.sum(products, visible)[:, self.packed_position].view(-1, size, size)
        noise_precision = (self.log_noise_precision + confidence).exp()[:, None]
        prior = self.prior_precision
        matrix = noise_precision[:, :, None] * gram + torch.diag(prior)
        vector = prior * center + noise_precision * ratings.sum(keys, residuals)
        mean: Tensor = _Solve.apply(matrix, vector)  # type: ignore[no-untyped-call]
        return Normal(mean, matrix.diagonal(dim1=1, dim2=2))


class _Solve(torch.autograd.Function):
    """x = A^-1 b for a batch of positive definite A, shapes (n, d, d) and (n, d)."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, vector: Tensor) -> Tensor:
        factor = torch.linalg.cholesky(matrix)
        solution = torch.cholesky_solve(vector[..., None], factor)[..., 0]
        ctx.save_for_backward(factor, solution)
        return solution

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        # From A x = b: d x = A^-1 (d b - d A x). So with the gradient g by x, the gradient by b is
        # h = A^-1 g, since A is symmetric, and that by A is -h x^T. Both reuse the forward factor; autograd
        # would differentiate the factorisation itself, at several times its cost. -h x^T is not symmetrised:
        # A[i, j] and A[j, i] come from one packed element, which adds up the gradients of both.
        factor, solution = ctx.saved_tensors
        by_vector = torch.cholesky_solve(gradient[..., None], factor)[..., 0]
        return -by_vector[:, :, None] * solution[:, None, :], by_vector
