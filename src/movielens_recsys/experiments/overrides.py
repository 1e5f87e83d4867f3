"""One validated configuration from a template or a clone, a name and the user's modifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from movielens_recsys.config import current_keys
from movielens_recsys.errors import ConfigError
from movielens_recsys.experiments.templates import load_template
from movielens_recsys.runs.config import ExperimentConfig

_NAMES_OF_DATA = {"name", "path"}


def config_from_template(
    template: str,
    name: str,
    modifications: Mapping[str, Any] | None = None,
    *,
    description: str = "",
    tags: Sequence[str] = (),
) -> ExperimentConfig:
    """Return the configuration of a new experiment ``name``.

    Parameters
    ----------
    modifications
        Merged over the template, see `merge`.
    description
        Replaces the template's, unless empty.
    tags
        Appended to the tags of the template and the modifications.

    Raises
    ------
    UnknownNameError
        There is no such template.
    ConfigError
        A key is unknown, or a value is mistyped or out of range.
    """
    values = load_template(template).values
    return _configure(values, name, template, modifications or {}, description, tags)


def config_from_clone(
    config: ExperimentConfig,
    name: str,
    modifications: Mapping[str, Any] | None = None,
    *,
    description: str = "",
    tags: Sequence[str] = (),
) -> ExperimentConfig:
    """Return the configuration of a clone ``name`` of ``config``, as `config_from_template` does."""
    values = config.model_dump(mode="json", exclude={"name", "template"})
    return _configure(values, name, config.template, modifications or {}, description, tags)


def _configure(
    values: Mapping[str, Any],
    name: str,
    template: str,
    modifications: Mapping[str, Any],
    description: str,
    tags: Sequence[str],
) -> ExperimentConfig:
    _refuse_reserved(modifications)
    merged = {**merge(current_keys(values), current_keys(modifications)), "name": name, "template": template}
    config = ExperimentConfig.parse(merged)
    all_tags = dict.fromkeys([*config.tags, *tags])
    return ExperimentConfig.parse(
        {
            **merged,
            "tags": list(all_tags),
            "description": description or config.description,
            "data": config.data.with_absolute_path().model_dump(mode="json"),
        }
    )


def _refuse_reserved(modifications: Mapping[str, Any]) -> None:
    for key in ("name", "template"):
        if key in modifications:
            raise ConfigError(
                f"{key!r} cannot be modified", next_step="give it as an argument of the command"
            )


def merge(base: Mapping[str, Any], modifications: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``modifications`` merged into it, key by key at every level.

    If a modification changes the kind of a section (another ``split.protocol``, another ``model.name`` or
    ``model.stars.name``), the old values of the section do not apply to the new kind and are dropped.
    ``data.name`` and ``data.path`` replace each other.

    >>> merge({"split": {"protocol": "random", "test": 0.1}}, {"split": {"protocol": "kfold", "fold": 1}})
    {'split': {'protocol': 'kfold', 'fold': 1}}
    """
    merged = dict(base)
    for key, value in modifications.items():
        old = merged.get(key)
        if key == "data" and isinstance(value, Mapping) and _NAMES_OF_DATA & value.keys():
            kept = old if isinstance(old, Mapping) else {}
            others = {name: setting for name, setting in kept.items() if name not in _NAMES_OF_DATA}
            merged[key] = {**others, **value}
        elif isinstance(value, Mapping) and isinstance(old, Mapping):
            kind = _discriminator(key)
            other_kind = kind is not None and kind in value and value[kind] != old.get(kind)
            merged[key] = dict(value) if other_kind else _overlay(old, value)
        else:
            merged[key] = value
    return merged


def _overlay(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        inner = merged.get(key)
        if isinstance(value, Mapping) and isinstance(inner, Mapping):
            other_kind = value.get("name", inner.get("name")) != inner.get("name")
            merged[key] = dict(value) if other_kind else _overlay(inner, value)
        else:
            merged[key] = value
    return merged


def _discriminator(section: str) -> str | None:
    """Return the key that says which kind of configuration a section is, if it has kinds."""
    field = ExperimentConfig.model_fields.get(section)
    return field.discriminator if field and isinstance(field.discriminator, str) else None
