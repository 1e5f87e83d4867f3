"""Missing memory is one error whichever allocator reports it; every other error passes as it is."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from movielens_recsys.errors import MainMemoryError
from movielens_recsys.training.allocation import allocation_errors

PETABYTES = 2**50


@pytest.mark.parametrize(
    ("allocate", "words"),
    [
        (lambda: np.empty(PETABYTES), "Unable to allocate 8.00 PiB"),
        (lambda: torch.empty(PETABYTES), "allocate memory"),
        (lambda: bytearray(2**62), "MemoryError"),
    ],
    ids=["numpy", "torch", "Python"],
)
def test_every_allocator_is_understood(allocate, words):
    with pytest.raises(MainMemoryError, match=words) as caught, allocation_errors(MainMemoryError):
        allocate()
    assert isinstance(caught.value.__cause__, MemoryError | RuntimeError)


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="shapes"), allocation_errors(MainMemoryError):
        torch.zeros(2, 3) @ torch.zeros(2, 3)


FIT = """
import numpy as np, resource, psutil
from dataclasses import replace
from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit
ratings = synthetic_ratings(400, 5_000, 200_000, seed=0).ratings
limit = psutil.Process().memory_info().vms + 100 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
fit(EASEConfig(), TrainingConfig(), make_split(ratings, RandomSplit()))
"""


def test_a_fit_says_how_much_memory_it_needed():
    process = subprocess.run([sys.executable, "-c", FIT], capture_output=True, text=True, check=False)
    line = process.stderr.splitlines()[-1]
    assert "MainMemoryError: out of memory in the fit of ease to 400 users and 5,000 items" in line
    assert "expected about 0.4 GiB of main memory; use a larger machine" in line
    assert "or lower model.max_items" in line
