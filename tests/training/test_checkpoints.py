"""Checkpoints: whole or not there, and never believed without their hash."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from movielens_recsys.errors import TrainingError
from movielens_recsys.training.checkpoints import read_checkpoint, write_checkpoint

TENSORS = {"weight": torch.arange(6.0).reshape(2, 3), "count": torch.tensor(7)}


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "last.ckpt"
    write_checkpoint(path, TENSORS, {"epoch": 3, "note": "ö"})
    tensors, metadata = read_checkpoint(path)
    assert metadata == {"epoch": 3, "note": "ö"}
    assert set(tensors) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert torch.equal(tensors[name], tensor)
    assert [file.name for file in path.parent.iterdir()] == ["last.ckpt"]


def test_every_damage_is_caught(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    write_checkpoint(path, TENSORS, {})
    content = path.read_bytes()
    for position in range(len(content)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0x10]) + content[position + 1 :])
        with pytest.raises(TrainingError, match="damaged"):
            read_checkpoint(path)
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(TrainingError, match="damaged"):
            read_checkpoint(path)


def test_a_missing_checkpoint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no readable checkpoint"):
        read_checkpoint(tmp_path / "last.ckpt")
