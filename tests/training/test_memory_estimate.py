"""The estimate holds what a training really keeps, and the device is found without torch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.recommender import NeuralRecommender
from movielens_recsys.training.memory_estimate import bytes_needed, device_for


def test_activations_are_estimated_as_what_the_backward_pass_keeps() -> None:
    config = HybridVAEConfig(n_factors=64, hidden_dims=(256, 128), latent_dim=32)
    ratings = synthetic_ratings(60, 50, 1_500, seed=0).ratings
    model, size = build_model(config, ratings, seed=0), config.footprint()
    assert isinstance(model, NeuralRecommender)
    assert size is not None
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    pairs = 20_000
    rows = torch.zeros(pairs, dtype=torch.long)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = model.network(rows, rows)
    assert output.ratings.requires_grad
    small = bytes_needed(size, 10**6, 0, 0, 0) - bytes_needed(size, 10**6 - pairs, 0, 0, 0)
    assert sum(kept.values()) < small < 3 * sum(kept.values())


def test_the_reference_model_on_the_largest_data_needs_a_gibibyte_or_two() -> None:
    size = HybridVAEConfig().footprint()
    assert size is not None
    needed = bytes_needed(size, 2048, 32_000_204, 200_948, 84_432)
    assert 1 < needed / 2**30 < 3
    assert bytes_needed(size, 2**20, 32_000_204, 200_948, 84_432) > needed


def card(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_the_first_gpu_is_the_device_unless_the_cpu_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card(tmp_path, monkeypatch, "echo 'NVIDIA RTX A6000, 49140'; echo 'NVIDIA T4, 15360'")
    assert (device_for("auto").name, device_for("auto").total_bytes) == ("NVIDIA RTX A6000", 49140 * 2**20)
    assert device_for("cuda").name == "NVIDIA RTX A6000"
    assert device_for("cpu").name == "main memory"


@pytest.mark.parametrize(("visible", "name"), [("", "main memory"), ("-1", "main memory"), ("1,0", "card 1")])
def test_cuda_visible_devices_chooses_the_gpu_or_hides_all(
    visible: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card(tmp_path, monkeypatch, '[ "$3" = -i ] && echo "card $4, 49140"')
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert device_for("auto").name == name


@pytest.mark.parametrize("script", ["exit 9", "echo", "echo No devices were found", "echo 'a card, [N/A]'"])
def test_a_driver_that_does_not_answer_leaves_main_memory(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card(tmp_path, monkeypatch, script)
    device = device_for("auto")
    assert device.name == "main memory"
    assert device.total_bytes > 2**26
