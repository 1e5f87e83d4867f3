"""Faults are a table of rows, reasons and the text that stands there."""

import polars as pl

from movielens_recsys.data.readers.faults import Fault, fault_frame, faults_where


def test_faults_are_a_table_of_one_form():
    made = fault_frame([Fault(3, "row_fields", "x" * 100)])
    assert made.row(0) == (3, "row_fields", "x" * 59 + "…")
    bad = pl.Series([True, False, True])
    found = faults_where(pl.Series([2, 3, 4]), "user_missing", bad, pl.Series(["nan", "ann", None]))
    assert found.rows() == [(2, "user_missing", "nan"), (4, "user_missing", "")]
    assert found.schema == made.schema == fault_frame([]).schema
