"""`load_ratings`: from a name or a path to `Ratings`."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import polars as pl

from movielens_recsys.data.cleaning.future_times import recount_future_times
from movielens_recsys.data.cleaning.rejections import BadRows
from movielens_recsys.data.cleaning.rows import clean_rows
from movielens_recsys.data.config import DataConfig, name_at
from movielens_recsys.data.datasets import DATASETS, DatasetInfo
from movielens_recsys.data.indexing import build_ratings
from movielens_recsys.data.keyword_advice import keyword_advice
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.data.readers import read
from movielens_recsys.data.readers.item_table import align_items, read_item_table
from movielens_recsys.data.readers.layouts import Layout, file_layout, find_layout
from movielens_recsys.data.readers.options import Decimal, ReadOptions
from movielens_recsys.data.scale import Scale
from movielens_recsys.data.sources.cache import RatingsCache
from movielens_recsys.data.sources.fetch import Announce, announce_on_stderr, ensure_downloaded, find_folder
from movielens_recsys.data.sources.user_datasets import find_user_dataset, user_dataset_names
from movielens_recsys.errors import ReadError, SourceError, UnknownNameError, UsageError
from movielens_recsys.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class _Request:
    """The files behind a name or a path, and how to read them."""

    name: str
    layout: Layout
    scale: Scale | None
    options: ReadOptions
    bad_rows: BadRows
    items: Path | None = None
    item_columns: Mapping[str, str] | None = None

    def with_items(self, items: Path | None, columns: Mapping[str, str] | None) -> _Request:
        """Return the request with a table of items in place of its own, if one is given."""
        return self if items is None else replace(self, items=items, item_columns=columns)


@keyword_advice()
def load_ratings(
    name_or_path: str | Path,
    settings: Settings | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    separator: str | None = None,
    decimal: Decimal | None = None,
    time_format: str | None = None,
    header: bool | None = None,
    implicit: bool | None = None,
    unrated: float | None = None,
    bad_rows: BadRows = "refuse",
    scale: Scale | None = None,
    items: Path | str | None = None,
    item_columns: Mapping[str, str] | None = None,
    progress: bool = False,
    fetch: bool = True,
    datasets: Mapping[str, DatasetInfo] = DATASETS,
    announce: Announce = announce_on_stderr,
) -> Ratings:
    """Return ratings by name or path, from the cache where their files have not changed.

    Parameters
    ----------
    name_or_path
        The name of an official data set, a name given with ``recsys data import``, a folder in one of
        the official layouts, or a rating file. A string is first taken as a name.
    settings
        Folders of the data sets and of the cache; read from the environment unless given.
    columns, separator, decimal, time_format, header, implicit, unrated
        How the rating file is written (see `ReadOptions`); None leaves it to the file, or to what was
        stated when it was imported.
    bad_rows
        ``refuse`` raises at a bad row, ``reject`` leaves bad rows out and counts them.
    scale
        The legal ratings of a file or folder that is no official data set; None infers them from the rows.
    items, item_columns
        A table with titles, genres and years of the items, and its names for ``item, title, genres, year``
        where they are not the usual ones (see `read_item_table`).
    progress
        Draw a bar while downloading.
    fetch
        Whether an official data set may be downloaded if it is not on this machine.
    datasets
        The official data sets, e.g. with other addresses.
    announce
        Gets terms of use and citation at the first fetch; standard error by default.

    Returns
    -------
    Ratings
        In file order; ``rows_read == len(ratings) + rows_rejected``.

    Raises
    ------
    UnknownNameError
        The string is neither a known name nor an existing path.
    SourceError
        The files are missing and cannot be downloaded.
    ReadError
        The files are not what their layout promises.
    """
    settings = settings or load_settings()
    options = ReadOptions(columns, separator, decimal, time_format, header, implicit or None, unrated)
    request = _resolve(name_or_path, settings, options, bad_rows, scale, datasets)
    if request is None:
        name = str(name_or_path)
        if not fetch:
            raise SourceError(f"{name} is not on this machine", next_step=f"recsys data fetch {name}")
        ensure_downloaded(name, settings, info=datasets[name], progress=progress, announce=announce)
        request = _resolve(name_or_path, settings, options, bad_rows, scale, datasets)
        if request is None:
            raise SourceError(f"{name} vanished right after it was fetched", next_step="try again")
    if scale is not None and request.options.implicit:
        raise UsageError("interactions have no scale of ratings", next_step="leave --scale or --implicit out")
    if item_columns and not items:
        raise UsageError(
            "columns of a table of items are named, and no table is",
            next_step="name it with --items FILE, or leave --item-columns out",
        )
    request = request.with_items(Path(items).expanduser() if items else None, item_columns)
    return recount_future_times(_load(request, settings))


def load_configured(data: DataConfig, settings: Settings, *, fetch: bool = True) -> Ratings:
    """Return the ratings of a configuration, which says where they are and not how their file is written.

    Raises
    ------
    RecsysError
        As `load_ratings`; where it advises an option, the message names the command that takes it.
    """
    try:
        return load_ratings(data.path or data.name, settings, fetch=fetch)
    except (ReadError, UsageError) as exc:
        if data.path is None or "--" not in exc.next_step:
            raise
        command = f"recsys data import {shlex.quote(str(data.path))} --name NAME"
        raise type(exc)(
            exc.found,
            expected=exc.expected,
            next_step=f"{exc.next_step}; an option of `{command}`, after which data.name is NAME",
        ) from exc


def _resolve(
    name_or_path: str | Path,
    settings: Settings,
    options: ReadOptions,
    bad_rows: BadRows,
    scale: Scale | None,
    datasets: Mapping[str, DatasetInfo],
) -> _Request | None:
    """Find the files; None stands for an official data set that is not on this machine."""
    if isinstance(name_or_path, str) and name_or_path in datasets:
        if scale is not None:
            raise UsageError(f"the scale of {name_or_path} is known", next_step="leave --scale out")
        folder = find_folder(name_or_path, settings)
        layout = find_layout(folder) if folder else None
        _refuse_options(name_or_path, options)
        if layout is None:
            return None
        return _Request(name_or_path, layout, datasets[name_or_path].scale, options, bad_rows)
    registered = find_user_dataset(name_or_path, settings) if isinstance(name_or_path, str) else None
    if registered is not None:
        path, record = registered
        rows: BadRows = "reject" if "reject" in (bad_rows, record.bad_rows) else "refuse"
        stated = scale or (Scale(*record.scale) if record.scale else None)
        request = _Request(record.name, file_layout(path), stated, options.filled_from(record.options), rows)
        return request.with_items(path.parent / record.items if record.items else None, record.item_columns)
    path = Path(name_or_path).expanduser()
    if not path.exists() and isinstance(name_or_path, str) and not {"/", "\\", "."} & set(name_or_path):
        advice = f"`recsys data list` shows those in {settings.data} and on RECSYS_DATA_PATH"
        names = [*datasets, *user_dataset_names(settings)]
        raise UnknownNameError("data set", name_or_path, names, next_step=advice)
    layout = layout_at(path)
    name = name_at(path)
    known = datasets.get(name) if path.is_dir() else None
    return _Request(name, layout, scale or (known.scale if known else None), options, bad_rows)


def layout_at(path: Path) -> Layout:
    """Return the layout of a folder or file.

    Raises
    ------
    SourceError
        There is nothing at the path, or a folder without a rating file.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as exc:  # polars cannot open it
        raise SourceError(
            f"the name of {path} is not UTF-8", expected="a name in UTF-8", next_step="rename it"
        ) from exc
    if not path.exists():
        raise SourceError(
            f"nothing at {path}", expected="a rating file or a data set folder", next_step="check the path"
        )
    if not path.is_dir() and not path.is_file():
        raise SourceError(
            f"{path} is a pipe or a device, which cannot be read twice",
            expected="a file",
            next_step="write it to a file first",
        )
    layout = find_layout(path) if path.is_dir() else file_layout(path)
    if layout is None:
        raise SourceError(
            f"{path} holds no rating file",
            expected="u.data, ratings.dat, ratings.csv or one .inter file",
            next_step="name the rating file itself",
        )
    return layout


