"""Quotation marks: a way to quote in CSV, plain signs where tabs or bars separate, and broken in all ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .case import ROWS, Case, Kept, Refused, Row, table

HEADER = "user,item,title,rating"
SONGS: tuple[Row, ...] = tuple((n, 100 + n, float(1 + n % 5), None) for n in range(1, 11))


def songs(titles: dict[int, str], separator: str = ",", rows: Sequence[Row] = SONGS) -> str:
    """Return ten ratings with titles, some of them odd."""
    odd = [(user, item, titles.get(int(user), f"Song {user}"), rating) for user, item, rating, _ in rows]
    return table(odd, HEADER, separator)


def quoting() -> Iterator[Case]:
    """Yield quotes that are meant, fields over several lines, lone quotes and broken ones."""
    yield from _meant()
    yield from _over_lines()
    yield from _lone()
    yield from _plain()


def _meant() -> Iterator[Case]:
    kept = Kept(SONGS)
    for name, title in (
        ("a separator", '"Song, the"'),
        ("doubled quotes", '"The ""best"" of"'),
        ("only doubled quotes", '""""'),
        ("nothing", '""'),
        ("spaces", '"  "'),
        ("an apostrophe", '"It\'s"'),
        ("a comma after doubled quotes", '"""A"", B"'),
        ("a semicolon and a tab", '"a;b\tc"'),
        ("a line's worth of commas", '"a,b,c,d,e"'),
        ("a backslash at the end", '"a\\"'),
    ):
        yield Case(f"quoted: {name}", songs({3: title}), (kept,))
        yield Case(f"quoted, semicolons: {name}", songs({3: title.replace(";", ",")}, ";"), (kept,))
    everything = table(
        [[f'"{value:g}"' if isinstance(value, float) else f'"{value}"' for value in row] for row in ROWS],
        '"user","item","rating","timestamp"',
    )
    yield Case("everything is quoted", everything, (Kept(ROWS),))
    yield Case("everything is quoted, semicolons", everything.replace(",", ";"), (Kept(ROWS),))
    yield Case("only the header is quoted", table(ROWS, '"user","item","rating","timestamp"'), (Kept(ROWS),))
    yield Case(
        "only some rows are quoted",
        table(ROWS[:2]) + '"7","10","4","878542960"\n' + table(ROWS[3:], ""),
        (Kept(ROWS),),
    )
    yield Case(
        "spaces in quoted numbers",
        table([('" 1 "', '"10 "', '" 5"', '"7 "'), (2, 10, 3.0, 8)]),
        (Kept([(1, 10, 5.0, 7), (2, 10, 3.0, 8)]),),
    )
    named: list[Row] = [("a, b", 10, 5.0, 7), ('a"b', 10, 3.0, 8), ("a b", 10, 3.0, 8)]
    yield Case(
        "ids with commas and quotes",
        table([('"a, b"', 10, 5.0, 7), ('"a""b"', 10, 3.0, 8), ("a b", 10, 3.0, 8)]),
        (Kept(named),),
    )
    header = '"user","item","the ""rating""","a, b"\n'
    mapping = {"user": "user", "item": "item", "rating": 'the "rating"', "timestamp": "a, b"}
    yield Case(
        "names with commas and quotes", header + table(ROWS, ""), (Kept(ROWS),), options={"columns": mapping}
    )
    yield Case(
        "an empty quoted id",
        table([('""', 10, 5.0, 7), (2, 10, 3.0, 8), (3, 10, 5.0, 7)]),
        (Refused(("missing",), line=2),),
        (Kept([(2, 10, 3.0, 8), (3, 10, 5.0, 7)], rejected=1),),
    )


def _over_lines() -> Iterator[Case]:
    """Quoted fields that run over lines: read, and reported with their lines."""
    for name, title, joined, line in (
        ("two lines", '"one\ntwo"', 1, "4"),
        ("three lines", '"one\ntwo\nthree"', 2, "4"),
        ("blank lines", '"one\n\n\ntwo"', 1, "4"),
        ("a row", '"one\n4,104,Song,5\n"', 1, "4"),
        ("doubled quotes", '"one ""\n"" two"', 1, "4"),
        ("CRLF inside", '"one\r\ntwo"', 1, "4"),
    ):
        # The line that the closing quote stands on holds the rest of the row, so it is no line of its own.
        extra = joined + (1 if name == "a row" else 0)
        yield Case(f"over lines: {name}", songs({3: title}), (Kept(SONGS, says=line, joined_lines=extra),))
    both = songs({3: '"one\ntwo"', 7: '"one\ntwo"'})
    yield Case("over lines: two fields", both, (Kept(SONGS, says="4", joined_lines=2),))
    yield Case(
        "over lines: all with CRLF", both.replace("\n", "\r\n"), (Kept(SONGS, says="4", joined_lines=2),)
    )
    yield Case(
        "over lines: the last row", songs({10: '"one\ntwo"'}), (Kept(SONGS, says="11", joined_lines=1),)
    )
    bad = songs({2: '"one\ntwo\nthree"'}).replace("5,105,Song 5,1", "5,105,Song 5,x")
    rows = [row for row in SONGS if row[0] != 5]
    yield Case(
        "over lines: a bad row after it",
        bad,
        (Refused(("x",), line=8),),
        (Kept(rows, rejected=1, joined_lines=2),),
    )
    short = songs({2: '"one\ntwo\nthree"'}).replace("5,105,Song 5,1", "5,105")
    yield Case(
        "over lines: a short row after it",
        short,
        (Refused(line=8),),
        (Kept(rows, rejected=1, joined_lines=2),),
    )
    header = 'user,item,"my\nrating"\n' + "1,10,5\n2,10,3\n"
    mapping = {"user": "user", "item": "item", "rating": "my\nrating"}
    kept = Kept([(1, 10, 5.0, None), (2, 10, 3.0, None)])
    yield Case(
        "over lines: a name in the header",
        header,
        (kept, Refused()),
        options={"columns": mapping},
        header_lines=2,
    )


