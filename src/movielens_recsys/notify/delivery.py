"""Delivering an outbox to a channel, once or while a run goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from movielens_recsys.errors import ChannelClosedError, NotificationError, RecsysError, TrainingStopped
from movielens_recsys.notify.messages import Kind, Message, collapse_bests
from movielens_recsys.notify.outbox import Outbox

Wait = Callable[[float], bool]
"""Wait a number of seconds; returns True, possibly early, to give up. `threading.Event.wait` is one."""

POLL_S = 0.5
RETRY_INTERVAL_S = 60.0
BEST_INTERVAL_S = 60.0
GRACE_S = 5.0
STOP_GRACE_S = 1.5


class Channel(Protocol):
    """A notification channel."""

    def send(self, messages: Sequence[Message]) -> int:
        """Deliver the first of ``messages``, as many as fit together, and return how many (1 or more).

        Raises
        ------
        ChannelClosedError
            The channel will never accept a message.
        NotificationError
            The channel accepts none now.
        """


def deliver(folder: Path, channel: Channel) -> int:
    """Send the undelivered messages of the run in ``folder``, and return their number.

    Raises
    ------
    NotificationError
        The rest could not be delivered; it stays in the outbox.
    StorageError
        The record of the delivery cannot be written.
    """
    with Outbox(folder) as outbox:
        return _deliver_pending(outbox, channel)


def _deliver_pending(outbox: Outbox, channel: Channel) -> int:
    """Send the pending messages, and return their number."""
    messages = collapse_bests(outbox.pending())
    count = 0
    while count < len(messages):
        count += channel.send(messages[count:])
        outbox.delivered(messages[count - 1])
    return count


class LiveDelivery:
    """Context manager: inside it, a thread delivers the messages of the run.

    The run never waits for it, except at its end: `GRACE_S` for the last messages, `STOP_GRACE_S` if the run
    is stopped by a signal. New bests alone are sent at most once in `BEST_INTERVAL_S`. Undelivered messages
    stay in the outbox, and are tried again after `RETRY_INTERVAL_S`.

    Parameters
    ----------
    folder
        The run's folder.
    connect
        Creates the channel, which uses the given `Wait` between its attempts.
    warn
        Receives one line if delivery fails, and one if messages are undelivered at the end.
    """

    def __init__(self, folder: Path, connect: Callable[[Wait], Channel], warn: Callable[[str], None]) -> None:
        self._folder, self._warn = folder, warn
        self._channel = connect(self._wait)
        self._closing = threading.Event()
        self._deadline = 0.0
        self._outbox: Outbox | None = None
        self._last_sent = self._next_attempt = float("-inf")
        self._has_warned = False
        self._done = False
        self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        grace = STOP_GRACE_S if isinstance(value, TrainingStopped | KeyboardInterrupt) else GRACE_S
        self._deadline = time.monotonic() + grace
        self._closing.set()
        self._thread.join(grace)
        if not self._done:
            self._warn(f"not every message was delivered; later: recsys notify deliver {self._folder.name}")

    def _run(self) -> None:
        try:
            with ExitStack() as stack:
                while not self._deliver_once(stack):
                    self._closing.wait(POLL_S)
        except RecsysError as exc:
            self._warn(f"no more notifications: {exc}")
        except Exception as exc:  # the run must go on; the text of the error might contain the address
            self._warn(f"no more notifications: unexpected {type(exc).__name__}; this is a bug")

    def _deliver_once(self, stack: ExitStack) -> bool:
        """Deliver the pending messages, and return whether this was the last time.

        Messages that cannot be delivered now, or by this process, are kept.
        """
        # Read before the outbox, so that the last delivery sees the complete log.
        closing = self._closing.is_set()
        if time.monotonic() < self._next_attempt and not closing:
            return False
        try:
            if self._outbox is None:
                self._outbox = stack.enter_context(Outbox(self._folder))
            if closing or not self._can_wait(self._outbox.pending()):
                if _deliver_pending(self._outbox, self._channel):
                    self._last_sent = time.monotonic()
                self._done, self._has_warned = closing, False
        except ChannelClosedError:
            raise
        except NotificationError as exc:
            self._next_attempt = time.monotonic() + RETRY_INTERVAL_S
            if not (self._closing.is_set() or self._has_warned):
                self._has_warned = True
                self._warn(f"messages wait in the outbox: {exc.found}")
        return closing

    def _can_wait(self, messages: Sequence[Message]) -> bool:
        recent = time.monotonic() - self._last_sent < BEST_INTERVAL_S
        return recent and all(message.kind is Kind.BEST for message in messages)

    def _wait(self, seconds: float) -> bool:
        """Wait, and give up if the run has ended and its grace period ends before."""
        due = time.monotonic() + seconds
        if not self._closing.wait(seconds):
            return False
        if due > self._deadline:
            return True
        time.sleep(max(0.0, due - time.monotonic()))
        return False
