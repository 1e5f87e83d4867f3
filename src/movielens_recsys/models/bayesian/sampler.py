"""Chains one after another, and the draws that are kept of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from movielens_recsys.data.ratings import Ratings
from movielens_recsys.models.base import Domain, State, under
from movielens_recsys.models.bayesian.chain import Chain
from movielens_recsys.models.bayesian.draws import Draws
from movielens_recsys.models.bayesian.features import Kernels
from movielens_recsys.models.bayesian.model import BayesianMF
from movielens_recsys.models.bayesian.threads import Threads
from movielens_recsys.models.config import BayesianMFConfig
from movielens_recsys.recommender import FloatArray
from movielens_recsys.seeds import derive_seed


class Sampler:
    """All draws of a `BayesianMF`, a sweep at a time.

    Attributes
    ----------
    chain_number
        Of the chain in progress, from 0; the first of one seed is the same however many follow it.
    """

    def __init__(self, config: BayesianMFConfig, train: Ratings, seed: int) -> None:
        self.config, self.train, self._seed = config, train, seed
        self._kernels = Kernels.of(config, train, seed)
        self._keep = set(kept_sweeps(config))
        self._kept: Draws | None = None
        self._n_kept = 0
        self.chain_number = 0
        self.chain = self._begin()

    def _begin(self) -> Chain:
        seed = derive_seed(self._seed, f"chain {self.chain_number}")
        return Chain(self.config, self.train, self._kernels, seed)

    @property
    def sweeps(self) -> int:
        """How many sweeps are done, of all chains."""
        return self.chain_number * self.config.sweeps + self.chain.sweeps

    @property
    def sweeps_in_all(self) -> int:
        """How many there are to do."""
        return self.config.chains * self.config.sweeps

    @property
    def settled(self) -> bool:
        """Whether the chain in progress is past its burn-in."""
        return self.chain.sweeps > self.config.burn_in

    def sweep(self, threads: Threads) -> None:
        """Make one sweep, of the next chain if this one is at its end; keep its draw if it is due."""
        if self.chain.sweeps == self.config.sweeps:
            self.chain_number += 1
            self.chain = self._begin()
        self.chain.sweep(threads)
        if self.chain.sweeps in self._keep:
            self._keep_draws(Draws.of(self.chain))

    def _keep_draws(self, draws: Draws) -> None:
        if self._kept is None:
            self._kept = Draws.room(len(self._keep) * self.config.chains, draws)
        self._kept.put(self._n_kept, draws)
        self._n_kept += len(draws)

    def predictor(self, rows: Ratings) -> Callable[[], FloatArray]:
        """Return what predicts the stars of ``rows`` by the present draw alone, whenever it is called."""
        domain = Domain.of(self.train)
        users, items = rows.users.astype(np.int32), rows.items.astype(np.int32)
        groups = self.chain.effects.groups(users, items, rows.timestamps)

        def predict() -> FloatArray:
            steps = Draws.of(self.chain).expected(users, items, groups)
            return domain.clip(domain.scale.minimum + domain.scale.step * steps)

        return predict

    def model(self) -> BayesianMF:
        """Return the recommender of the draws kept so far, of the present one if none is."""
        kept = Draws.of(self.chain) if self._kept is None else self._kept.first(self._n_kept)
        return BayesianMF(self.config, Domain.of(self.train), kept, self.chain.effects)

    def state(self) -> tuple[State, dict[str, Any]]:
        """Return arrays and plain values from which `restore` goes on, bit for bit."""
        arrays, plain = self.chain.state()
        state: State = {f"chain.{name}": array for name, array in arrays.items()}
        if self._kept is not None:
            kept = self._kept.first(self._n_kept).state()
            state.update({f"kept.{name}": array for name, array in kept.items()})
        return state, {"chain_number": self.chain_number, "chain": plain}

    def restore(self, state: State, plain: dict[str, Any]) -> None:
        """Go back to what `state` returned."""
        if plain["chain_number"] != self.chain_number:
            self.chain_number = plain["chain_number"]
            self.chain = self._begin()
        self.chain.restore(under("chain.", state), plain["chain"])
        kept = under("kept.", state)
        self._kept, self._n_kept = None, 0
        if kept:
            self._keep_draws(Draws.from_state(kept))


def sample(sampler: Sampler) -> BayesianMF:
    """Make every sweep that is left and return the recommender."""
    with Threads() as threads:
        while sampler.sweeps < sampler.sweeps_in_all:
            sampler.sweep(threads)
    return sampler.model()


def kept_sweeps(config: BayesianMFConfig) -> list[int]:
    """Return each chain's sweeps, counted from 1, whose draws are kept: evenly spaced, up to the last."""
    left = config.sweeps - config.burn_in
    n = min(max(config.kept_draws // config.chains, 1), left)
    return [config.burn_in + (k + 1) * left // n for k in range(n)]