def _lone() -> Iterator[Case]:
    """Quotes in CSV that are not meant: plain signs inside a field, refused where a field starts with one."""
    kept = Kept(SONGS)
    for name, title in (
        ("an inch", '12" mix'),
        ("at the end", 'Heroes"'),
        ("in the middle", 'a "quoted" word'),
        ("an apostrophe", "Don't"),
        ("two inches", '7" and 12"'),
        ("a backslash", 'a \\" b'),
    ):
        yield Case(f"lone: {name}", songs({3: title}), (kept,))
    yield Case("lone: two inches, in rows 3 and 7", songs({3: '12" mix', 7: '7" mix'}), (kept,))
    opened = songs({3: '"Heroes'})
    for name, content in (
        ("opened and never closed", opened),
        ("opened twice", songs({3: '"Heroes', 7: '"Low'})),
        ("text after a closing quote", songs({3: '"Heroes" live'})),
        ("backslash before an inner quote", songs({3: '"The \\"best\\" of"'})),
        ("backslash and a comma", songs({3: '"The \\"best\\", of"'})),
        ("opened in the last row", songs({10: '"Heroes'})),
        ("a space before the quote, and a comma", songs({3: ' "Heroes, live"'})),
        ("opened in the header", '"user,item,rating\n1,10,5\n2,10,3\n'),
    ):
        line = 11 if "last" in name else 1 if "header" in name else 4
        # What stands between two such quotes may be rows, or text of the first.
        bad = ([line - 1], [3, 7], range(3, 8)) if name == "opened twice" else ([line - 1],)
        others = (Kept([row for row in SONGS if row[0] not in some], rejected=len(some)) for some in bad)
        refused = Refused(line=line)
        yield Case(f"broken: {name}", content, (refused, kept), (refused, *others, kept))
    # One field of five lines, by the rules of CSV: read, with a word on the lines.
    rows = [row for row in SONGS if row[0] not in {4, 5, 6, 7}]
    closed = songs({3: '"Heroes', 7: 'Low"'}).replace("7,107,", "", 1).replace('Low",3', 'Low",4')
    yield Case(
        "closed at a field's end four rows later",
        closed,
        (Refused(line=4), Kept(rows, says="4", joined_lines=4)),
    )


def _plain() -> Iterator[Case]:
    """Where tabs or bars separate, a quote is a sign like any other."""
    kept = Kept(SONGS)
    for kind, separator, file in (
        ("tabs", "\t", "songs.tsv"),
        ("bars", "|", "songs.txt"),
        ("tabs in .csv", "\t", "songs.csv"),
    ):
        for name, titles in (
            ("opened", {3: '"Heroes'}),
            ("opened twice", {3: '"Heroes', 7: '"Low'}),
            ("quoted whole", {3: '"Heroes"'}),
            ("an inch", {3: '12" mix'}),
            ("opened, closed later", {3: '"Heroes', 7: 'Low"'}),
            ("one alone", {3: '"'}),
            ("opened in the last row", {10: '"Heroes'}),
        ):
            yield Case(f"{kind}: {name}", songs(titles, separator), (kept,), file=file)
    quoted = table(
        [[f'"{value:g}"' if isinstance(value, float) else f'"{value}"' for value in row] for row in ROWS],
        '"user","item","rating","timestamp"',
        separator="\t",
    )
    yield Case("tabs: everything is quoted", quoted, (Kept(ROWS), Refused(('"user"',))), file="ratings.tsv")
    named: list[Row] = [("'a'", 10, 5.0, 7), ("a", 10, 3.0, 8)]
    yield Case("apostrophes around ids", table(named), (Kept(named),))
    curly: list[Row] = [("“a”", 10, 5.0, 7), ("a", 10, 3.0, 8)]
    yield Case("curly quotes around ids", table(curly), (Kept(curly),))
