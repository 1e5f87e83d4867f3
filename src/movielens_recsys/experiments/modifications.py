"""The changes of ``--modifications`` and ``--set`` as plain nested values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from movielens_recsys.data.config import DataConfig
from movielens_recsys.data.sources.user_datasets import check_data, known_datasets
from movielens_recsys.errors import SourceError, UsageError, shorten
from movielens_recsys.experiments.overrides import merge
from movielens_recsys.parsing import parse_json, parse_json_object, read_yaml
from movielens_recsys.settings import Settings

_KEY = re.compile(r"\w+(\.\w+)*")


def read_modifications(texts: Sequence[str] = (), assignments: Sequence[str] = ()) -> dict[str, Any]:
    """Return the changes that every ``--modifications`` and every ``--set`` make together.

    A later text overrides an earlier one, and an assignment overrides both, as of a file with common changes.

    Parameters
    ----------
    texts
        Each a JSON object, or ``@`` and the path of a file that holds one, or of a YAML file.
    assignments
        See `parse_assignments`.

    Raises
    ------
    UsageError
        As `parse_modifications` and `parse_assignments`; or a file cannot be read.
    """
    changes = [*(_read(text) for text in texts if text), parse_assignments(assignments)]
    return reduce(merge, changes, {})


def _read(text: str) -> dict[str, Any]:
    return _read_file(Path(text[1:]).expanduser()) if text.startswith("@") else parse_modifications(text)


def with_data(changes: Mapping[str, Any], name_or_path: str, settings: Settings) -> dict[str, Any]:
    """Return the changes with that of ``--data``, see `data_modification`; empty: without one.

    Raises
    ------
    UsageError
        The changes say too which data: neither is the one that counts.
    """
    if not name_or_path:
        return dict(changes)
    section = changes.get("data", {})
    named = (
        [f"data.{key}" for key in ("name", "path") if key in section]
        if isinstance(section, Mapping)
        else ["data"]
    )
    if named:
        raise UsageError(
            f"--data {shorten(name_or_path)} beside a change to {' and '.join(named)}",
            expected="the data named once",
            next_step="leave one out",
        )
    return merge(changes, data_modification(name_or_path, settings))


def data_modification(name_or_path: str, settings: Settings) -> dict[str, Any]:
    """Return the change to an official or imported data set, or else to the file or folder at a path.

    Raises
    ------
    UnknownNameError
        It is neither, nor does it look like a path.
    SourceError
        It looks like a path, and nothing is there.
    """
    if name_or_path in known_datasets(settings):
        return {"data": {"name": name_or_path, "path": None}}
    path = Path(name_or_path).expanduser().absolute()
    if path.exists():
        return {"data": {"path": str(path)}}
    if len(Path(name_or_path).parts) == 1 and not path.suffix:
        check_data(DataConfig(name=name_or_path), settings)
    raise SourceError(
        f"nothing at {path}", expected="a rating file or a folder of one", next_step="check the path"
    )


def _read_file(path: Path) -> dict[str, Any]:
    if path.suffix.lower() in {".yaml", ".yml"}:
        values = read_yaml(path)
        if not isinstance(values, dict):
            raise UsageError(f"{path} holds no keys", expected="a YAML file with keys such as training:")
        return values
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
        raise UsageError(
            f"cannot read the modifications in {path} ({reason})",
            expected='a file of JSON such as {"training": {"seed": 42}}',
            next_step="check the path after the @",
        ) from exc
    return parse_modifications(content) if content else {}


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Return ``training.epochs=5`` and the like as nested values.

    A value is JSON where it can be read as JSON, and else a text.

    >>> parse_assignments(["training.epochs=5", "training.early_stopping=null", "data.name=books"])
    {'training': {'epochs': 5, 'early_stopping': None}, 'data': {'name': 'books'}}

    Raises
    ------
    UsageError
        One is not KEY=VALUE, or a key is given twice or together with a key below it.
    """
    changes: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not _KEY.fullmatch(key.strip()):
            raise UsageError(
                f"cannot read --set {shorten(assignment)!r}",
                expected="KEY=VALUE with a dotted key, such as training.epochs=5",
                next_step="`recsys experiment keys` lists the keys",
            )
        *sections, name = key.strip().split(".")
        inner = changes
        for section in sections:
            inner = inner.setdefault(section, {})
            if not isinstance(inner, dict):
                raise _twice(key)
        if name in inner:
            raise _twice(key)
        inner[name] = _value(value, key)
    return changes


def _value(text: str, key: str) -> Any:
    """Return a JSON value, or else the text itself."""
    try:
        return parse_json(text, f"--set {key}")
    except json.JSONDecodeError:
        return text.strip()


def _twice(key: str) -> UsageError:
    return UsageError(f"--set gives {key!r} twice", expected="each key once", next_step="leave one out")


def parse_modifications(text: str) -> dict[str, Any]:
    """Return the JSON object that ``--modifications`` holds.

    Raises
    ------
    UsageError
        Not JSON (with the position), not an object, a key twice, NaN or Infinity, or nested too deeply.
    """
    return parse_json_object(text, "--modifications")
