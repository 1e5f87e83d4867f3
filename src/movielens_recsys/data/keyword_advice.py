"""Advice of errors for Python users: the options that it names, as keyword arguments of `load_ratings`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from movielens_recsys.errors import RecsysError

_OPTION = re.compile(
    r"--(columns|scale|separator|decimal|time-format|no-header|on-bad-rows|implicit)\b"
    r"(?: (?!--)('[^']*'|[^\s;]+))?"
)


@contextmanager
def keyword_advice() -> Iterator[None]:
    """Add a note to an error whose advice names options: Python shows it below the message.

    Messages name the options of the command line, which has most of their readers and does not print notes.
    """
    try:
        yield
    except RecsysError as exc:
        keywords = list(dict.fromkeys(_keyword(*match.groups()) for match in _OPTION.finditer(str(exc))))
        if keywords:
            exc.add_note(f"in Python, as arguments of load_ratings: {'; '.join(keywords)}")
        raise


def _keyword(option: str, value: str | None) -> str:
    """Return an option and its value as a keyword argument; without a value that it can have, the name.

    >>> _keyword("columns", "user=who,item=film"), _keyword("scale", "1:5:1"), _keyword("decimal", ",")
    ("columns={'user': 'who', 'item': 'film'}", 'scale=Scale(1, 5, 1)', "decimal=','")
    """
    flags = {"no-header": "header=False", "implicit": "implicit=True"}
    if option in flags:
        return flags[option]
    name = {"on-bad-rows": "bad_rows"}.get(option, option.replace("-", "_"))
    text = (value or "").strip("'")
    if option == "columns":
        pairs = [pair.split("=") for pair in text.rstrip(",").split(",")]
        return f"{name}={dict(pairs)}" if all(len(pair) == 2 for pair in pairs) else f"{name}="
    if option == "scale":
        return f"{name}=Scale({', '.join(text.split(':'))})" if ":" in text else f"{name}="
    return f"{name}={text!r}" if text and text != "out" else f"{name}="
