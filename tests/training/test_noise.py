"""Each rank has its own stream of noise, which goes on where it was saved."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric

from movielens_recsys.seeds import derive_seed
from movielens_recsys.training.noise import noise_state, restore_noise, seed_noise


def rank(number: int) -> Any:
    """The only facts about a rank that seeding reads; tests/training/test_distributed.py has real ones."""
    return SimpleNamespace(global_rank=number, device=torch.device("cpu"))


@pytest.fixture(autouse=True)
def _keep_the_global_stream() -> Any:
    state = torch.get_rng_state()
    yield
    torch.set_rng_state(state)


def test_ranks_have_streams_of_their_own_and_the_first_has_that_of_one_device() -> None:
    drawn = []
    for number in (0, 1, 2):
        seed_noise(rank(number), 5, "noise")
        drawn.append(torch.rand(4))
    assert not torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[1], drawn[2])
    torch.manual_seed(derive_seed(5, "noise"))
    assert torch.equal(torch.rand(4), drawn[0])


def test_a_restored_stream_goes_on_where_it_was_saved() -> None:
    fabric = Fabric(accelerator="cpu", devices=1)
    seed_noise(fabric, 5, "noise")
    torch.rand(7)
    saved = noise_state(fabric)
    assert saved["noise"].shape[0] == 1
    expected = torch.rand(4)
    torch.rand(100)
    restore_noise(fabric, saved, 5, epoch=2)
    assert torch.equal(torch.rand(4), expected)


def test_a_rank_that_was_not_saved_begins_another_stream_each_epoch() -> None:
    saved = {"noise": torch.get_rng_state()[None]}
    drawn = []
    for epoch in (2, 2, 3):
        restore_noise(rank(1), saved, 5, epoch)
        drawn.append(torch.rand(4))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[1], drawn[2])
