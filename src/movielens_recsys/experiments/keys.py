"""The keys of a configuration as a table: what each may be, its default, and its meaning."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel

from movielens_recsys.config import RENAMED_KEYS, ConfigField, config_fields
from movielens_recsys.experiments.templates import load_template
from movielens_recsys.runs.config import ExperimentConfig

_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_ATTRIBUTES = re.compile(r"^Attributes\n-+\n(.*?)(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"^(\S.*)\n((?: +.*\n?)+)", re.MULTILINE)
_RESERVED = ("name", "template")
"""Keys that are arguments of the commands."""


@dataclass(frozen=True, slots=True)
class ConfigKey:
    """One key that `--set` and `--modifications` take.

    Attributes
    ----------
    key
        Its dotted path.
    kind
        The model or split protocol that has it; empty if every experiment does.
    value
        Its type and range.
    default
        The value without a modification: the template's, if one is named.
    meaning
        One or a few sentences.
    """

    key: str
    kind: str
    value: str
    default: str
    meaning: str

    def to_json(self) -> dict[str, str]:
        """Return the key as plain JSON values."""
        return asdict(self)


def config_keys(template: str = "") -> list[ConfigKey]:
    """Return every key of an experiment, or of one from ``template``, in the order of the configuration.

    Raises
    ------
    UnknownNameError
        There is no such template.
    """
    values = load_template(template).config("x").model_dump(mode="json") if template else None
    return [
        ConfigKey(field.path, field.kind, _value_of(field), _default_of(field, values), _meaning_of(field))
        for field in config_fields(ExperimentConfig, values)
        if field.path not in _RESERVED and not _is_plain_section(field)
    ]


def search_keys(keys: Sequence[ConfigKey], words: Sequence[str]) -> list[ConfigKey]:
    """Return the keys whose path, or else whose meaning, has every one of ``words``; former names count."""
    present = [RENAMED_KEYS.get(word, word).lower() for word in words]
    by_path = [key for key in keys if all(word in key.key.lower() for word in present)]
    return by_path or [key for key in keys if all(word in key.meaning.lower() for word in present)]


def describe_value(schema: Mapping[str, Any], section: Callable[[str], str] = lambda _: "section") -> str:
    """Return type and range of a value as text, from its JSON schema; ``section`` names another class."""
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return " or ".join(dict.fromkeys(describe_value(option, section) for option in options))
    if "$ref" in schema:
        return section(schema["$ref"].rpartition("/")[2])
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {describe_value(schema.get('items', {}), section)}"
    limits = [f"{sign} {schema[key]}" for key, sign in _BOUNDS.items() if key in schema]
    return " ".join([schema.get("format", schema.get("type", "any")), ", ".join(limits)]).strip()


def _is_plain_section(field: ConfigField) -> bool:
    """Whether the key is a section that is always there, whose keys are listed below it."""
    return set(_value_of(field).split(" or ")) == {"section"}


@cache
def _properties(owner: type[BaseModel]) -> Mapping[str, Mapping[str, Any]]:
    properties: Mapping[str, Mapping[str, Any]] = owner.model_json_schema(by_alias=False)["properties"]
    return properties


def _value_of(field: ConfigField) -> str:
    return describe_value(_properties(field.owner)[field.name]).replace("`", "")


def _default_of(field: ConfigField, values: Mapping[str, Any] | None) -> str:
    """Return the value of the template, or else the default of the class."""
    if values is not None:
        *sections, name = field.path.split(".")
        for section in sections:
            values = (values or {}).get(section)
        if isinstance(values, Mapping):
            return _text(values.get(name))
    return "required" if field.info.is_required() else _text(field.info.default)


def _text(value: Any) -> str:
    if isinstance(value, BaseModel | Mapping):
        return "a section"
    if isinstance(value, tuple | list):
        return ", ".join(map(_text, value)) or "none"
    return value if isinstance(value, str) and value else json.dumps(value)


def _meaning_of(field: ConfigField) -> str:
    """Return what the docstrings of the class and its bases say of a key.

    That is its entry under ``Attributes``, or a sentence that names it, or else the first sentence.
    """
    classes = [cls for cls in field.owner.__mro__ if field.name in getattr(cls, "model_fields", {})]
    texts = [inspect.cleandoc(cls.__doc__ or "") for cls in classes]
    for text in texts:
        entries = _ATTRIBUTES.search(text)
        for names, meaning in _ENTRY.findall(f"{entries[1]}\n" if entries else ""):
            if field.name in names.split(", "):
                return _plain(meaning)
    prose = " ".join(texts[0].split("\nAttributes\n")[0].split())
    sentences = re.split(r"(?<=[.;]) ", prose)
    return _plain(next((text for text in sentences if f"``{field.name}``" in text), sentences[0]))


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "").split()).rstrip(";.")
