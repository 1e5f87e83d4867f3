"""Interactions without ratings: refused with a word on `--implicit`, and kept with it."""

from __future__ import annotations

from collections.abc import Iterator

from .case import ROWS, Case, Kept, asking, table

PAIRS = [(user, item) for user, item, _, _ in ROWS]
TIMED = [(user, item, time) for user, item, _, time in ROWS]


def no_ratings() -> Iterator[Case]:
    """Yield tables of users and items, with and without times, counts and headers."""
    once = Kept([(user, item, 1.0, None) for user, item in PAIRS])
    timed = Kept([(user, item, 1.0, time) for user, item, time in TIMED])
    for name, file, separator in (
        ("CSV", "likes.csv", ","),
        ("TSV", "likes.tsv", "\t"),
        ("semicolons", "likes.csv", ";"),
        ("atomic", "likes.inter", "\t"),
    ):
        typed = file.endswith(".inter")
        pair = "user_id:token,item_id:token" if typed else "user,item"
        time = "timestamp:float" if typed else "timestamp"
        case = Case(f"pairs, {name}", table(PAIRS, pair, separator), (), file=file)
        yield from asking(case, once, implicit=True)
        case = Case(f"pairs and times, {name}", table(TIMED, f"{pair},{time}", separator), (), file=file)
        yield from asking(case, timed, implicit=True)
    repeated = [(1, 10, 5), (1, 10, 7), (2, 10, 6), (2, 20, 8)]
    earliest = Kept([(1, 10, 1.0, 5), (2, 10, 1.0, 6), (2, 20, 1.0, 8)], rejected=1, says="repeated")
    case = Case(
        "pairs that stand twice",
        table(repeated, "user,item,timestamp"),
        (earliest,),
        options={"implicit": True},
    )
    yield case
    likes = [(user, item, 1.0, time) for user, item, _, time in ROWS]
    yield Case("a column of ones, implicit", table(likes), (Kept(likes),), options={"implicit": True})
