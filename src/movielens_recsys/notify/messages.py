"""`Message`: a notification about a run, independent of the channel that sends it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby


class Kind(StrEnum):
    """The subject of a message, which determines its colour in a channel."""

    TEST = "test"
    START = "start"
    BEST = "best"
    WARNING = "warning"
    CONTINGENCY = "contingency"
    CAP = "cap"
    STOP = "stop"
    END = "end"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Message:
    """A notification about one event of a run, in plain text.

    Attributes
    ----------
    sequence, time
        The event's number in the log, and its time in ISO 8601.
    title
        A summary in one line.
    text
        Details; may be empty.
    fields
        Metrics and other values, each a name and a value with its unit.
    commands
        The next commands, the recommended one first.
    """

    run_id: str
    sequence: int
    time: str
    kind: Kind
    title: str
    text: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    commands: tuple[str, ...] = ()


def collapse_bests(messages: Iterable[Message]) -> list[Message]:
    """Replace several consecutive new bests by the last of them, which then says how many there were.

    >>> first, second = (Message("a", number, "", Kind.BEST, f"New best: {number}") for number in (1, 2))
    >>> [(message.sequence, message.text) for message in collapse_bests([first, second])]
    [(2, 'The last of 2 new bests in a row.')]
    """
    result: list[Message] = []
    for kind, group in groupby(messages, key=lambda message: message.kind):
        consecutive = list(group)
        if kind is Kind.BEST and len(consecutive) > 1:
            consecutive = [
                replace(consecutive[-1], text=f"The last of {len(consecutive)} new bests in a row.")
            ]
        result += consecutive
    return result
