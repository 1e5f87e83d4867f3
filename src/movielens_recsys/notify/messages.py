"""`Message`: what a person is told, before any channel gives it a form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby


class Kind(StrEnum):
    """What a message is about; channels choose their colours by it."""

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
    """One thing to tell about one event of a run, in plain text.

    Attributes
    ----------
    sequence, time
        Of the event: its number in the log, and when it happened, in ISO 8601.
    title
        A line that says it all.
    text
        What cannot be said in a line; may be empty.
    fields
        Figures and circumstances, each a name and a value with its unit.
    commands
        What to type next, the first choice first.
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
    """Let the last of several new bests in a row stand for all of them, and say how many they were.

    >>> first, second = (Message("a", number, "", Kind.BEST, f"New best: {number}") for number in (1, 2))
    >>> [(message.sequence, message.text) for message in collapse_bests([first, second])]
    [(2, 'The last of 2 new bests in a row.')]
    """
    result: list[Message] = []
    for kind, group in groupby(messages, key=lambda message: message.kind):
        row = list(group)
        if kind is Kind.BEST and len(row) > 1:
            row = [replace(row[-1], text=f"The last of {len(row)} new bests in a row.")]
        result += row
    return result
