"""Folders with several files: which one holds the ratings, and titles beside them."""

from __future__ import annotations

from collections.abc import Iterator

from .case import ROWS, Case, Kept, Refused, Row, table
from .folders import ATOMIC, OFFICIAL


def titles_beside() -> Iterator[Case]:
    """Yield folders with several rating files or none, and with tables of titles."""
    atomic = table(ROWS, ATOMIC, "\t")
    yield Case(
        "two atomic files",
        atomic,
        (Refused(names_file=False),),
        file="a.inter",
        beside={"b.inter": atomic},
        by_folder=True,
    )
    yield Case("no rating file", "hello", (Refused(names_file=False),), file="readme.txt", by_folder=True)
    movies = {
        "usual titles": (
            "10,Toy Story (1995),Comedy\n20,Heat (1995),Crime\n30,Kolya (1996),Comedy\n",
            {10: "Toy Story (1995)", 30: "Kolya (1996)"},
        ),
        "quotes and commas": (
            '10,"Hunt, The (2012)",Drama\n20,"Say ""no"" (1995)",Crime\n30,Kolya (1996),\n',
            {10: "Hunt, The (2012)", 20: 'Say "no" (1995)'},
        ),
        "other scripts": (
            "10,七人の侍 (1954),\n20,Солярис (1972),\n30,Les Misérables,\n",
            {10: "七人の侍 (1954)", 30: "Les Misérables"},
        ),
        "items without a row": ("10,Toy Story (1995),Comedy\n", {10: "Toy Story (1995)", 20: "20"}),
        "a title over two lines": (
            '10,"Toy\nStory",Comedy\n20,Heat,Crime\n30,Kolya,Comedy\n',
            {10: "Toy\nStory", 20: "Heat"},
        ),
        "an item twice": ("10,First,Comedy\n10,Second,Comedy\n20,Heat,\n30,Kolya,\n", {10: "First"}),
        "an empty title": ("10,,Comedy\n20,Heat,\n30,Kolya,\n", {10: "10", 20: "Heat"}),
        "only the header": ("", {10: "10"}),
        "CR": ("10,Toy Story,Comedy\r20,Heat,\r30,Kolya,\r", {10: "Toy Story", 20: "Heat"}),
    }
    for name, (rows, titles) in movies.items():
        end = "\r" if name == "CR" else "\n"
        content = f"movieId,title,genres{end}{rows}"
        yield Case(
            f"movies.csv: {name}",
            table(ROWS, OFFICIAL),
            (Kept(ROWS, titles=titles),),
            beside={"movies.csv": content},
            by_folder=True,
        )
    yield from _ids_beside_titles()
    for name, content in (
        ("a row too short", "movieId,title,genres\n10,Toy Story\n"),
        ("a row too long", "movieId,title,genres\n10,Toy,Story,Comedy\n"),
        ("an id that is text", "movieId,title,genres\nten,Toy Story,Comedy\n"),
        ("an open quote", 'movieId,title,genres\n10,"Toy Story,Comedy\n'),
        ("UTF-16", "movieId,title,genres\n10,Toy Story,Comedy\n".encode("utf-16")),
        ("zero bytes", bytes(100)),
    ):
        refused = Refused(("movies.csv",), names_file=False)
        yield Case(
            f"movies.csv: {name}",
            table(ROWS, OFFICIAL),
            (refused, Kept(ROWS)),
            beside={"movies.csv": content},
            by_folder=True,
        )
    item = (
        "10|Misérables, Les (1995)|01-Jan-1995||http://example.org|0|1|1\n"
        "20|unknown||||1|0|0\n30|Kolya (1996)|24-Jan-1997||http://example.org|0|0|1\n"
    )
    beside = {"u.item": item.encode("latin-1"), "u.genre": "unknown|0\nAction|1\nComedy|2\n"}
    yield Case(
        "u.item in latin-1",
        table(ROWS, "", "\t"),
        (Kept(ROWS, titles={10: "Misérables, Les (1995)", 20: "unknown"}),),
        file="u.data",
        beside=beside,
        by_folder=True,
        header_lines=0,
    )
    dat = "10::Toy Story (1995)::Animation|Comedy\n20::A::B::Drama\n30::Kolya (1996)::\n"
    yield Case(
        "movies.dat with colons",
        table(ROWS, "", "::"),
        (Kept(ROWS, titles={10: "Toy Story (1995)", 20: "A::B"}),),
        file="ratings.dat",
        beside={"movies.dat": dat},
        by_folder=True,
        header_lines=0,
    )


def _ids_beside_titles() -> Iterator[Case]:
    """Ids that are text, or written in two ways: titles go to the ids that they stand beside."""
    tweets: list[Row] = [(1, "0111161", 9.0, 1362062307), (2, "0068646", 10.0, 1362062624)]
    yield Case(
        "movies.dat with leading zeros",
        table(tweets, "", "::"),
        (Kept(tweets, titles={"0111161": "Heat (1995)", "0068646": "Alien (1979)"}),),
        file="ratings.dat",
        beside={"movies.dat": "0111161::Heat (1995)::Crime\n0068646::Alien (1979)::Horror\n68646::Wrong::\n"},
        by_folder=True,
        header_lines=0,
    )
    for name, ids, beside in (
        ("text", ("tt1", "tt2"), ("tt1", "tt2")),
        ("a text among numbers", ("1", "tt2"), ("1", "tt2")),
        ("leading zeros", ("01", "1"), ("01", "1")),
        ("unsigned 64 bits", (str(2**64 - 1), str(2**64 - 2)), (str(2**64 - 1), str(2**64 - 2))),
        ("gaps beside", ("tt1", "tt2"), ("tt1", "")),
    ):
        rows: list[Row] = [(7, ids[0], 5.0, 1), (7, ids[1], 3.0, 2)]
        movies = f"movieId,title,genres\n{beside[0]},First (1995),Crime\n{beside[1]},Second (1995),Drama\n"
        titles = {ids[0]: "First (1995)", ids[1]: "Second (1995)" if beside[1] else ids[1]}
        yield Case(
            f"movies.csv: ids, {name}",
            table(rows, OFFICIAL),
            (Kept(rows, titles=titles), Refused(("movies.csv",), names_file=False))
            if not beside[1]
            else (Kept(rows, titles=titles),),
            beside={"movies.csv": movies},
            by_folder=True,
        )
    floats = table([(f"{u}.0", f"{i}.0", r, t) for u, i, r, t in ROWS], OFFICIAL)
    yield Case(
        "movies.csv: 10 beside 10.0",
        floats,
        (Kept(ROWS, titles={10: "Heat (1995)"}),),
        beside={"movies.csv": "movieId,title,genres\n10,Heat (1995),Crime\n"},
        by_folder=True,
    )
