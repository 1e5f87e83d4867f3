"""Ids of all kinds: numbers where each comes back as it was written, else text; words for gaps are bad."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .case import BAD, Case, Kept, Refused, column_case, column_rows, kept_rows, table

Meaning = Callable[[str], Any]
GAPS = {"", "nan", "NaN", "NULL", "null", "None", "NA", "N/A", r"\N", "<NA>"}


def number(text: str) -> int:
    """Return a whole number, also of a text such as ``7.0``."""
    return int(text.strip().partition(".")[0])


def text(written: str) -> str:
    """Return an id as it is written, but for spaces around it."""
    return written.strip()


def number_or_bad(written: str) -> Any:
    """Return a whole number, and `BAD` for a word that stands for no value."""
    return BAD if written.strip() in GAPS else number(written)


def text_or_bad(written: str) -> Any:
    """Return an id as it is written, and `BAD` for a word that stands for no value."""
    return BAD if written.strip() in GAPS else text(written)


def no_negatives(written: str) -> Any:
    """Return a whole number, and `BAD` for a negative one: often a sign for an unknown user."""
    return BAD if written.startswith("-") else int(written)


NUMBERS = (number,)
TEXT = (text,)
GAPPED = (number_or_bad,)

IDS: dict[str, tuple[Sequence[str], tuple[Meaning, ...]]] = {
    "whole numbers": (["7", "8", "900"], NUMBERS),
    "zero": (["0", "1", "2"], NUMBERS),
    "one id": (["5", "5", "5"], NUMBERS),
    "descending": (["9", "8", "7"], NUMBERS),
    "spaces around": ([" 7", "8 ", "  9 "], NUMBERS),
    "no-break spaces around": (["\u00a07", "8\u00a0", "9"], NUMBERS),
    "leading zeros": (["7", "007", "8"], TEXT),
    "all with leading zeros": (["0001", "0002", "0010"], TEXT),
    "zero-padded numbers of books": (["0031887", "31887", "0151"], TEXT),
    "plus sign": (["7", "+7", "8"], TEXT),
    "minus zero": (["-0", "0", "1"], TEXT),
    "with .0": (["7.0", "8.0", "10.0"], NUMBERS),
    "with .00": (["7.00", "8.00", "10.00"], (number, text)),
    # One user in two spellings, of two files perhaps: to merge them is to guess.
    "7 beside 7.0": (["7", "7.0", "8"], TEXT),
    "with .0 and a fraction": (["7.0", "7.5", "8.0"], TEXT),
    "with .0 and a leading zero": (["07.0", "7.0", "8.0"], TEXT),
    "fractions": (["1.5", "2.5", "3.25"], TEXT),
    "scientific": (["1E+05", "2E+05", "3E+05"], TEXT),
    "scientific beside plain": (["100000", "1E+05", "7"], TEXT),
    "negative": (["-5", "7", "8"], (number, no_negatives)),
    "typographic minus": (["−5", "7", "8"], TEXT),
    "underscores in digits": (["1_000", "1000", "7"], TEXT),
    "spaces in digits": (["1 000", "1000", "7"], TEXT),
    "thin spaces in digits": (["1\u2009000", "1000", "7"], TEXT),
    "Arabic digits": (["١٢", "12", "7"], TEXT),
    "full-width digits": (["７", "7", "8"], TEXT),
    "superscripts": (["7²", "72", "7"], TEXT),
    "hexadecimal": (["0x1F", "31", "7"], TEXT),
    "all hexadecimal": (["0x1F", "0x20", "0x7"], TEXT),
    "roman numerals": (["VII", "VIII", "IX"], TEXT),
    "near 2^16": ([str(2**16 + d) for d in (-1, 0, 1)], NUMBERS),
    "near 2^27": ([str(2**27 + d) for d in (-1, 0, 1)], NUMBERS),
    "near 2^31": ([str(2**31 + d) for d in (-1, 0, 1)], NUMBERS),
    "near 2^32": ([str(2**32 + d) for d in (-1, 0, 1)], NUMBERS),
    "near 2^53": ([str(2**53 + d) for d in (-1, 0, 1, 2)], NUMBERS),
    "near 2^53 with .0": ([f"{2**53 + d}.0" for d in (-1, 0, 1, 2)], (number, text)),
    "below 2^63": ([str(2**63 - d) for d in (3, 2, 1)], NUMBERS),
    "at 2^63": ([str(2**63 + d) for d in (-1, 0, 1)], TEXT),
    "unsigned 64 bits": ([str(2**64 - d) for d in (3, 2, 1)], TEXT),
    "one of unsigned 64 bits": (["7", "8", str(2**64 - 1)], TEXT),
    "beyond 64 bits": ([str(2**70 + d) for d in (0, 1, 2)], TEXT),
    "100 digits": (["9" * 100, "9" * 99 + "8", "7"], TEXT),
    "text": (["ann", "bob", "cem"], TEXT),
    "text in upper and lower case": (["ann", "Ann", "ANN"], TEXT),
    "text with spaces inside": (["ann lee", "ann  lee", "annlee"], TEXT),
    "text of a product": (["B00004Y2UT", "A30TL5EWN6DFXT", "0151004714"], TEXT),
    "a text among numbers": (["7", "8", "tt9"], TEXT),
    "a number among texts": (["ann", "7", "bob"], TEXT),
    "UUIDs": ([f"123e4567-e89b-12d3-a456-42661417400{d}" for d in range(3)], TEXT),
    "addresses": (["a@b.org", "c+d@b.org", "https://b.org/?u=1&v=2#x"], TEXT),
    "digests": (["0e12345", "0e54321", "00e1"], TEXT),
    "unicode": (["José", "李雷", "Ω"], TEXT),
    "composed and decomposed": (["caf\u00e9", "cafe\u0301", "cafe"], TEXT),
    "right to left": (["אב", "بت", "ab"], TEXT),
    "emoji": (["👍", "👍🏽", "👩‍👩‍👧"], TEXT),
    "beyond the basic plane": (["𝟕", "7", "𐍈"], TEXT),
    "true and false": (["True", "False", "true"], TEXT),
    "dates": (["2024-03-01", "2024-03-02", "2024-03-03"], TEXT),
    "punctuation": (["#7", "*", "'7'"], TEXT),
    "formulas": (["=7", "@7", "%7"], TEXT),
    "backslashes": ([r"a\b", r"a\nb", r"\7"], TEXT),
    "10,000 letters": (["a" * 10_000, "a" * 9_999 + "b", "a"], TEXT),
    "tt ids": (["tt0111161", "tt0068646", "tt0468569"], TEXT),
    **{f"gap {gap or 'empty'!r} in numbers": (["7", gap, "8"], GAPPED) for gap in sorted(GAPS)},
    "gap ' ' in numbers": (["7", " ", "8"], GAPPED),
    "gap nan with .0": (["7.0", "nan", "8.0"], GAPPED),
    "gap NULL in long numbers": ([str(2**53 + 1), "NULL", "8"], GAPPED),
    "two kinds of gaps": (["7", "", "NULL", "8"], GAPPED),
    "an empty id in texts": (["ann", "", "bob"], (text_or_bad,)),
    # Among texts such a word may be somebody's name: kept as it is written, or counted as a gap.
    **{f"gap {gap!r} in texts": (["ann", gap, "bob"], (text_or_bad, text)) for gap in sorted(GAPS - {""})},
    "only gaps": (["nan", "nan", "nan"], ()),
    "only empty": (["", "", ""], ()),
}


def odd_ids() -> Iterator[Case]:
    """Yield each kind of id as users and as items, and what depends on the number of rows."""
    for column in ("user", "item"):
        for name, (texts, meanings) in IDS.items():
            values = [[meaning(text) for text in texts] for meaning in meanings]
            yield column_case(f"{column}s: {name}", column, texts, *values)
        yield from _rare(column)
    yield from _far_apart()


def _rare(column: str) -> Iterator[Case]:
    """One odd id among many: no share of the rows decides what a column is."""
    plain = [str(number) for number in range(100, 400)]
    for name, odd, meanings in (
        ("text", "tt9", TEXT),
        ("leading zero", "007", TEXT),
        ("2^64", str(2**64), TEXT),
        ("nan", "nan", GAPPED),
    ):
        for place in (0, 299, 300):
            texts = [*plain[:place], odd, *plain[place:]]
            values = [[meaning(text) for text in texts] for meaning in meanings]
            yield column_case(f"{column}s: {name} in row {place + 1} of 301", column, texts, *values)


def _far_apart() -> Iterator[Case]:
    """Memory follows the rows, not the value of an id."""
    for column in ("user", "item"):
        ids = [1, 134_217_000, 134_217_001]
        yield Case(
            f"{column}s: three rows up to 134 million",
            table(column_rows(column, ids)),
            (Kept(kept_rows(column, ids)),),
        )
    both = [(134_217_000, 134_217_001, 5.0, 1), (2, 134_217_726, 3.0, 2), (134_217_000, 10, 1.0, 3)]
    yield Case("users and items up to 134 million", table(both), (Kept(both),))
    yield Case(
        "ids in both columns missing",
        table([(None, None, 5.0, 1), (2, 3, 4.0, 2), (3, 3, 5.0, 1)]),
        (Refused(line=2),),
        (Kept([(2, 3, 4.0, 2), (3, 3, 5.0, 1)], rejected=1),),
    )