def _refuse_options(name: str, options: ReadOptions) -> None:
    stated = [option.replace("_", "-") for option in options.to_json()]
    if stated:
        raise UsageError(
            f"{name} is an official data set, whose layout is known",
            next_step=f"leave --{stated[0].replace('header', 'no-header')} out",
        )


def _load(request: _Request, settings: Settings) -> Ratings:
    layout = request.layout
    reading = {
        "layout": layout.name,
        "scale": asdict(request.scale) if request.scale else None,
        **request.options.to_json(),
        "bad_rows": request.bad_rows,
    }
    if request.items is not None:
        reading["items"] = dict(request.item_columns or {})
    cache = RatingsCache(settings.data / "cache")
    files = layout.files if request.items is None else (*layout.files, request.items)
    key = cache.key(files, reading)
    cached = cache.load(key, request.name)
    if cached is not None:
        return cached
    raw = read(layout, request.options)
    cleaned = clean_rows(
        raw.rows.frame,
        request.scale,
        bad_rows=request.bad_rows,
        implicit=bool(request.options.implicit),
        unrated=request.options.unrated,
        source=str(layout.ratings),
        faults=raw.rows.faults,
        unit=raw.rows.unit,
    )
    ratings = build_ratings(request.name, raw, cleaned)
    if request.items is not None:
        ratings = _with_titles(ratings, request.items, request.item_columns)
    # Without a cache entry the next load is slower, and nothing else: the disk may refuse it.
    with contextlib.suppress(OSError, pl.exceptions.PolarsError):
        cache.store(key, ratings)
    return ratings


def _with_titles(ratings: Ratings, items: Path, columns: Mapping[str, str] | None) -> Ratings:
    read = read_item_table(items, columns)
    table, findings = align_items(read, ratings.item_ids)
    said = (*ratings.findings, *findings)
    return replace(ratings, item_table=table, findings=said, items_account=read.account)
