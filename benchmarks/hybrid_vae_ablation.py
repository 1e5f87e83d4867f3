"""From the plan's network to the template `quickstart`, step by step: validation RMSE over seeds.

    python benchmarks/hybrid_vae_ablation.py [--seeds 3] [--data ml-100k]

Random 80/10/10 (split seed 0); the size, epochs and patience of the template `quickstart`. Each row names
the change since the row before; the epoch is chosen on validation, and the test part is not read.
"""

from __future__ import annotations

import argparse

import numpy as np

from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import make_split
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.settings import load_settings
from movielens_recsys.training.fit import fit

STEPS: list[tuple[str, dict[str, object], dict[str, object]]] = [
    (
        "the plan to the letter",
        {"normalization": "batch", "bias_terms": False, "output": "sigmoid", "dropout": 0.4},
        {"weight_decay": 1e-5, "learning_rate": 5e-4},
    ),
    ("dropout 0.4 -> 0.2", {"dropout": 0.2}, {}),
    ("batch -> layer normalisation", {"normalization": "layer"}, {}),
    ("bias terms added", {"bias_terms": True}, {}),
    ("sigmoid -> linear output", {"output": "linear"}, {}),
    ("layer -> no normalisation", {"normalization": "none"}, {}),
    ("learning rate 5e-4 -> 1e-3", {}, {"learning_rate": 1e-3}),
    ("weight decay 1e-5 -> 1.5e-4 (quickstart)", {}, {"weight_decay": 1.5e-4}),
    ("and without the bias terms again", {"bias_terms": False}, {}),
    ("and with layer normalisation again", {"bias_terms": True, "normalization": "layer"}, {}),
]


def main() -> None:
    """Print a row per step as soon as its last seed is done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", default="ml-100k")
    options = parser.parse_args()
    split = make_split(load_ratings(options.data, load_settings()), RandomSplit())
    start = config_from_template("quickstart", "ablation", {})
    assert isinstance(start.model, HybridVAEConfig)
    model, training = start.model, start.training
    print(f"| step | val_rmse, mean of {options.seeds} seeds | lowest to highest | best epochs |")
    print("| --- | --- | --- | --- |")
    for step, model_changes, training_changes in STEPS:
        model = model.model_copy(update=model_changes)
        training = training.model_copy(update=training_changes)
        best = []
        for seed in range(options.seeds):
            _, result = fit(model, training.model_copy(update={"seed": seed}), split)
            assert result.best is not None
            best.append(result.best)
        rmse = [record.val_rmse for record in best]
        epochs = ", ".join(str(record.epoch) for record in best)
        print(f"| {step} | {np.mean(rmse):.4f} | {min(rmse):.4f} to {max(rmse):.4f} | {epochs} |", flush=True)


if __name__ == "__main__":
    main()
