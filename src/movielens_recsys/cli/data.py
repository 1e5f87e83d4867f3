"""`recsys data`: what there is, how to get it, what it is worth, and how to bring one's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from movielens_recsys.cli.output import Json, console, emit, table
from movielens_recsys.errors import UsageError, shorten

if TYPE_CHECKING:
    from movielens_recsys.data.quality.statistics import DatasetStatistics
    from movielens_recsys.data.ratings import Ratings, Scale
    from movielens_recsys.schema import Finding

app = typer.Typer(help="Obtain, inspect and import ratings.", no_args_is_help=True, rich_markup_mode=None)

OnBadRows = Literal["refuse", "reject"]
NameOrPath = Annotated[
    str, typer.Argument(help="A name from `recsys data list`, a data set folder, or a rating file.")
]
Columns = Annotated[
    str,
    typer.Option(
        help="Which column is which: user=NAME,item=NAME,rating=NAME,timestamp=NAME (times may be absent)."
    ),
]
BadRowsOption = Annotated[
    OnBadRows,
    typer.Option(
        "--on-bad-rows", help="refuse: stop at a bad row; reject: leave such rows out and count them."
    ),
]


ScaleOption = Annotated[
    str,
    typer.Option(
        "--scale", metavar="LOWEST:HIGHEST:STEP", help="The legal ratings of your file; else inferred."
    ),
]


@app.command("list")
def list_datasets(as_json: Json = False) -> None:
    """Show the catalogue and your imported data sets, and which of them are on this machine."""
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
    found = (find_user_dataset(name, settings) for name in user_dataset_names(settings))
    own = [
        {"name": record.name, "source": record.source, "file": path} for path, record in filter(None, found)
    ]

    def render() -> None:
        rows: list[tuple[object, ...]] = []
        for row in official:
            counts = (f"{row[kind]:,}" for kind in ("ratings", "users", "items"))
            rows.append((row["name"], *counts, row["folder"] or "-"))
        rows += [(row["name"], "", "", "", row["file"]) for row in own]
        caption = "recsys data fetch NAME brings one here; its terms of use are shown at the first fetch"
        console.print(
            table("Data sets", ("name", "ratings", "users", "items", "here"), rows, caption=caption)
        )

    emit({"catalogue": official, "imported": own}, as_json=as_json, render=render)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A name of the catalogue, e.g. ml-100k.")],
    from_file: Annotated[
        Path | None, typer.Option(help="An archive that you downloaded yourself, instead of the network.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring an official data set to this machine: verified, unpacked, read, checked and cached."""
    from movielens_recsys.data.load import load_ratings
    from movielens_recsys.data.sources.fetch import ensure_downloaded, fetch_from_file, find_folder, origin
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    if from_file is not None:
        fetch_from_file(name, from_file, settings)
    else:
        ensure_downloaded(name, settings, progress=sys.stderr.isatty())
    ratings = load_ratings(name, settings, fetch=False)
    came = origin(name, settings)
    values = {
        "name": name,
        "folder": find_folder(name, settings),
        "source": came.source if came else None,
        "ratings": len(ratings),
        "users": ratings.n_users,
        "items": ratings.n_items,
        "content_hash": ratings.content_hash,
    }

    def render() -> None:
        console.print(
            f"{name}: {len(ratings):,} ratings of {ratings.n_users:,} users for {ratings.n_items:,} items "
            f"in {values['folder']}{f', from {came.source}' if came else ''}",
            highlight=False,
        )

    emit(values, as_json=as_json, render=render)


@app.command()
def describe(
    name_or_path: NameOrPath,
    columns: Columns = "",
    scale: ScaleOption = "",
    on_bad_rows: BadRowsOption = "refuse",
    as_json: Json = False,
) -> None:
    """Show counts, density, scale, quartiles, time span, content hash and findings."""
    from movielens_recsys.data.quality import checks, statistics

    ratings = _load(name_or_path, columns, scale, on_bad_rows)
    facts = statistics.dataset_statistics(ratings)
    findings = [*ratings.findings, *checks.check_ratings(ratings)]

    def render() -> None:
        console.print(table(facts.name, ("figure", "value"), _rows(facts)))
        _print_findings(findings)

    values = {**facts.to_json(), "findings": [finding.to_json() for finding in findings]}
    emit(values, as_json=as_json, render=render)


