"""Ready-made experiments: YAML files that validate as an `ExperimentConfig` without its name."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any

from movielens_recsys.errors import UnknownNameError
from movielens_recsys.parsing import parse_yaml
from movielens_recsys.runs.config import ExperimentConfig


@dataclass(frozen=True, slots=True)
class Template:
    """One ready-made experiment: its name and the values of its `ExperimentConfig`."""

    name: str
    values: dict[str, Any]

    @property
    def description(self) -> str:
        """The purpose of the template, in one sentence."""
        return str(self.values["description"])

    @property
    def tags(self) -> tuple[str, ...]:
        """The initial tags of its experiments."""
        return tuple(self.values["tags"])

    @property
    def learns_from_interactions(self) -> bool:
        """Whether its model also fits implicit data, which hold no ratings."""
        return self.config("any").model.learns_from_interactions

    def config(self, name: str) -> ExperimentConfig:
        """Return the template as the unmodified experiment ``name``."""
        return ExperimentConfig.parse({**self.values, "name": name, "template": self.name})


def template_names() -> list[str]:
    """Return the names of all templates, sorted."""
    folder = resources.files(__package__) / "templates"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def load_template(name: str) -> Template:
    """Return the template ``name``.

    Raises
    ------
    UnknownNameError
        Naming the templates that exist and the nearest one.
    """
    names = template_names()
    if name not in names:
        raise UnknownNameError("template", name, names, next_step="`recsys experiment templates` lists all")
    text = (resources.files(__package__) / "templates" / f"{name}.yaml").read_text(encoding="utf-8")
    return Template(name, parse_yaml(text, f"template {name}"))


def all_templates() -> list[Template]:
    """Return every template, sorted by name."""
    return [load_template(name) for name in template_names()]
