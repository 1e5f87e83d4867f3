"""Parquet columns are held to the rules of text, whatever their types."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from tests.data.readers.conftest import rows_of

from movielens_recsys.data.readers import read_ratings
from movielens_recsys.errors import ReadError

UTC = dt.UTC


def written(folder: Path, **columns: pl.Series) -> Path:
    plain = {"user": pl.Series([1, 2]), "item": pl.Series([3, 4]), "rating": pl.Series([5.0, 1.0])}
    path = folder / "a.anything"
    pl.DataFrame({**plain, **columns}).write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        (pl.Series([7, 8], dtype=pl.UInt16), [7, 8]),
        (pl.Series([2**64 - 1, 7], dtype=pl.UInt64), [str(2**64 - 1), "7"]),
        (pl.Series([7.0, None]), [7, None]),
        (pl.Series([7.5, 8.0]), ["7.5", "8.0"]),
        (pl.Series([Decimal(7), Decimal(8)]), [7, 8]),
        (pl.Series(["7", "007"]), ["7", "007"]),
        (pl.Series(["b", "a"], dtype=pl.Categorical), ["b", "a"]),
        (pl.Series([True, False]), ["true", "false"]),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
def test_ids_of_every_type(tmp_path: Path, values: pl.Series, ids: list[object]):
    assert rows_of(written(tmp_path, user=values))["user"].to_list() == ids


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([dt.datetime(2024, 3, 1, tzinfo=UTC)] * 2),
        pl.Series([dt.datetime(2024, 3, 1)] * 2, dtype=pl.Datetime("ns")),
        pl.Series([dt.date(2024, 3, 1)] * 2),
        pl.Series([1709251200, 1709251200], dtype=pl.Int32),
        pl.Series([1709251200000, 1709251200000]),
        pl.Series([1709251200.0, 1709251200.5]),
        pl.Series([1709251200e9, 1709251200e9]),
        pl.Series(["2024-03-01", "2024-03-01T00:00:00Z"]),
    ],
    ids=lambda value: str(value.dtype),
)
def test_times_of_every_type(tmp_path: Path, values: pl.Series):
    assert rows_of(written(tmp_path, timestamp=values))["timestamp"].to_list() == [1709251200] * 2


def test_faults_are_named_by_their_row(tmp_path: Path):
    read = read_ratings(written(tmp_path, rating=pl.Series(["5", "good"])))
    assert (read.unit, read.faults.rows()) == ("row", [(2, "rating_unreadable", "good")])
    infinite = read_ratings(written(tmp_path, rating=pl.Series([5.0, float("inf")])))
    assert infinite.faults.rows() == [(2, "rating_unreadable", "inf")]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("user", pl.Series([[1], [2]])),
        ("item", pl.Series([b"a", b"b"])),
        ("rating", pl.Series([dt.date(2024, 3, 1)] * 2)),
        ("timestamp", pl.Series([dt.timedelta(1)] * 2)),
        ("timestamp", pl.Series([dt.time(1)] * 2)),
    ],
)
def test_a_type_that_cannot_be_the_column_is_refused_by_name(tmp_path: Path, column: str, values: pl.Series):
    with pytest.raises(ReadError, match=rf"column '{column}' of .* is of type .* cannot be the {column}"):
        rows_of(written(tmp_path, **{column: values}))


def test_a_cut_file_cannot_be_read(tmp_path: Path):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ReadError, match=r"a\.anything cannot be read"):
        rows_of(path)
