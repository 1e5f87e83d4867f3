"""`TwoTowerVAE`: an encoder of users, an encoder of items, and a decoder of pairs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from movielens_recsys.arrays import I64, IntArray
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import ModelError
from movielens_recsys.models.hybrid_vae_config import ATTENTION_FEATURES, ATTRIBUTE_WIDTH, HybridVAEConfig
from movielens_recsys.models.networks.layers import RatingOutput
from movielens_recsys.models.networks.network import RatingNetwork
from movielens_recsys.models.networks.ordinal import CutpointParameters, OrdinalDistribution
from movielens_recsys.models.two_tower.attention import POSITION_COLUMNS, Attention, TemporalNeighbors
from movielens_recsys.models.two_tower.bias_features import (
    age_features,
    bias_statistics,
    group_bias_features,
    group_biases,
    n_features,
)
from movielens_recsys.models.two_tower.decoder import Decoder
from movielens_recsys.models.two_tower.encoder import Encoded, TowerEncoder, TowerInput
from movielens_recsys.models.two_tower.encodings import EncodedEntities
from movielens_recsys.models.two_tower.hierarchical import DAY, DailyUserLatents, ItemPrior
from movielens_recsys.models.two_tower.interactions import TrainingInteractions
from movielens_recsys.models.two_tower.time_context import TimeContext

INITIAL_KEY_SCALE = 0.3
RATINGS_PER_BLOCK = 131_072
MAX_LOG_SCALE = 1.5


class TwoTowerVAE(RatingNetwork):
    """A variational autoencoder with a latent for each user and one for each item.

    Keys k_i begin as the SVD embeddings of the items. In each round q(z_u | r_u) is encoded with the keys of
    the items that u rated, then q(z_i | r_i) with the means of the users who rated i; the means of z_i are
    the keys of the next round. Then

        score = s_u + s_i + sum_j g_j z_uj z_ij + w . features + MLP(z_u * z_i, features)
        P(rating <= level k) = sigmoid((c_k - score) exp(a_u + a_i))

    with features of biases, time context and ages. Priors are N(0, 1 / l_j), l learned.

    No parameter belongs to one user or item (unless ``id_embeddings``): all is inferred from ratings other
    than the targets. An embedding trained on all ratings would reveal a step's targets, as the difference
    between it and what the visible ratings say.
    """

    def __init__(
        self,
        config: HybridVAEConfig,
        *,
        n_users: int,
        n_items: int,
        levels: Scale,
        level_shares: Tensor,
        time_lookup: TimeContext,
        n_attributes: int,
        neighbors: TemporalNeighbors | None = None,
        interactions: TrainingInteractions | None = None,
    ) -> None:
        """Build an untrained network.

        Parameters
        ----------
        level_shares
            The share of each of ``levels`` among the training ratings, shape (levels,).
        time_lookup
            Finds the time context of pairs.
        neighbors
            The ratings that `Attention` reads; without them there is no attention.
        interactions
            The ratings to encode; without them the network only predicts, from ``encodings`` that are set.
        """
        super().__init__()
        self.config, self.time_lookup, self.interactions = config, time_lookup, interactions
        self.minimum, self.step = levels.minimum, levels.step_width
        # The order of construction is that in which initial weights are drawn from torch's generator, and
        # attribute names are those of the arrays in bundles and checkpoints: both are fixed.
        self.id_rows = nn.ParameterList(
            [nn.Parameter(0.05 * torch.randn(n, config.latent_dim)) for n in (n_users, n_items)]
            if config.id_embeddings
            else []
        )
        self.attributes = nn.Linear(n_attributes, ATTRIBUTE_WIDTH) if n_attributes else None
        id_width = config.latent_dim * config.id_embeddings
        item_width = id_width + (ATTRIBUTE_WIDTH if n_attributes else 0)
        self.user_encoders = nn.ModuleList(TowerEncoder(config, id_width) for _ in range(config.rounds))
        self.item_encoders = nn.ModuleList(TowerEncoder(config, item_width) for _ in range(config.rounds))
        self.attention = None if neighbors is None else Attention(config, neighbors)
        hierarchical = "hierarchical" in config.variants
        self.item_prior = ItemPrior(config, n_attributes) if hierarchical and n_attributes else None
        self.days = DailyUserLatents(config) if hierarchical and DAY in time_lookup.names else None
        width = n_features(len(time_lookup.names), time_lookup.width)
        self.decoder = Decoder(config, width + (0 if self.attention is None else ATTENTION_FEATURES))
        self.cutpoints = CutpointParameters(level_shares)
        self.encodings: EncodedEntities | None = None
        self._masked_rows: Tensor | None = None

    def time_context(self, users: IntArray, items: IntArray, timestamps: I64 | None) -> Tensor:
        """Return the columns of `TimeContext`, then those of `TemporalNeighbors`, int32, -1 for unknown."""
        columns = self.time_lookup.columns(users, items, timestamps)
        if self.attention is not None:
            positions = self.attention.neighbors.columns(users, items, timestamps)
            columns = np.concatenate([columns, positions], axis=1)
        return torch.from_numpy(columns)

    def unknown_time_context(self, n: int, device: torch.device) -> Tensor:
        """Return `time_context` of ``n`` pairs at an unknown timestamp."""
        width = self.time_lookup.width + (0 if self.attention is None else len(POSITION_COLUMNS))
        return torch.full((n, width), -1, device=device)

    def mask_targets(self, rows: Tensor) -> None:
        """Encode without these training rows from now on.

        Raises
        ------
        ModelError
            No training row would be left to encode.
        """
        if self.interactions is not None and len(rows) >= len(self.interactions.users):
            raise ModelError(
                f"a step predicts all {len(rows)} training ratings",
                expected="some ratings left to encode users and items from",
                next_step="set training.batch_fraction to 0.1",
            )
        self._masked_rows, self.encodings = rows, None

    def cache_encodings(self) -> None:
        """Encode all training ratings once; predictions use that until `mask_targets` is called."""
        self._masked_rows = None
        self.encodings = self.encode()

    def encode(self) -> EncodedEntities:
        """Encode all users and items from the training ratings that are not masked."""
        assert self.interactions is not None, "a restored network has no ratings to encode from"
        device = next(self.parameters()).device
        self.interactions = self.interactions.to(device)
        # Full precision also under mixed-precision training: `LinearPosterior` factors matrices.
        with torch.autocast(device.type, enabled=False):
            return self._encode(self.interactions)

    def _encode(self, interactions: TrainingInteractions) -> EncodedEntities:
        visible = self._visible(interactions)
        biases, residuals = bias_statistics(interactions, visible)
        # Everything below reads ratings through ``weights`` and masked residuals, both 0 for a target:
        # counts, sums and biases are then exactly those of training ratings without the targets. What a
        # target's user rated (the SVD embeddings) stays; only its value is hidden.
        weights, masked_residuals = visible.float(), (visible * residuals).float()
        item_prior = None if self.item_prior is None else self.item_prior(interactions.attributes)
        keys, users, items = self._encode_in_rounds(
            interactions,
            TowerInput(interactions.user_items, weights, masked_residuals, biases.user_count),
            TowerInput(interactions.user_items.transposed, weights, masked_residuals, biases.item_count),
            item_prior,
        )
        residuals = residuals - _latent_products(interactions, users.latent.mean, items.latent.mean)
        days = None
        if self.days is not None:
            masked_residuals = (visible * residuals).float()
            days = self.days(interactions, items.latent.mean, weights, masked_residuals)
        return EncodedEntities(
            users=users,
            items=items,
            keys=keys,
            item_svd=interactions.svd[1][:, : self.config.n_factors],
            biases=biases,
            group_biases=group_biases(interactions, visible, residuals),
            residuals=None
            if self.attention is None
            else torch.where(visible > 0, residuals, torch.nan).float(),
            item_prior=item_prior,
            days=days,
        )

    def _visible(self, interactions: TrainingInteractions) -> Tensor:
        """Return 1 for each training rating that may be encoded, 0 for a masked one, float64."""
        visible = torch.ones_like(interactions.deviations)
        if self._masked_rows is not None:
            visible[interactions.positions[self._masked_rows]] = 0
        return visible

    def _encode_in_rounds(
        self,
        interactions: TrainingInteractions,
        user_input: TowerInput,
        item_input: TowerInput,
        item_prior: Tensor | None,
    ) -> tuple[Tensor, Encoded, Encoded]:
        """Return the last keys of the items, and users and items of the last round."""
        user_svd, item_svd = (svd[:, : self.config.n_factors] for svd in interactions.svd)
        attributes = [] if self.attributes is None else [self.attributes(interactions.attributes)]
        ids = [[self.add_noise(embeddings)] for embeddings in self.id_rows] or [[], []]
        item_latents = INITIAL_KEY_SCALE * interactions.svd[1][:, : self.config.latent_dim]
        # Each round has encoders of its own: the keys of the first are SVD embeddings, later ones latents.
        for user_encoder, item_encoder in zip(self.user_encoders, self.item_encoders, strict=True):
            keys = self.add_noise(item_latents)
            users: Encoded = user_encoder(user_input, keys, item_svd, ids[0])
            items: Encoded = item_encoder(
                item_input, users.latent.mean, user_svd, [*attributes, *ids[1]], item_prior
            )
            item_latents = items.latent.mean
        return keys, users, items

    def forward(self, users: Tensor, items: Tensor, time_context: Tensor | None = None) -> RatingOutput:
        """Predict ratings of pairs of indices, both of shape (n,), given their `time_context`."""
        # In training the weights change with every step, and the masked rows with them.
        encodings = None if self.training else self.encodings
        encodings = encodings or self.encode()
        if time_context is None:
            time_context = self.unknown_time_context(len(users), users.device)
        ordinal = self.predict_ratings(encodings, users, items, time_context.long())
        # Averaged over the pairs of the batch: a user's KL then has the weight of the user's ratings, as in
        # the sum over all ratings that the ELBO is.
        user_kl = _kl(encodings.users, self.user_encoders[-1])[users]
        item_kl = _kl(encodings.items, self.item_encoders[-1], encodings.item_prior)[items]
        kl = torch.cat([user_kl.mean(0), item_kl.mean(0)])
        latent = torch.cat([encodings.users.latent.mean[users], encodings.items.latent.mean[items]], dim=1)
        return RatingOutput(ordinal.expected, kl, latent, ordinal)

    def predict_ratings(
        self, encodings: EncodedEntities, users: Tensor, items: Tensor, time_context: Tensor
    ) -> OrdinalDistribution:
        """Return the distribution over the levels for pairs of users and items of ``encodings``."""
        user_latents, item_latents = self._latents(encodings.users), self._latents(encodings.items)
        outputs = encodings.users.offset_and_scale[users] + encodings.items.offset_and_scale[items]
        n_effects, n_columns = len(self.time_lookup.names), self.time_lookup.width
        features = [
            *encodings.biases.features(users, items),
            *group_bias_features(encodings.group_biases, time_context[:, :n_effects]),
            *age_features(time_context[:, n_effects:n_columns]),
        ]
        if self.attention is not None:
            assert encodings.residuals is not None
            latents, positions = (user_latents, item_latents), time_context[:, n_columns:]
            features += self.attention(latents, (users, items), positions, encodings.residuals)
        product = user_latents[users] * item_latents[items]
        score = outputs[:, 0] + self.decoder(product, torch.stack(features, dim=1))
        if self.days is not None:
            assert encodings.days is not None
            group = time_context[:, self.time_lookup.names.index(DAY)]
            score = score + self.days.score(encodings.days, group, item_latents[items])
        scale = outputs[:, 1].clamp(-MAX_LOG_SCALE, MAX_LOG_SCALE).exp()
        log_odds = (self.cutpoints() - score[:, None]) * scale[:, None]
        return OrdinalDistribution(log_odds, self.minimum, self.step)

    def _latents(self, encoded: Encoded) -> Tensor:
        noise = self.config.latent_noise
        return encoded.latent.sample(noise) if self.training and noise else encoded.latent.mean


def _kl(encoded: Encoded, last_encoder: nn.Module, prior_mean: Tensor | None = None) -> Tensor:
    """Return the KL of the latents from the prior of their last encoder, shape (n, latent_dim)."""
    assert isinstance(last_encoder, TowerEncoder)
    precision = last_encoder.posterior.prior_precision
    return encoded.latent.kl(torch.zeros_like(precision) if prior_mean is None else prior_mean, precision)


@torch.no_grad()
def _latent_products(interactions: TrainingInteractions, users: Tensor, items: Tensor) -> Tensor:
    """Return z_u . z_i of every training rating, float64 of shape (n,).

    Without gradient: residuals are inputs of the decoder, as biases are, and a gradient through them would
    keep (n, latent_dim) tensors of all training ratings for every step.
    """
    products = [
        (users[of_users] * items[of_items]).sum(1)
        for of_users, of_items in zip(
            torch.split(interactions.users, RATINGS_PER_BLOCK),
            torch.split(interactions.items, RATINGS_PER_BLOCK),
            strict=True,
        )
    ]
    return torch.cat(products).double()
