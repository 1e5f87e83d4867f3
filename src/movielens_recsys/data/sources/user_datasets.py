"""Rating files that a user registered under a name: a copy of the file, and how to read it.

``imports/NAME/`` under RECSYS_DATA holds the file and ``import.json``; it appears by one rename.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movielens_recsys.data.config import DataConfig
from movielens_recsys.data.datasets import DATASETS
from movielens_recsys.data.readers.options import UNSTATED, Decimal, ReadOptions
from movielens_recsys.errors import SourceError, UnknownNameError, UsageError, shorten
from movielens_recsys.files import sync_path, write_durably
from movielens_recsys.settings import Settings

if TYPE_CHECKING:
    from movielens_recsys.data.cleaning.rejections import BadRows
    from movielens_recsys.data.scale import Scale

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class UserDataset:
    """One registered file: ``file`` is its name in its folder, ``source`` the path it was copied from.

    ``items`` is the name of the table of items beside it, if there is one.
    """

    name: str
    file: str
    columns: dict[str, str] | None
    bad_rows: BadRows
    source: str
    scale: tuple[float, float, float | None] | None = None
    separator: str | None = None
    decimal: Decimal | None = None
    time_format: str | None = None
    header: bool | None = None
    implicit: bool | None = None
    unrated: float | None = None
    items: str | None = None
    item_columns: dict[str, str] | None = None

    @property
    def options(self) -> ReadOptions:
        """How the file is written, as its import stated it."""
        stated = (self.columns, self.separator, self.decimal, self.time_format, self.header)
        return ReadOptions(*stated, self.implicit, self.unrated)


def check_dataset_name(name: str) -> None:
    """Refuse a name with other characters, and the name of an official data set.

    Raises
    ------
    UsageError
        With the reason.
    """
    if not _NAME.fullmatch(name):
        found, expected = "is not a usable name", "small letters, digits, dots, hyphens and underscores"
        if _NAME.fullmatch(name.lower()):
            found = "has capital letters"
        elif len(name) > 64 and _NAME.match(name.lower()):
            found, expected = f"has {len(name)} characters", "at most 64"
        elif name[:1] in {"-", ".", "_"}:
            found, expected = f"starts with {name[0]!r}", "a letter or digit first"
        advice = f"choose {name.lower()}" if found == "has capital letters" else "choose another name"
        raise UsageError(f"{shorten(name)!r} {found}", expected=expected, next_step=advice)
    if name in DATASETS:
        raise UsageError(f"{name} is an official data set", next_step="choose another name")


def register_dataset(
    path: Path,
    name: str,
    settings: Settings,
    options: ReadOptions = UNSTATED,
    *,
    bad_rows: BadRows = "refuse",
    scale: Scale | None = None,
    items: Path | None = None,
    item_columns: Mapping[str, str] | None = None,
) -> Path:
    """Copy a rating file, and the table of its items, under RECSYS_DATA so that ``name`` stands for them.

    The copy of the rating file is returned.

    Raises
    ------
    UsageError
        The name is unusable, that of an official data set, or taken.
    SourceError
        There is no such file.
    """
    check_dataset_name(name)
    if not path.is_file():
        what = f"{path} is a folder" if path.is_dir() else f"no file {path}"
        step = "name the rating file in it" if path.is_dir() else "check the path"
        raise SourceError(what, expected="a CSV, TSV or Parquet file", next_step=step)
    folder = _folder(name, settings)
    if folder.exists():
        registered = name in user_dataset_names(settings)
        removal = (
            f"remove that data set with `recsys data remove {name}`" if registered else "delete that folder"
        )
        raise UsageError(f"the name {name} is taken by {folder}", next_step=f"choose another, or {removal}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{name}-"))
    try:
        shutil.copy2(path, staging / path.name)
        sync_path(staging / path.name)
        levels = (scale.minimum, scale.maximum, scale.step) if scale else None
        stated: dict[str, Any] = {"columns": None, **options.to_json()}
        if items is not None:
            stated["items"] = f"items{items.suffix}" if items.name == path.name else items.name
            stated["item_columns"] = dict(item_columns) if item_columns else None
            shutil.copy2(items, staging / stated["items"])
        record = UserDataset(
            name, path.name, bad_rows=bad_rows, source=str(path.resolve()), scale=levels, **stated
        )
        write_durably(staging / "import.json", json.dumps(asdict(record), indent=1).encode())
        staging.chmod(0o755)
        sync_path(staging)
        staging.rename(folder)
        sync_path(folder.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder / path.name


def remove_dataset(name: str, settings: Settings) -> None:
    """Remove a registered data set: its copy of the file, not the file that it was copied from.

    It is renamed to a hidden name first, so that it is there whole or not at all.

    Raises
    ------
    UsageError
        The name is that of an official data set.
    UnknownNameError
        Nothing is registered under the name.
    """
    if name in DATASETS:
        raise UsageError(
            f"{name} is an official data set, which was not imported",
            next_step=f"delete its folder of `recsys data list`, if there is one under {settings.data}",
        )
    known = user_dataset_names(settings)
    if name not in known:
        advice = f"`recsys data list` lists those in {settings.data}"
        raise UnknownNameError("imported data set", name, known, next_step=advice)
    hidden = _folder(name, settings).with_name(f".removed-{name}")
    shutil.rmtree(hidden, ignore_errors=True)
    _folder(name, settings).rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def find_user_dataset(name: str, settings: Settings) -> tuple[Path, UserDataset] | None:
    """Return the copied file and its record, or None if nothing is registered under ``name``."""
    if not _NAME.fullmatch(name):
        return None
    folder = _folder(name, settings)
    try:
        values = json.loads((folder / "import.json").read_text(encoding="utf-8"))
        record = UserDataset(**values)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as exc:
        raise SourceError(
            f"{folder / 'import.json'} is damaged", next_step=f"delete {folder} and import the file again"
        ) from exc
    return folder / record.file, record


def user_dataset_names(settings: Settings) -> list[str]:
    """Return the registered names, sorted."""
    return sorted(path.parent.name for path in (settings.data / "imports").glob("[a-z0-9]*/import.json"))


def check_data(data: DataConfig, settings: Settings) -> None:
    """Refuse a configuration with an unknown data set; a path is only checked when it is read.

    Raises
    ------
    UnknownNameError
        No official and no registered data set has this name.
    """
    known = known_datasets(settings)
    if data.path is None and data.name not in known:
        advice = "import your own file: recsys data import FILE --name NAME"
        raise UnknownNameError("data set", data.name, known, next_step=advice)


def known_datasets(settings: Settings) -> list[str]:
    """Return the names of the official and the registered data sets."""
    return [*DATASETS, *user_dataset_names(settings)]


def _folder(name: str, settings: Settings) -> Path:
    return settings.data / "imports" / name
