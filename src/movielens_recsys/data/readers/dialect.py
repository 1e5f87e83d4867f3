"""How a text file is laid out: its separator, header and quotes, by what stands in its first lines."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

from movielens_recsys.data.readers.columns import RATING_TABLE, TableKind, map_columns, recognized_columns
from movielens_recsys.data.readers.options import ReadOptions
from movielens_recsys.data.readers.source import TextSource, empty_file
from movielens_recsys.errors import ReadError, shorten
from movielens_recsys.schema import Column

QUOTING = {",", ";"}
"""Separators of files in which a quotation mark at the start of a field encloses it (RFC 4180)."""

_SEPARATORS = ("\t", "::", ",", ";", "|")
_HINTS = {".dat": "::", ".data": "\t", ".base": "\t", ".test": "\t", ".tsv": "\t", ".inter": "\t"}
_WITHOUT_HEADER = {".dat", ".data", ".base", ".test"}
"""Endings of GroupLens' files without names; the first line decides, this is where it does not."""
_SAMPLE_BYTES, _SAMPLE_LINES = 2**18, 200
_SEPARATOR_LINE = re.compile(r"sep=(.)$")


@dataclass(frozen=True)
class Dialect:
    """The layout of a text file.

    ``names`` are the names of its columns, or their numbers where it has none; ``header_lines`` is the number
    of physical lines before the first row; ``mapping`` gives the position of each of our columns.
    """

    separator: str
    names: tuple[str, ...]
    header_lines: int
    mapping: dict[Column, int]
    header: bool

    @property
    def quoting(self) -> bool:
        """Whether a quotation mark at the start of a field encloses it."""
        return self.separator in QUOTING


def find_dialect(source: TextSource, options: ReadOptions, kind: TableKind = RATING_TABLE) -> Dialect:
    """Return the layout that is stated, or the only one that the first lines have.

    Raises
    ------
    ReadError
        No separator or two fit, the first line is a rating where names are expected, or a column is missing.
    """
    lines = [line.rstrip("\r") for line in _sample(source)]
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise empty_file(source.path)
    stated = options.separator
    marked = _SEPARATOR_LINE.match(lines[first])
    if marked is not None and first + 1 < len(lines):
        stated, first = stated or marked[1], first + 1  # the line that tells Excel the separator
    filled = [line for line in lines[first:] if line.strip()]
    suffix = _suffix(source.name)
    separator = stated or _find_separator(filled, _HINTS.get(suffix), source, kind)
    if separator in QUOTING and not re.fullmatch(_record_pattern(separator), filled[0], re.DOTALL):
        raise ReadError(
            f"{source.path} line {first + 1}: a quotation mark opens a field that is not closed: "
            f"{shorten(filled[0])!r}",
            expected="the names of the columns on one line",
            next_step="correct the line",
        )
    fields = split_fields(filled[0], separator)
    if len(fields) < min(2, len(kind.required)):
        raise _no_separator(source, filled[0], separator)
    header = options.header
    if header is None:
        header = _has_header(fields, options, suffix, source, kind)
    n_fields = Counter(len(split_fields(line, separator)) for line in filled).most_common(1)[0][0]
    names = tuple(fields) if header else tuple(str(number + 1) for number in range(n_fields))
    mapping = map_columns(names, options.columns, source.path.name, header=header, kind=kind)
    return Dialect(separator, names, first + header, mapping, header)


def split_fields(line: str, separator: str) -> list[str]:
    """Return the fields of one line, without the quotation marks and the spaces around them."""
    if separator in QUOTING and '"' in line:
        fields = [match[len(separator) :] for match in fields_pattern(separator).findall(separator + line)]
    else:
        fields = line.split(separator)
    return [_unquoted(field.strip()) for field in fields]


@cache
def fields_pattern(separator: str) -> re.Pattern[str]:
    """Return the pattern of one field with the separator before it."""
    return re.compile(re.escape(separator) + field_pattern(separator), re.DOTALL)


def field_pattern(separator: str) -> str:
    """Return the pattern of one field: enclosed in quotation marks, plain, or empty.

    After the closing mark anything but another one may follow, up to the next separator.
    """
    other = re.escape(separator)
    enclosed = rf'"[^"]*(?:""[^"]*)*"(?:[^"{other}][^{other}]*)?'
    return rf'(?:{enclosed}|[^"{other}][^{other}]*|)'


