"""`StoppableThread`: background work of a run, such as its heartbeat, that ends with it."""

from __future__ import annotations

import threading
from collections.abc import Callable

Wait = Callable[[float], bool]
"""Waits that many seconds; returns True, at once or early, when the thread is to stop."""


class StoppableThread:
    """A daemon thread that runs ``work(wait)``, which returns once ``wait`` has returned True."""

    def __init__(self, name: str, work: Callable[[Wait], None]) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=work, args=(self._stopping.wait,), name=name, daemon=True)

    def start(self) -> None:
        """Begin the work."""
        self._thread.start()

    def stop(self) -> None:
        """Tell the thread to stop, and wait until it has."""
        self._stopping.set()
        self._thread.join()
