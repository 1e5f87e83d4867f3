"""Looking at ratings: the known data sets, statistics and quality findings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

from movielens_recsys.cli.data.account import accounts, print_account, rows_read
from movielens_recsys.cli.data.options import (
    BadRowsOption,
    Columns,
    DecimalSign,
    Implicit,
    NameOrPath,
    NoHeader,
    OnBadRows,
    ScaleOption,
    Separator,
    TimeFormat,
    Unrated,
    parse_options,
    parse_scale,
    print_findings,
)
from movielens_recsys.cli.fitted_table import FittedTable
from movielens_recsys.cli.output import Json, console, emit

if TYPE_CHECKING:
    from movielens_recsys.data.quality.statistics import DatasetStatistics
    from movielens_recsys.data.ratings import Ratings
    from movielens_recsys.data.readers.options import ReadOptions

_COUNTS = ("ratings", "users", "items")


def list_datasets(as_json: Json = False) -> None:
    """List the known data sets and your imported ones, and which of them are on this machine."""
    from movielens_recsys.data.datasets import DATASETS
    from movielens_recsys.data.sources.fetch import find_folder
    from movielens_recsys.data.sources.user_datasets import find_user_dataset, user_dataset_names
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    official = [
        {
            "name": info.name,
            "title": info.title,
            "ratings": info.n_ratings,
            "users": info.n_users,
            "items": info.n_items,
            "scale": [info.scale.minimum, info.scale.maximum, info.scale.step],
            "url": info.url,
            "licence": info.licence,
            "citation": info.citation,
            "folder": find_folder(info.name, settings),
        }
        for info in DATASETS.values()
    ]
    user_datasets = (find_user_dataset(name, settings) for name in user_dataset_names(settings))
    imported = [
        {"name": record.name, "source": record.source, "file": path}
        for path, record in filter(None, user_datasets)
    ]

    def render() -> None:
        rows: list[tuple[object, ...]] = []
        for row in official:
            counts = (f"{row[kind]:,}" for kind in _COUNTS)
            rows.append((row["name"], *counts, row["folder"] or "-"))
        rows += [(row["name"], "", "", "", row["file"]) for row in imported]
        folders = ", ".join(map(str, [*settings.data_folders, settings.data]))
        caption = (
            "recsys data fetch NAME downloads one; its terms of use are shown the first time\n"
            f"folders searched: {folders}"
        )
        columns = ("name", *_COUNTS, "folder")
        console.print(FittedTable("Data sets", columns, rows, caption=caption, lesser=_COUNTS))

    emit({"catalogue": official, "imported": imported}, as_json=as_json, render=render)


def describe(
    name_or_path: NameOrPath,
    columns: Columns = "",
    separator: Separator = "",
    decimal: DecimalSign = "",
    time_format: TimeFormat = "",
    no_header: NoHeader = False,
    implicit: Implicit = False,
    unrated: Unrated = None,
    scale: ScaleOption = "",
    on_bad_rows: BadRowsOption = "refuse",
    as_json: Json = False,
) -> None:
    """Show counts, density, scale, quartiles, time span, content hash and findings."""
    from movielens_recsys.data.quality import checks, statistics

    options = parse_options(columns, separator, decimal, time_format, no_header, implicit, unrated)
    ratings = _load(name_or_path, options, scale, on_bad_rows)
    stats = statistics.dataset_statistics(ratings)
    findings = [*ratings.findings, *checks.check_ratings(ratings)]

    def render() -> None:
        console.print(FittedTable(stats.name, ("statistic", "value"), _rows(stats), wrapped=["value"]))
        print_account(ratings)
        print_findings(findings)

    values = {
        **stats.to_json(),
        "findings": [finding.to_json() for finding in findings],
        **accounts(ratings),
    }
    emit(values, as_json=as_json, render=render)


def check(
    name_or_path: NameOrPath,
    columns: Columns = "",
    separator: Separator = "",
    decimal: DecimalSign = "",
    time_format: TimeFormat = "",
    no_header: NoHeader = False,
    implicit: Implicit = False,
    unrated: Unrated = None,
    scale: ScaleOption = "",
    on_bad_rows: BadRowsOption = "reject",
    as_json: Json = False,
) -> None:
    """Show all findings of the quality checks; exit code 1 if one is an error."""
    from movielens_recsys.data.quality import checks
    from movielens_recsys.schema import Severity

    options = parse_options(columns, separator, decimal, time_format, no_header, implicit, unrated)
    ratings = _load(name_or_path, options, scale, on_bad_rows)
    findings = [*ratings.findings, *checks.check_ratings(ratings)]
    values = {
        "name": ratings.name,
        "rows_read": ratings.rows_read,
        "rows_kept": len(ratings),
        "rows_rejected": ratings.rows_rejected,
        **accounts(ratings),
        "findings": [finding.to_json() for finding in findings],
    }

    def render() -> None:
        console.print(f"{ratings.name}: {rows_read(ratings)}", highlight=False)
        print_account(ratings)
        print_findings(findings)

    emit(values, as_json=as_json, render=render)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(1)


def _load(name_or_path: str, options: ReadOptions, scale: str, on_bad_rows: OnBadRows) -> Ratings:
    from movielens_recsys.data.load import load_ratings
    from movielens_recsys.settings import load_settings

    return load_ratings(
        name_or_path,
        load_settings(),
        **options.to_json(),
        bad_rows=on_bad_rows,
        scale=parse_scale(scale),
        progress=sys.stderr.isatty(),
    )


def _rows(stats: DatasetStatistics) -> list[tuple[str, Any]]:
    from movielens_recsys.data.scale import Scale

    def spread(quartiles: tuple[float, ...]) -> str:
        return " / ".join(f"{value:,.0f}" for value in quartiles)

    kind = "interactions" if stats.implicit else "ratings"
    histogram = ", ".join(f"{level}: {count / stats.ratings:.1%}" for level, count in stats.histogram.items())
    of_ratings = [
        ("scale", str(Scale(*stats.scale))),
        ("mean rating", f"{stats.mean:.4f}"),
        ("share of each rating", histogram),
    ]
    return [
        (kind, f"{stats.ratings:,}"),
        ("users", f"{stats.users:,}"),
        ("items", f"{stats.items:,}"),
        ("density", f"{stats.density:.4%}"),
        *([] if stats.implicit else of_ratings),
        (f"{kind} per user (min / quartiles / max)", spread(stats.per_user)),
        (f"{kind} per item (min / quartiles / max)", spread(stats.per_item)),
        ("first rating (UTC)", stats.first or "no timestamps"),
        ("last rating (UTC)", stats.last or "no timestamps"),
        ("also", ", ".join(stats.tables) or "–"),
        ("rows read = kept + rejected", f"{stats.rows_read:,} = {stats.ratings:,} + {stats.rows_rejected:,}"),
        ("content hash", stats.content_hash),
    ]
