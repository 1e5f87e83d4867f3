"""The base of every configuration: frozen, no unknown keys, no NaN, errors in the project's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from movielens_recsys.errors import ConfigError, nearest, shorten


class Config(BaseModel):
    """A frozen pydantic model whose validation errors name the nearest known key."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Validate plain values.

        Raises
        ------
        ConfigError
            Naming the first wrong key, what was found and what would be right.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as exc:
            raise _translate(cls, exc) from exc


def _translate(cls: type[BaseModel], exc: ValidationError) -> ConfigError:
    error = exc.errors()[0]
    where = ".".join(str(part) for part in error["loc"])
    more = f" (and {exc.error_count() - 1} more)" if exc.error_count() > 1 else ""
    if error["type"] == "extra_forbidden":
        known = sorted(_fields_at(cls, error["loc"][:-1]))
        key = str(error["loc"][-1])
        guess = nearest(key, known)
        return ConfigError(
            f"unknown key {shorten(where)!r}{more}",
            expected=f"one of {', '.join(known)}" if known else "",
            next_step=f"did you mean {guess!r}?" if guess else "remove it",
        )
    found = "" if error["type"] == "missing" else f", found {shorten(repr(error['input']))}"
    message = error["msg"].removeprefix("Value error, ")
    return ConfigError(f"{shorten(where) or 'configuration'}: {message}{found}{more}", next_step="correct the value")


def _fields_at(cls: type[BaseModel], path: tuple[int | str, ...]) -> set[str]:
    """Names of the fields of the model(s) that ``path`` leads to; unions give all their members'."""
    models: list[type[BaseModel]] = [cls]
    for part in path:
        models = [
            inner
            for model in models
            if (field := model.model_fields.get(str(part))) is not None
            for inner in _models_in(field.annotation)
        ] or models  # a union's tag is part of the path but no field
    return {name for model in models for name in model.model_fields}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for arg in get_args(annotation) for model in _models_in(arg)]
