"""The base of every configuration: frozen, no unknown keys, no NaN, errors in the project's words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, Self, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from movielens_recsys.errors import ConfigError, nearest, shorten

T = TypeVar("T")

RENAMED_KEYS: Mapping[str, str] = {
    "bags": "implicit_features",
    "batch_share": "batch_fraction",
    "input_noise": "embedding_noise",
    "kept_draws": "n_posterior_samples",
    "positive_from": "min_positive_rating",
    "relevant_from": "relevance_threshold",
}
"""Former configuration keys, and their names now.

A former key is read as the new one wherever it stands. The field keeps it as ``serialization_alias``, under
which configurations are hashed (``by_alias=True``), so that a rename changes no hash.
"""


class Config(BaseModel):
    """A frozen pydantic model whose validation errors name the nearest known key."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Validate plain values as their JSON: a list may be a tuple, but "7" and true are no numbers.

        Raises
        ------
        ConfigError
            Naming the first wrong key, what was found and what would be right.
        """
        try:
            return cls.model_validate_json(json.dumps(_current(values), default=str), strict=True)
        except ValidationError as exc:
            raise _translate(cls, values, exc) from exc


def distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    """Return ``values``, or refuse them if one occurs twice."""
    if len(set(values)) < len(values):
        raise ValueError(f"{', '.join(map(str, values))} names one twice; expected each once")
    return values


def current_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values`` with the former keys of `RENAMED_KEYS`, at any depth, under their present names.

    Raises
    ------
    ConfigError
        A section has a key under both names.

    >>> current_keys({"model": {"kept_draws": 100}})
    {'model': {'n_posterior_samples': 100}}
    """
    for former, present in RENAMED_KEYS.items():
        if former in values and present in values:
            raise ConfigError(
                f"{former!r} beside {present!r}, which is its present name",
                expected="one of them",
                next_step=f"remove {former!r}",
            )
    return {RENAMED_KEYS.get(key, key): _current(value) for key, value in values.items()}


def _current(value: Any) -> Any:
    if isinstance(value, Mapping):
        return current_keys(value)
    return [_current(inner) for inner in value] if isinstance(value, list | tuple) else value


class ConfigField(NamedTuple):
    """One key of a configuration: its dotted path, the class that has it, and the kind that class stands for.

    ``kind`` is a model's or a protocol's name where the section has several kinds, and else empty. In a path,
    ``[]`` stands for each section of a list.
    """

    path: str
    name: str
    owner: type[BaseModel]
    info: FieldInfo
    kind: str


def config_fields(
    cls: type[BaseModel], values: Mapping[str, Any] | None = None, path: str = "", kind: str = ""
) -> Iterator[ConfigField]:
    """Yield every key below a configuration class, sections and their keys alike.

    Parameters
    ----------
    values
        A configuration, plain: of a section with several kinds, only the one that it has is entered.
        By default all are.
    """
    for name, info in cls.model_fields.items():
        below = f"{path}{name}"
        yield ConfigField(below, name, cls, info, kind)
        value = None if values is None else values.get(name, info.default)
        models = _models_in(info.annotation)
        for model in _of_this_kind(models, value):
            inner_kind = " ".join([kind, *map(str, _tags(model))]) if len(models) > 1 else kind
            inner = value if isinstance(value, Mapping) else None if values is None else {}
            each = "[]" if get_origin(info.annotation) is tuple else ""
            yield from config_fields(model, inner, f"{below}{each}.", inner_kind.strip())


def _of_this_kind(models: list[type[BaseModel]], value: Any) -> list[type[BaseModel]]:
    """Return the models that ``value`` is or says to be, or else all."""
    if isinstance(value, Mapping):
        named = [model for model in models if any(tag in value.values() for tag in _tags(model))]
    else:
        named = [model for model in models if isinstance(value, model)]
    return named or models


