"""Files with nothing in them, with zero bytes, with much in them, and with rows that stand twice."""

from __future__ import annotations

from collections.abc import Iterator

from .case import ROWS, Case, Kept, Refused, table

TEXT = table(ROWS).encode()
N_MANY = 20_000
MIB = 2**20


def broken() -> Iterator[Case]:
    """Yield files with nothing in them, with zero bytes, and of unusual size."""
    for name, content in (
        ("nothing", b""),
        ("a byte order mark", b"\xef\xbb\xbf"),
        ("a line end", b"\n"),
        ("blank lines", b"\n" * 50),
        ("spaces", b"   "),
        ("CRs", b"\r\r\r"),
        ("a header", b"user,item,rating\n"),
        ("a header without line end", b"user,item,rating"),
        ("a header and blank lines", b"user,item,rating\n\n\n"),
        ("a mark and a header", b"\xef\xbb\xbfuser,item,rating\n"),
        ("a quoted header", b'"user","item","rating"\n'),
        ("zero bytes", bytes(1000)),
        ("one comma", b","),
        ("one quote", b'"'),
        ("commas", b",,,,\n,,,,\n"),
    ):
        for file in (
            "ratings.csv",
            "ratings.tsv",
            "ratings.parquet",
            "ratings",
            "u.data",
            "ratings.dat",
            "ratings.inter",
        ):
            if b"user" not in content or file in {"ratings.csv", "ratings.inter"}:
                yield Case(f"{name} in {file}", content, (Refused(),), file=file, header_lines=None)
    # Text holds no zero bytes: to refuse the whole file is right, and so is to read them as signs.
    no_text = Refused()
    named = Kept([("a\0b", 10, 5.0, None), ("a", 10, 3.0, None)])
    yield Case(
        "a zero byte in an id", b"user,item,rating\na\0b,10,5\na,10,3\n", (no_text, Refused(line=2), named)
    )
    yield Case(
        "zero bytes at the end",
        TEXT + bytes(512),
        (no_text,),
        (no_text, Kept(ROWS, rejected=1)),
    )
    yield Case(
        "a zero byte in a rating",
        TEXT.replace(b",5,", b",5\0,"),
        (no_text,),
        (no_text, Kept(ROWS[1:], rejected=1)),
    )
    titled = [(*row, "x" * 1_000_000) for row in ROWS]
    yield Case(
        "titles of a million letters", table(titled, "user,item,rating,timestamp,title"), (Kept(ROWS),)
    )
    yield Case(
        "quoted titles of a million letters",
        table([(*row, f'"{"x," * 500_000}"') for row in ROWS], "user,item,rating,timestamp,title"),
        (Kept(ROWS),),
    )
    start = 'user,item,rating,timestamp,title\n1,10,5,874965758,"'
    for name, first, rest in (
        ("a line end", '"\r', "\n"),
        ("a letter", "\xc3", '\xa9 b"\n'),
        ("a doubled quote", '"', '" b"\n'),
    ):
        # Readers work in blocks of a power of two: here one ends within what belongs together.
        letters = "a" * (4 * MIB - len(start) - len(first))
        content = f"{start}{letters}{first}{rest}1,20,3,876893171,b\n".encode("latin-1")
        yield Case(f"{name} across blocks of bytes", content, (Kept(ROWS[:2]),))
    yield Case("one line of five million letters", "x" * 5_000_000, (Refused(),))
    yield Case(
        "a header of five million letters", "x," * 2_500_000 + "user,item,rating\n1,2,3\n", (Refused(),)
    )
    many = [(user, 1 + user % 50, float(1 + user % 5), user) for user in range(1, N_MANY + 1)]
    yield Case("20,000 rows", table(many), (Kept(many),))
    late = table(many) + "7,51,x,9\n"
    yield Case(
        "a bad rating in row 20,001", late, (Refused(("x",), line=N_MANY + 2),), (Kept(many, rejected=1),)
    )
    half = [*many, (7, 51, 2.5, 9)]
    yield Case("the first half star in row 20,001", table(half), (Kept(half),))
    text_ids = [(str(user), item, rating, time) for user, item, rating, time in many]
    yield Case(
        "the first text id in row 20,001",
        table([*many, ("ann", 51, 2.0, 9)]),
        (Kept([*text_ids, ("ann", 51, 2.0, 9)]),),
    )
    quoted = table(many) + '7,51,"2",9\n'
    yield Case("the first quote in row 20,001", quoted, (Kept([*many, (7, 51, 2.0, 9)]),))
    yield Case(
        "an open quote in row 20,001",
        table(many) + '7,51,"2,9\n',
        (Refused(line=N_MANY + 2),),
        (Refused(line=N_MANY + 2), Kept(many, rejected=1)),
    )
    date = [(user, item, rating, 1_700_000_000) for user, item, rating, _ in many[:5000]]
    yield Case(
        "the first date in row 5,001",
        table(date) + "7,51,2,2024-03-01\n",
        (Refused(("2024-03-01",), line=5002), Kept([*date, (7, 51, 2.0, 1709251200)])),
        (
            Kept(date, rejected=1),
            Refused(("2024-03-01",), line=5002),
            Kept([*date, (7, 51, 2.0, 1709251200)]),
        ),
    )


def duplicates() -> Iterator[Case]:
    """Yield ratings of one user for one item: the latest is kept, the others are counted."""
    for name, rows, kept in (
        ("the same row twice", [ROWS[0], *ROWS], [*ROWS]),
        ("a later rating", [*ROWS, (1, 10, 2.0, 900000000)], [*ROWS[1:], (1, 10, 2.0, 900000000)]),
        ("an earlier rating", [*ROWS, (1, 10, 2.0, 800000000)], [*ROWS]),
        ("at the same time", [*ROWS, (1, 10, 2.0, 874965758)], [*ROWS[1:], (1, 10, 2.0, 874965758)]),
        ("three times", [ROWS[0], ROWS[0], *ROWS], [*ROWS]),
        ("the whole file twice", [*ROWS, *ROWS], [*ROWS]),
    ):
        yield Case(name, table(rows), (Kept(kept, rejected=len(rows) - len(kept), says="duplicate"),))
    untimed = [(1, 10, 5.0, None), (2, 10, 3.0, None), (1, 10, 4.0, None)]
    rows = [row[:3] for row in untimed]
    yield Case(
        "without times", table(rows, "user,item,rating"), (Kept(untimed[1:], rejected=1, says="duplicate"),)
    )
    bad = [*ROWS[:3], (3, 30, "x", 1), *ROWS[:1], *ROWS[3:]]
    yield Case(
        "and a bad row",
        table(bad),
        (Refused(("x",), line=5),),
        (Kept([*ROWS[1:3], ROWS[0], ROWS[3]], rejected=2, says="duplicate"),),
    )
