"""JSON and YAML that users write, read strictly: nothing in it is dropped or read as something else.

Both refuse a key that is there twice, numbers that are not finite, and values nested more than
`MAXIMUM_DEPTH` levels deep. YAML is read by the core schema of YAML 1.2
(https://yaml.org/spec/1.2.2/#103-core-schema): ``off``, ``yes``, dates and ``1:30`` are text, and ``1e-3`` is
a number. Its keys must be text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

from movielens_recsys.errors import UsageError, shorten

MAXIMUM_DEPTH = 16
MAXIMUM_NODES = 100_000
"""Values of a YAML document, with those that aliases repeat: a few lines of them can stand for a billion."""
_TAG = "tag:yaml.org,2002:"
_DIGITS, _SIGN = frozenset("0123456789"), frozenset("+-")


def parse_json_object(text: str, holder: str) -> dict[str, Any]:
    """Return the JSON object in ``text``; see `parse_json`.

    Raises
    ------
    UsageError
        Not JSON (with the position), not an object, or refused by `parse_json`.
    """
    try:
        values = parse_json(text, holder)
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno} column {exc.colno} ({exc.msg})"
        raise _refused_json(
            holder,
            f"text that is not JSON at {where}: {shorten(text)!r}",
            'a JSON object such as {"training": {"seed": 42}}',
        ) from exc
    if not isinstance(values, dict):
        raise _refused_json(holder, f"JSON of the wrong kind: {shorten(text)!r}", "an object {...}")
    return values


def parse_json(text: str, holder: str) -> Any:
    """Return the JSON value in ``text``.

    Parameters
    ----------
    holder
        What holds the text, as an error names it.

    Raises
    ------
    json.JSONDecodeError
        Not JSON.
    UsageError
        A key twice, a number that is not finite, or nested too deeply.
    """

    def refuse(found: str, expected: str) -> NoReturn:
        raise _refused_json(holder, found, expected)

    def refuse_constant(name: str) -> NoReturn:
        without_strings = re.sub(r'"(?:[^"\\]|\\.)*"', lambda match: "." * len(match[0]), text)
        refuse(f"{name} at character {without_strings.find(name) + 1}", "a finite number")

    def finite(number: str) -> float:
        value = float(number)
        return value if math.isfinite(value) else refuse(f"the number {shorten(number)}", "a finite number")

    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            keys = [key for key, _ in pairs]
            repeated = next(key for key in keys if keys.count(key) > 1)
            refuse(f"the key {shorten(repeated)!r} twice in one object", "each key once")
        return values

    try:
        values = json.loads(
            text, object_pairs_hook=without_duplicates, parse_constant=refuse_constant, parse_float=finite
        )
    except json.JSONDecodeError:
        raise
    except RecursionError:
        refuse("values nested too deeply", f"at most {MAXIMUM_DEPTH} levels")
    except ValueError as exc:  # an integer with thousands of digits
        refuse(f"a number that cannot be read ({exc})", "a finite number")
    if _depth(values) > MAXIMUM_DEPTH:
        refuse("values nested too deeply", f"at most {MAXIMUM_DEPTH} levels")
    return values


def _refused_json(holder: str, found: str, expected: str) -> UsageError:
    return UsageError(f"{holder} holds {found}", expected=expected, next_step="correct it")


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


def read_yaml(path: Path) -> Any:
    """Return the values in a YAML file, None if it is empty; see `parse_yaml`.

    Raises
    ------
    UsageError
        It cannot be read, or is not such YAML; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
        raise UsageError(
            f"cannot read {path} ({reason})", expected="a YAML file", next_step="check the path"
        ) from exc
    return parse_yaml(text, str(path))


def parse_yaml(text: str, source: str) -> Any:
    """Return the one document in ``text`` as dicts, lists, texts, numbers, booleans and None.

    Parameters
    ----------
    source
        Where the text is from, as an error names it.

    Raises
    ------
    UsageError
        Naming the line: not YAML, several documents, a key twice or one that is no text, a number that is not
        finite, a tag, nested too deeply, or aliases that stand for too much.
    """
    try:
        documents = list(yaml.compose_all(text, _CoreLoader))
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        problem = exc.problem or "not YAML"
        if "'\\t'" in problem:
            raise _refuse(source, mark, "a tab", "spaces before keys and values") from exc
        raise _refuse(source, mark, f"no YAML: {problem}", "key: value, each on a line") from exc
    except (yaml.YAMLError, RecursionError) as exc:
        reason = "values nested too deeply" if isinstance(exc, RecursionError) else " ".join(str(exc).split())
        raise UsageError(f"{source} is no YAML: {reason}", next_step="correct the file") from exc
    if len(documents) > 1:
        raise _refuse(source, documents[1].start_mark, "a second document", "one document, without ---")
    return _Reader(source).value(documents[0], 0) if documents else None


def _refuse(source: str, mark: Any, found: str, expected: str) -> UsageError:
    line = f" line {mark.line + 1}" if mark else ""
    return UsageError(f"{source}{line}: {found}", expected=expected, next_step="correct the file")


class _CoreLoader(yaml.SafeLoader):
    """Finds the kind of a plain value by the core schema of YAML 1.2; the lists of PyYAML are of 1.1."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 (the base declares it so)


for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", [*_DIGITS, *_SIGN]),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        [*_DIGITS, *_SIGN, "."],
    ),
):
    _CoreLoader.add_implicit_resolver(_TAG + _kind, re.compile(f"^(?:{_pattern})$"), _first)


class _Reader:
    """Turns the nodes of one document into values."""

    def __init__(self, source: str) -> None:
        self._source, self._n_nodes = source, 0

    def value(self, node: yaml.Node, depth: int) -> Any:
        """Return the value of a node that is ``depth`` levels below the document."""
        self._n_nodes += 1
        if depth > MAXIMUM_DEPTH:
            raise self._refused(node, "values nested too deeply", f"at most {MAXIMUM_DEPTH} levels")
        if self._n_nodes > MAXIMUM_NODES:
            raise self._refused(node, "too many values", f"at most {MAXIMUM_NODES:,}, aliases included")
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.value(item, depth + 1) for item in node.value]
        kind = node.tag.removeprefix(_TAG)
        if not isinstance(node, yaml.ScalarNode) or kind not in _SCALARS:
            raise self._refused(node, f"the tag {shorten(kind)!r}", "a plain value")
        try:
            return _SCALARS[kind](node.value)
        except ValueError as exc:
            found = f"{shorten(node.value)!r} as a number"
            raise self._refused(node, found, "a finite number, or quotes around a text") from exc

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != f"{_TAG}str":
                shown = shorten(str(getattr(key_node, "value", "")))
                raise self._refused(key_node, f"the key {shown}, which is no text", "a text, in quotes")
            key = key_node.value
            if key in values:
                found = f"the key {shorten(key)!r} again, which is in line {lines[key]} already"
                raise self._refused(key_node, found, "each key once")
            lines[key] = key_node.start_mark.line + 1
            values[key] = self.value(value_node, depth + 1)
        return values

    def _refused(self, node: yaml.Node, found: str, expected: str) -> UsageError:
        return _refuse(self._source, node.start_mark, found, expected)


def _int(text: str) -> int:
    """Return an integer; one with a leading 0 is decimal, as 1.2 has it."""
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text, base)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


_SCALARS: Mapping[str, Callable[[str], Any]] = {
    "null": lambda text: None,
    "bool": lambda text: text.lower() == "true",
    "int": _int,
    "float": _float,
    "str": str,
}
