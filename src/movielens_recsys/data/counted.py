"""Numbers with their nouns, for findings and messages."""

from __future__ import annotations


def counted(number: int, singular: str, plural: str) -> str:
    """Return a number with the words that go with it.

    >>> counted(1, "row is", "rows are"), counted(1200, "row is", "rows are")
    ('1 row is', '1200 rows are')
    """
    return f"{number} {singular if number == 1 else plural}"
