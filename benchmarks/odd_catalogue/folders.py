"""Folders in official layouts with odd contents: a file has one answer, by its name and by its folder's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .case import ROWS, Case, Kept, Outcome, Refused, Row, table

OFFICIAL = "userId,movieId,rating,timestamp"
ATOMIC = "user_id:token,item_id:token,rating:float,timestamp:float"
LAYOUTS = {
    "u.data": ("", "\t"),
    "ratings.dat": ("", "::"),
    "ratings.csv": (OFFICIAL, ","),
    "mine.inter": (ATOMIC, "\t"),
}
"""File name: header and separator."""

Cells = list[list[Any]]
TEXT_IDS: list[Row] = [("ann", "tt1", 5.0, 7), ("bob", "tt2", 3.0, 8), ("ann", "tt2", 4.0, 9)]
ZEROS: list[Row] = [("7", "0031887", 5.0, 7), ("7", "31887", 3.0, 8), ("007", "31887", 4.0, 9)]
DATES: list[Row] = [(1, 10, 5.0, 1709251200), (1, 20, 3.0, 1566432000), (7, 10, 4.0, 1325289600)]

CONTENTS: dict[str, tuple[Cells, Outcome, Outcome | None]] = {
    "text ids": ([list(row) for row in TEXT_IDS], Kept(TEXT_IDS), None),
    "leading zeros": ([list(row) for row in ZEROS], Kept(ZEROS), None),
    "dates": (
        [[*row[:3], day] for row, day in zip(DATES, ("2024-03-01", "2019-08-22", "2011-12-31"), strict=True)],
        Kept(DATES),
        None,
    ),
    "month/day/year": (
        [[*row[:3], day] for row, day in zip(DATES, ("03/01/2024", "08/22/2019", "12/31/2011"), strict=True)],
        Kept(DATES),
        None,
    ),
    "either way": ([[*row[:3], "03/04/2024"] for row in DATES], Refused(("--time-format",)), None),
    "floats": (
        [[f"{user}.0", f"{item}.0", f"{rating:.1f}", f"{time}.0"] for user, item, rating, time in ROWS],
        Kept(ROWS),
        None,
    ),
    "milliseconds": ([[*row[:3], f"{row[3]}123"] for row in ROWS], Kept(ROWS, says="milli"), None),
    "half stars": (
        [[*row[:2], row[2] - 0.5, row[3]] for row in ROWS],
        Kept([(u, i, r - 0.5, t) for u, i, r, t in ROWS]),
        None,
    ),
    "a missing user": (
        [list(ROWS[0]), [None, *ROWS[1][1:]], *map(list, ROWS[2:])],
        Refused(("missing",), line=2),
        Kept([ROWS[0], *ROWS[2:]], rejected=1),
    ),
    "a user nan": (
        [list(ROWS[0]), ["nan", *ROWS[1][1:]], *map(list, ROWS[2:])],
        Refused(("nan",), line=2),
        Kept([ROWS[0], *ROWS[2:]], rejected=1),
    ),
    "a rating that is none": (
        [list(ROWS[0]), [1, 20, "4/5", 5], *map(list, ROWS[2:])],
        Refused(("4/5",), line=2),
        Kept([ROWS[0], *ROWS[2:]], rejected=1),
    ),
    "a time that is none": (
        [list(ROWS[0]), [1, 20, 4.0, "soon"], *map(list, ROWS[2:])],
        Refused(("soon",), line=2),
        Kept([ROWS[0], *ROWS[2:]], rejected=1),
    ),
    "no times": ([[*row[:3], None] for row in ROWS], Kept([(*row[:3], None) for row in ROWS]), None),
    "a short row": (
        [list(ROWS[0]), [1, 20], *map(list, ROWS[2:])],
        Refused(line=2),
        Kept([ROWS[0], *ROWS[2:]], rejected=1),
    ),
    "a long row": (
        [list(ROWS[0]), [1, 20, 3, 4, 5, 6], *map(list, ROWS[2:])],
        Refused(line=2),
        Kept([ROWS[0], *ROWS[2:]], rejected=1),
    ),
    "unsigned 64 bits": (
        [[2**64 - 1, *row[1:]] for row in ROWS],
        Kept([(str(2**64 - 1), *row[1:]) for row in ROWS[1:]], rejected=1),
        None,
    ),
}
"""Cells of a file, what is right by default and with bad rows rejected; lines count without a header."""


def folders() -> Iterator[Case]:
    """Yield each content in each layout, by file and by folder, and what belongs to one layout alone."""
    for file, (header, sign) in LAYOUTS.items():
        lines = 1 if header else 0
        for name, (cells, right, rejecting) in CONTENTS.items():
            default, other = (outcome and _moved(outcome, lines) for outcome in (right, rejecting))
            case = Case(
                f"{name} in {file}",
                table(cells, header, sign),
                (default,),
                (other,) if other else None,
                file=file,
                header_lines=lines,
            )
            yield case
            yield replace(case, name=f"{case.name}, by its folder", by_folder=True)
    yield from _one_layout()


def _moved(outcome: Outcome, lines: int) -> Outcome:
    if isinstance(outcome, Refused) and outcome.line is not None:
        return replace(outcome, line=outcome.line + lines)
    return outcome


def _one_layout() -> Iterator[Case]:
    kept = Kept(ROWS)
    untimed = Kept([(*row[:3], None) for row in ROWS])
    three = [row[:3] for row in ROWS]
    for file, (header, sign) in LAYOUTS.items():
        by = {"file": file, "by_folder": True, "header_lines": 1 if header else 0}
        short = ",".join(header.split(",")[:3])
        yield Case(f"three columns in {file}", table(three, short, sign), (untimed,), **by)
        wide = [(*row, "x") for row in ROWS]
        extra = header and f"{header},note:token"
        yield Case(
            f"five columns in {file}",
            table(wide, extra, sign),
            (kept, Refused()) if not header else (kept,),
            **by,
        )
        for name, end in (("CRLF", "\r\n"), ("CR", "\r")):
            yield Case(f"{name} in {file}", table(ROWS, header, sign, end), (kept,), **by)
        yield Case(f"a mark in {file}", table(ROWS, header, sign).encode("utf-8-sig"), (kept,), **by)
        yield Case(f"blank lines in {file}", table(ROWS, header, sign, "\n\n"), (kept,), **by)
        lone = table([('"ann', "tt1", 5.0, 7), ("bob", 'tt"2', 3.0, 8)], header, sign)
        named = Kept([('"ann', "tt1", 5.0, 7), ("bob", 'tt"2', 3.0, 8)])
        yield Case(
            f"lone quotes in {file}",
            lone,
            (Refused(line=2),) if sign == "," else (named,),
            (Refused(), Kept(named.rows[1:], rejected=1)) if sign == "," else None,
            **by,
        )
        other = table(ROWS, header, ";")
        yield Case(f"semicolons in {file}", other, (kept, Refused()) if sign != "," else (kept,), **by)
        yield Case(
            f"UTF-16 in {file}",
            table(ROWS, header, sign).encode("utf-16"),
            (Refused(("UTF",)), kept),
            **{**by, "header_lines": None},
        )
    yield Case(
        "quoted, in ratings.csv by its folder",
        table([[f'"{value}"' for value in row] for row in ROWS], OFFICIAL),
        (kept,),
        by_folder=True,
    )
    yield Case(
        "other names in ratings.csv by its folder",
        table(ROWS, "who,what,how,when"),
        (Refused(("--columns",)),),
        by_folder=True,
    )
    mapping = {"user": "who", "item": "what", "rating": "how", "timestamp": "when"}
    yield Case(
        "other names, mapped, by its folder",
        table(ROWS, "who,what,how,when"),
        (kept,),
        by_folder=True,
        options={"columns": mapping},
    )
    types = {"user": "user_id:token", "item": "item_id:token", "rating": "rating:float"}
    yield Case(
        "an atomic file, mapped",
        table(three, "user_id:token,item_id:token,rating:float", "\t"),
        (untimed,),
        file="mine.inter",
        options={"columns": types},
    )
    yield Case(
        "an atomic file with sequences",
        table([(*row, "a b c") for row in ROWS], f"{ATOMIC},words:token_seq", "\t"),
        (kept,),
        file="mine.inter",
    )
    yield Case(
        "an atomic file in another order",
        table([row[::-1] for row in ROWS], ",".join(ATOMIC.split(",")[::-1]), "\t"),
        (kept,),
        file="mine.inter",
    )
    yield Case(
        "an atomic file without types",
        table(ROWS, "user_id,item_id,rating,timestamp", "\t"),
        (kept,),
        file="mine.inter",
    )
    yield Case(
        "an atomic file without header",
        table(ROWS, "", "\t"),
        (Refused(("--no-header",)),),
        file="mine.inter",
        header_lines=0,
    )
    yield Case(
        "a header in u.data",
        table(ROWS, "user,item,rating,timestamp", "\t"),
        (kept, Refused(line=1)),
        (kept, Refused(), Kept(ROWS, rejected=1)),
        file="u.data",
        header_lines=None,
    )
    yield Case(
        "a table with commas, named .dat", table(ROWS), (kept, Refused()), file="mine.dat", header_lines=None
    )
    yield Case(
        "a table with a header, named .data",
        table(ROWS),
        (kept, Refused()),
        file="mine.data",
        header_lines=None,
    )
    yield Case("bars in mine.dat", table(ROWS, "", "|"), (kept, Refused()), file="mine.dat", header_lines=0)
