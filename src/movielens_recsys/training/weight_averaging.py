"""Weight averaging: SWA and EMA, evaluated in place of the last weights.

SWA, Izmailov et al., 2018 (https://arxiv.org/abs/1803.05407): the mean of the weights at the end of each
epoch since it began. EMA, Polyak & Juditsky, 1992, in the form of deep learning: after each step,
average = decay x average + (1 - decay) x weights. Buffers are not averaged: `refresh_statistics` recomputes
the batch normalisation statistics with the averaged weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.schedules import swa_is_on

Pairs = tuple[Tensor, Tensor]


class WeightAverage:
    """The average of the configured kind, if any; empty until it has begun."""

    def __init__(self, network: nn.Module, training: TrainingConfig) -> None:
        self._network = network
        self._training = training
        self.weights: dict[str, Tensor] = {}
        self.count = 0

    @property
    def pending(self) -> bool:
        """Whether SWA is configured and has not begun."""
        return self._training.swa is not None and self.count == 0

    @torch.no_grad()
    def after_step(self) -> None:
        """Add the step's weights to an EMA."""
        if self._training.ema is not None:
            self._move(1 - self._training.ema.decay)

    @torch.no_grad()
    def after_epoch(self, epoch: int) -> None:
        """Add the epoch's weights to an SWA that has begun."""
        if swa_is_on(epoch, self._training):
            self._move(1 / (self.count + 1))

    def _move(self, fraction: float) -> None:
        """Move the average by ``fraction`` of its distance to the weights; the first time, all the way."""
        parameters = {name: tensor.detach() for name, tensor in self._network.named_parameters()}
        if not self.weights:
            self.weights = {name: tensor.clone() for name, tensor in parameters.items()}
        else:
            torch._foreach_lerp_(list(self.weights.values()), list(parameters.values()), fraction)
        self.count += 1

    def restore(self, weights: Mapping[str, Tensor], count: int) -> None:
        """Restore an average of ``count`` updates."""
        self.weights = {
            name: weights[name].to(parameter.device)
            for name, parameter in self._network.named_parameters()
            if name in weights
        }
        self.count = count

    @contextmanager
    def applied(self, pairs: Iterable[Pairs]) -> Iterator[None]:
        """While entered, the network has the averaged weights, with statistics measured on ``pairs``."""
        if not self.weights:
            yield
            return
        original = {name: tensor.clone() for name, tensor in self._network.state_dict().items()}
        try:
            self._network.load_state_dict(self.weights, strict=False)
            refresh_statistics(self._network, pairs)
            yield
        finally:
            self._network.load_state_dict(original)


@torch.no_grad()
def refresh_statistics(network: nn.Module, pairs: Iterable[Pairs]) -> None:
    """Recompute the means and variances of batch normalisation, as plain means over ``pairs``.

    Dropout and latent noise are off meanwhile, as they are in predictions.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    for users, items in pairs:
        network(users, items)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()
