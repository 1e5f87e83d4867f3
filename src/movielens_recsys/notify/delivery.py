"""Delivery: bringing an outbox to a channel, once or for as long as a run goes on."""

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
"""Wait so many seconds; True, at once or early: give up instead. `threading.Event.wait` is one."""

POLL_S = 0.5
REST_S = 60.0
SECONDS_BETWEEN_BESTS = 60.0
GRACE_S = 5.0
HURRY_S = 1.5


class Channel(Protocol):
    """A way to reach people."""

    def send(self, messages: Sequence[Message]) -> int:
        """Deliver the first of ``messages``, as many as fit together, and return how many (1 or more).

        Raises
        ------
        ChannelClosedError
            No message will ever get through.
        NotificationError
            None got through now.
        """


def deliver(folder: Path, channel: Channel) -> int:
    """Send what has not been delivered of the run in ``folder``, and return how many messages that were.

    Raises
    ------
    NotificationError
        The rest could not be delivered; it stays in the outbox.
    StorageError
        The mark of what was delivered cannot be written.
    """
    with Outbox(folder) as outbox:
        return _drain(outbox, channel)


def _drain(outbox: Outbox, channel: Channel) -> int:
    """Send what waits now, and return how many messages that were."""
    messages = collapse_bests(outbox.pending())
    count = 0
    while count < len(messages):
        count += channel.send(messages[count:])
        outbox.delivered(messages[count - 1])
    return count


class LiveDelivery:
    """While it is entered, a thread delivers the messages of a run that goes on.

    The run never waits for it, except at its end: `GRACE_S` for the last messages, `HURRY_S` if the run was
    told to stop. New bests alone go out at most once in `SECONDS_BETWEEN_BESTS`. What was not delivered
    stays in the outbox, and is tried again after `REST_S`.

    Parameters
    ----------
    folder
        The run's.
    connect
        Makes the channel, which uses the given `Wait` between its tries.
    warn
        Receives one line when messages can no longer be delivered, and one about those left at the end.
    """

    def __init__(self, folder: Path, connect: Callable[[Wait], Channel], warn: Callable[[str], None]) -> None:
        self._folder, self._warn = folder, warn
        self._channel = connect(self._wait)
        self._closing = threading.Event()
        self._deadline = 0.0
        self._outbox: Outbox | None = None
        self._last_sent = self._not_before = float("-inf")
        self._in_trouble = False
        self._done = False
        self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        grace = HURRY_S if isinstance(value, TrainingStopped | KeyboardInterrupt) else GRACE_S
        self._deadline = time.monotonic() + grace
        self._closing.set()
        self._thread.join(grace)
        if not self._done:
            self._warn(f"not every message was delivered; later: recsys notify deliver {self._folder.name}")

    def _run(self) -> None:
        try:
            with ExitStack() as stack:
                while not self._turn(stack):
                    self._closing.wait(POLL_S)
        except RecsysError as exc:
            self._warn(f"nobody is told any more: {exc}")
        except Exception as exc:  # whatever it is, the run goes on; its text might quote the address
            self._warn(f"nobody is told any more: unexpected {type(exc).__name__}; this is a bug")

    def _turn(self, stack: ExitStack) -> bool:
        """Deliver what there is, and return whether this was the last time.

        What cannot be delivered now, or by this process, is kept for another turn.
        """
        closing = self._closing.is_set()  # asked first: what was logged before is delivered in this turn
        if time.monotonic() < self._not_before and not closing:
            return False
        try:
            if self._outbox is None:
                self._outbox = stack.enter_context(Outbox(self._folder))
            if closing or not self._may_wait(self._outbox.pending()):
                if _drain(self._outbox, self._channel):
                    self._last_sent = time.monotonic()
                self._done, self._in_trouble = closing, False
        except ChannelClosedError:
            raise
        except NotificationError as exc:
            self._not_before = time.monotonic() + REST_S
            if not (self._closing.is_set() or self._in_trouble):
                self._in_trouble = True
                self._warn(f"messages wait in the outbox: {exc.found}")
        return closing

    def _may_wait(self, messages: Sequence[Message]) -> bool:
        recent = time.monotonic() - self._last_sent < SECONDS_BETWEEN_BESTS
        return recent and all(message.kind is Kind.BEST for message in messages)

    def _wait(self, seconds: float) -> bool:
        """Wait, and give up if the run has ended and too little is left of the grace."""
        due = time.monotonic() + seconds
        if not self._closing.wait(seconds):
            return False
        if due > self._deadline:
            return True
        time.sleep(max(0.0, due - time.monotonic()))
        return False