@app.command()
def check(
    name_or_path: NameOrPath,
    columns: Columns = "",
    scale: ScaleOption = "",
    on_bad_rows: BadRowsOption = "reject",
    as_json: Json = False,
) -> None:
    """Show every finding of the quality checks; exit code 1 if one is an error."""
    from movielens_recsys.data.quality import checks
    from movielens_recsys.schema import Severity

    ratings = _load(name_or_path, columns, scale, on_bad_rows)
    findings = [*ratings.findings, *checks.check_ratings(ratings)]
    values = {
        "name": ratings.name,
        "rows_read": ratings.rows_read,
        "rows_kept": len(ratings),
        "rows_rejected": ratings.rows_rejected,
        "findings": [finding.to_json() for finding in findings],
    }

    def render() -> None:
        console.print(
            f"{ratings.name}: {ratings.rows_read:,} rows read = {len(ratings):,} kept "
            f"+ {ratings.rows_rejected:,} rejected",
            highlight=False,
        )
        _print_findings(findings)

    emit(values, as_json=as_json, render=render)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(1)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="Your ratings: CSV, TSV or Parquet.")],
    name: Annotated[str, typer.Option(help="The name to use it by, e.g. as data.name of an experiment.")],
    columns: Columns = "",
    scale: ScaleOption = "",
    on_bad_rows: BadRowsOption = "refuse",
    as_json: Json = False,
) -> None:
    """Read and check your own rating file, and keep a copy of it under a name."""
    from movielens_recsys.data.load import load_ratings
    from movielens_recsys.data.sources.user_datasets import check_dataset_name, register_dataset
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    mapping, levels = parse_columns(columns), parse_scale(scale)
    check_dataset_name(name)
    ratings = load_ratings(file, settings, columns=mapping, bad_rows=on_bad_rows, scale=levels)
    copy = register_dataset(file, name, settings, columns=mapping, bad_rows=on_bad_rows, scale=levels)
    values = {
        "name": name,
        "file": copy,
        "rows_read": ratings.rows_read,
        "rows_rejected": ratings.rows_rejected,
        "ratings": len(ratings),
        "content_hash": ratings.content_hash,
        "findings": [finding.to_json() for finding in ratings.findings],
    }

    def render() -> None:
        console.print(
            f"{name}: {len(ratings):,} ratings of {ratings.n_users:,} users for {ratings.n_items:,} items; "
            f"use it as data.name, or look at it with: recsys data describe {name}",
            highlight=False,
        )
        _print_findings(ratings.findings)

    emit(values, as_json=as_json, render=render)


def parse_columns(text: str) -> dict[str, str] | None:
    """Turn ``user=a,item=b`` into a mapping; nothing said gives None.

    Raises
    ------
    UsageError
        A part is not of the form ``ours=theirs``, or one of ours is there twice.
    """
    if not text:
        return None
    mapping: dict[str, str] = {}
    for part in text.split(","):
        ours, equals, theirs = (piece.strip() for piece in part.partition("="))
        if not (ours and equals and theirs) or ours in mapping:
            raise UsageError(
                f"cannot read {shorten(part)!r} in --columns",
                expected="user=NAME,item=NAME,rating=NAME,timestamp=NAME, each at most once",
            )
        mapping[ours] = theirs
    return mapping


def parse_scale(text: str) -> Scale | None:
    """Turn ``1:5:1`` into a scale; nothing said gives None.

    Raises
    ------
    UsageError
        It is not three numbers, or they do not make a scale.
    """
    from movielens_recsys.data.ratings import Scale

    if not text:
        return None
    try:
        lowest, highest, step = (float(part) for part in text.split(":"))
        steps = (highest - lowest) / step
        if not (0 < steps < 1_000 and step > 0 and abs(steps - round(steps)) < 1e-6):
            raise ValueError(text)
    except (ValueError, ZeroDivisionError) as exc:
        raise UsageError(
            f"cannot read {shorten(text)!r} as a scale",
            expected="LOWEST:HIGHEST:STEP, a whole number of steps apart, such as 1:5:1 or 0.5:5:0.5",
        ) from exc
    return Scale(lowest, highest, step)


def _load(name_or_path: str, columns: str, scale: str, on_bad_rows: OnBadRows) -> Ratings:
    from movielens_recsys.data.load import load_ratings
    from movielens_recsys.settings import load_settings

    return load_ratings(
        name_or_path,
        load_settings(),
        columns=parse_columns(columns),
        bad_rows=on_bad_rows,
        scale=parse_scale(scale),
        progress=sys.stderr.isatty(),
    )


def _rows(facts: DatasetStatistics) -> list[tuple[str, Any]]:
    low, high, step = facts.scale

    def spread(quartiles: tuple[float, ...]) -> str:
        return " / ".join(f"{value:,.0f}" for value in quartiles)

    histogram = ", ".join(f"{level}: {count / facts.ratings:.1%}" for level, count in facts.histogram.items())
    return [
        ("ratings", f"{facts.ratings:,}"),
        ("users", f"{facts.users:,}"),
        ("items", f"{facts.items:,}"),
        ("density", f"{facts.density:.4%}"),
        ("scale", f"{low:g} to {high:g} in steps of {step:g}"),
        ("mean rating", f"{facts.mean:.4f}"),
        ("share of each rating", histogram),
        ("ratings per user (min / quartiles / max)", spread(facts.per_user)),
        ("ratings per item (min / quartiles / max)", spread(facts.per_item)),
        ("first rating (UTC)", facts.first or "no times"),
        ("last rating (UTC)", facts.last or "no times"),
        ("also has", ", ".join(facts.tables) or "nothing else"),
        ("rows read = kept + rejected", f"{facts.rows_read:,} = {facts.ratings:,} + {facts.rows_rejected:,}"),
        ("content hash", facts.content_hash),
    ]


def _print_findings(findings: list[Finding] | tuple[Finding, ...]) -> None:
    if not findings:
        console.print("no findings")
        return
    for finding in findings:
        console.print(
            f"{finding.severity.value:8} {finding.name}: {finding.advice}", highlight=False, markup=False
        )
