"""`GibbsSampler`: chains one after another, and the samples kept of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from movielens_recsys.arrays import FloatArray
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Arrays, DataSpec, strip_prefix
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bayesian.gibbs import GibbsChain
from movielens_recsys.models.bayesian.gp_kernels import Kernels
from movielens_recsys.models.bayesian.parallel import ThreadPool
from movielens_recsys.models.bayesian.posterior import PosteriorSamples
from movielens_recsys.seeds import derive_seed


class GibbsSampler:
    """All chains of a `BayesianMF`, a sweep at a time.

    Attributes
    ----------
    chain_number
        Of the chain in progress, from 0. Each chain's seed is derived from the sampler's and this number, so
        that the first chain is the same however many follow it.
    """

    def __init__(self, config: BayesianMFConfig, train: Ratings, seed: int) -> None:
        self.config, self.train, self._seed = config, train, seed
        self._kernels = Kernels.of(config, train, seed)
        self._sweeps_to_keep = set(kept_sweeps(config))
        self._kept: PosteriorSamples | None = None
        self._n_kept = 0
        self.chain_number = 0
        self.chain = self._start_chain()

    def _start_chain(self) -> GibbsChain:
        seed = derive_seed(self._seed, f"chain {self.chain_number}")
        return GibbsChain(self.config, self.train, self._kernels, seed)

    @property
    def sweeps(self) -> int:
        """How many sweeps are done, of all chains."""
        return self.chain_number * self.config.sweeps + self.chain.sweeps

    @property
    def total_sweeps(self) -> int:
        """How many sweeps all chains have."""
        return self.config.chains * self.config.sweeps

    @property
    def past_burn_in(self) -> bool:
        """Whether the chain in progress is past its burn-in."""
        return self.chain.sweeps > self.config.burn_in

    def sweep(self, threads: ThreadPool) -> None:
        """Make one sweep, of the next chain if this one is complete; keep its sample if it is due."""
        if self.chain.sweeps == self.config.sweeps:
            self.chain_number += 1
            self.chain = self._start_chain()
        self.chain.sweep(threads)
        if self.chain.sweeps in self._sweeps_to_keep:
            self._keep(PosteriorSamples.of(self.chain))

    def _keep(self, samples: PosteriorSamples) -> None:
        # Allocated for all samples at once: `np.empty` takes memory only as pages are written, and appending
        # would copy everything for each sample.
        if self._kept is None:
            self._kept = PosteriorSamples.allocate(len(self._sweeps_to_keep) * self.config.chains, samples)
        self._kept.write(self._n_kept, samples)
        self._n_kept += len(samples)

    def predictor(self, rows: Ratings) -> Callable[[], FloatArray]:
        """Return a function that predicts ``rows`` from the chain's present state alone, shape (n,)."""
        spec = DataSpec.of(self.train)
        users, items = rows.users.astype(np.int32), rows.items.astype(np.int32)
        groups = self.chain.rating_groups.find(users, items, rows.timestamps)

        def predict() -> FloatArray:
            steps = PosteriorSamples.of(self.chain).expected_steps(users, items, groups)
            return spec.from_steps(steps)

        return predict

    def run(self) -> None:
        """Make all remaining sweeps."""
        with ThreadPool() as threads:
            while self.sweeps < self.total_sweeps:
                self.sweep(threads)

    def kept_samples(self) -> PosteriorSamples:
        """Return the samples kept so far, or the present one if none is."""
        return PosteriorSamples.of(self.chain) if self._kept is None else self._kept.first(self._n_kept)

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return arrays and plain values from which `restore` continues, bit for bit."""
        arrays, plain = self.chain.state()
        state: Arrays = {f"chain.{name}": array for name, array in arrays.items()}
        if self._kept is not None:
            kept = self._kept.first(self._n_kept).state()
            state.update({f"kept.{name}": array for name, array in kept.items()})
        return state, {"chain_number": self.chain_number, "chain": plain}

    def restore(self, state: Arrays, plain: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        if plain["chain_number"] != self.chain_number:
            self.chain_number = plain["chain_number"]
            self.chain = self._start_chain()
        self.chain.restore(strip_prefix("chain.", state), plain["chain"])
        kept = strip_prefix("kept.", state)
        self._kept, self._n_kept = None, 0
        if kept:
            self._keep(PosteriorSamples.from_state(kept))


def kept_sweeps(config: BayesianMFConfig) -> list[int]:
    """Return each chain's sweeps, counted from 1, whose samples are kept: evenly spaced, up to the last."""
    after_burn_in = config.sweeps - config.burn_in
    n = min(max(config.n_posterior_samples // config.chains, 1), after_burn_in)
    return [config.burn_in + (k + 1) * after_burn_in // n for k in range(n)]
