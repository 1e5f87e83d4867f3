"""The models of the bench: peers and our own templates, read from YAML, with their inputs and settings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from movielens_recsys.config import Config
from movielens_recsys.errors import UnknownNameError, UsageError
from movielens_recsys.experiments.overrides import merge
from movielens_recsys.experiments.templates import template_names
from movielens_recsys.parsing import read_yaml

Suite = Literal["accuracy", "ranking", "speed"]
Input = Literal["stars", "time", "side information"]
SUITES: tuple[Suite, ...] = ("accuracy", "ranking", "speed")
ALL_INPUTS: tuple[Input, ...] = ("stars", "time", "side information")
LARGE = 500_000
"""Number of ratings from which a model's ``large`` settings apply."""

Params = dict[str, Any]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$")]


class PeerConfig(Config):
    """A peer: another library's model, the script that runs it, its requirements and its settings.

    Attributes
    ----------
    library
        The displayed name of the library.
    script
        A file next to the YAML file; `bench.peers.runner` describes its content.
    requirements
        A pip requirements file next to the YAML file; without one this interpreter runs the script.
    what
        The model and its settings in a few words, and where they are documented.
    inputs
        What it learns from and predicts with, besides users and items.
    large
        Overrides of ``settings`` on data of `LARGE` ratings or more.
    speed
        Overrides of ``settings`` in the suite ``speed``, where all models have the same sizes.
    passes
        The name of the setting with the number of passes through the ratings, if there is one.
    """

    library: str
    script: str
    requirements: str | None = None
    what: str
    suites: tuple[Suite, ...]
    inputs: tuple[Input, ...] = ("stars",)
    settings: Params = Field(default_factory=dict)
    large: Params = Field(default_factory=dict)
    speed: Params = Field(default_factory=dict)
    passes: str | None = None


class OwnConfig(Config):
    """One of our templates: its inputs, and the modifications that it runs with."""

    suites: tuple[Suite, ...]
    inputs: tuple[Input, ...] = ("stars",)
    modifications: Params = Field(default_factory=dict)
    large: Params = Field(default_factory=dict)
    speed: Params = Field(default_factory=dict)


class BenchModels(Config):
    """The content of a bench models file."""

    peers: dict[Name, PeerConfig] = Field(default_factory=dict)
    own: dict[Name, OwnConfig] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer by name, with the folder of its files."""

    name: str
    folder: Path
    config: PeerConfig

    @property
    def script(self) -> Path:
        """The script that fits it."""
        return self.folder / self.config.script

    @property
    def requirements(self) -> Path | None:
        """Its pip requirements file; None if it needs nothing beyond this package."""
        return self.folder / self.config.requirements if self.config.requirements else None

    def settings(self, suite: Suite, n_ratings: int) -> dict[str, Any]:
        """Return the settings for a suite on ``n_ratings`` ratings."""
        if suite == "speed":
            return {**self.config.settings, **self.config.speed}
        return {**self.config.settings, **(self.config.large if n_ratings >= LARGE else {})}


@dataclass(frozen=True, slots=True)
class OwnModel:
    """One of our models: a template, under a name that includes its modifications."""

    name: str
    template: str
    config: OwnConfig

    def modifications(self, suite: Suite, n_ratings: int) -> list[dict[str, Any]]:
        """Return the modifications of the template, in order."""
        sized = self.config.speed if suite == "speed" else self.config.large if n_ratings >= LARGE else {}
        return [sized, self.config.modifications]


BenchModel = Peer | OwnModel


def read_bench_models(path: Path) -> tuple[dict[str, Peer], dict[str, OwnModel]]:
    """Return the peers and our models of a bench models file, by name.

    Raises
    ------
    UsageError
        The file is missing, or no YAML.
    ConfigError
        It has an unknown key or a wrong value.
    """
    values = read_yaml(path)
    if not isinstance(values, dict):
        raise UsageError(f"{path} holds no keys", expected="a YAML file with peers or own")
    models = BenchModels.parse(values)
    folder = path.resolve().parent
    peers = {name: Peer(name, folder, config) for name, config in models.peers.items()}
    return peers, {name: OwnModel(name, name, config) for name, config in models.own.items()}


def known_bench_models(more: Path | None = None) -> tuple[dict[str, Peer], dict[str, OwnModel]]:
    """Return the package's bench models and those of a further file, which take precedence.

    Models whose template does not exist are left out.
    """
    peers, own = read_bench_models(Path(str(resources.files(__package__))) / "peers" / "peers.yaml")
    if more is not None:
        further = read_bench_models(more)
        peers, own = {**peers, **further[0]}, {**own, **further[1]}
    templates = set(template_names())
    return peers, {name: model for name, model in own.items() if model.template in templates}


def choose_peers(suite: Suite, names: list[str] | None, peers: dict[str, Peer]) -> list[Peer]:
    """Return the peers of these names, or without names all those of ``suite``.

    Raises
    ------
    UnknownNameError
        A peer does not exist.
    UsageError
        A peer does not have this suite.
    """
    chosen = []
    for name in _names(names, suite, {name: peer.config.suites for name, peer in peers.items()}):
        if name not in peers:
            raise UnknownNameError("peer", name, peers)
        if suite not in peers[name].config.suites:
            raise UsageError(
                f"{name} is not in the suite {suite}",
                expected=f"one of {', '.join(peers[name].config.suites)}",
            )
        chosen.append(peers[name])
    return chosen


def choose_models(
    suite: Suite, names: list[str] | None, own: dict[str, OwnModel], modifications: dict[str, Any]
) -> list[OwnModel]:
    """Return our models of these names, or without names all those of ``suite``.

    A template that no file lists counts as having all inputs. ``modifications`` apply to each, and become
    part of its name.

    Raises
    ------
    UnknownNameError
        A template does not exist.
    """
    chosen = []
    templates = template_names()
    for name in _names(names, suite, {name: model.config.suites for name, model in own.items()}):
        if name not in own and name not in templates:
            raise UnknownNameError(
                "template", name, templates, next_step="`recsys experiment templates` lists all"
            )
        model = own.get(name) or OwnModel(name, name, OwnConfig(suites=SUITES, inputs=ALL_INPUTS))
        if modifications:
            merged = merge(model.config.modifications, modifications)
            config = model.config.model_copy(update={"modifications": merged})
            model = OwnModel(f"{name} {json.dumps(modifications)}", model.template, config)
        chosen.append(model)
    return chosen


def _names(names: list[str] | None, suite: Suite, known: dict[str, tuple[Suite, ...]]) -> list[str]:
    if names is not None:
        return [name for name in dict.fromkeys(names) if name != "none"]
    return [name for name, suites in known.items() if suite in suites]
