"""Hyper-parameters of Mult-VAE."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from movielens_recsys.models.config import Dropout, Width
from movielens_recsys.models.implicit.config import ImplicitConfig


class MultVAEConfig(ImplicitConfig):
    """Mult-VAE: a variational autoencoder of a whole history with a multinomial likelihood.

    `training` gives it only its seed.

    Attributes
    ----------
    hidden_dim, latent_dim
        Widths of the hidden layers of encoder and decoder, and of the latent between them.
    dropout
        Fraction of a history that is hidden from the encoder in training.
    kl_weight
        Weight of the KL (beta) after a linear rise over the first half of the epochs.
    epochs, batch_size, learning_rate
        Passes over the histories, histories in a step, and step size.
    weight_decay
        Decoupled weight decay (AdamW).
    """

    name: Literal["mult_vae"] = "mult_vae"
    hidden_dim: Width = 600
    latent_dim: Width = 200
    dropout: Dropout = 0.5
    kl_weight: Annotated[float, Field(ge=0, le=10)] = 0.3
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 60
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 500
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0, le=100)] = 0.0

    def fit_bytes(self, n_ratings: int, n_users: int, n_items: int) -> int:
        """Return the memory of both layers over the catalogue: weights, gradients, Adam's two moments."""
        return 2 * self.hidden_dim * n_items * 4 * 4

    def settings_of_memory(self) -> tuple[str, ...]:
        """Return the setting that memory is in proportion to."""
        return ("hidden_dim",)
