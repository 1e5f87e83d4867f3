"""The decoder of pairs."""

from __future__ import annotations

import pytest
import torch

from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.two_tower.decoder import INITIAL_BIAS_WEIGHT, INITIAL_GAIN, Decoder


@pytest.mark.parametrize("variants", [(), ("skip",)])
def test_an_untrained_decoder_adds_the_latents_product_and_both_biases(
    small: HybridVAEConfig, variants: tuple[str, ...]
) -> None:
    torch.manual_seed(0)
    decoder = Decoder(small.model_copy(update={"variants": variants}), n_features=5).eval()
    product, features = torch.randn(7, 4), torch.randn(7, 5)
    bias = decoder.known.bias + decoder.output.bias
    expected = INITIAL_GAIN * product.sum(1) + INITIAL_BIAS_WEIGHT * features[:, :2].sum(1) + bias
    torch.testing.assert_close(decoder(product, features), expected)
