"""Ratings on scales of all kinds: each value is the number that stands there, or is refused as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from movielens_recsys.data.ratings import Scale

from .case import BAD, Case, Kept, Refused, asking, column_case, column_rows, kept_rows, table

NUMBERS: Mapping[str, Sequence[str]] = {
    "1 to 5": ["1", "2", "3", "4", "5"],
    "half stars": ["0.5", "1", "3.5", "4.5", "5"],
    "half stars with .0": ["0.5", "1.0", "3.5", "4.0", "5.0"],
    "0 and 1": ["0", "1", "1", "0", "1"],
    "1 to 10": ["1", "10", "7", "3", "8"],
    "1 to 100": ["1", "100", "70", "35", "80"],
    "0 to 10": ["0", "10", "7", "0", "8"],
    "thumbs": ["-1", "1", "1", "-1", "1"],
    "-2 to 2": ["-2", "0", "2", "1", "-1"],
    "plus signs": ["+2", "-1", "+1", "0", "2"],
    "tenths": ["0.1", "0.2", "0.3", "4.9", "5"],
    "without a leading zero": [".5", "1", "1.5", "2", "2.5"],
    "without a last digit": ["1.", "2.", "3.", "4.", "5."],
    "scientific": ["1e0", "2E0", "5e-1", "35e-1", "0.4e+1"],
    "many zeros": ["1.000000", "2.000000", "3.500000", "4.000000", "5.000000"],
    "leading zeros": ["01", "02", "03", "04", "05"],
    "spaces around": [" 1", "2 ", " 3 ", "4", "5"],
    "0 to 1 in tenths": ["0.1", "0.9", "0.5", "1.0", "0.0"],
    "minus zero": ["-0", "1", "2", "3", "4"],
}
"""Steps of a scale that can be inferred: kept."""

CONTINUOUS: Mapping[str, Sequence[str]] = {
    "quarter stars": ["0.25", "1.75", "3", "4.5", "5"],
    "Jester": ["-7.26", "6.23", "0.13", "-9.95", "9.99"],
    "0 to 1": ["0.73129", "0.11", "0.999", "0.5002", "0.25"],
    "means of thirds": ["3.33", "3.67", "4", "4.5", "1.25"],
    "full precision": ["3.3333333333333335", "2.6666666666666665", "1.1", "4.25", "5"],
    "play counts": ["1", "14", "5127", "3", "250"],
    "prices": ["9.99", "120", "4500.5", "3", "1.25"],
    "millions": ["1000000", "2500000", "3", "17", "4000001"],
    "tiny": ["1e-7", "3e-7", "2.5e-7", "9e-8", "1e-8"],
}
"""Values without usual steps: kept, or refused with a word on the scale, and kept with its bounds."""

BAD_VALUES: Mapping[str, str] = {
    "a fraction": "4/5",
    "a percentage": "80%",
    "a word": "good",
    "stars": "★★★★",
    "words after the number": "4 stars",
    "out of": "4 out of 5",
    "a grade": "B+",
    "true": "true",
    "a date of Excel": "04. May",
    "hexadecimal": "0x4",
    "a typographic minus": "−4",
    "a letter for a digit": "1O",
    "two points": "4.5.1",
    "two signs": "--4",
    "infinite": "inf",
    "minus infinite": "-Infinity",
    "beyond a float": "1e999",
    "an error of Excel": "#DIV/0!",
    "a formula": "=4+1",
    "a question mark": "?",
    "a hyphen": "-",
    **{
        f"gap {gap or 'empty'!r}": gap for gap in ("", " ", "nan", "NaN", "NULL", "None", "NA", r"\N", "<NA>")
    },
}
"""One value that is no number among 1 to 5: its row is refused or rejected."""

EITHER: Mapping[str, tuple[str, float]] = {
    "full-width digit": ("４", 4.0),
    "Arabic digit": ("٤", 4.0),
    "underscore": ("0_4", 4.0),
    "a currency": ("$4", 4.0),
}
"""A number in other signs: read, or bad."""

ALL_BAD: Mapping[str, Sequence[str]] = {
    "fractions": ["4/5", "3/5", "1/5"],
    "words": ["good", "bad", "so so"],
    "letters": ["A", "B", "C"],
    "true and false": ["true", "false", "true"],
    "emoji": ["👍", "👎", "👍"],
    "empty": ["", "", ""],
    "gaps": ["nan", "nan", "nan"],
    "infinite": ["inf", "inf", "inf"],
    "percentages": ["80%", "20%", "100%"],
}
"""No value is a number: refused with the first one."""


def odd_scales() -> Iterator[Case]:
    """Yield the scales, values that are no numbers, decimal signs and stated scales."""
    for name, texts in NUMBERS.items():
        yield column_case(name, "rating", texts, [float(text) for text in texts])
    for name, texts in CONTINUOUS.items():
        yield from _continuous(name, texts)
    for name, text in BAD_VALUES.items():
        yield column_case(f"bad: {name}", "rating", ["5", text, "1", "3"], [5.0, BAD, 1.0, 3.0])
    for name, (text, value) in EITHER.items():
        read, bad = [5.0, value, 1.0, 3.0], [5.0, BAD, 1.0, 3.0]
        yield column_case(f"odd digits: {name}", "rating", ["5", text, "1", "3"], read, bad)
    for name, texts in ALL_BAD.items():
        yield replace(column_case(f"all bad: {name}", "rating", texts), rejecting=(Refused(),))
    yield from _commas()
    yield from _stated()
    yield from _equal()


def _continuous(name: str, texts: Sequence[str]) -> Iterator[Case]:
    values = [float(text) for text in texts]
    case = column_case(name, "rating", texts, values)
    yield replace(case, right=(*case.right, Refused(("--scale",))), rejecting=None)
    stated = {"scale": Scale(min(values), max(values), None)}
    yield replace(case, name=f"{name}, bounds stated", options=stated)


def _commas() -> Iterator[Case]:
    """Commas in numbers: a decimal sign where that is the only reading."""
    halves, values = ["4,5", "3,5", "1", "2", "5"], [4.5, 3.5, 1.0, 2.0, 5.0]
    for separator in (";", "\t", "|"):
        name = f"decimal commas between {separator!r}"
        yield column_case(name, "rating", halves, values, separator=separator)
        stated = {"decimal": ","}
        yield column_case(f"{name}, stated", "rating", halves, values, separator=separator, options=stated)
    quoted = [f'"{text}"' for text in halves]
    case = column_case("decimal commas in quotes", "rating", quoted, values)
    yield replace(case, right=(*case.right, Refused(("4,5",), line=2)), rejecting=None)
    yield replace(case, name="decimal commas in quotes, stated", options={"decimal": ","})
    yield column_case(
        "decimal points, a comma stated",
        "rating",
        ["4.5", "3.5", "1", "2"],
        [BAD, BAD, 1.0, 2.0],
        separator=";",
        options={"decimal": ","},
    )
    both = column_case("points and commas", "rating", ["4.5", "3,5", "1"], [4.5, BAD, 1.0], separator=";")
    asks = Refused(("--decimal",))
    yield replace(both, right=(*both.right, asks), rejecting=(*(both.rejecting or ()), asks))
    thousands = ["1,000", "2,500", "12,000"]
    case = column_case("thousands, or decimal commas", "rating", thousands, separator=";")
    read = Kept(kept_rows("rating", [1.0, 2.5, 12.0]))
    yield from asking(case, read, decimal=",")
    whole = column_case(
        "thousands, a point stated", "rating", thousands, [1000.0, 2500.0, 12000.0], separator=";"
    )
    refused = (Refused(("1,000",)), Refused(("--scale",)))
    yield replace(whole, right=(*whole.right, *refused), rejecting=None, options={"decimal": "."})
    both = column_case(
        "thousands and fractions",
        "rating",
        ["1.234,5", "2.000,0", "3.500,5"],
        [1234.5, 2000.0, 3500.5],
        separator=";",
    )
    refused = (Refused(("1.234,5",)), Refused(("--scale",)))
    yield replace(both, right=(*both.right, *refused), rejecting=None)
    yield column_case(
        "points for thousands", "rating", ["1.234.567", "2.000.000", "3.000.000"], separator=";"
    )
    yield Case(
        "unquoted decimal commas between commas",
        table(column_rows("rating", ["4,5", "3", "1"])),
        (Refused(line=2),),
        (Kept(kept_rows("rating", [BAD, 3.0, 1.0]), rejected=1),),
    )


def _stated() -> Iterator[Case]:
    """Ratings that a stated scale does not have are bad."""
    texts = ["1", "5", "3", "2.5", "7", "-1"]
    for name, scale, values in (
        ("1 to 5", Scale(1, 5, 1), [1.0, 5.0, 3.0, BAD, BAD, BAD]),
        ("0.5 to 5 in halves", Scale(0.5, 5, 0.5), [1.0, 5.0, 3.0, 2.5, BAD, BAD]),
        ("-1 to 10", Scale(-1, 10, 1), [1.0, 5.0, 3.0, BAD, 7.0, -1.0]),
        ("0 to 1", Scale(0, 1, 1), [1.0, BAD, BAD, BAD, BAD, BAD]),
        ("-10 to 10, continuous", Scale(-10, 10, None), [1.0, 5.0, 3.0, 2.5, 7.0, -1.0]),
        ("0 to 5, continuous", Scale(0, 5, None), [1.0, 5.0, 3.0, 2.5, BAD, BAD]),
    ):
        yield column_case(f"stated: {name}", "rating", texts, values, options={"scale": scale})


def _equal() -> Iterator[Case]:
    """A single value says nothing of the scale: kept with a finding, or refused with a word on the scale."""
    for name, text in (("5", "5"), ("1", "1"), ("0", "0"), ("3.5", "3.5")):
        values = [float(text)] * 4
        case = column_case(f"every rating is {name}", "rating", [text] * 4, values)
        right: tuple[Any, ...] = (Refused(("--scale",)), Kept(kept_rows("rating", values), says="same"))
        yield replace(case, right=right, rejecting=None)
        scale = Scale(0, 5, 0.5)
        yield replace(case, name=f"{case.name}, stated", options={"scale": scale})
    lowest = ["0", "0", "0", "4", "5"]
    yield column_case("most ratings are the lowest", "rating", lowest, [float(text) for text in lowest])
    one = [(7, 10, 4.0, 1)]
    yield Case("one row", table(one), (Refused(("--scale",)), Kept(one)))
    yield Case("one row, stated", table(one), (Kept(one),), options={"scale": Scale(1, 5, 1)})