def _record_pattern(separator: str) -> str:
    return f"{field_pattern(separator)}(?:{re.escape(separator)}{field_pattern(separator)})*"


def _unquoted(field: str) -> str:
    if len(field) > 1 and field[0] == field[-1] == '"':
        return field[1:-1].replace('""', '"').strip()
    return field


def _sample(source: TextSource) -> list[str]:
    head = source.head(_SAMPLE_BYTES)
    lines = head.decode("utf-8-sig", errors="replace").split("\n")
    # The last line may have been cut.
    return (lines[:-1] if len(lines) > 1 and len(head) == _SAMPLE_BYTES else lines)[:_SAMPLE_LINES]


def _suffix(name: str) -> str:
    return name[name.rfind(".") :].lower() if "." in name else ""


def _find_separator(lines: list[str], hint: str | None, source: TextSource, kind: TableKind) -> str:
    counts = {
        separator: [len(split_fields(line, separator)) for line in lines] for separator in (*_SEPARATORS, " ")
    }
    if hint is not None and Counter(counts[hint]).most_common(1)[0][0] > 2:
        return hint
    fitting = [separator for separator in _SEPARATORS if counts[separator][0] > 2]
    fitting = fitting or [separator for separator in _SEPARATORS if counts[separator][0] == 2]
    fitting = fitting or [" "] * (counts[" "][0] > 1 and len(set(counts[" "])) == 1)
    for narrowed in (
        [separator for separator in fitting if _recognizes(lines[0], separator, source, kind)],
        [separator for separator in fitting if len(set(counts[separator])) == 1],
    ):
        if len(fitting) > 1 and narrowed:
            fitting = narrowed
    if not fitting and len(kind.required) == 1:
        return ","  # a single column
    if not fitting:
        raise _no_separator(source, lines[0], None)
    if len(fitting) > 1:
        both = " and ".join(repr(separator) for separator in fitting)
        raise ReadError(
            f"the lines of {source.path} can be split at {both}: {shorten(lines[0])!r}",
            expected="one separator",
            next_step=f"state it, such as --separator {fitting[0]!r}",
        )
    return fitting[0]


def _recognizes(line: str, separator: str, source: TextSource, kind: TableKind) -> bool:
    try:
        found = recognized_columns(split_fields(line, separator), source.path.name, kind)
    except ReadError:  # two columns fit one of ours: these are names
        return True
    return _ids(kind) <= found.keys()


def _ids(kind: TableKind) -> set[Column]:
    return {Column.USER, Column.ITEM} & set(kind.required)


def _has_header(
    fields: list[str], options: ReadOptions, suffix: str, source: TextSource, kind: TableKind
) -> bool:
    """Return whether the first line names the columns."""
    stated = list((options.columns or {}).values())
    if stated and set(stated) <= set(fields):
        return True
    found = {} if len(set(fields)) < len(fields) else recognized_columns(fields, source.path.name, kind)
    if found.keys() >= _ids(kind):
        return True
    if suffix in _WITHOUT_HEADER:
        return False
    is_data = any(_is_number(field) for field in fields)
    if is_data and stated and all(name.isdecimal() for name in stated):
        return False
    if is_data:
        raise ReadError(
            f"{source.path} has no names of columns: its first line is {shorten(' '.join(fields))!r}",
            expected="a header, or --no-header",
            next_step=f"add --no-header if its columns are {kind.usual_order}, in this order; else number "
            f"them too: {kind.numbering}",
        )
    return True


def _is_number(field: str) -> bool:
    return re.fullmatch(r"[-+]?\d+(?:[.,]\d+)?", field) is not None


def _no_separator(source: TextSource, line: str, stated: str | None) -> ReadError:
    found = f"has no {stated!r}" if stated else "has no tab, comma, semicolon, bar or '::'"
    return ReadError(
        f"the first line of {source.path} {found}: {shorten(line)!r}",
        expected="columns for user, item and rating",
        next_step="remove lines that are no part of the table, or state its separator: --separator TEXT",
    )
