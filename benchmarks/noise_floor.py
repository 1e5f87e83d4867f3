"""How much of a rating is noise? Three estimates from data in which no user rated an item twice.

The ordinal Bayesian model (`bayesian_mf`, with times and side information) is fitted to random 90/10, fold
0, and to an eighth, a quarter and half of the same training rows; all are evaluated on the same test rows.

- *model's noise*: the mean over test rows of Var[rating | score], averaged over posterior samples. By the
  law of total variance the squared error that the model expects is this plus the variance of E[rating]
  between samples, its uncertainty. Both are printed beside the measured error, to show its calibration.
- *unlimited ratings*: MSE = floor + c x rows^-a, fitted to the four sizes, extrapolated to infinity.
- *neighbours*: half the mean squared difference of two test residuals of one user within a minute, the
  first-order difference estimate of noise (Rice, 1984); the difference of the two items counts as noise too.

All three count as noise whatever this kind of model cannot represent. The first can err to either side: a
model that is uncertain of an effect that does not exist takes noise for uncertainty. `--data generated`
tests them where the floor is known; `--truth-factors 64` generates ratings from more factors than the model
has, `--stars-only` leaves out time and side information. Brackets are 95 % intervals, bootstrap over users.

    python benchmarks/noise_floor.py [--data ml-100k ml-1m generated] [--n-factors 15] [--sweeps 200]
        [--stars-only] [--truth-factors 8]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from movielens_recsys.arrays import F64
from movielens_recsys.data.config import KFoldSplit
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.splits.split import make_split
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.model import BayesianMF
from movielens_recsys.models.bayesian.posterior import PosteriorSamples
from movielens_recsys.settings import load_settings

SHARES = (0.125, 0.25, 0.5, 1.0)
EXPONENTS = np.linspace(0.05, 1.5, 59)
RESAMPLES = 1_000
NEIGHBOURS_WITHIN_S = 60
GENERATED = (943, 1_682, 100_000)


@dataclass(frozen=True)
class TestErrors:
    """Residuals of the test rows in stars, and the model's variances: of noise and of its uncertainty."""

    residuals: F64
    noise: F64
    uncertainty: F64


