"""`TrainingSession`: the circumstances of one fit, beside its model, its configuration and its data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.history import TrainingCallback


def never_stop() -> bool:
    """Return False: train until all epochs are done or patience has run out."""
    return False


def assume_ownership() -> None:
    """Accept that this process owns its checkpoints, as it does where no other can take the run over."""


@dataclass(frozen=True, kw_only=True)
class TrainingSession:
    """Where a fit saves and reports, on how many devices it runs, how it begins and what stops it.

    Attributes
    ----------
    callbacks
        Receive the progress of training.
    checkpoint_folder
        Folder for the checkpoints: after every epoch, and within long ones, all that training needs to
        continue (``last.ckpt``, the one before it as ``previous.ckpt``), and the best epoch's weights
        (``best.ckpt``). None: no checkpoints.
    devices
        GPUs, or processes on the CPU, that each batch is divided among. Checkpoints of one number of devices
        can be resumed with another.
    resume
        Continue from the last whole checkpoint in the folder; begin if there is none. The finished run
        equals an uninterrupted one bit for bit. Epochs before the checkpoint are not reported to
        ``callbacks`` again; one that was reported just before a crash may be, with the same metrics.
    stop
        Called after every optimiser step; once it returns True, the position is saved and training ends.
    ensure_owner
        Called before a checkpoint takes its place; raises if another process has taken the run over.
    adjusted
        The configuration to train with from here on, if remedies have changed the planned one.
    """

    callbacks: Sequence[TrainingCallback] = ()
    checkpoint_folder: Path | None = None
    devices: int = 1
    resume: bool = False
    stop: Callable[[], bool] = never_stop
    ensure_owner: Callable[[], None] = assume_ownership
    adjusted: TrainingConfig | None = None

    def for_worker(self) -> TrainingSession:
        """Return the session for the process of another rank, which reports nothing and decides nothing."""
        return replace(self, callbacks=(), stop=never_stop, ensure_owner=assume_ownership)


DEFAULT_SESSION = TrainingSession()
"""One device, from the beginning to the end, without checkpoints."""
