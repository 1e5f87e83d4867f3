"""Files as public data sets and common programs write them, with rows of our own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from .case import ROWS, Case, Kept, Outcome, Refused, Row, asking, table

ASK = Refused(("--columns",))
BOOKS: list[Row] = [(7, "034545104X", 9.0, None), (7, "0155061224", 1.0, None), (8, "0446520802", 5.0, None)]
AMAZON: list[Row] = [
    ("AKM1MP6P0OYPR", "0132793040", 5.0, 1365811200),
    ("A2CX7LUOHB2NDG", "B00004Y2UT", 1.0, 1341100800),
    ("A2NWSAGRHCP8N5", "0132793040", 4.0, 1367193600),
]
TWEETS: list[Row] = [
    (1, "0111161", 9.0, 1362062307),
    (2, "0068646", 10.0, 1362062624),
    (2, "0111161", 3.0, 1363245118),
]
STEAM: list[Row] = [
    (151603712, "Skyrim", 273.0, None),
    (151603712, "Dota 2", 0.5, None),
    (187131847, "Dota 2", 2.3, None),
]


def exports() -> Iterator[Case]:
    """Yield the forms of data sets and programs."""
    yield from _data_sets()
    yield from _programs()


def _mapped(
    name: str, content: str | bytes, kept: Outcome, columns: dict[str, str], **more: Any
) -> Iterator[Case]:
    """Yield a file whose names are unusual: refused with a word on the mapping or understood, and mapped."""
    stated = {**more.pop("options", {}), "columns": columns}
    yield Case(name, content, (ASK, Refused(("--no-header",)), kept), **more)
    yield Case(f"{name}, mapped", content, (kept,), options=stated, **more)


def _data_sets() -> Iterator[Case]:
    quoted = [
        tuple(f'"{cell:g}"' if isinstance(cell, float) else f'"{cell}"' for cell in row[:3]) for row in BOOKS
    ]
    books = table(quoted, '"User-ID","ISBN","Book-Rating"', ";", "\r\n")
    yield from _mapped(
        "BookCrossing", books, Kept(BOOKS), {"user": "User-ID", "item": "ISBN", "rating": "Book-Rating"}
    )
    unnamed = Case("Amazon, without names", table(AMAZON, ""), (), header_lines=0)
    yield from asking(unnamed, Kept(AMAZON), header=False)
    anime: list[Row] = [(1, 20, -1.0, None), (1, 24, 10.0, None), (2, 20, 7.0, None)]
    rows = [row[:3] for row in anime]
    names = {"user": "user_id", "item": "anime_id", "rating": "rating"}
    yield from _mapped("MyAnimeList", table(rows, "user_id,anime_id,rating"), Kept(anime), names)
    for by_folder in (False, True):
        yield Case(
            f"MovieTweetings, {'folder' if by_folder else 'file'}",
            table(TWEETS, "", "::"),
            (Kept(TWEETS),),
            file="ratings.dat",
            header_lines=0,
            by_folder=by_folder,
        )
    hours = [(user, f'"{game}"', word, value, 0) for user, game, value, _ in STEAM for word in ("play",)]
    numbered = {"user": "1", "item": "2", "rating": "4"}
    yield from _mapped(
        "Steam, hours of play",
        table(hours, ""),
        Kept(STEAM),
        numbered,
        header_lines=0,
        options={"header": False},
    )
    trust = Case(
        "FilmTrust", table([row[:3] for row in ROWS], "", " "), (), file="ratings.txt", header_lines=0
    )
    untimed = Kept([(*row[:3], None) for row in ROWS])
    yield replace(trust, right=(Refused(("--no-header",)), Refused(("--separator",))))
    yield replace(
        trust, name="FilmTrust, stated", right=(untimed,), options={"header": False, "separator": " "}
    )
    yield Case(
        "Netflix, items as lines of their own",
        "1:\n14,3,2005-09-06\n82,5,2005-05-13\n2:\n14,4,2005-10-19\n",
        (Refused(),),
        header_lines=0,
    )
    hetrec = [(*row[:3], 29, 10, 2006, 23, 17, 16) for row in ROWS]
    yield Case(
        "HetRec, dates in six columns",
        table(
            hetrec,
            "userID,movieID,rating,date_day,date_month,date_year,date_hour,date_minute,date_second",
            "\t",
        ),
        (untimed, Refused()),
        file="user_ratedmovies.dat",
        header_lines=None,
    )
    finer = [(*row[:3], f"{row[3]}000") for row in ROWS]
    yield Case(
        "HetRec, milliseconds",
        table(finer, "userID,movieID,rating,timestamp", "\t"),
        (Kept(ROWS, says="milli"), Refused()),
        file="user_ratedmovies-timestamps.dat",
        header_lines=None,
    )
    retail = [(f"{time}123", user, "view", item, "") for user, item, _, time in ROWS]
    ones = Kept([(user, item, 1.0, time) for user, item, _, time in ROWS])
    columns = {"user": "visitorid", "item": "itemid", "timestamp": "timestamp"}
    yield Case(
        "Retailrocket, implicit",
        table(retail, "timestamp,visitorid,event,itemid,transactionid"),
        (ones,),
        options={"columns": columns, "implicit": True},
    )
    gowalla = [(user, "2010-10-19T23:55:27Z", 30.25, -97.75, item) for user, item, _, _ in ROWS]
    places = Kept([(user, item, 1.0, 1287532527) for user, item, _, _ in ROWS])
    yield Case(
        "Gowalla, implicit",
        table(gowalla, "", "\t"),
        (places,),
        file="gowalla.txt",
        header_lines=0,
        options={"columns": {"user": "1", "item": "5", "timestamp": "2"}, "implicit": True, "header": False},
    )


def _programs() -> Iterator[Case]:
    kept = Kept(ROWS)
    numbered = [(f'"{number}"', *row) for number, row in enumerate(ROWS, 1)]
    yield Case("R, write.csv", table(numbered, '"","user","item","rating","timestamp"'), (kept,))
    yield Case("R, row.names=FALSE", table(ROWS, '"user","item","rating","timestamp"'), (kept,))
    yield Case(
        "R, write.table",
        table(numbered, '"user","item","rating","timestamp"', " "),
        (Refused(),),
        file="ratings.txt",
    )
    yield Case("Excel, CSV UTF-8", table(ROWS, separator=";", end="\r\n").encode("utf-8-sig"), (kept,))
    unicode_text = table(ROWS, separator="\t", end="\r\n").encode("utf-16")
    yield Case(
        "Excel, Unicode text",
        unicode_text,
        (kept, Refused(("UTF-16",))),
        file="ratings.txt",
        header_lines=None,
    )
    yield Case(
        "Hive",
        table(ROWS, "", "\x01"),
        (kept,),
        file="000000_0",
        header_lines=0,
        options={"header": False, "separator": "\x01"},
    )
    gaps = table([ROWS[0], (r"\N", *ROWS[1][1:]), *ROWS[2:]], separator="\t")
    without = Kept([ROWS[0], *ROWS[2:]], rejected=1)
    yield Case("Postgres and MySQL, gaps", gaps, (Refused((r"\N",), line=3),), (without,), file="ratings.tsv")
    untimed = table([ROWS[0], (*ROWS[1][:3], r"\N"), *ROWS[2:]], separator="\t")
    unset: list[Row] = [ROWS[0], (*ROWS[1][:3], 0), *ROWS[2:]]
    yield Case(
        "Postgres and MySQL, a time missing", untimed, (Kept(unset, says="missing"),), file="ratings.tsv"
    )
    spark = [(*row, r'"a \"quoted\" title"') for row in ROWS]
    yield Case(
        "Spark, escaped quotes",
        table(spark, "user,item,rating,timestamp,title"),
        (Refused(line=2), kept),
        (Refused(), kept),
    )
    psql = (
        " user | item | rating | timestamp \n------+------+--------+-----------\n"
        + table(ROWS, "", " | ")
        + "(4 rows)\n"
    )
    yield Case("psql's table", psql, (Refused(),), (Refused(), Kept(ROWS, rejected=2)), file="ratings.txt")
    markdown = "| user | item | rating |\n|---|---|---|\n" + "".join(
        f"| {u} | {i} | {r:g} |\n" for u, i, r, _ in ROWS
    )
    yield Case(
        "Markdown's table",
        markdown,
        (Refused(),),
        (Refused(), Kept([(*row[:3], None) for row in ROWS], rejected=1)),
        file="ratings.md",
    )
    aligned = "user  item  rating\n" + "".join(f"{u:4}  {i:4}  {r:6g}\n" for u, i, r, _ in ROWS)
    yield Case(
        "columns aligned by spaces",
        aligned,
        (Refused(), Kept([(*row[:3], None) for row in ROWS])),
        file="ratings.txt",
    )
    footer = table(ROWS) + "\nSource: our shop\n"
    yield Case("a note at the end", footer, (Refused(line=7),), (Kept(ROWS, rejected=1),))
    twice = table(ROWS[:2]) + table(ROWS[2:])
    yield Case("two exports one after the other", twice, (Refused(line=4),), (Kept(ROWS, rejected=1),))
    marked = table(ROWS[:2]).encode("utf-8-sig") + table(ROWS[2:]).encode("utf-8-sig")
    yield Case("two exports with marks", marked, (Refused(line=4),), (Kept(ROWS, rejected=1),))
    for name, texts in (
        ("Postgres", ["2019-08-22 01:05:09+00", "2011-12-31 23:59:59.5+00"]),
        ("SQL Server", ["2019-08-22 01:05:09.0000000", "2011-12-31 23:59:59.5000000"]),
        ("Oracle", ["22-AUG-19", "31-DEC-11"]),
        ("SAS", ["22AUG2019:01:05:09", "31DEC2011:23:59:59"]),
        ("MongoDB", ["ISODate('2019-08-22T01:05:09Z')", "ISODate('2011-12-31T23:59:59Z')"]),
        ("pandas in scientific form", ["1.566435909e+09", "1.325375999e+09"]),
        (".NET", ["/Date(1566435909000)/", "/Date(1325375999000)/"]),
    ):
        yield _dated(name, texts, [1566435909, 1325375999] if name != "Oracle" else [1566432000, 1325289600])


def _dated(name: str, texts: Sequence[str], seconds: Sequence[int]) -> Case:
    """Return the case of a program's times: read as what they say, or refused with the first one."""
    rows = [(1, 10, 5.0, texts[0]), (2, 10, 3.0, texts[1])]
    kept = Kept([(1, 10, 5.0, seconds[0]), (2, 10, 3.0, seconds[1])])
    return Case(f"times by {name}", table(rows), (kept, Refused((texts[0],))))
