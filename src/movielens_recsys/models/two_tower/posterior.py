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

    def draw(self, share: float) -> Tensor:
        """Return one draw of each, with ``share`` of its standard deviation."""
        return self.mean + share * torch.randn_like(self.mean) * self.precision.rsqrt()

    def kl(self, prior_mean: Tensor, prior_precision: Tensor) -> Tensor:
        """Return KL(self || prior) of each unit in nats, shape (n, latent_dim)."""
        share = prior_precision / self.precision
        distance = prior_precision * (self.mean - prior_mean).square()
        return 0.5 * (share - share.log() - 1 + distance)


class LinearPosterior(nn.Module):
    """q(z_n | ratings) for residual_e = key_e . z_n + noise of precision t_n, with z_n ~ N(m_n, 1 / l).

        A_n = diag(l) + t_n sum_e key_e key_e^T        (over the ratings e of n)
        mean_n = A_n^-1 (l m_n + t_n sum_e residual_e key_e)
        precision_nj = A_n[j, j]

    The mean is that of the exact posterior; the precisions are those of the best independent normals
    (Bishop, 2006, section 10.1.2). l and the base of t are learned. Gradients go through the solution.
    """

    first: Tensor
    second: Tensor
    place: Tensor

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.log_precision = nn.Parameter(torch.full((latent_dim,), math.log(INITIAL_PRECISION)))
        self.log_noise_precision = nn.Parameter(torch.zeros(()))
        first, second = torch.triu_indices(latent_dim, latent_dim)
        place = torch.zeros(latent_dim, latent_dim, dtype=torch.int64)
        place[first, second] = place[second, first] = torch.arange(len(first))
        self.register_buffer("first", first, persistent=False)
        self.register_buffer("second", second, persistent=False)
        self.register_buffer("place", place.flatten(), persistent=False)

    @property
    def prior_precision(self) -> Tensor:
        """l, shape (latent_dim,)."""
        return self.log_precision.exp()

    def forward(
        self,
        center: Tensor,
        keys: Tensor,
        bags: SegmentSum,
        kept: Tensor,
        residuals: Tensor,
        confidence: Tensor,
    ) -> Normal:
        """Return the posteriors of all bags.

        Parameters
        ----------
        center
            m, shape (n, latent_dim).
        keys
            A row for each table row of ``bags``, shape (n_rows, latent_dim).
        kept, residuals
            For each rating 1 or, left out, 0; and its residual in stars or, left out, 0.
        confidence
            What is added to the logarithm of the noise's precision, shape (n,).
        """
        size = keys.shape[1]
        products = keys[:, self.first] * keys[:, self.second]
        gram = bags.sum(products, kept)[:, self.place].view(-1, size, size)
        noise_precision = (self.log_noise_precision + confidence).exp()[:, None]
        prior = self.prior_precision
        matrix = noise_precision[:, :, None] * gram + torch.diag(prior)
        vector = prior * center + noise_precision * bags.sum(keys, residuals)
        mean: Tensor = _Solve.apply(matrix, vector)  # type: ignore[no-untyped-call]
        return Normal(mean, matrix.diagonal(dim1=1, dim2=2))


class _Solve(torch.autograd.Function):
    """x = A^-1 b for a batch of positive definite A; its gradient takes no further factors."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, vector: Tensor) -> Tensor:
        factor = torch.linalg.cholesky(matrix)
        solution = torch.cholesky_solve(vector[..., None], factor)[..., 0]
        ctx.save_for_backward(factor, solution)
        return solution

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        factor, solution = ctx.saved_tensors
        to_vector = torch.cholesky_solve(gradient[..., None], factor)[..., 0]
        return -to_vector[:, :, None] * solution[:, None, :], to_vector
