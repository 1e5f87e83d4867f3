"""Text in other encodings, with other line ends and between other separators."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import replace

from .case import ROWS, Case, Kept, Outcome, Refused, Row, asking, table

TITLED = "user,item,rating,timestamp,title"
TITLES = ("Les Misérables", "Amélie", "Süden", "Señor")


def encodings() -> Iterator[Case]:
    """Yield encodings: UTF-8 is read; in others, the file is refused or every row is read."""
    rows = [(*row, title) for row, title in zip(ROWS, TITLES, strict=True)]
    text = table(rows, TITLED)
    yield Case("UTF-8", text, (Kept(ROWS),))
    yield Case("UTF-8 with a byte order mark", text.encode("utf-8-sig"), (Kept(ROWS),))
    yield Case(
        "a byte order mark and quotes",
        table(ROWS, '"user","item","rating","timestamp"').encode("utf-8-sig"),
        (Kept(ROWS),),
    )
    for name in ("latin-1", "cp1252", "cp437", "mac-roman", "cp850"):
        yield Case(name, text.encode(name), (Kept(ROWS), Refused(("UTF-8",))))
    for name, title in (
        ("cp1251", "Солярис"),
        ("koi8-r", "Солярис"),
        ("shift-jis", "七人の侍"),
        ("gb18030", "霸王别姬"),
        ("big5", "霸王別姬"),
        ("euc-kr", "올드보이"),
        ("cp1255", "ואלס"),
        ("iso8859-7", "Ζορμπάς"),
    ):
        content = table([(*row, title) for row in ROWS], TITLED).encode(name)
        yield Case(name, content, (Kept(ROWS), Refused(("UTF-8",))))
    for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "cp500", "utf-7"):
        odd = name in {"cp500", "utf-7"}
        content = table(ROWS).encode(name) if not odd else text.encode(name)
        refused = Refused() if odd else Refused(("UTF",))
        yield Case(name, content, (Kept(ROWS), refused), header_lines=None)
    for name, mark in (
        ("UTF-16 little", codecs.BOM_UTF16_LE),
        ("UTF-16 big", codecs.BOM_UTF16_BE),
        ("UTF-32", codecs.BOM_UTF32_LE),
    ):
        yield Case(f"the mark of {name}, then ASCII", mark + table(ROWS).encode(), (Refused(),))
    named: list[Row] = [("José", 10, 5.0, 1), ("Jose", 10, 3.0, 2), ("Jo", 10, 4.0, 3)]
    refused = Refused(("UTF-8",), line=2)
    yield Case(
        "an id in latin-1",
        table(named).encode("latin-1"),
        (refused, Kept(named)),
        (refused, Kept(named), Kept(named[1:], rejected=1)),
    )
    many = [(user, 10, 1.0 + user % 5, user) for user in range(1, 20_001)]
    for name, broken in (
        ("a lone byte", b"\xff"),
        ("half a character", b"\xc3"),
        ("an overlong slash", b"\xc0\xaf"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("beyond Unicode", b"\xf5\x80\x80\x80"),
    ):
        line = table(ROWS[:2]).encode() + b"A" + broken + b"Z,10,4,5\n" + table(ROWS[2:], "").encode()
        refused = Refused(("UTF-8",), line=4)
        yield Case(f"invalid UTF-8 in an id: {name}", line, (refused,), (refused, Kept(ROWS, rejected=1)))
    late = table(many).encode() + b"caf\xe9,10,4,5\n"
    refused = Refused(("UTF-8",), line=20_002)
    yield Case("invalid UTF-8 in row 20,001", late, (refused,), (refused, Kept(many, rejected=1)))


def line_ends() -> Iterator[Case]:
    """Yield line ends of all systems, mixed ones, and signs that end no line."""
    last = Kept(ROWS)
    lines = table(ROWS).splitlines()
    for name, end in (("LF", "\n"), ("CRLF", "\r\n"), ("CR", "\r")):
        yield Case(name, end.join(lines) + end, (last,))
        yield Case(f"{name}, none after the last line", end.join(lines), (last,))
        yield Case(f"{name}, three after the last line", end.join(lines) + 3 * end, (last,))
        yield Case(f"{name}, blank lines between", (2 * end).join(lines) + end, (last,))
        yield Case(
            f"{name}, blank lines before the header", 2 * end + end.join(lines) + end, (last, Refused())
        )
        quoted = [
            '"user","item","rating","timestamp"',
            *('"' + line.replace(",", '","') + '"' for line in lines[1:]),
        ]
        yield Case(f"{name}, quoted", end.join(quoted) + end, (last,))
        yield Case(f"{name}, tabs", end.join(lines).replace(",", "\t") + end, (last,), file="ratings.tsv")
    wide = Case("", "", (last, Refused(("line",)), Refused(("CR",))))
    yield replace(
        wide,
        name="CRLF and LF",
        content="\r\n".join(lines[:3]) + "\r\n" + "\n".join(lines[3:]) + "\n",
        right=(last,),
    )
    yield replace(wide, name="LF and CR", content="\n".join(lines[:3]) + "\n" + "\r".join(lines[3:]) + "\r")
    yield replace(
        wide, name="LF for the header, CR for rows", content=lines[0] + "\n" + "\r".join(lines[1:]) + "\r"
    )
    yield replace(
        wide, name="CR for the header, LF for rows", content=lines[0] + "\r" + "\n".join(lines[1:]) + "\n"
    )
    yield replace(wide, name="CR CRLF", content="\r\r\n".join(lines) + "\r\r\n")
    yield replace(wide, name="LFCR", content="\n\r".join(lines) + "\n\r")
    yield Case("blanks and tabs in blank lines", "\n \n".join(lines) + "\n\t\n", (last,))
    yield Case("spaces at line ends", " \n".join(lines) + " \n", (last,))
    yield Case(
        "an end of file of DOS", "\n".join(lines) + "\n\x1a", (Refused(line=6),), (Kept(ROWS, rejected=1),)
    )
    for name, sign in (
        ("vertical tab", "\v"),
        ("form feed", "\f"),
        ("next line", "\x85"),
        ("line separator", "\u2028"),
        ("paragraph separator", "\u2029"),
        ("file separator", "\x1c"),
        ("unit separator", "\x1f"),
    ):
        rows = [(*row, f"one{sign}two") for row in ROWS]
        yield Case(f"{name} in a title", table(rows, TITLED), (last,))
        named: list[Row] = [(f"a{sign}b", 10, 5.0, 1), ("a", 10, 3.0, 2), ("b", 10, 1.0, 3)]
        yield Case(f"{name} in an id", table(named), (Kept(named),))
    split = table([(*row, "one\rtwo") for row in ROWS], TITLED)
    yield Case(
        "CR in a title",
        split,
        (Refused(line=3), Refused(("CR",))),
        (Refused(line=3), Refused(("CR",)), Kept(ROWS, rejected=4)),
    )


def separators() -> Iterator[Case]:
    """Yield usual separators under all endings, and unusual ones, which can be stated."""
    last: Outcome = Kept(ROWS)
    for separator, sign in (("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("bar", "|")):
        for file in ("ratings.csv", "ratings.tsv", "ratings.txt", "ratings", "ratings.CSV", "ratings.tab"):
            yield Case(f"{separator} in {file}", table(ROWS, separator=sign), (last,), file=file)
    for name, sign in (
        ("colons", ":"),
        ("double colons", "::"),
        ("space", " "),
        ("caret", "^"),
        ("tilde", "~"),
        ("start of heading", "\x01"),
        ("unit separator", "\x1f"),
        ("double bars", "||"),
        ("section sign", "§"),
        ("slash", "/"),
        ("three spaces", "   "),
    ):
        case = Case(name, table(ROWS, separator=sign), (), file="ratings.txt")
        plain, stated = asking(case, last, separator=sign)
        yield replace(plain, right=(*plain.right, last))
        yield stated
    yield Case("a comma and a space", table(ROWS, separator=", "), (last,))
    yield Case("a semicolon and a tab", table(ROWS, separator=";\t"), (last, Refused(("--separator",))))
    yield Case("spaces around bars", table(ROWS, separator=" | "), (last,), file="ratings.txt")
    trailing = table([(*row, None) for row in ROWS], "user,item,rating,timestamp,")
    yield Case("a separator at each line's end", trailing, (last,))
    yield Case(
        "a separator at the end of rows only",
        table([(*row, None) for row in ROWS]),
        (Refused(line=2), last),
        (Refused(), last),
    )
    header = "user;item;rating;timestamp\n"
    yield Case("a header of semicolons over commas", header + table(ROWS, ""), (Refused(),))
    yield Case(
        "a header of commas over semicolons",
        "user,item,rating,timestamp\n" + table(ROWS, "", ";"),
        (Refused(),),
    )
    mixed = table(ROWS[:2]) + table(ROWS[2:], "", ";")
    yield Case("semicolons from row 3 on", mixed, (Refused(line=4),), (Kept(ROWS[:2], rejected=2),))
    commas = [(*row, "one, two, three, four, five") for row in ROWS]
    yield Case("semicolons with more commas in titles", table(commas, TITLED, ";"), (last,))
    yield Case("tabs with more commas in titles", table(commas, TITLED, "\t"), (last,), file="ratings.tsv")
    yield Case("tabs with commas in titles, by name .csv", table(commas, TITLED, "\t"), (last,))
    yield Case(
        "Excel's line sep=;",
        "sep=;\n" + table(ROWS, separator=";"),
        (last, Refused(("sep=;",))),
        header_lines=2,
    )
    yield Case(
        "a stated separator that is not there",
        table(ROWS),
        (Refused(("user,item,rating,timestamp",)),),
        options={"separator": ";"},
    )
    yield Case(
        "a stated separator against the ending",
        table(ROWS, separator=";"),
        (last,),
        file="ratings.tsv",
        options={"separator": ";"},
    )
