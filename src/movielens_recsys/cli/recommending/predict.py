"""`recsys predict`: predicted ratings of pairs of users and items."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from movielens_recsys.cli.data.options import (
    BadRowsOption,
    Columns,
    NoHeader,
    Separator,
    TimeFormat,
    parse_options,
)
from movielens_recsys.cli.output import Json, emit, err_console, warn
from movielens_recsys.cli.recommending.fitted import FittedRun, open_bundle
from movielens_recsys.cli.recommending.recommend import Force, Output, check_target

if TYPE_CHECKING:
    import polars as pl


def predict(
    run: FittedRun,
    pairs: Annotated[
        Path, typer.Option(metavar="FILE", help="A table with users, items and, if there are any, times.")
    ],
    output: Output = None,
    force: Force = False,
    columns: Columns = "",
    separator: Separator = "",
    time_format: TimeFormat = "",
    no_header: NoHeader = False,
    on_bad_rows: BadRowsOption = "refuse",
    json: Json = False,
) -> None:
    """Predict the ratings of pairs, as a table in the order of the file.

    The column `fallback` says of whom the model knows nothing, where its fallback predicts. A model that uses
    the time of a rating predicts at the pair's time, if it has one.
    """
    import polars as pl

    from movielens_recsys.recommending import inputs, tables
    from movielens_recsys.recommending.predictions import predict_pairs

    check_target(output, force, json)
    name, bundle = open_bundle(run)
    options = parse_options(columns, separator, "", time_format, no_header)
    read = inputs.read_pairs(pairs, bundle.without_ratings(name), options, bad_rows=on_bad_rows)
    for finding in read.findings:
        warn(finding.advice)
    times = read.frame["timestamp"] if "timestamp" in read.frame.columns else None
    found = predict_pairs(bundle.recommender, read.users, read.items, times)
    reasons = pl.Series("fallback", found.fallback.tolist(), dtype=pl.String)
    table = read.frame.with_columns(pl.Series("predicted_rating", found.ratings), reasons)
    _say(table)
    if output is not None:
        err_console.print(f"{tables.write_table([table], output):,} rows in {output}", highlight=False)
    elif json:
        emit({"model": name, "pairs": table.to_dicts()}, as_json=True, render=lambda: None)
    else:
        tables.write_text([table], sys.stdout.buffer)


def _say(table: pl.DataFrame) -> None:
    """Warn of the pairs that the fallback predicted."""
    counts = table["fallback"].drop_nulls().value_counts(sort=True)
    if len(counts):
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts.iter_rows())
        warn(f"the model's fallback predicted {counts['count'].sum():,} of {table.height:,} pairs: {reasons}")
