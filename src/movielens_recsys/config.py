"""The base of every configuration: frozen, no unknown keys, no NaN, errors in the project's words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, Self, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

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
            raise _translate(cls, exc) from exc


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


def _translate(cls: type[BaseModel], exc: ValidationError) -> ConfigError:
    errors = exc.errors()
    unknown = (error for error in errors if error["type"] == "extra_forbidden")
    error = next(unknown, errors[0])  # a mistyped key is why another is missing
    path, context = error["loc"], error.get("ctx", {})
    where = shorten(".".join(str(part) for part in path)) or "configuration"
    more = f" (and {exc.error_count() - 1} more)" if exc.error_count() > 1 else ""
    if error["type"] == "extra_forbidden":
        known = _fields_at(cls, path[:-1])
        return _unknown(f"unknown key {where!r}{more}", str(path[-1]), known)
    if error["type"] == "union_tag_invalid":
        known = {tag.strip(" '") for tag in context["expected_tags"].split(",")}
        field = context["discriminator"].strip("'")
        return _unknown(f"unknown {where}.{field} {shorten(context['tag'])!r}{more}", context["tag"], known)
    found = "" if error["type"] == "missing" else f", found {shorten(repr(error['input']))}"
    message = error["msg"].removeprefix("Value error, ")
    return ConfigError(f"{where}: {message}{found}{more}", next_step="correct the value")


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
    return {field.default for field in model.model_fields.values() if get_origin(field.annotation) is Literal}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for arg in get_args(annotation) for model in _models_in(arg)]