def _translate(cls: type[BaseModel], values: Mapping[str, Any], exc: ValidationError) -> ConfigError:
    errors = exc.errors()
    unknown = (error for error in errors if error["type"] == "extra_forbidden")
    error = next(unknown, errors[0])  # a mistyped key is why another is missing
    if error["type"] == "json_invalid":
        return ConfigError(
            "text that is not valid Unicode",
            expected="names and paths in UTF-8",
            next_step="rename the file, or correct the text",
        )
    path, context = error["loc"], error.get("ctx", {})
    where = shorten(_written_path(values, path)) or "configuration"
    more = f" (and {exc.error_count() - 1} more)" if exc.error_count() > 1 else ""
    if error["type"] == "extra_forbidden":
        known = _fields_at(cls, path[:-1])
        return _unknown_key(f"unknown key {where!r}{more}", str(path[-1]), known, cls, values)
    if error["type"] == "union_tag_invalid":
        known = {tag.strip(" '") for tag in context["expected_tags"].split(",")}
        field = context["discriminator"].strip("'")
        return _unknown(f"unknown {where}.{field} {shorten(context['tag'])!r}{more}", context["tag"], known)
    found = "" if error["type"] == "missing" else f", found {shorten(repr(error['input']))}"
    message = error["msg"].removeprefix("Value error, ")
    return ConfigError(f"{where}: {message}{found}{more}", next_step="correct the value")


def _written_path(values: Any, path: tuple[int | str, ...]) -> str:
    """Return where a value stands in ``values``, without the kinds of sections, which pydantic inserts."""
    words = []
    for part in path:
        if isinstance(values, Mapping) and part not in values and part in values.values():
            continue
        words.append(str(part))
        if isinstance(values, Mapping):
            values = values.get(part)
        elif isinstance(values, list | tuple) and isinstance(part, int):
            values = values[part]
    return ".".join(words)


def _unknown_key(
    found: str, key: str, known: set[str], cls: type[BaseModel], values: Mapping[str, Any]
) -> ConfigError:
    """Return the error of a key that stands in the wrong section, is that of another kind, or is nowhere."""
    present = {field.path: None for field in config_fields(cls, _current(values)) if field.name == key}
    guesses = sorted(present, key=lambda path: path.count("."))[:3]
    if guesses:
        advice = f"did you mean {' or '.join(map(repr, guesses))}?"
        return ConfigError(found, expected=f"one of {', '.join(sorted(known))}", next_step=advice)
    kinds = {field.kind: None for field in config_fields(cls) if field.name == key and field.kind}
    error = _unknown(found, key, known)
    if kinds and not nearest(key, known):
        advice = f"remove it: it is a key of {', '.join(kinds)}"
        return ConfigError(found, expected=error.expected, next_step=advice)
    return error


def _unknown(found: str, name: str, known: set[str]) -> ConfigError:
    guess = nearest(name, known)
    return ConfigError(
        found,
        expected=f"one of {', '.join(sorted(known))}",
        next_step=f"did you mean {guess!r}?" if guess else "remove or correct it",
    )


def _fields_at(cls: type[BaseModel], path: tuple[int | str, ...]) -> set[str]:
    """Names of the fields of the model at ``path``; tags, positions and keys of mappings are steps of it."""
    models = [cls]
    for part in path:
        if isinstance(part, int):
            continue
        tagged = [model for model in models if part in _tags(model)]
        inside = [
            inner
            for model in models
            if (field := model.model_fields.get(str(part))) is not None
            for inner in _models_in(field.annotation)
        ]
        models = tagged or inside or models
    return {name for model in models for name in model.model_fields}


def _tags(model: type[BaseModel]) -> set[object]:
    """Return the values of the fields that have only one: the kind of configuration that a model is."""
    types = [info.annotation for info in model.model_fields.values()]
    literals = [get_args(kind) for kind in types if get_origin(kind) is Literal]
    return {choices[0] for choices in literals if len(choices) == 1}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for arg in get_args(annotation) for model in _models_in(arg)]
