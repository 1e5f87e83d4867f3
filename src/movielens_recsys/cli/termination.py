"""SIGTERM, as a pre-empted machine sends it: save within seconds, then go."""

from __future__ import annotations

import signal
from types import FrameType

from movielens_recsys.errors import TrainingStopped

PATIENCE_S = 8.0


class GracefulStop:
    """While it is entered, SIGTERM asks the run to stop at its next step.

    Whoever trains asks it after every step. Where nobody asks within ``PATIENCE_S`` (while data are loaded
    or figures computed), the run is stopped where it stands: its last checkpoint is on disk already.
    """

    def __init__(self) -> None:
        self._requested = False

    def __call__(self) -> bool:
        """Return whether to stop now."""
        return self._requested

    def __enter__(self) -> GracefulStop:
        self._before = {
            signal.SIGTERM: signal.signal(signal.SIGTERM, self._request),
            signal.SIGALRM: signal.signal(signal.SIGALRM, self._insist),
        }
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _request(self, number: int, frame: FrameType | None) -> None:
        self._requested = True
        signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)

    def _insist(self, number: int, frame: FrameType | None) -> None:
        raise TrainingStopped("the run was told to stop between steps", next_step="resume it")
