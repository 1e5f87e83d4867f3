"""Who stands in the table: peers and models of ours, read from YAML, what each is given and its settings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from movielens_recsys.config import Config
from movielens_recsys.errors import BenchError, UnknownNameError, UsageError
from movielens_recsys.experiments.overrides import merge
from movielens_recsys.experiments.templates import template_names

Suite = Literal["accuracy", "ranking", "speed"]
Information = Literal["stars", "time", "side information"]
SUITES: tuple[Suite, ...] = ("accuracy", "ranking", "speed")
EVERYTHING: tuple[Information, ...] = ("stars", "time", "side information")
LARGE = 500_000
"""From so many ratings on, an entrant's ``large`` settings apply."""

Params = dict[str, Any]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$")]


class PeerConfig(Config):
    """A peer: the script that runs it, what it needs installed, and the settings it runs with.

    Attributes
    ----------
    library
        Its name for people.
    script
        A file beside the YAML file; see `bench.peers.runner` for what it has.
    requirements
        A file for pip beside the YAML file; without one our own interpreter runs the script.
    what
        The model and its settings in a few words, and where those are documented.
    given
        What it is given to learn from and to predict with; users and items always.
    large
        Laid over ``settings`` on data of `LARGE` ratings or more.
    speed
        Laid over ``settings`` in the suite ``speed``, where everyone has the same sizes.
    passes
        The setting that says how often it goes through the ratings, if one does.
    """

    library: str
    script: str
    requirements: str | None = None
    what: str
    suites: tuple[Suite, ...]
    given: tuple[Information, ...] = ("stars",)
    settings: Params = Field(default_factory=dict)
    large: Params = Field(default_factory=dict)
    speed: Params = Field(default_factory=dict)
    passes: str | None = None


class OwnConfig(Config):
    """One of our templates: what it is given, and what is laid over it."""

    suites: tuple[Suite, ...]
    given: tuple[Information, ...] = ("stars",)
    modifications: Params = Field(default_factory=dict)
    large: Params = Field(default_factory=dict)
    speed: Params = Field(default_factory=dict)


class BenchModels(Config):
    """The content of an entrants' file."""

    peers: dict[Name, PeerConfig] = Field(default_factory=dict)
    own: dict[Name, OwnConfig] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer by name, with the folder its files lie in."""

    name: str
    folder: Path
    config: PeerConfig

    @property
    def script(self) -> Path:
        """The script that fits it."""
        return self.folder / self.config.script

    @property
    def requirements(self) -> Path | None:
        """What pip installs for it; None if it needs no more than we do."""
        return self.folder / self.config.requirements if self.config.requirements else None

    def settings(self, suite: Suite, n_ratings: int) -> dict[str, Any]:
        """Return the settings for a suite on so many ratings."""
        if suite == "speed":
            return {**self.config.settings, **self.config.speed}
        return {**self.config.settings, **(self.config.large if n_ratings >= LARGE else {})}


@dataclass(frozen=True, slots=True)
class OwnModel:
    """A template of ours under a name that tells it from others: the template's, and how it was changed."""

    name: str
    template: str
    config: OwnConfig

    def modifications(self, suite: Suite, n_ratings: int) -> list[dict[str, Any]]:
        """Return what is laid over the template, in order."""
        fitting = self.config.speed if suite == "speed" else self.config.large if n_ratings >= LARGE else {}
        return [fitting, self.config.modifications]


BenchModel = Peer | OwnModel


def read_bench_models(path: Path) -> tuple[dict[str, Peer], dict[str, OwnModel]]:
    """Return the peers and models of an entrants' file by name.

    Raises
    ------
    BenchError
        The file is missing, or is not YAML.
    ConfigError
        It holds an unknown key or a wrong value.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        reason = " ".join(str(exc).split())
        raise BenchError(
            f"cannot read {path}: {reason}", expected="a YAML file of entrants", next_step="correct the file"
        ) from exc
    entrants = BenchModels.parse(values if isinstance(values, dict) else {})
    folder = path.resolve().parent
    peers = {name: Peer(name, folder, config) for name, config in entrants.peers.items()}
    return peers, {name: OwnModel(name, name, config) for name, config in entrants.own.items()}


def known_bench_models(more: Path | None = None) -> tuple[dict[str, Peer], dict[str, OwnModel]]:
    """Return the package's entrants and those of a file of one's own, which win over ours of that name.

    Models whose template does not exist (yet) are left out.
    """
    peers, own = read_bench_models(Path(str(resources.files(__package__))) / "peers" / "entrants.yaml")
    if more is not None:
        further = read_bench_models(more)
        peers, own = {**peers, **further[0]}, {**own, **further[1]}
    templates = set(template_names())
    return peers, {name: model for name, model in own.items() if model.template in templates}


def choose_peers(suite: Suite, names: list[str] | None, peers: dict[str, Peer]) -> list[Peer]:
    """Return the peers of that name, or without names all that take part in ``suite``.

    Raises
    ------
    UnknownNameError
        There is no such peer.
    UsageError
        It does not take part in this suite.
    """
    chosen = []
    for name in _names(names, suite, {name: peer.config.suites for name, peer in peers.items()}):
        if name not in peers:
            raise UnknownNameError("peer", name, peers)
        if suite not in peers[name].config.suites:
            raise UsageError(
                f"{name} does not take part in the suite {suite}",
                expected=f"one of {', '.join(peers[name].config.suites)}",
            )
        chosen.append(peers[name])
    return chosen


def choose_models(
    suite: Suite, names: list[str] | None, own: dict[str, OwnModel], modifications: dict[str, Any]
) -> list[OwnModel]:
    """Return the templates of that name, or without names all that are listed for ``suite``.

    A template that no list has is taken to have been given everything. ``modifications`` are laid over
    each, and their names then say so.

    Raises
    ------
    UnknownNameError
        There is no such template.
    """
    chosen = []
    templates = template_names()
    for name in _names(names, suite, {name: model.config.suites for name, model in own.items()}):
        if name not in own and name not in templates:
            raise UnknownNameError("template", name, templates)
        model = own.get(name) or OwnModel(name, name, OwnConfig(suites=SUITES, given=EVERYTHING))
        if modifications:
            changed = merge(model.config.modifications, modifications)
            config = model.config.model_copy(update={"modifications": changed})
            model = OwnModel(f"{name} {json.dumps(modifications)}", model.template, config)
        chosen.append(model)
    return chosen


def _names(names: list[str] | None, suite: Suite, known: dict[str, tuple[Suite, ...]]) -> list[str]:
    if names is not None:
        return [name for name in dict.fromkeys(names) if name != "none"]
    return [name for name, suites in known.items() if suite in suites]
