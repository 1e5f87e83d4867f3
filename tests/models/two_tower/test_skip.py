"""Skip connections of the decoder."""

from __future__ import annotations

import torch

from movielens_recsys.models.two_tower.skip import SkipMLP


def test_every_layer_and_the_output_read_the_input() -> None:
    torch.manual_seed(0)
    skips, x = SkipMLP((3, 5, 4), dropout=0.0), torch.randn(6, 3)
    assert torch.equal(skips(x)[:, 4:], x)
    first, second = skips.layers
    expected = second(torch.cat([first(x), x], dim=1))
    torch.testing.assert_close(skips(x)[:, :4], expected)
