"""The changes of ``--modifications`` and ``--set`` as plain nested values."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from movielens_recsys.data.config import DataConfig
from movielens_recsys.data.sources.user_datasets import check_data, known_datasets
from movielens_recsys.errors import SourceError, UsageError, shorten
from movielens_recsys.experiments.overrides import merge
from movielens_recsys.settings import Settings

MAXIMUM_DEPTH = 16
_KEY = re.compile(r"\w+(\.\w+)*")


def read_modifications(text: str, assignments: Sequence[str] = ()) -> dict[str, Any]:
    """Return the changes that ``--modifications`` and every ``--set`` make together; ``--set`` comes last.

    Parameters
    ----------
    text
        A JSON object, or ``@`` and the path of a file that holds one; empty: no changes.
    assignments
        See `parse_assignments`.

    Raises
    ------
    UsageError
        As `parse_modifications` and `parse_assignments`; or the file cannot be read.
    """
    content = _read_file(Path(text[1:]).expanduser()) if text.startswith("@") else text
    changes = parse_modifications(content) if content else {}
    return merge(changes, parse_assignments(assignments))


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


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
        raise UsageError(
            f"cannot read the modifications in {path} ({reason})",
            expected='a file of JSON such as {"training": {"seed": 42}}',
            next_step="check the path after the @",
        ) from exc


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
        inner[name] = _value(value)
    return changes


def _value(text: str) -> Any:
    """Return a JSON value, or else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
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

    def refuse_constant(name: str) -> NoReturn:
        without_strings = re.sub(r'"(?:[^"\\]|\\.)*"', lambda match: "." * len(match[0]), text)
        raise _invalid(f"{name} at character {without_strings.find(name) + 1}", "a finite number")

    try:
        values = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=refuse_constant)
    except json.JSONDecodeError as exc:
        raise _invalid(
            f"text that is not JSON at line {exc.lineno} column {exc.colno} ({exc.msg}): {shorten(text)!r}",
            'a JSON object such as {"training": {"seed": 42}}',
        ) from exc
    except RecursionError as exc:
        raise _nested_too_deeply() from exc
    except ValueError as exc:  # an integer with thousands of digits
        raise _invalid(f"a number that cannot be read ({exc})", "a finite number") from exc
    if not isinstance(values, dict):
        raise _invalid(f"JSON of the wrong kind: {shorten(text)!r}", "an object {...}")
    if _depth(values) > MAXIMUM_DEPTH:
        raise _nested_too_deeply()
    return values


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise _invalid(f"the key {shorten(repeated)!r} twice in one object", "each key once")
    return values


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level and depth <= MAXIMUM_DEPTH:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return depth


def _nested_too_deeply() -> UsageError:
    return _invalid("values nested too deeply", f"at most {MAXIMUM_DEPTH} levels")


def _invalid(found: str, expected: str) -> UsageError:
    return UsageError(f"--modifications holds {found}", expected=expected, next_step="correct it")
