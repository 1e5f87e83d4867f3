"""An option belongs to one encoder; the size of the networks is tested by test_footprint.py."""

from __future__ import annotations

import pytest

from movielens_recsys.errors import ConfigError
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig


@pytest.mark.parametrize(
    ("encoder", "changes"),
    [
        ("two_sided", {"normalization": "batch"}),
        ("two_sided", {"bias_terms": False, "output": "sigmoid"}),
        ("pair", {"rounds": 3}),
        ("pair", {"variants": ["skip"], "latent_noise": 0.5}),
    ],
)
def test_an_option_of_the_other_encoder_is_refused(encoder: str, changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"not an option of encoder {encoder}") as raised:
        HybridVAEConfig.parse({"encoder": encoder, **changes})
    assert all(name in str(raised.value) for name in changes)


def test_the_default_of_an_option_of_the_other_encoder_is_accepted() -> None:
    assert HybridVAEConfig.parse({"encoder": "two_sided", "normalization": "none"}).is_two_tower
    assert not HybridVAEConfig.parse({"encoder": "pair", "rounds": 2}).is_two_tower


def test_a_variant_is_named_once() -> None:
    with pytest.raises(ConfigError, match="variants"):
        HybridVAEConfig.parse({"encoder": "two_sided", "variants": ["skip", "skip"]})
