"""Which column of a file is the user, the item, the rating and the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from movielens_recsys.errors import ReadError, nearest, shorten
from movielens_recsys.schema import Column

ORDER = (Column.USER, Column.ITEM, Column.RATING, Column.TIMESTAMP)
_ALIASES = {
    Column.USER: ("user", "userid", "uid", "customer", "customerid", "reviewerid"),
    Column.ITEM: ("item", "itemid", "movie", "movieid", "iid", "product", "productid", "asin"),
    Column.RATING: ("rating", "ratings", "stars", "score", "overall"),
    Column.TIMESTAMP: ("timestamp", "time", "date", "datetime", "ratedat", "unixreviewtime"),
}
REQUIRED = (Column.USER, Column.ITEM, Column.RATING)


@dataclass(frozen=True, slots=True)
class TableKind:
    """The columns that a table may have, in their usual order, and those of them that it must have.

    ``row`` is what one row of it is. Without a header, columns beyond the required ones are known by their
    order alone if they are ``in_order``.
    """

    row: str
    columns: tuple[Column, ...]
    required: tuple[Column, ...]
    in_order: bool = True

    @property
    def mapping(self) -> str:
        """The option that maps the columns by name."""
        return "--columns " + ",".join(f"{column}=NAME" for column in self.columns)

    @property
    def numbering(self) -> str:
        """The options that map the columns by number."""
        numbers = ",".join(f"{column}={number}" for number, column in enumerate(self.columns, start=1))
        return f"--no-header --columns {numbers}"

    @property
    def usual_order(self) -> str:
        """The order of the columns, in words."""
        optional = self.columns[len(self.required) :] if self.in_order else ()
        return ", ".join(self.required) + "".join(f" and perhaps a {column}" for column in optional)


RATING_TABLE = TableKind("a rating", ORDER, REQUIRED)
INTERACTION_TABLE = TableKind(
    "an interaction",
    (Column.USER, Column.ITEM, Column.TIMESTAMP, Column.RATING),
    (Column.USER, Column.ITEM),
    in_order=False,
)
"""Implicit data; a number in the place of a rating says how often it happened."""
_COUNTS = ("count", "counts", "plays", "playcount", "listens", "views", "clicks", "purchases", "quantity")
_IMPLICIT = "or, if a row only says that something happened (a play, a click, a purchase), add --implicit"


def map_columns(
    names: Sequence[str],
    stated: Mapping[str, str] | None,
    source: str,
    *,
    header: bool = True,
    kind: TableKind = RATING_TABLE,
) -> dict[Column, int]:
    """Return the position, from 0, of each of our columns; those that ``kind`` requires are there.

    Parameters
    ----------
    names
        The file's names for its columns; without a header, any.
    stated
        Our names to the file's, or to the numbers of its columns from 1; None recognizes usual names
        such as ``userId``, ``movie_id`` and ``rating:float``, or takes the usual order without a header.
    source
        The file, for messages.
    header
        Whether the file has names.

    Raises
    ------
    ReadError
        A column is missing, or two of the file's columns fit one of ours.
    """
    if stated is not None:
        mapping = {
            _our_column(key, kind): _position(name, names, source, kind) for key, name in stated.items()
        }
        if len(set(mapping.values())) < len(mapping):
            raise ReadError(
                f"{source}: one column is mapped twice: "
                + ", ".join(f"{ours}={theirs}" for ours, theirs in stated.items()),
                expected="another column for each",
                next_step="correct --columns",
            )
    elif header:
        mapping = recognized_columns(names, source, kind)
    else:
        mapping = _usual_order(len(names), source, kind)
    missing = [column for column in kind.required if column not in mapping]
    if missing:
        raise _no_column(" and ".join(missing), names, source, kind)
    return mapping


def recognized_columns(
    names: Sequence[str], source: str, kind: TableKind = RATING_TABLE
) -> dict[Column, int]:
    """Return the positions of the columns that have usual names."""
    plain = [_plain(name) for name in names]
    found = {
        column: [position for position, name in enumerate(plain) if name in _ALIASES[column]]
        for column in kind.columns
    }
    if kind is INTERACTION_TABLE and not found[Column.RATING]:
        found[Column.RATING] = [position for position, name in enumerate(plain) if name in _COUNTS]
    for column, positions in found.items():
        if len(positions) > 1:
            both = " and ".join(f"{names[position]!r} ({position + 1})" for position in positions)
            numbers = ",".join(f"{ours}={first[0] + 1}" for ours, first in found.items() if first)
            raise ReadError(
                f"{source} has the columns {both}, and each may be the {column}",
                expected="one of them",
                next_step=f"name or number the columns that are meant, such as --columns {numbers}",
            )
    return {column: positions[0] for column, positions in found.items() if positions}


def is_usual_name(name: str, column: Column) -> bool:
    """Return whether files usually call ``column`` so, such as ``userId`` and ``user_id:token``."""
    return _plain(name) in _ALIASES[column]


def _plain(name: str) -> str:
    return name.partition(":")[0].lower().replace("_", "").replace(" ", "")


def _usual_order(n_columns: int, source: str, kind: TableKind) -> dict[Column, int]:
    if not len(kind.required) <= n_columns <= len(kind.columns if kind.in_order else kind.required):
        raise ReadError(
            f"{source} has {n_columns} columns and no names for them",
            expected=f"{kind.usual_order}, in this order",
            next_step=f"number them: {kind.numbering}",
        )
    return {column: position for position, column in enumerate(kind.columns[:n_columns])}


def _our_column(key: str, kind: TableKind) -> Column:
    if key in kind.columns:
        return Column(key)
    close = nearest(key, [column.value for column in kind.columns])
    raise ReadError(
        f"there is no column {shorten(key)!r} to map",
        expected=", ".join(kind.columns),
        next_step=f"did you mean {close!r}?" if close else "",
    )


def _position(name: str, names: Sequence[str], source: str, kind: TableKind) -> int:
    found = [position for position, theirs in enumerate(names) if theirs == name]
    if len(found) > 1:
        raise ReadError(
            f"{source} has {len(found)} columns called {shorten(name)!r}",
            next_step="name it by its number, "
            + " or ".join(str(position + 1) for position in found)
            + ", instead",
        )
    if found:
        return found[0]
    if name.isdecimal() and 1 <= int(name) <= len(names):
        return int(name) - 1
    raise _no_column(repr(name), names, source, kind)


def _no_column(what: str, names: Sequence[str], source: str, kind: TableKind) -> ReadError:
    return ReadError(
        f"{source} has no column {shorten(what)}; its columns are {shorten(', '.join(names), 200)}",
        expected=f"columns for {' and '.join(kind.required)}",
        next_step=f"name them: {kind.mapping}{f'; {_IMPLICIT}' if what == Column.RATING else ''}",
    )
