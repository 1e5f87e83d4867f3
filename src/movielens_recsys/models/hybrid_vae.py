"""The plan's hybrid VAE: both embeddings -> encoder -> latent -> decoder -> rating."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from movielens_recsys.models.blocks import Normalization, Output, initialize, perceptron
from movielens_recsys.models.config import HybridVAEConfig
from movielens_recsys.models.neural import PairNetwork


class HybridVAE(PairNetwork):
    """A variational autoencoder over (user, item) pairs (Kingma & Welling, 2014).

    z ~ q(z | p_u, q_i) = N(mu, sigma^2) from the encoder; rating = decoder(z); prior N(0, I). When
    predicting, z is the mean. KL = -1/2 (1 + log sigma^2 - mu^2 - sigma^2), averaged over latent dimensions.

    Two forms, compared in docs/explanation/hybrid-vae.md:

    - ``corrected``: layer normalisation; rating = mean + b_u + b_i + decoder(z), with the bias terms
      kept in the last column of each embedding row and the decoder's last layer starting at zero, so that
      training starts from the solved user and item biases.
    - ``word_for_word``: batch normalisation, no bias terms, rating = minimum + span x sigmoid(decoder(z)).
    """

    def __init__(
        self, config: HybridVAEConfig, n_users: int, n_items: int, mean: float, scale: tuple[float, float]
    ) -> None:
        self.biased = config.form == "corrected"
        super().__init__(n_users, n_items, width=config.n_factors + self.biased)
        normalization: Normalization = "layer" if self.biased else "batch"
        widths = (2 * config.n_factors, *config.hidden_dims)
        self.embedding_dropout = nn.Dropout(config.dropout / 2)
        self.encoder = perceptron(widths, normalization=normalization, dropout=config.dropout)
        self.latent_mean = nn.Linear(widths[-1], config.latent_dim)
        self.latent_log_variance = nn.Linear(widths[-1], config.latent_dim)
        self.decoder = perceptron(
            (config.latent_dim, *reversed(config.hidden_dims)),
            normalization=normalization,
            dropout=config.dropout,
        )
        self.output = nn.Linear(config.hidden_dims[0], 1)
        self.minimum, self.span = scale[0], scale[1] - scale[0]
        initialize(self)
        if self.biased:
            nn.init.zeros_(self.output.weight)
            self.mean = nn.Parameter(torch.tensor(mean))

    def start_from_biases(self, user_bias: Tensor, item_bias: Tensor) -> None:
        """Set the bias terms, shapes (n_users,) and (n_items,), that training starts from."""
        if self.biased:
            with torch.no_grad():
                self.users.weight[:, -1] = user_bias
                self.items.weight[:, -1] = item_bias

    def rate(self, user_rows: Tensor, items: Tensor) -> Output:
        """Rate pairs of user rows, shape (n, width), and items, shape (n,)."""
        item_rows = self.item_rows(items)
        if not self.biased:
            decoded, kl = self._decode(user_rows, item_rows)
            return Output(self.minimum + self.span * torch.sigmoid(decoded), kl)
        decoded, kl = self._decode(user_rows[:, :-1], item_rows[:, :-1])
        return Output(self.mean + user_rows[:, -1] + item_rows[:, -1] + decoded, kl)

    def _decode(self, user_factors: Tensor, item_factors: Tensor) -> tuple[Tensor, Tensor]:
        pair = self.embedding_dropout(torch.cat([user_factors, item_factors], dim=1))
        hidden = self.encoder(pair)
        mean, log_variance = self.latent_mean(hidden), self.latent_log_variance(hidden)
        latent = mean
        if self.training:
            latent = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        kl = -0.5 * torch.mean(1 + log_variance - mean.square() - log_variance.exp())
        return self.output(self.decoder(latent)).squeeze(1), kl
