"""Training throughput of `fit` against a bare PyTorch loop over the same model, rows and batches.

Both train one epoch at a time, in turn, so that a machine whose speed drifts slows both. The result is
the median over rounds of (samples/s of fit) / (samples/s of the bare loop); the goal is at least 0.90.

    python benchmarks/training_throughput.py [--rounds 7] [--ratings 200000] [--model quickstart|baseline]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.networks.recommender import NeuralRecommender
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit

MODELS = {
    "quickstart": HybridVAEConfig(n_factors=32, hidden_dims=(128, 64), latent_dim=16),
    "baseline": HybridVAEConfig(),
}


def bare_epoch(model: HybridVAEConfig, training: TrainingConfig, split: Split) -> float:
    """Train one epoch in a plain PyTorch loop; return samples per second."""
    recommender = build_model(model, split.part("train"), training.seed)
    assert isinstance(recommender, NeuralRecommender)
    network, train = recommender.network, split.part("train")
    users, items = (
        torch.from_numpy(train.users.astype(np.int64)),
        torch.from_numpy(train.items.astype(np.int64)),
    )
    ratings = torch.from_numpy(train.ratings)
    optimizer = torch.optim.Adam(
        network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
    )
    network.train()
    started = time.perf_counter()
    for rows in torch.randperm(len(ratings)).split(training.batch_size):
        output = network(users[rows], items[rows])
        loss = (
            torch.nn.functional.mse_loss(output.ratings, ratings[rows]) + training.kl_weight * output.mean_kl
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), training.gradient_clip_norm)
        optimizer.step()
    return len(ratings) / (time.perf_counter() - started)


def main() -> None:
    """Print one row per round and the median ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--ratings", type=int, default=200_000)
    parser.add_argument("--model", choices=MODELS, default="quickstart")
    options = parser.parse_args()
    model, training = MODELS[options.model], TrainingConfig(epochs=1, batch_size=2048)
    ratings = synthetic_ratings(6_040, 3_706, options.ratings, seed=0).ratings
    split = make_split(ratings, RandomSplit())
    bare_epoch(model, training, split), fit(model, training, split)  # warm-up
    print(
        f"{options.model}, {len(split.train):,} rows per epoch, batch 2048, {torch.get_num_threads()} threads"
    )
    ratios = []
    for number in range(1, options.rounds + 1):
        bare = bare_epoch(model, training, split)
        ours = fit(model, training, split)[1].history[0].samples_per_s
        ratios.append(ours / bare)
        print(f"round {number}: bare {bare:,.0f} samples/s, fit {ours:,.0f}, ratio {ratios[-1]:.3f}")
    print(f"median ratio {np.median(ratios):.3f} (min {min(ratios):.3f}, max {max(ratios):.3f})")


if __name__ == "__main__":
    main()
