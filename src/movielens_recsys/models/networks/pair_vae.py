"""The hybrid VAE over pairs: both embeddings -> encoder -> latent -> decoder -> rating."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from movielens_recsys.models.base import DataSpec
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.layers import RatingOutput, initialize, mlp
from movielens_recsys.models.networks.network import EmbeddingNetwork
from movielens_recsys.models.networks.recommender import EmbeddingRecommender


class PairVAE(EmbeddingNetwork):
    """A variational autoencoder over (user, item) pairs (Kingma & Welling, 2014).

    z ~ q(z | p_u, q_i) = N(mu, sigma^2) from the encoder; rating = decoder(z); prior N(0, I). When
    predicting, z is the mean. KL = -1/2 (1 + log sigma^2 - mu^2 - sigma^2) for each unit of it.

    With ``bias_terms``, b_u + b_i is added to the decoder's output; they are the last column of each
    embedding. They start at zero, not at the solved biases: these leave the embeddings too little residual to
    learn from, and they stay at their initial values. A ``linear`` output starts at the mean rating, a
    ``sigmoid`` one spans the scale.
    """

    def __init__(
        self, config: HybridVAEConfig, n_users: int, n_items: int, mean: float, scale: tuple[float, float]
    ) -> None:
        super().__init__(n_users, n_items, width=config.n_factors + config.bias_terms)
        self.n_factors = config.n_factors
        self.embedding_dropout = nn.Dropout(config.dropout / 2)
        inward = (2 * config.n_factors, *config.hidden_dims)
        outward = (config.latent_dim, *reversed(config.hidden_dims))
        self.encoder = mlp(inward, normalization=config.normalization, dropout=config.dropout)
        self.latent_mean = nn.Linear(inward[-1], config.latent_dim)
        self.latent_log_variance = nn.Linear(inward[-1], config.latent_dim)
        self.decoder = mlp(outward, normalization=config.normalization, dropout=config.dropout)
        self.output = nn.Linear(outward[-1], 1)
        initialize(self)
        nn.init.zeros_(self.users.weight[:, self.n_factors :])
        nn.init.zeros_(self.items.weight[:, self.n_factors :])
        self.low, self.high = scale
        self.sigmoid = config.output == "sigmoid"
        self.mean = nn.Parameter(torch.tensor(0.0 if self.sigmoid else mean))

    def item_factors(self) -> Tensor:
        """Return the items' embeddings without the biases, shape (n_items, n_factors)."""
        return self._split(self.items.weight)[0]

    def predict_ratings(self, user_embeddings: Tensor, items: Tensor) -> RatingOutput:
        """Predict ratings for user embeddings, shape (n, n_factors + bias_terms), and items, shape (n,)."""
        user_factors, user_bias = self._split(user_embeddings)
        item_factors, item_bias = self._split(self.item_embeddings(items))
        pair = self.embedding_dropout(torch.cat([user_factors, item_factors], dim=1))
        hidden = self.encoder(pair)
        mean, log_variance = self.latent_mean(hidden), self.latent_log_variance(hidden)
        latent = mean
        if self.training:  # the reparametrisation trick; predictions use the mean and are deterministic
            latent = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        kl = -0.5 * torch.mean(1 + log_variance - mean.square() - log_variance.exp(), dim=0)
        decoded = self.output(self.decoder(latent)).squeeze(1)
        ratings = self.mean + decoded + user_bias.sum(1) + item_bias.sum(1)
        if self.sigmoid:
            ratings = self.low + (self.high - self.low) * torch.sigmoid(ratings)
        return RatingOutput(ratings, kl, mean)

    def _split(self, embeddings: Tensor) -> tuple[Tensor, Tensor]:
        return embeddings[:, : self.n_factors], embeddings[:, self.n_factors :]


class PairVAERecommender(EmbeddingRecommender):
    """`PairVAE` and its fallback."""

    @classmethod
    def build_network(cls, config: HybridVAEConfig, domain: DataSpec, mean: float) -> PairVAE:
        """Return the untrained network; ``mean`` is the mean training rating."""
        scale = (domain.scale.minimum, domain.scale.maximum)
        return PairVAE(config, domain.n_users, domain.n_items, mean, scale)
