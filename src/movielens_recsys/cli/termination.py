"""`GracefulStop`: on SIGTERM, as a pre-empted machine sends it, save within seconds and end."""

from __future__ import annotations

import atexit
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
        self._requested = self._finished = False

    def __call__(self) -> bool:
        """Return whether to stop now."""
        return self._requested

    def finish(self) -> None:
        """Ignore SIGTERM until the process ends: the work is recorded as done, and only its result is shown.

        Otherwise a signal in the last moment would give a completed run the exit code of a stopped one.
        """
        self._finished = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        # Python takes its own handlers away before the process ends, and leaves an ignored signal ignored.
        atexit.register(signal.signal, signal.SIGTERM, signal.SIG_IGN)

    def __enter__(self) -> GracefulStop:
        self._previous = {
            signal.SIGTERM: signal.signal(signal.SIGTERM, self._request),
            signal.SIGALRM: signal.signal(signal.SIGALRM, self._stop_now),
        }
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if self._finished:
            del self._previous[signal.SIGTERM]
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _request(self, number: int, frame: FrameType | None) -> None:
        if not self._finished:
            self._requested = True
            signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)

    def _stop_now(self, number: int, frame: FrameType | None) -> None:
        if not self._finished:
            raise TrainingStopped("the run was stopped by a signal between steps", next_step="resume it")
