"""Standard output and error in any encoding: signs that it lacks are replaced, other characters escaped.

Commands write text as if every terminal had Unicode. What the encoding of a stream cannot show, such as an
ellipsis in Latin-1 or the é of a title in ASCII, is replaced while it is encoded, in one place: "..." for the
ellipsis, ``\\xe9`` for the letter, so that nothing is lost and nothing fails.
"""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Mapping

SIGNS: Mapping[str, str] = {
    "…": "...",
    "–": "-",
    "—": "-",
    "−": "-",
    "→": "->",
    "×": "x",
    "²": "^2",
    "°": "",
    "≤": "<=",
    "≥": ">=",
    "▁": "_",
    "▂": ".",
    "▃": ":",
    "▄": "-",
    "▅": "=",
    "▆": "+",
    "▇": "*",
    "█": "#",
}
"""The signs of this package's own output, each with its replacement in ASCII."""
_HANDLER = "recsys_signs"
_PLAIN = frozenset({"strict", "surrogateescape", "backslashreplace"})
"""Error handlers that are Python's defaults; any other one is the user's choice, by PYTHONIOENCODING."""


def adapt_streams() -> None:
    """Let standard output and error replace what their encoding lacks, unless the user chose otherwise."""
    codecs.register_error(_HANDLER, _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in _PLAIN:
            stream.reconfigure(errors=_HANDLER)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    return "".join(SIGNS.get(char, escape_character(char)) for char in characters), error.end


def escape_character(char: str) -> str:
    """Return the escape of a character; of a byte in a file name that is not UTF-8, that byte.

    >>> escape_character("é"), escape_character(chr(0xDCE9)), escape_character("★")
    ('\\\\xe9', '\\\\xe9', '\\\\u2605')
    """
    byte = ord(char) - 0xDC00
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else char.encode("unicode_escape").decode()


def escape_unprintable(text: str) -> str:
    """Return text in which control characters are escaped, so that a terminal does not obey them.

    >>> escape_unprintable("a" + chr(27) + "[31mb")
    'a\\\\x1b[31mb'
    """
    return "".join(char if char.isprintable() or char == "\n" else escape_character(char) for char in text)
