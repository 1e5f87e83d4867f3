"""Ablation of the Bayesian model, and the number of posterior samples that predictions need.

    python benchmarks/bayesian_mf.py [--data ml-100k] [--seeds 0 1 2] [--factors 15] [--sweeps 350]
                                     [--only parts|draws]

Fold 0 of ten (split seed 0), 5 % of its training rows as validation. Every value is the RMSE on the
validation rows, in stars; the test rows are not read. Differences are paired over seeds and given with their
standard error.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from movielens_recsys.data.config import KFoldSplit
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.model import BayesianMF
from movielens_recsys.models.bayesian.posterior import PosteriorSamples
from movielens_recsys.settings import load_settings
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit

PARTS = {
    "all parts": {},
    "without implicit features": {"implicit_features": False},
    "without side information": {"side_information": False},
    "without day and month": {"time_effects": False},
    "without sessions": {"sessions": ()},
    "without time": {"time_effects": False, "sessions": ()},
    "one noise for all users": {"noise_shape": 1_000.0},
    "users, items and ratings alone": {"side_information": False, "time_effects": False, "sessions": ()},
}
SAMPLE_COUNTS = (1, 3, 10, 30, 100, 300)


def main() -> None:
    """Fit the models and print their metrics."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="ml-100k")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--factors", type=int, default=15)
    parser.add_argument("--sweeps", type=int, default=350)
    parser.add_argument("--only", choices=("parts", "draws"))
    options = parser.parse_args()
    fold = KFoldSplit(protocol="kfold", folds=10, fold=0, validation=0.05, seed=0)
    split = make_split(load_ratings(options.data, load_settings()), fold)
    base = BayesianMFConfig(
        n_factors=options.factors,
        sweeps=options.sweeps,
        burn_in=options.sweeps // 4,
        n_posterior_samples=max(SAMPLE_COUNTS),
    )
    if options.only != "draws":
        print_parts(base, split, options.seeds)
    if options.only != "parts":
        print_sample_counts(base, split, options.seeds)


def print_parts(base: BayesianMFConfig, split: Split, seeds: list[int]) -> None:
    """Print the RMSE without each part."""
    whole: np.ndarray | None = None
    print(f"{'':30s}{'RMSE':>9s}{'difference':>12s}{'error':>9s}{'seconds':>9s}")
    for name, changes in PARTS.items():
        began = time.monotonic()
        config = base.model_copy(update={**changes, "n_posterior_samples": 100})
        found = np.array([rmse(fit_model(config, split, seed), split) for seed in seeds])
        whole = found if whole is None else whole
        error = (found - whole).std(ddof=1) / len(seeds) ** 0.5 if len(seeds) > 1 else float("nan")
        seconds = (time.monotonic() - began) / len(seeds)
        print(
            f"{name:30s}{found.mean():9.4f}{(found - whole).mean():+12.4f}{error:9.4f}{seconds:9.1f}",
            flush=True,
        )


def print_sample_counts(base: BayesianMFConfig, split: Split, seeds: list[int]) -> None:
    """Print RMSE, time and size of the model by the number of posterior samples that predict."""
    models = [fit_model(base, split, seed) for seed in seeds]
    print(f"{'samples':>9s}{'RMSE':>9s}{'us per pair':>11s}{'MB':>9s}")
    for n in SAMPLE_COUNTS:
        thinned = [thin(model, n) for model in models]
        began = time.monotonic()
        found = np.mean([rmse(model, split) for model in thinned])
        pairs = len(split.validation) * len(models)
        size = sum(array.nbytes for array in thinned[0].state().values()) / 1e6
        print(f"{n:9d}{found:9.4f}{(time.monotonic() - began) / pairs * 1e6:11.1f}{size:9.1f}", flush=True)


def fit_model(config: BayesianMFConfig, split: Split, seed: int) -> BayesianMF:
    """Sample the model on the training rows alone: it needs no validation rows."""
    model, _ = fit(config, TrainingConfig(seed=seed), replace(split, validation=split.validation[:0]))
    assert isinstance(model, BayesianMF)
    return model


def thin(model: BayesianMF, n: int) -> BayesianMF:
    """Return the model of ``n`` of its posterior samples, evenly spaced."""
    chosen = np.linspace(0, len(model.samples) - 1, min(n, len(model.samples))).round().astype(int)
    samples = PosteriorSamples.from_state(
        {name: array[chosen] for name, array in model.samples.state().items()}
    )
    return BayesianMF(model.config, model.domain, samples, model.rating_groups)


def rmse(model: BayesianMF, split: Split) -> float:
    """Return the RMSE on the validation rows, in stars."""
    rows = split.part("validation")
    assert rows.timestamps is not None
    errors = model.predict_at(rows.users, rows.items, rows.timestamps).astype(np.float64) - rows.ratings
    return float(np.sqrt(np.mean(errors**2)))


if __name__ == "__main__":
    main()
