"""Every error that a user can meet, in one tree.

    RecsysError                     exit code 1
    ├── UsageError                  exit code 2: the request is wrong
    │   ├── UnknownNameError        a name that does not exist; carries the nearest ones
    │   └── ConfigError             a configuration value that is unknown, mistyped or out of range
    ├── DataError                   ratings cannot be fetched, read or split
    │   ├── SourceError             a download or a folder does not give the files
    │   ├── ReadError               a file is there but its content is not what its layout promises
    │   └── SplitError              the protocol cannot be applied to these ratings
    ├── ModelError                  a recommender does not support a request
    │   └── BundleError             a saved recommender is missing, damaged or of another version
    ├── TrainingError               a training run cannot start or continue
    │   ├── UnstableTrainingError   the loss or its gradient is not finite, or has jumped
    │   ├── DeviceMemoryError       the device has no memory for a batch
    │   ├── MainMemoryError         main memory is too small for the fit of a model
    │   └── CheckpointError         no checkpoint is whole, or they are of another training
    ├── TrainingStopped             exit code 143: a training run received a stop signal, and is saved
    │   └── CapReachedError         exit code 3: a run has reached its cost cap, and is saved
    ├── EvaluationError             metrics cannot be computed or must not be compared
    ├── ExperimentError             an experiment is missing, finished or in the wrong state
    ├── BenchError                  a bench result is missing: installation, run or output of a peer failed
    ├── NotificationError           a message cannot be delivered now; it stays in the outbox
    │   └── ChannelClosedError      no message can be delivered: the webhook is gone or refuses
    ├── TrackingError               a copy of a run cannot be made now; its log has everything
    └── StorageError                the disk refused: full, read-only, no permission

A message is one line that says what was found, what was expected and the next step. Foreign
errors are mapped where they enter, with ``raise ... from exc``, so ``--debug`` still shows them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RecsysError(Exception):
    """Root of the tree.

    Parameters
    ----------
    found
        What was found, as a sentence without its full stop.
    expected
        What would have been right, completing "expected ...".
    next_step
        What the user can do next, as an imperative sentence without its full stop.
    """

    exit_code = 1

    def __init__(self, found: str, *, expected: str = "", next_step: str = "") -> None:
        self.found = found
        self.expected = expected
        self.next_step = next_step
        parts = [found, f"expected {expected}" if expected else "", next_step]
        super().__init__("; ".join(" ".join(part.split()) for part in parts if part))


class UsageError(RecsysError):
    """The request is wrong; nothing was started."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that does not exist among the known ones.

    The known names are listed, unless they are long and ``next_step`` has the command that lists them. The
    nearest name comes first.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, next_step: str = "") -> None:
        names = sorted(known)
        self.nearest = nearest(name, names)
        listed = ", ".join(names)
        is_listed = bool(names) and (not next_step or len(listed) <= 300)
        guess = f"did you mean {self.nearest!r}?" if self.nearest else ""
        super().__init__(
            f"unknown {kind} {shorten(name)!r}",
            expected=f"one of {listed}" if is_listed else "",
            next_step=guess if guess and is_listed else " ".join(filter(None, [guess, next_step])),
        )


class ConfigError(UsageError):
    """A configuration value that is unknown, mistyped or out of range."""


class DataError(RecsysError):
    """Ratings cannot be fetched, read or split."""


class SourceError(DataError):
    """A download or a folder does not give the files."""


class ReadError(DataError):
    """A file is there but its content is not what its layout promises."""


class SplitError(DataError):
    """The protocol cannot be applied to these ratings."""


class ModelError(RecsysError):
    """A recommender does not support a request."""


class BundleError(ModelError):
    """A saved recommender is missing, damaged or of another version."""


class TrainingError(RecsysError):
    """A training run cannot start or continue."""


class UnstableTrainingError(TrainingError):
    """The loss or its gradient is not finite, or has jumped; the weights were not updated with it."""


class DeviceMemoryError(TrainingError):
    """The device has no memory for a batch."""


class MainMemoryError(TrainingError):
    """Main memory is too small for the fit of a model; another machine may have enough."""


class CheckpointError(TrainingError):
    """A checkpoint is missing, damaged or of another training; the run waits until it is repaired."""


class TrainingStopped(RecsysError):
    """A training run received a stop signal; its position is saved and it can be resumed."""

    exit_code = 143


class CapReachedError(TrainingStopped):
    """A run has reached its cost cap; its position is saved and it can be resumed under a higher cap."""

    exit_code = 3


class EvaluationError(RecsysError):
    """Metrics cannot be computed or must not be compared."""


class ExperimentError(RecsysError):
    """An experiment is missing, finished or in the wrong state."""


class BenchError(RecsysError):
    """A bench result is missing: installing, running or reading the output of a peer failed."""


class NotificationError(RecsysError):
    """A message cannot be delivered now; it stays in the outbox."""


class ChannelClosedError(NotificationError):
    """No message can be delivered, now or later: the webhook is gone, or refuses everything."""


class TrackingError(RecsysError):
    """A copy of a run for another tool cannot be made now; its log has everything."""


class StorageError(RecsysError):
    """The disk refused: full, read-only or no permission."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to ``name``, or None if none is close.

    >>> nearest("hybird_vae", ["hybrid_vae", "neural_cf"])
    'hybrid_vae'
    """
    matches = difflib.get_close_matches(name[:100], list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def shorten(text: str, width: int = 60) -> str:
    """Shorten a text that a user wrote for display in a message; ``width`` is in characters."""
    return text if len(text) <= width else f"{text[: width - 1]}…"
