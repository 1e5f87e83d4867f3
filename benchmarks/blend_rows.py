"""RMSE of a blend of bench results, peers included: does myFM improve on our own models?

    python benchmarks/blend_rows.py [--data ml-100k] [--models bayesian_mf hybrid_vae_attention] [--seeds 0 1]
                                    [--peers myfm] [--blend auto|mean|ridge|gbm]

Fold 0 of random 90/10, as `recsys bench` fits it. Results that the bench has are used, missing ones are
added to it. Peers have seed 0. Weights are fitted on validation, whose metrics are cross-validated, as in
`recsys ensemble`. *Adds* is the RMSE with a member minus the RMSE without it, paired over users, with its
95 % interval: below zero, the member helps.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import numpy as np

from movielens_recsys.bench.config import choose_models, choose_peers, known_bench_models
from movielens_recsys.bench.results import BenchResult
from movielens_recsys.bench.run import Options, run
from movielens_recsys.bench.tasks import tasks
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import HeldOutPart, make_split
from movielens_recsys.ensembles.blend_selection import BLENDS, select_blend
from movielens_recsys.ensembles.predictions import Predictions
from movielens_recsys.evaluation.config import EvaluationConfig
from movielens_recsys.settings import load_settings


def main() -> None:
    """Fit missing results; print each blend's RMSE, then what each member adds to the best blend."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="ml-100k")
    parser.add_argument("--models", nargs="+", default=["bayesian_mf", "hybrid_vae_attention"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--peers", nargs="+", default=["myfm"])
    parser.add_argument("--blend", choices=("auto", *BLENDS), default="auto")
    options = parser.parse_args()
    settings = load_settings()
    peers, own = known_bench_models()
    models = choose_models("accuracy", options.models, own, {})
    (task,) = tasks("accuracy", [options.data], ["random"], folds=1)
    results = run([task], choose_peers("accuracy", options.peers, peers), settings, Options(), print)
    for seed in options.seeds:
        results += run([task], models, settings, Options(seed=seed), print)
    split = make_split(load_ratings(task.data, settings), task.split)
    predictions = {f"{result.key.name}, seed {result.key.seed}": _predictions(result) for result in results}
    found = select_blend(predictions, split, EvaluationConfig(), options.blend)
    for name, rmse in found.rmse.items():
        print(f"{name}: RMSE {_by_part(rmse)}")
    for row in found.members:
        adds = {part: f"{v.difference:+.4f} [{v.low:+.4f}, {v.high:+.4f}]" for part, v in row.adds.items()}
        print(f"{row.run}: weight {row.weight:.3f}; alone {_by_part(row.rmse)}; adds {_by_part(adds)}")


def _predictions(result: BenchResult) -> Predictions:
    if result.failure is not None:
        raise SystemExit(f"{result.key.name} failed: {result.failure}")
    with np.load(result.folder / "predictions.npz") as arrays:
        return Predictions(arrays["validation"], arrays["test"])


def _by_part(values: Mapping[HeldOutPart, float | str]) -> str:
    return ", ".join(
        f"{part} {value:.4f}" if isinstance(value, float) else f"{part} {value}"
        for part, value in values.items()
    )


if __name__ == "__main__":
    main()
