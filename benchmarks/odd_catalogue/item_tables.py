"""Tables of items given with `--items`: each title goes to the item that it stands beside, or is refused."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import polars as pl

from .case import ROWS, Case, Kept, Outcome, Refused, Row, table

FILE = "items.csv"
PLAIN = {10: "Toy Story (1995)", 20: "Heat (1995)", 30: "Kolya (1996)"}


def _table(titles: dict[int, str] = PLAIN, header: str = "item,title", separator: str = ",") -> str:
    return table([(item, title) for item, title in titles.items()], header, separator)


def item_tables() -> Iterator[Case]:
    """Yield ratings of three items with odd tables of titles beside them."""
    kept = Kept(ROWS, titles=PLAIN)
    refused = Refused((FILE,), names_file=False)
    plain = _table()
    contents: dict[str, tuple[str | bytes, tuple[Outcome, ...]]] = {
        "as usual": (plain, (kept,)),
        "a byte order mark": (plain.encode("utf-8-sig"), (kept,)),
        "CRLF": (plain.replace("\n", "\r\n"), (kept,)),
        "CR": (plain.replace("\n", "\r"), (kept,)),
        "UTF-16": (plain.encode("utf-16"), (kept, refused)),
        "gzip": (gzip.compress(plain.encode()), (kept, refused)),
        "semicolons": (_table(separator=";"), (kept,)),
        "tabs": (_table(separator="\t"), (kept,)),
        "bars": (_table(separator="|"), (kept,)),
        "another order": (table([(title, item) for item, title in PLAIN.items()], "title,item"), (kept,)),
        "further columns": (
            table([("x", i, 1.5, t, "") for i, t in PLAIN.items()], "a,item,b,title,c"),
            (kept,),
        ),
        "movieId and genres": (
            table([(item, title, "Comedy|Drama") for item, title in PLAIN.items()], "movieId,title,genres"),
            (kept,),
        ),
        "everything quoted": (
            table([(f'"{i}"', f'"{t}"') for i, t in PLAIN.items()], '"item","title"'),
            (kept,),
        ),
        "items without ratings": (plain + "99,Alien (1979)\n", (kept,)),
        "a blank line": (plain.replace("20,", "\n20,"), (kept,)),
        "ids with .0": (
            table([(f"{item}.0", title) for item, title in PLAIN.items()], "item,title"),
            (kept, refused),
        ),
        "an item missing": (
            "item,title\n10,Toy Story (1995)\n",
            (Kept(ROWS, titles={10: PLAIN[10], 20: "20"}),),
        ),
        "an empty title": (
            "item,title\n10,\n20,Heat (1995)\n",
            (Kept(ROWS, titles={10: "10", 20: PLAIN[20]}),),
        ),
        "latin-1": (
            _table({10: "Amélie", 20: "Süden"}).encode("latin-1"),
            (refused, Kept(ROWS, titles={10: "Amélie", 20: "Süden"})),
        ),
        "no titles": ("item,x\n10,Toy Story\n", (refused,)),
        "no items": ("x,title\n10,Toy Story\n", (refused,)),
        "two columns of titles": ("item,title,title\n10,Toy Story,Heat\n", (refused,)),
        "an item twice": (plain + "10,Again\n", (refused, kept)),
        "an id missing": (plain + ",Again\n", (refused,)),
        "an id nan": (plain + "nan,Again\n", (refused, kept)),
        "a row too short": (plain + "40\n", (refused,)),
        "a row too long": (plain + "40,a,b\n", (refused,)),
        "other ids": ("item,title\n1000,Toy Story\n2000,Heat\n", (Refused(names_file=False),)),
        "nothing": (b"", (refused,)),
        "only the header": ("item,title\n", (refused,)),
        "zero bytes": (bytes(100), (refused,)),
        "JSON": ('[{"item": 10, "title": "Toy Story"}]', (refused,)),
        "a page": ("<html><body>items</body></html>", (refused,)),
        "an open quote": (plain + '40,"Again\n', (refused,)),
        "an open quote in the first row": ('item,title\n10,"Toy Story\n20,Heat\n30,Kolya\n', (refused,)),
        "two open quotes": ('item,title\n10,"Toy Story\n20,Heat\n30,"Kolya\n', (refused,)),
        "quotes and tabs": (
            'item\ttitle\n10\t"Heroes\n20\t7" mix\n',
            (Kept(ROWS, titles={10: '"Heroes', 20: '7" mix'}),),
        ),
    }
    for title in (
        "Süden",
        "七人の侍",
        "👍",
        "It's",
        '12" mix',
        "a\u2028b",
        "a\x85b",
        "a\x0bb",
        "NULL",
        "1984",
        "None",
        "x" * 10_000,
    ):
        contents[f"the title {title[:12]!r}"] = (
            _table({10: title, 20: "b"}),
            (Kept(ROWS, titles={10: title, 20: "b"}),),
        )
    for name, field, title in (
        ("a comma", '"Hunt, The"', "Hunt, The"),
        ("quotes", '"Say ""no"""', 'Say "no"'),
        ("a line end", '"a\nb"', "a\nb"),
        ("spaces", "  a  ", "a"),
    ):
        contents[f"a title with {name}"] = (
            f"item,title\n10,{field}\n20,b\n",
            (Kept(ROWS, titles={10: title, 20: "b"}),),
        )
    for name, (content, right) in contents.items():
        yield _beside(name, content, right)
    yield from _ids(refused)


def _beside(
    name: str, content: str | bytes, right: tuple[Outcome, ...], file: str = FILE, rows: str = ""
) -> Case:
    return Case(name, rows or table(ROWS), right, beside={file: content}, items=file)


def _ids(refused: Outcome) -> Iterator[Case]:
    """Yield ids that are text, and tables in Parquet."""
    zeros: list[Row] = [(1, "007", 5.0, 1), (1, "7", 3.0, 2)]
    titles = {"007": "Bond", "7": "Seven"}
    yield _beside(
        "leading zeros", "item,title\n007,Bond\n7,Seven\n", (Kept(zeros, titles=titles),), rows=table(zeros)
    )
    seven = {"007": "007", "7": "Seven"}
    yield _beside(
        "leading zeros, one missing", "item,title\n7,Seven\n", (Kept(zeros, titles=seven),), rows=table(zeros)
    )
    text: list[Row] = [(1, "tt1", 5.0, 1), (1, "tt2", 3.0, 2)]
    yield _beside(
        "text",
        "item,title\ntt2,Two\ntt1,One\n",
        (Kept(text, titles={"tt1": "One", "tt2": "Two"}),),
        rows=table(text),
    )
    kept = Kept(ROWS, titles=PLAIN)
    for name, values in (
        ("whole numbers", pl.Series(list(PLAIN))),
        ("text", pl.Series([str(item) for item in PLAIN])),
        ("unsigned", pl.Series(list(PLAIN), dtype=pl.UInt64)),
        ("fractions of 0", pl.Series([float(item) for item in PLAIN])),
    ):
        right = (kept, refused, Refused(names_file=False)) if values.dtype.is_float() else (kept,)
        yield _beside(
            f"Parquet, {name}",
            pl.DataFrame({"item": values, "title": list(PLAIN.values())}),
            right,
            "items.parquet",
        )
    lists = pl.DataFrame({"item": [[10], [20]], "title": ["a", "b"]})
    yield _beside("Parquet, lists", lists, (Refused(("items.parquet",), names_file=False),), "items.parquet")
