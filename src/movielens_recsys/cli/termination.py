"""`GracefulStop`: on SIGTERM, as a pre-empted machine sends it, save within seconds and end."""

from __future__ import annotations

import signal
from types import FrameType

from movielens_recsys.errors import TrainingStopped

PATIENCE_S = 8.0


class GracefulStop:
    """Context manager: inside it, SIGTERM requests a stop after the next training step.

    The training calls it after every step. If no step ends within ``PATIENCE_S``, for example while data are
    loaded or metrics computed, the run is stopped at once: its last checkpoint is on disk already.
    """

    def __init__(self) -> None:
        self._requested = False

    def __call__(self) -> bool:
        """Return whether to stop now."""
        return self._requested

    def __enter__(self) -> GracefulStop:
        self._previous = {
            signal.SIGTERM: signal.signal(signal.SIGTERM, self._request),
            signal.SIGALRM: signal.signal(signal.SIGALRM, self._stop_now),
        }
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _request(self, number: int, frame: FrameType | None) -> None:
        self._requested = True
        signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)

    def _stop_now(self, number: int, frame: FrameType | None) -> None:
        raise TrainingStopped("the run was stopped by a signal between steps", next_step="resume it")
