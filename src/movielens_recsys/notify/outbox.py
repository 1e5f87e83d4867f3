"""The outbox of a run: its event log, and a mark for how far it has been told.

Nothing is written twice. What is to be told follows from `events.jsonl` (`narrator`). `outbox.jsonl` beside
it only grows by one line for each delivery: number and time of the last event that it told. A message is
marked after the channel took it, so that kill -9 between the two tells it again: at least once, in order.

The log is read here as the text that it is, for this room knows nothing of the one that writes it.
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

EVENTS_NAME = "events.jsonl"
CONFIG_NAME = "config.json"
FILE_NAME = "outbox.jsonl"


class DeliveryCursor(NamedTuple):
    """The last event that was told; its time tells it from another that took its number after a full disk."""

    sequence: int = 0
    time: str = ""

    def covers(self, message: Message) -> bool:
        """Whether the message was delivered."""
        if message.sequence == self.sequence:
            return message.time == self.time
        return message.sequence < self.sequence


class MessageFeed:
    """The messages of one run, read from its log as it grows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._restart()

    def _restart(self) -> None:
        self._narrator = MessageBuilder(self._folder.name, _config(self._folder))
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
        except ValueError:  # an event that was taken back by a full disk leaves us in the middle of a line
            self._restart()
        try:
            return self._read()
        except ValueError as exc:
            raise NotificationError(
                f"{self._folder / EVENTS_NAME} is damaged after event {self._sequence}",
                next_step="restore it from a backup; messages up to there were made",
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
            event = json.loads(line)
            if not _is_event(event, self._sequence + 1):
                raise ValueError(line)
            messages.append(self._narrator.build(event))
            self._offset += len(line)
            self._sequence += 1
        return [message for message in messages if message is not None]


class Outbox:
    """What of one run is still to be told; one process at a time holds it.

    Raises
    ------
    NotificationError
        Another process delivers this run's messages.
    StorageError
        The mark cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._story = MessageFeed(folder)
        self._waiting: list[Message] = []
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as exc:
            raise self._refused(exc) from exc
        try:
            if not acquire(self._descriptor, patience_s=0):
                raise NotificationError(
                    f"another process delivers the messages of {folder.name}",
                    next_step="leave it to that one",
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
        self._mark = _last_mark(content)

    def pending(self) -> list[Message]:
        """Return every message that is not delivered yet, oldest first."""
        new = self._story.read()
        self._waiting += [message for message in new if not self._mark.covers(message)]
        return list(self._waiting)

    def delivered(self, message: Message) -> None:
        """Mark the message, and all before it, as delivered; the mark is on disk on return."""
        mark = DeliveryCursor(message.sequence, message.time)
        line = json.dumps(mark._asdict(), separators=(",", ":")).encode() + b"\n"
        try:
            self._length = append_durably(self._descriptor, line, self._length)
        except OSError as exc:
            raise self._refused(exc) from exc
        self._mark = mark
        self._waiting = [other for other in self._waiting if not mark.covers(other)]

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
    """Return what a delivery would send, without holding or changing anything.

    Raises
    ------
    NotificationError
        The log is missing or damaged.
    """
    path = folder / FILE_NAME
    mark = _last_mark(path.read_bytes()) if path.exists() else DeliveryCursor()
    return [message for message in MessageFeed(folder).read() if not mark.covers(message)]


def _is_event(value: Any, sequence: int) -> bool:
    return (
        isinstance(value, dict)
        and value.get("sequence") == sequence
        and all(isinstance(value.get(key), str) for key in ("kind", "time"))
    )


def _last_mark(content: bytes) -> DeliveryCursor:
    """Return the last mark that can be read; with none, everything is told again."""
    for line in reversed(content[: content.rfind(b"\n") + 1].splitlines()):
        try:
            return DeliveryCursor(**json.loads(line))
        except (TypeError, ValueError):
            continue
    return DeliveryCursor()


def _config(folder: Path) -> Mapping[str, Any]:
    """Return the run's configuration as plain values; without it, messages only know less."""
    try:
        config = json.loads((folder / CONFIG_NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}
