"""Columns by other names, in another order, missing, twice or without a header; rows too short or long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .case import ROWS, Case, Kept, Refused, Row, asking, table

UNTIMED: list[Row] = [(user, item, rating, None) for user, item, rating, _ in ROWS]
ALL = {"user": "who", "item": "what", "rating": "how", "timestamp": "when"}

USUAL_NAMES = (
    "userId,movieId,rating,timestamp",
    "user_id,item_id,rating,timestamp",
    "USER,ITEM,RATING,TIMESTAMP",
    "User ID,Item ID,Rating,Timestamp",
    "uid,iid,rating,time",
    "customer_id,product_id,stars,date",
    "reviewerID,asin,overall,unixReviewTime",
    "User_Id,Movie_ID,Score,Date",
    "userid,movieid,ratings,datetime",
    " user , item , rating , timestamp ",
    "user_id,product_id,score,rated_at",
    '"user","item","rating","timestamp"',
)
"""Names that are recognized without a mapping."""


def odd_columns() -> Iterator[Case]:
    """Yield headers of all kinds, files without one, and rows that do not fit theirs."""
    yield from _named()
    yield from _missing()
    yield from _twice()
    yield from _without_header()
    yield from _ragged()


def _named() -> Iterator[Case]:
    kept = Kept(ROWS)
    for header in USUAL_NAMES:
        yield Case(f"names {header}", table(ROWS, header), (kept,))
    mapped = {"options": {"columns": ALL}}
    yield Case("names that are mapped", table(ROWS, "who,what,how,when"), (kept,), **mapped)
    turned = [(time, rating, item, user) for user, item, rating, time in ROWS]
    yield Case("another order", table(turned, "timestamp,rating,item,user"), (kept,))
    yield Case("another order, mapped", table(turned, "when,how,what,who"), (kept,), **mapped)
    between = [("x", user, "y", item, "", rating, "1.5", time, "z") for user, item, rating, time in ROWS]
    yield Case("further columns between", table(between, "a,user,b,item,c,rating,d,timestamp,e"), (kept,))
    index = [(number, *row) for number, row in enumerate(ROWS)]
    yield Case("an index without a name", table(index, ",user,item,rating,timestamp"), (kept,))
    yield Case("an index by R, without a field in the header", table(index), (Refused(line=2),), (Refused(),))
    yield Case(
        "names in another script",
        table(ROWS, "使用者,電影,評分,時間"),
        (kept,),
        options={"columns": {"user": "使用者", "item": "電影", "rating": "評分", "timestamp": "時間"}},
    )
    yield Case(
        "names with signs",
        table(ROWS, "u=1;i:2;r(%);t'x", ";"),
        (kept,),
        options={"columns": {"user": "u=1", "item": "i:2", "rating": "r(%)", "timestamp": "t'x"}},
    )
    yield Case(
        "mapped against usual names",
        table(ROWS, "item,user,rating,timestamp"),
        (kept,),
        options={"columns": {"user": "item", "item": "user", "rating": "rating", "timestamp": "timestamp"}},
    )
    yield Case(
        "times that are not mapped",
        table(ROWS, "who,what,how,timestamp"),
        (Kept(UNTIMED), kept),
        options={"columns": {"user": "who", "item": "what", "rating": "how"}},
    )
    many = ",".join(f"c{number}" for number in range(10_000))
    wide = [(*row, *([0] * 10_000)) for row in ROWS]
    yield Case("10,004 columns", table(wide, f"user,item,rating,timestamp,{many}"), (kept,))
    yield Case("10,004 columns, none mapped", table(wide, f"a,b,c,d,{many}"), (Refused(("--columns",)),))


def _missing() -> Iterator[Case]:
    yield Case("without times", table(UNTIMED, "user,item,rating,note"), (Kept(UNTIMED),))
    for missing, header in (
        ("user", "x,item,rating,timestamp"),
        ("item", "user,x,rating,timestamp"),
        ("rating", "user,item,x,timestamp"),
    ):
        yield Case(f"without {missing}", table(ROWS, header), (Refused((missing, "--columns", "x")),))
        yield Case(
            f"{missing} mapped to a name that is not there",
            table(ROWS),
            (Refused(("wrong", "user, item, rating")),),
            options={"columns": {"user": "user", "item": "item", "rating": "rating", missing: "wrong"}},
        )
    yield Case(
        "times mapped to a name that is not there",
        table(ROWS),
        (Refused(("wrong",)),),
        options={"columns": {"user": "user", "item": "item", "rating": "rating", "timestamp": "wrong"}},
    )
    yield Case(
        "a mapped name in other letters",
        table(ROWS),
        (Refused(("USER",)),),
        options={"columns": {"user": "USER", "item": "item", "rating": "rating"}},
    )
    yield Case(
        "an unknown name of ours",
        table(ROWS),
        (Refused(("usr",), names_file=False),),
        options={"columns": {"usr": "user", "item": "item", "rating": "rating"}},
    )
    yield Case(
        "one column mapped twice",
        table(ROWS),
        (Refused(("user",)),),
        options={"columns": {"user": "user", "item": "user", "rating": "rating"}},
    )
    yield Case("only users", "user\n1\n2\n", (Refused(("user",)),))


def _twice() -> Iterator[Case]:
    """Two columns that could be meant: a mapping is asked for."""
    for name in ("user", "item", "rating", "timestamp"):
        header = f"user,item,rating,timestamp,{name}"
        rows = [(*row, 2 + number) for number, row in enumerate(ROWS)]
        case = Case(f"{name} stands twice", table(rows, header), (Refused((name,)),))
        yield case
        mapping = {"user": "user", "item": "item", "rating": "rating", "timestamp": "timestamp"}
        yield replace(case, name=f"{case.name}, mapped", options={"columns": mapping})
    yield Case(
        "another column stands twice",
        table([(*row, 1, 2) for row in ROWS], "user,item,rating,timestamp,x,x"),
        (Kept(ROWS),),
    )
    for name, header in (
        ("userId and user_id", "userId,item,rating,timestamp,user_id"),
        ("item and movie", "user,item,rating,timestamp,movie"),
        ("rating and score", "user,item,rating,timestamp,score"),
        ("timestamp and date", "user,item,rating,timestamp,date"),
    ):
        extra = [(*row, 2 + number) for number, row in enumerate(ROWS)]
        case = Case(name, table(extra, header), (Refused(("--columns",)),))
        # Our own name beside a lesser one is what most exports mean by it; the import says which was taken.
        yield replace(case, right=(*case.right, Kept(ROWS))) if not name.startswith("userId") else case
        first = header.split(",")[:4]
        yield replace(
            case,
            name=f"{name}, mapped",
            right=(Kept(ROWS),),
            options={"columns": dict(zip(ALL, first, strict=True))},
        )


def _without_header() -> Iterator[Case]:
    kept = Kept(ROWS)
    for name, sign in (
        ("commas", ","),
        ("tabs", "\t"),
        ("semicolons", ";"),
        ("bars", "|"),
        ("double colons", "::"),
    ):
        case = Case(f"no header, {name}", table(ROWS, "", sign), (), file="ratings.txt", header_lines=0)
        yield from asking(case, kept, header=False)
    short = [row[:3] for row in ROWS]
    yield from asking(
        Case("no header, no times", table(short, ""), (), header_lines=0), Kept(UNTIMED), header=False
    )
    named: list[Row] = [("ann", "tt1", 5.0, 7), ("bob", "tt2", 3.0, 8), ("cem", "tt1", 4.0, 9)]
    yield from asking(
        Case("no header, text ids", table(named, ""), (), header_lines=0), Kept(named), header=False
    )
    quoted = table(
        [[f'"{value:g}"' if isinstance(value, float) else f'"{value}"' for value in row] for row in ROWS], ""
    )
    yield from asking(Case("no header, quoted", quoted, (), header_lines=0), kept, header=False)
    turned = [(time, rating, item, user, "x") for user, item, rating, time in ROWS]
    mapping = {"user": "4", "item": "3", "rating": "2", "timestamp": "1"}
    yield Case(
        "no header, columns by number",
        table(turned, ""),
        (kept,),
        options={"header": False, "columns": mapping},
        header_lines=0,
    )
    yield Case(
        "no header, a number too high",
        table(ROWS, ""),
        (Refused(("9",)),),
        options={"header": False, "columns": {**mapping, "user": "9"}},
        header_lines=0,
    )
    yield Case(
        "no header, two columns",
        table([row[:2] for row in ROWS], ""),
        (Refused(),),
        options={"header": False},
        header_lines=0,
    )
    five = table([(*row, "x") for row in ROWS], "")
    yield Case(
        "no header, five columns",
        five,
        (Refused(("--columns",)), kept),
        options={"header": False},
        header_lines=0,
    )
    yield Case(
        "a header, none stated",
        table(ROWS),
        (Refused(("rating",), line=1),),
        (Kept(ROWS, rejected=1), Refused()),
        options={"header": False},
        header_lines=0,
    )
    yield Case(
        "no header, one stated", table(ROWS, ""), (Refused(),), options={"header": True}, header_lines=0
    )
    yield Case(
        "a comment before the header",
        "# exported 2024-03-01\n" + table(ROWS),
        (Refused(("exported",)), kept),
        header_lines=2,
    )
    yield Case(
        "a title before the header",
        "My ratings\n\n" + table(ROWS),
        (Refused(("My",)), kept),
        header_lines=2,
    )


def _ragged() -> Iterator[Case]:
    """Rows with too few or too many fields are bad, and named by their line."""
    good = table(ROWS[:2])
    rest = table(ROWS[2:], "")
    kept = Kept(ROWS, rejected=1)
    for name, line in (
        ("too short", "2,10"),
        ("one field", "2"),
        ("one short", "2,10,4"),
        ("too long", "2,10,4,5,6"),
        ("far too long", "2" + ",9" * 500),
        ("only separators", ",,,"),
        ("a note", "and so on"),
        ("a comment", "# the rest is older"),
        ("the header again", "user,item,rating,timestamp"),
        ("a total", "Total,,13,"),
        ("dots", "..."),
        ("a mark of a merge", "<<<<<<< HEAD"),
        ("SQL's count", "(4 rows)"),
        ("a rule", "----,----,----,----"),
    ):
        for sign in (",", "\t"):
            content = (good + line + "\n" + rest).replace(",", sign)
            yield Case(
                f"{name}, {sign!r}",
                content,
                (Refused(line=4),),
                (kept,),
                file="ratings.csv" if sign == "," else "ratings.tsv",
            )
        content = good.replace("user", '"user"', 1) + line + "\n" + rest
        yield Case(f"{name}, in a file with quotes", content, (Refused(line=4),), (kept,))
    yield Case("too long, at the end", table(ROWS) + "1,2,3,4,5\n", (Refused(line=6),), (kept,))
    yield Case("cut off within the last row", table(ROWS) + "1,2", (Refused(line=6),), (kept,))
    yield Case(
        "cut off within a number", table(ROWS).rstrip("\n")[:-3], (Kept([*ROWS[:3], (3, 30, 1.0, 876893)]),)
    )
    padded = [(*row, None, None) for row in ROWS[:2]]
    yield Case(
        "a spreadsheet's empty rows",
        table(padded, "user,item,rating,timestamp,,") + ",,,,,\n",
        (Refused(line=4), Kept(ROWS[:2])),
        (Kept(ROWS[:2], rejected=1), Kept(ROWS[:2])),
    )
