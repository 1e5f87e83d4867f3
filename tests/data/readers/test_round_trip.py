"""Random tables in random dialects come back exactly; random text is read line by line, or refused."""

from __future__ import annotations

import csv
import io
import re
import string
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.ratings import Ratings, Scale
from movielens_recsys.errors import RecsysError
from movielens_recsys.settings import Settings

FIVE = Scale(0.5, 5, 0.5)
SEPARATORS = {",": csv.QUOTE_MINIMAL, ";": csv.QUOTE_MINIMAL, "\t": csv.QUOTE_NONE, "|": csv.QUOTE_NONE}
NAMES = {"user": "userId", "item": "movieId", "rating": "rating", "timestamp": "timestamp"}

words = st.text(string.ascii_letters + "éß李 .-_'", min_size=1, max_size=8).map(
    lambda word: f"x{word}".strip()
)
numbers = st.integers(0, 2**63 - 1)
ratings = st.integers(1, 10).map(lambda half: half / 2)
seconds = st.integers(86_400 * 366, 1_700_000_000)
titles = st.text(string.ascii_letters + "é \"',;:\n", max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[tuple[Any, ...]], bytes]:
    """Return rows of distinct users and items, and a file of them in a dialect of its own."""
    ids = [draw(st.sampled_from([numbers, words])) for _ in range(2)]
    pairs = draw(st.lists(st.tuples(*ids), min_size=1, max_size=8, unique=True))
    rows = [(*pair, draw(ratings), draw(seconds)) for pair in pairs]
    separator = draw(st.sampled_from(list(SEPARATORS)))
    quoted = SEPARATORS[separator] == csv.QUOTE_MINIMAL
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])) if quoted else csv.QUOTE_NONE
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    time = draw(st.sampled_from([str, "{}.0".format, iso_date]))
    order = draw(st.permutations(list(NAMES)))
    # A line end within a field is one of the file's, and needs quotes.
    title = titles.map(lambda text: text.replace("\n", end if quoted else " "))
    file = io.StringIO(newline="")
    writer = csv.writer(
        file, delimiter=separator, quoting=quoting, lineterminator=end, quotechar='"' if quoted else None
    )
    writer.writerow([*(NAMES[name] for name in order), "title"])
    for row in rows:
        cells = dict(zip(NAMES, (*row[:3], time(row[3])), strict=True))
        writer.writerow([*(cells[name] for name in order), draw(title)])
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return rows, (mark + file.getvalue()).encode()


def iso_date(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@settings(max_examples=30, deadline=None)
@given(table=tables())
def test_a_table_in_any_dialect_comes_back(table: tuple[list[tuple[Any, ...]], bytes]):
    rows, content = table
    loaded = load(content)
    assert isinstance(loaded, Ratings), loaded
    assert found(loaded) == rows
    assert (loaded.rows_read, loaded.rows_rejected) == (len(rows), 0)


odd_lines = st.text("12345678,,,;\t|\"'.-/ \n\r\0axé\x1f", max_size=60)


@settings(max_examples=80, deadline=None)
@given(
    text=odd_lines,
    header=st.sampled_from(["user,item,rating\n", "user\titem\trating\n", "user;item;rating\r", ""]),
)
def test_any_text_is_read_line_by_line_or_refused(text: str, header: str):
    content = (header + text).encode()
    loaded = load(content)
    if isinstance(loaded, str):
        assert "ratings.csv" in loaded
        assert "this is a bug" not in loaded
        return
    lines = sum(bool(line.strip(" \t")) for line in re.split("\r\n|\n|\r", header + text)) - 1
    assert loaded.rows_read == len(loaded) + loaded.rows_rejected
    assert loaded.rows_read == lines or ('"' in text and loaded.rows_read < lines)


def load(content: bytes) -> Ratings | str:
    """Return the ratings of a file, or why it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ratings.csv"
        path.write_bytes(content)
        try:
            return load_ratings(path, Settings(data=Path(folder) / "data"), bad_rows="reject", scale=FIVE)
        except RecsysError as exc:
            return str(exc)


def found(loaded: Ratings) -> list[tuple[Any, ...]]:
    assert loaded.timestamps is not None
    users = loaded.user_ids[loaded.users].tolist()
    items = loaded.item_ids[loaded.items].tolist()
    return list(zip(users, items, loaded.ratings.tolist(), loaded.timestamps.tolist(), strict=True))
