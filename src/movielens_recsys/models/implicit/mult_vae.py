"""Mult-VAE: a variational autoencoder of histories with a multinomial likelihood."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from movielens_recsys.arrays import F32, I64
from movielens_recsys.errors import ModelError
from movielens_recsys.models.base import Arrays, DataSpec
from movielens_recsys.models.baselines import UserItemBias
from movielens_recsys.models.implicit.model import ImplicitModel, InteractionMatrix
from movielens_recsys.models.implicit.mult_vae_config import MultVAEConfig
from movielens_recsys.models.networks.layers import initialize
from movielens_recsys.models.scores import cosine_similarities
from movielens_recsys.seeds import derive_seed, generator

ROWS_AT_ONCE = 512


class HistoryNetwork(nn.Module):
    """history -> tanh layer -> latent's mean and log-variance -> tanh layer -> logits of the catalogue."""

    def __init__(self, config: MultVAEConfig, n_items: int) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.latent_dim = config.latent_dim
        self.encoder = nn.Linear(n_items, config.hidden_dim)
        self.posterior = nn.Linear(config.hidden_dim, 2 * config.latent_dim)
        self.decoder = nn.Linear(config.latent_dim, config.hidden_dim)
        self.catalogue = nn.Linear(config.hidden_dim, n_items)
        initialize(self)

    def forward(self, histories: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits, shape (n, n_items), and each row's KL in nats, shape (n,)."""
        seen = functional.dropout(functional.normalize(histories), self.dropout, self.training)
        mean, log_variance = self.posterior(torch.tanh(self.encoder(seen))).split(self.latent_dim, dim=1)
        latent = mean
        if self.training:
            latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        kl = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1)
        return self.catalogue(torch.tanh(self.decoder(latent))), kl


class MultVAE(ImplicitModel):
    """score(u, i) = the logit of i in the multinomial that decodes the mean of u's latent.

    Maximises, averaged over users (Liang et al., 2018, https://doi.org/10.1145/3178876.3186150),

        sum over positives i of log softmax(logits_u)_i - beta KL(q(z | x_u) || N(0, I))

    with dropout on the history, and beta rising linearly to ``kl_weight`` over the first half of the epochs.
    """

    def __init__(
        self,
        config: MultVAEConfig,
        domain: DataSpec,
        histories: InteractionMatrix,
        fallback: UserItemBias,
        learned: Mapping[str, NDArray[np.generic]],
    ) -> None:
        super().__init__(config, domain, histories, fallback, learned)
        with torch.random.fork_rng(devices=[]):
            self.network = HistoryNetwork(config, self.n_items)
        self.network.load_state_dict({name: _tensor(array) for name, array in learned.items()})
        self.network.eval()

    @classmethod
    def fit_arrays(cls, config: MultVAEConfig, histories: InteractionMatrix, seed: int) -> Arrays:
        """Train for ``epochs`` epochs over all users with a history; torch's global stream is left alone.

        Raises
        ------
        ModelError
            If the loss is not finite.
        """
        rows = np.flatnonzero(np.diff(histories.indptr))
        order = generator(seed, "order of mult_vae")
        n_steps = config.epochs * -(-len(rows) // config.batch_size)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, "mult_vae"))
            network = HistoryNetwork(config, histories.shape[1])
            optimizer = torch.optim.AdamW(
                network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
            )
            for step, batch in enumerate(_batches(rows, config, order)):
                beta = config.kl_weight * min(1.0, 2 * (step + 1) / n_steps)
                loss = _loss(network, _dense(histories[batch]), beta)
                if not torch.isfinite(loss):
                    raise ModelError(
                        f"the loss of mult_vae is {loss.item()} in step {step + 1}",
                        next_step="lower model.learning_rate",
                    )
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
        return {name: tensor.numpy() for name, tensor in network.state_dict().items()}

    @torch.inference_mode()
    def score_histories(self, histories: InteractionMatrix) -> F32:
        """Return the logits at the mean of each history's latent."""
        scores = np.empty(histories.shape, np.float32)
        for start in range(0, len(scores), ROWS_AT_ONCE):
            block = slice(start, start + ROWS_AT_ONCE)
            scores[block] = self.network(_dense(histories[block]))[0].numpy()
        return scores

    @property
    def similarity_meaning(self) -> str:
        """Similarities are cosines."""
        return "cosine of the items' weights in the decoder's last layer"

    def item_similarities(self, item: int) -> F32:
        """Return the cosines of the decoder's weights; 0 for an item without a training positive."""
        weights = self.network.catalogue.weight.detach().numpy()
        return cosine_similarities(weights * self.scored[:, None], item)


def _batches(rows: I64, config: MultVAEConfig, order: np.random.Generator) -> Iterator[I64]:
    for _ in range(config.epochs):
        shuffled = order.permutation(rows)
        for start in range(0, len(rows), config.batch_size):
            yield shuffled[start : start + config.batch_size]


def _loss(network: HistoryNetwork, histories: Tensor, beta: float) -> Tensor:
    logits, kl = network(histories)
    likelihood = (functional.log_softmax(logits, 1) * histories).sum(1)
    loss: Tensor = (beta * kl - likelihood).mean()
    return loss


def _dense(histories: InteractionMatrix) -> Tensor:
    return torch.from_numpy(histories.toarray())


def _tensor(array: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(np.array(array, np.float32))
