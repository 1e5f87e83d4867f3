"""The outbox of a run: the messages of its event log that are not delivered yet.

Messages are not stored: they follow from `events.jsonl` (`message_builder`). `outbox.jsonl` gets one line for
each delivery: number and time of the last event whose message was sent. It is written after the channel took
the message, so that kill -9 between the two sends it again: at least once, in order.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from movielens_recsys.errors import NotificationError, StorageError
from movielens_recsys.files import append_durably
from movielens_recsys.locks import acquire
from movielens_recsys.notify.message_builder import MessageBuilder
from movielens_recsys.notify.messages import Message
from movielens_recsys.runs.events import FILE_NAME as EVENTS_NAME
from movielens_recsys.runs.events import Event

CONFIG_NAME = "config.json"
FILE_NAME = "outbox.jsonl"


class DeliveryCursor(NamedTuple):
    """The last delivered event; its time distinguishes it from one that got its number after a full disk."""

    sequence: int = 0
    time: str = ""

    def covers(self, message: Message) -> bool:
        """Whether the message was delivered."""
        if message.sequence == self.sequence:
            return message.time == self.time
        return message.sequence < self.sequence


class MessageFeed:
    """The messages of one run, read from its log while the log grows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._restart()

    def _restart(self) -> None:
        self._builder = MessageBuilder(self._folder.name, _config(self._folder))
        self._offset = self._sequence = 0

    def read(self) -> list[Message]:
        """Return the messages of the events since the last call; from the start, if the log was rewritten.

        Raises
        ------
        NotificationError
            The log is missing or damaged.
        """
        try:
            return self._read()
        except ValueError:  # an event removed after a full disk leaves the offset within a line
            self._restart()
        try:
            return self._read()
        except ValueError as exc:
            raise NotificationError(
                f"{self._folder / EVENTS_NAME} is damaged after event {self._sequence}",
                next_step="restore it from a backup; the messages up to there are complete",
            ) from exc

    def _read(self) -> list[Message]:
        try:
            with (self._folder / EVENTS_NAME).open("rb") as log:
                if os.fstat(log.fileno()).st_size < self._offset:
                    self._restart()
                log.seek(self._offset)
                content = log.read()
        except OSError as exc:
            raise NotificationError(
                f"cannot read {self._folder / EVENTS_NAME} ({exc.strerror})", next_step="restore the file"
            ) from exc
        messages = []
        for line in content[: content.rfind(b"\n") + 1].splitlines(keepends=True):
            messages.append(self._builder.build(_parse_event(line, self._sequence + 1)))
            self._offset += len(line)
            self._sequence += 1
        return [message for message in messages if message is not None]


class Outbox:
    """The undelivered messages of one run; one process at a time holds it.

    Raises
    ------
    NotificationError
        Another process delivers this run's messages.
    StorageError
        The file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._feed = MessageFeed(folder)
        self._waiting: list[Message] = []
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as exc:
            raise self._refused(exc) from exc
        try:
            if not acquire(self._descriptor, patience_s=0):
                raise NotificationError(
                    f"another process delivers the messages of {folder.name}",
                    next_step="let that one finish",
                )
            content = self._path.read_bytes()
            self._length = content.rfind(b"\n") + 1
            os.ftruncate(self._descriptor, self._length)
        except NotificationError:
            self.close()
            raise
        except OSError as exc:
            self.close()
            raise self._refused(exc) from exc
        self._cursor = _last_cursor(content)

    def pending(self) -> list[Message]:
        """Return every message that is not delivered yet, oldest first."""
        new = self._feed.read()
        self._waiting += [message for message in new if not self._cursor.covers(message)]
        return list(self._waiting)

    def delivered(self, message: Message) -> None:
        """Record the message, and all before it, as delivered; the record is on disk on return."""
        cursor = DeliveryCursor(message.sequence, message.time)
        line = json.dumps(cursor._asdict(), separators=(",", ":")).encode() + b"\n"
        try:
            self._length = append_durably(self._descriptor, line, self._length)
        except OSError as exc:
            raise self._refused(exc) from exc
        self._cursor = cursor
        self._waiting = [other for other in self._waiting if not cursor.covers(other)]

    def _refused(self, exc: OSError) -> StorageError:
        return StorageError(
            f"cannot write {self._path} ({exc.strerror})", next_step="free space or permissions there"
        )

    def close(self) -> None:
        """Let another process deliver."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def undelivered(folder: Path) -> list[Message]:
    """Return the messages that a delivery would send, without locking or changing anything.

    Raises
    ------
    NotificationError
        The log is missing or damaged.
    """
    path = folder / FILE_NAME
    cursor = _last_cursor(path.read_bytes()) if path.exists() else DeliveryCursor()
    return [message for message in MessageFeed(folder).read() if not cursor.covers(message)]


def _parse_event(line: bytes, sequence: int) -> Event:
    """Return the event of a line of the log, which must have this number.

    Raises
    ------
    ValueError
        It is not that event.
    """
    value = json.loads(line)
    if not isinstance(value, dict) or value.get("sequence") != sequence:
        raise ValueError(line)
    if not all(isinstance(value.get(key), str) for key in ("kind", "time")):
        raise ValueError(line)
    return Event(sequence, value["time"], value["kind"], value.get("data", {}))


def _last_cursor(content: bytes) -> DeliveryCursor:
    """Return the last readable cursor; without one, everything is delivered again."""
    for line in reversed(content[: content.rfind(b"\n") + 1].splitlines()):
        try:
            return DeliveryCursor(**json.loads(line))
        except (TypeError, ValueError):
            continue
    return DeliveryCursor()


def _config(folder: Path) -> Mapping[str, Any]:
    """Return the run's configuration as plain values; if it is unreadable, messages have fewer details."""
    try:
        config = json.loads((folder / CONFIG_NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}