def main() -> None:
    """Print one table row per data set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", default=["ml-100k", "ml-1m", "generated"])
    parser.add_argument("--n-factors", type=int, default=15)
    parser.add_argument("--sweeps", type=int, default=200)
    parser.add_argument("--truth-factors", type=int, default=8, help="of generated ratings")
    parser.add_argument("--stars-only", action="store_true")
    options = parser.parse_args()
    plain = {"side_information": False, "time_effects": False, "sessions": ()} if options.stars_only else {}
    config = BayesianMFConfig(
        n_factors=options.n_factors,
        sweeps=options.sweeps,
        burn_in=options.sweeps // 3,
        n_posterior_samples=60,
        **plain,
    )
    print("| data | RMSE | expected by the model | of it noise | unlimited ratings | neighbours | known |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in options.data:
        print(row(name, config, options.truth_factors), flush=True)


def row(name: str, config: BayesianMFConfig, truth_factors: int) -> str:
    """Fit every size of one data set; return its row of the table."""
    known = "–"
    if name == "generated":
        made = synthetic_ratings(*GENERATED, seed=0, n_factors=truth_factors)
        ratings, known = made.ratings, f"{made.noise_floor_rmse:.3f}"
    else:
        ratings = load_ratings(name, load_settings())
    split = make_split(ratings, KFoldSplit(folds=10, fold=0, validation=0.0))
    train, test = split.part("train"), split.part("test")
    order = np.random.default_rng(0).permutation(len(train))
    sizes = [int(share * len(train)) for share in SHARES]
    errors = [evaluate_fit(config, train.take(np.sort(order[:size])), test) for size in sizes]
    last, users = errors[-1], test.users
    weights = resampled(test.n_users)
    curves = np.stack([means(one.residuals**2, users, weights) for one in errors])
    floors = np.array([extrapolated(curve, sizes) for curve in curves.T])
    pairs, pair_users = neighbours(test, last.residuals)
    cells = [
        interval(curves[-1]),
        interval(means(last.noise + last.uncertainty, users, weights)),
        interval(means(last.noise, users, weights)),
        interval(floors),
        interval(means(pairs, pair_users, weights)),
    ]
    by_size = ", ".join(f"{size:,}: {mse**0.5:.4f}" for size, mse in zip(sizes, curves[:, 0], strict=True))
    return f"| {name} | {' | '.join(cells)} | {known} |\n<!-- RMSE by training rows: {by_size} -->"


def evaluate_fit(config: BayesianMFConfig, train: Ratings, test: Ratings) -> TestErrors:
    """Fit, and split the predictive variance of every test row into noise and uncertainty."""
    model = BayesianMF.fit(config, train, seed=0)
    users, items = test.users.astype(np.int32), test.items.astype(np.int32)
    groups = model.rating_groups.find(users, items, test.timestamps)
    samples, step = model.samples, test.scale.step
    each = [_one(samples, s).expected_steps(users, items, groups) for s in range(len(samples))]
    mean, squares = np.mean(each, axis=0), np.mean(np.square(each), axis=0)
    # the number of levels passed is k = sum over j of [z > c_j], and k^2 = sum over j of (2 j - 1) [z > c_j]
    second = np.zeros(len(users))
    for j in range(samples.cutpoints.shape[1]):
        one = replace(samples, cutpoints=samples.cutpoints[:, j : j + 1])
        second += (2 * j + 1) * one.expected_steps(users, items, groups)
    predicted = test.scale.minimum + step * mean
    return TestErrors(test.ratings - predicted, step**2 * (second - squares), step**2 * (squares - mean**2))


def _one(samples: PosteriorSamples, s: int) -> PosteriorSamples:
    return PosteriorSamples.from_state({name: array[s : s + 1] for name, array in samples.state().items()})


def neighbours(test: Ratings, residuals: F64) -> tuple[F64, NDArray[np.int32]]:
    """Return half the squared difference of a user's consecutive residuals, and the user of each."""
    assert test.timestamps is not None
    order = np.lexsort((test.timestamps, test.users))
    users, times, ordered = test.users[order], test.timestamps[order], residuals[order]
    close = (np.diff(users) == 0) & (np.diff(times) <= NEIGHBOURS_WITHIN_S)
    return 0.5 * np.diff(ordered)[close] ** 2, users[1:][close]


def resampled(n_users: int) -> F64:
    """Return how often each user is in each bootstrap sample, shape (1 + samples, users); first: once."""
    rng = np.random.default_rng(0)
    counts = rng.multinomial(n_users, np.full(n_users, 1 / n_users), RESAMPLES)
    return np.vstack([np.ones(n_users), counts])


def means(values: F64, users: NDArray[np.integer], weights: F64) -> F64:
    """Return the mean of ``values`` over rows in each sample, shape (1 + samples,)."""
    n_users = weights.shape[1]
    sums, counts = np.bincount(users, values, n_users), np.bincount(users, minlength=n_users)
    return (weights @ sums) / (weights @ counts)


def extrapolated(curve: F64, sizes: list[int]) -> float:
    """Return the floor of the power law that fits the mean squared errors best."""
    best = (np.inf, 0.0)
    for exponent in EXPONENTS:
        terms = np.stack([np.ones(len(sizes)), (np.array(sizes) / sizes[-1]) ** -exponent], axis=1)
        (floor, _), off = nnls(terms, curve)
        best = min(best, (off, floor))
    return best[1]


def interval(squares: F64) -> str:
    """Return the root of the first with a 95 % interval from the others."""
    low, high = np.quantile(squares[1:], [0.025, 0.975])
    return f"{squares[0] ** 0.5:.3f} [{low**0.5:.3f}, {high**0.5:.3f}]"


if __name__ == "__main__":
    main()
