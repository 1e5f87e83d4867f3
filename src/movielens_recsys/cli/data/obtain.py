"""Obtaining ratings: official data sets, and files of the user."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from movielens_recsys.cli import completion
from movielens_recsys.cli.data.account import accounts, print_account, rows_read
from movielens_recsys.cli.data.options import (
    BadRowsOption,
    Columns,
    DecimalSign,
    Implicit,
    NoHeader,
    ScaleOption,
    Separator,
    TimeFormat,
    Unrated,
    parse_columns,
    parse_options,
    parse_scale,
    print_findings,
)
from movielens_recsys.cli.output import Json, console, emit


def fetch(
    name: Annotated[
        str,
        typer.Argument(
            help="A data set of `recsys data list`, e.g. ml-100k.",
            autocompletion=completion.official_datasets,
        ),
    ],
    from_file: Annotated[
        Path | None, typer.Option(help="An archive that you downloaded yourself; no network is used.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Download an official data set: verify, unpack, read, check and cache it."""
    from movielens_recsys.data.load import load_ratings
    from movielens_recsys.data.sources.fetch import ensure_downloaded, fetch_from_file, find_folder, origin
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    if from_file is not None:
        fetch_from_file(name, from_file, settings)
    else:
        ensure_downloaded(name, settings, progress=sys.stderr.isatty())
    ratings = load_ratings(name, settings, fetch=False)
    record = origin(name, settings)
    values = {
        "name": name,
        "folder": find_folder(name, settings),
        "source": record.source if record else None,
        "ratings": len(ratings),
        "users": ratings.n_users,
        "items": ratings.n_items,
        "content_hash": ratings.content_hash,
    }

    def render() -> None:
        console.print(
            f"{name}: {len(ratings):,} ratings of {ratings.n_users:,} users for {ratings.n_items:,} items "
            f"in {values['folder']}{f', from {record.source}' if record else ''}",
            highlight=False,
        )

    emit(values, as_json=as_json, render=render)


def import_file(
    file: Annotated[Path, typer.Argument(help="Your ratings: CSV, TSV or Parquet.")],
    name: Annotated[str, typer.Option(help="Its name from now on, e.g. as data.name of an experiment.")],
    columns: Columns = "",
    separator: Separator = "",
    decimal: DecimalSign = "",
    time_format: TimeFormat = "",
    no_header: NoHeader = False,
    implicit: Implicit = False,
    unrated: Unrated = None,
    scale: ScaleOption = "",
    on_bad_rows: BadRowsOption = "refuse",
    items: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A table with the items' titles and genres.")
    ] = None,
    item_columns: Annotated[
        str,
        typer.Option(help="Names of its columns: item=NAME,title=NAME,genres=NAME,year=NAME."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Read and check your own rating file, and store a copy of it under a name."""
    from movielens_recsys.data.load import load_ratings
    from movielens_recsys.data.quality.checks import check_ratings
    from movielens_recsys.data.sources.user_datasets import check_dataset_name, register_dataset
    from movielens_recsys.schema import Severity
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    options = parse_options(columns, separator, decimal, time_format, no_header, implicit, unrated)
    rating_scale = parse_scale(scale)
    check_dataset_name(name)
    about_items: dict[str, Any] = {
        "items": items,
        "item_columns": parse_columns(
            item_columns, "--item-columns", "item=NAME,title=NAME,genres=NAME,year=NAME"
        ),
    }
    stated = {"bad_rows": on_bad_rows, "scale": rating_scale, **about_items}
    ratings = load_ratings(file, settings, **stated, **options.to_json())
    copy = register_dataset(file, name, settings, options, **stated)
    weighty = [finding for finding in check_ratings(ratings) if finding.severity is not Severity.INFO]
    findings = [*ratings.findings, *weighty]
    values = {
        "name": name,
        "file": copy,
        "rows_read": ratings.rows_read,
        "rows_rejected": ratings.rows_rejected,
        "ratings": len(ratings),
        "content_hash": ratings.content_hash,
        "findings": [finding.to_json() for finding in findings],
        **accounts(ratings),
    }

    def render() -> None:
        kind = "interactions" if ratings.implicit else "ratings"
        console.print(
            f"{name}: {len(ratings):,} {kind} of {ratings.n_users:,} users for {ratings.n_items:,} items; "
            f"use it as data.name, or inspect it with: recsys data describe {name}",
            highlight=False,
        )
        print_account(ratings)
        console.print(rows_read(ratings), highlight=False)
        print_findings(findings)

    emit(values, as_json=as_json, render=render)
