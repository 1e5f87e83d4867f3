"""`TwoTowerVAE`: users from what they rated, items from who rated them, and a decoder of both."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from movielens_recsys.arrays import IntArray
from movielens_recsys.errors import ModelError
from movielens_recsys.models.hybrid_vae_config import ATTRIBUTE_WIDTH, LOOK_FEATURES, HybridVAEConfig
from movielens_recsys.models.networks.layers import RatingOutput
from movielens_recsys.models.networks.network import RatingNetwork
from movielens_recsys.models.networks.ordinal import CutpointParameters, OrdinalDistribution
from movielens_recsys.models.two_tower.attention import PLACES, Attention, TemporalNeighbors
from movielens_recsys.models.two_tower.bias_features import (
    age_features,
    average,
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

START_SIZE = 0.3
RATINGS_PER_BLOCK = 131_072
LARGEST_LOG_SCALE = 1.5


class TwoTowerVAE(RatingNetwork):
    """A variational autoencoder with a latent for each user and one for each item.

    Keys k_i begin as the leading singular vectors of who rated what. In each round
    q(z_u | r_u) is encoded with the keys of the items that u rated, then q(z_i | r_i) with the means of the
    users who rated i, and these are the next round's keys. Then

        score = s_u + s_i + sum_j g_j z_uj z_ij + w . features + decoder(z_u * z_i, features)
        P(rating <= level k) = sigmoid((c_k - score) exp(a_u + a_i))

    with features of averages, of the moment and of ages. No number that is learned belongs to one user or
    item (unless ``id_embeddings`` asks for it): everything of them is inferred from ratings that are not to
    be predicted. A memory of one's own, trained on all ratings, would tell the targets of a step by what is
    missing from the others. Priors are N(0, 1 / l_j), l learned.
    """

    def __init__(
        self,
        config: HybridVAEConfig,
        size: tuple[int, int],
        scale: tuple[float, float],
        shares: Tensor,
        moments: TimeContext,
        n_attributes: int,
        neighbourhood: TemporalNeighbors | None = None,
        history: TrainingInteractions | None = None,
    ) -> None:
        """Build for ``size`` users and items, and a ``scale`` of lowest level and step in stars.

        ``shares`` are those of the levels among all ratings; ``neighbourhood`` is what `Attention`
        looks at, if there is any. Without ``history`` it can only predict, from an `Encoding` that is given
        to it.
        """
        super().__init__()
        self.config, self.clock, self.history = config, moments, history
        self.minimum, self.step = scale
        self.id_rows = nn.ParameterList(
            [nn.Parameter(0.05 * torch.randn(n, config.latent_dim)) for n in size]
            if config.id_embeddings
            else []
        )
        self.attributes = nn.Linear(n_attributes, ATTRIBUTE_WIDTH) if n_attributes else None
        ids = config.latent_dim * config.id_embeddings
        item_more = ids + (ATTRIBUTE_WIDTH if n_attributes else 0)
        self.user_encoders = nn.ModuleList(TowerEncoder(config, ids) for _ in range(config.rounds))
        self.item_encoders = nn.ModuleList(TowerEncoder(config, item_more) for _ in range(config.rounds))
        self.attention = None if neighbourhood is None else Attention(config, neighbourhood)
        hierarchical = "hierarchical" in config.variants
        self.item_prior = ItemPrior(config, n_attributes) if hierarchical and n_attributes else None
        self.days = DailyUserLatents(config) if hierarchical and DAY in moments.names else None
        known = n_features(len(moments.names), moments.width)
        self.decoder = Decoder(config, known + (0 if self.attention is None else LOOK_FEATURES))
        self.cutpoints = CutpointParameters(shares)
        self.encoding: EncodedEntities | None = None
        self._left_out: Tensor | None = None

    def time_context(self, users: IntArray, items: IntArray, timestamps: NDArray[np.int64] | None) -> Tensor:
        """Return the columns of `Moments`, then those of `Neighbourhood`."""
        columns = self.clock.at(users, items, timestamps)
        if self.attention is not None:
            places = self.attention.neighbourhood.places(users, items, timestamps)
            columns = np.concatenate([columns, places], axis=1)
        return torch.from_numpy(columns)

    def no_moments(self, n: int, device: torch.device) -> Tensor:
        """Return what `moments` says of ``n`` pairs where no time is known."""
        width = self.clock.width + (0 if self.attention is None else len(PLACES))
        return torch.full((n, width), -1, device=device)

    def mask_targets(self, rows: Tensor) -> None:
        """Encode without these training rows from now on.

        Raises
        ------
        ModelError
            Nothing would be left to encode.
        """
        if self.history is not None and len(rows) >= len(self.history.users):
            raise ModelError(
                f"a step predicts all {len(rows)} training ratings",
                expected="some that are left to encode users and items from",
                next_step="set training.batch_fraction to 0.1",
            )
        self._left_out, self.encoding = rows, None

    def cache_encodings(self) -> None:
        """Encode everybody from all training ratings, once; predictions use it until rows are left out."""
        self._left_out = None
        self.encoding = self.encode()

    def encode(self) -> EncodedEntities:
        """Encode all users and items from the training ratings that are not left out.

        In full precision, also where the rest is not: it solves linear equations.
        """
        device = next(self.parameters()).device
        with torch.autocast(device.type, enabled=False):
            return self._encode(device)

    def _encode(self, device: torch.device) -> EncodedEntities:
        assert self.history is not None, "a restored network has no ratings to encode from"
        history = self.history = self.history.to(device)
        kept = torch.ones(len(history.users), dtype=torch.float64, device=device)
        if self._left_out is not None:
            kept[history.place[self._left_out]] = 0
        averages, left = average(history, kept)
        weights, residuals = kept.float(), (kept * left).float()
        user_side = TowerInput(history.user_items, weights, residuals, averages.user_count)
        item_side = TowerInput(history.user_items.turned, weights, residuals, averages.item_count)
        user_start, item_start = (rows[:, : self.config.n_factors] for rows in history.start)
        items_more = [] if self.attributes is None else [self.attributes(history.attributes)]
        ids = [[self.add_noise(rows)] for rows in self.id_rows] or [[], []]
        prior = None if self.item_prior is None else self.item_prior(history.attributes)
        following = START_SIZE * history.start[1][:, : self.config.latent_dim]
        for user_encoder, item_encoder in zip(self.user_encoders, self.item_encoders, strict=True):
            keys = self.add_noise(following)
            users = user_encoder(user_side, keys, item_start, ids[0])
            items = item_encoder(item_side, users.latent.mean, user_start, [*items_more, *ids[1]], prior)
            following = items.latent.mean
        left = left - _explained(history, users.latent.mean, items.latent.mean)
        extras = {}
        if self.attention is not None:
            extras["left"] = torch.where(kept > 0, left, torch.nan).float()
        if prior is not None:
            extras["item_prior"] = prior
        if self.days is not None:
            extras["days"] = self.days(history, items.latent.mean, weights, (kept * left).float())
        return EncodedEntities(
            users, items, keys, item_start, averages, group_biases(history, kept, left), extras
        )

    def forward(self, users: Tensor, items: Tensor, moments: Tensor | None = None) -> RatingOutput:
        """Rate pairs of indices, both of shape (n,), at ``moments``, shape (n, columns of `Moments`)."""
        encoding = None if self.training else self.encoding
        encoding = encoding or self.encode()
        if moments is None:
            moments = self.no_moments(len(users), users.device)
        ordinal = self.predict_ratings(encoding, users, items, moments.long())
        kl = torch.cat([self._kl(encoding, 0)[users].mean(0), self._kl(encoding, 1)[items].mean(0)])
        latent = torch.cat([encoding.users.latent.mean[users], encoding.items.latent.mean[items]], dim=1)
        return RatingOutput(ordinal.expected, kl, latent, ordinal)

    def predict_ratings(
        self, encoding: EncodedEntities, users: Tensor, items: Tensor, moments: Tensor
    ) -> OrdinalDistribution:
        """Return the distribution over the levels of pairs of rows of ``encoding``."""
        mine, its = (self._latents(side) for side in (encoding.users, encoding.items))
        heads = encoding.users.heads[users] + encoding.items.heads[items]
        n_effects = len(self.clock.names)
        known = [
            *encoding.averages.features(users, items),
            *group_bias_features(encoding.shifts, moments[:, :n_effects]),
            *age_features(moments[:, n_effects : self.clock.width]),
        ]
        if self.attention is not None:
            places = moments[:, self.clock.width :]
            known += self.attention((mine, its), (users, items), places, encoding.extras["left"])
        score = heads[:, 0] + self.decoder(mine[users] * its[items], torch.stack(known, dim=1))
        if self.days is not None:
            group = moments[:, self.clock.names.index(DAY)]
            score = score + self.days.score(encoding.extras["days"], group, its[items])
        scale = heads[:, 1].clamp(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE).exp()
        return OrdinalDistribution(
            (self.cutpoints() - score[:, None]) * scale[:, None], self.minimum, self.step
        )

    def _latents(self, side: Encoded) -> Tensor:
        noise = self.config.latent_noise
        return side.latent.draw(noise) if self.training and noise else side.latent.mean

    def _kl(self, encoding: EncodedEntities, which: int) -> Tensor:
        latent = (encoding.users, encoding.items)[which].latent
        last = (self.user_encoders, self.item_encoders)[which][-1]
        assert isinstance(last, TowerEncoder)
        precision = last.posterior.prior_precision
        means = encoding.extras.get("item_prior") if which else None
        return latent.kl(torch.zeros_like(precision) if means is None else means, precision)


@torch.no_grad()
def _explained(history: TrainingInteractions, users: Tensor, items: Tensor) -> Tensor:
    """Return z_u . z_i of every rating, float64 of shape (n,)."""
    products = [
        (users[of_users] * items[of_items]).sum(1)
        for of_users, of_items in zip(
            torch.split(history.users, RATINGS_PER_BLOCK),
            torch.split(history.items, RATINGS_PER_BLOCK),
            strict=True,
        )
    ]
    return torch.cat(products).double()
