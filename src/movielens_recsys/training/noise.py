"""Random state of dropout and latent noise: one stream for each rank, saved and restored with checkpoints."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from lightning_fabric import Fabric
from torch import Tensor

from movielens_recsys.seeds import derive_seed


def seed_noise(fabric: Fabric, seed: int, purpose: str) -> None:
    """Seed this rank's noise; rank 0 draws the same numbers as a single device would."""
    rank = fabric.global_rank
    torch.manual_seed(derive_seed(seed, f"{purpose}-{rank}" if rank else purpose))


def noise_state(fabric: Fabric) -> dict[str, Tensor]:
    """Return the generator states of all ranks, shape (ranks, bytes); every rank takes part."""
    state = {"noise": _gather(fabric, torch.get_rng_state())}
    if fabric.device.type == "cuda":
        state["noise_cuda"] = _gather(fabric, torch.cuda.get_rng_state(fabric.device))
    return state


def restore_noise(fabric: Fabric, tensors: Mapping[str, Tensor], seed: int, epoch: int) -> None:
    """Restore this rank's generators from `noise_state`, in which a rank may be missing.

    A rank that did not take part before has no saved stream; it begins a new one, which depends on the epoch
    so that it does not repeat the numbers of an earlier resumption.
    """
    rank = fabric.global_rank
    if rank >= len(tensors["noise"]):
        seed_noise(fabric, seed, f"noise-from-epoch-{epoch}")
        return
    # Cloned, as torch reads a generator's state from the start of the storage that a view is of.
    torch.set_rng_state(tensors["noise"][rank].clone())
    if "noise_cuda" in tensors and fabric.device.type == "cuda":
        torch.cuda.set_rng_state(tensors["noise_cuda"][rank].clone(), fabric.device)


def _gather(fabric: Fabric, tensor: Tensor) -> Tensor:
    """Return the ranks' tensors stacked, shape (ranks, ...)."""
    local = tensor.to(fabric.device)
    if fabric.world_size == 1:
        return local[None].cpu()
    ranks = [torch.empty_like(local) for _ in range(fabric.world_size)]
    torch.distributed.all_gather(ranks, local)
    return torch.stack(ranks).cpu()
