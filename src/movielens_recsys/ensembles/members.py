"""The members of an ensemble: as specified by options or a YAML file, and as resolved experiments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from movielens_recsys.config import Config
from movielens_recsys.errors import ConfigError, ExperimentError, UsageError
from movielens_recsys.experiments.overrides import config_from_clone, config_from_template, merge
from movielens_recsys.experiments.templates import load_template
from movielens_recsys.parsing import read_yaml
from movielens_recsys.runs import store
from movielens_recsys.runs.comparison import flatten
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

SEEDS = (42, 123, 456)
"""Default training seeds of members that differ in nothing else."""
TAG = "ensemble"
"""The tag of experiments that an ensemble creates."""
MAX_MEMBERS = 100
SHARED_KEYS = ("data", "split")
_EXPECTED = "a YAML file with a list `members`"


class MemberSpec(Config):
    """One or more members: an existing experiment, or one per seed from a template or as a clone."""

    experiment: str | None = None
    template: str | None = None
    clone: str | None = None
    modifications: dict[str, Any] = Field(default_factory=dict)
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**32)], ...], Field(max_length=MAX_MEMBERS)] = ()

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        origins = ("experiment", "template", "clone")
        given = [name for name in origins if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"{' and '.join(given) or 'no origin'}; expected one of {', '.join(origins)}")
        if self.experiment and (self.modifications or self.seeds):
            raise ValueError("an experiment is taken as it is; expected clone beside modifications or seeds")
        return self


class MembersFile(Config):
    """A YAML file of members; ``modifications`` apply to each one created, below the member's own."""

    members: Annotated[tuple[MemberSpec, ...], Field(min_length=1)]
    modifications: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class ResolvedMember:
    """An existing experiment, or the configuration of one to create and the ``base`` that it modifies."""

    config: ExperimentConfig
    run: Run | None = None
    base: ExperimentConfig | None = None

    def __str__(self) -> str:
        return self.run.id if self.run else self.config.name


def read_members(path: Path) -> tuple[MemberSpec, ...]:
    """Return the member specs of a YAML file.

    Raises
    ------
    UsageError
        It cannot be read, is not YAML, or has unknown keys or values.
    """
    values = read_yaml(path)
    if not isinstance(values, Mapping):
        raise UsageError(f"{path} holds no keys", expected=_EXPECTED)
    try:
        file = MembersFile.parse(values)
    except ConfigError as exc:
        raise ConfigError(f"{path}: {exc.found}", expected=exc.expected, next_step=exc.next_step) from exc
    return tuple(_with_modifications(spec, file.modifications) for spec in file.members)


def _with_modifications(spec: MemberSpec, common: Mapping[str, Any]) -> MemberSpec:
    if spec.experiment is not None:
        return spec
    return spec.model_copy(update={"modifications": merge(common, spec.modifications)})


def resolve_members(name: str, specs: Sequence[MemberSpec], settings: Settings) -> list[ResolvedMember]:
    """Return the members of the ensemble ``name``; those to be created are named name_1, name_2, ...

    Raises
    ------
    UsageError
        There are fewer than two members or a duplicate, a name or modification is wrong, or they do not share
        data and split; the message names the difference.
    ExperimentError
        An experiment has failed for good or is archived.
    """
    members: list[ResolvedMember] = []
    for spec in specs:
        if spec.experiment is not None:
            members.append(_existing(spec.experiment, settings))
            continue
        seeds: Sequence[int | None] = spec.seeds or (None,)
        for seed in seeds:
            members.append(_new(f"{name}_{len(members) + 1}", spec, seed, settings))
    if not 2 <= len(members) <= MAX_MEMBERS:
        raise UsageError(
            f"{len(members)} member{'s' * (len(members) != 1)}",
            expected=f"2 to {MAX_MEMBERS}",
            next_step="name experiments with --members, or a template with --template and --seeds",
        )
    _require_shared_rows(members)
    _refuse_duplicates(members)
    return members


def _existing(id: str, settings: Settings) -> ResolvedMember:
    run = store.load_run(store.find_run(id, settings), settings)
    if run.state is RunState.ARCHIVED or (run.state is RunState.FAILED and not run.resumable):
        raise ExperimentError(
            f"experiment {run.id} is {run.state} and cannot be a member",
            next_step=f"take a copy: `recsys experiment clone {run.id} NEW_NAME`",
        )
    return ResolvedMember(store.load_config(run.id, settings), run)


def _new(name: str, spec: MemberSpec, seed: int | None, settings: Settings) -> ResolvedMember:
    store.check_name(name)
    changes: Mapping[str, Any] = spec.modifications
    if seed is not None:
        changes = merge(changes, {"training": {"seed": seed}})
    if spec.template is not None:
        config = config_from_template(spec.template, name, changes, tags=[TAG])
        return ResolvedMember(config, base=load_template(spec.template).config(name))
    assert spec.clone is not None
    original = store.load_config(store.find_run(spec.clone, settings), settings)
    return ResolvedMember(config_from_clone(original, name, changes, tags=[TAG]), base=original)


def _refuse_duplicates(members: Sequence[ResolvedMember]) -> None:
    """Refuse members that would be one model twice: a blend of a model with itself is that model."""
    seen: dict[str, ResolvedMember] = {}
    for member in members:
        first = seen.setdefault(_fit_identity(member.config), member)
        if first is member:
            continue
        model, change = member.config.model, "give it another training.seed, or leave it out"
        if not model.uses_seed:
            change = f"give it other settings, since no seed changes {model.name}, or leave it out"
        raise UsageError(
            f"{member} would be exactly the model of {first}",
            expected="members that differ in what they learn",
            next_step=change,
        )


def _fit_identity(config: ExperimentConfig) -> str:
    """Return all that decides a member's weights; data and split are shared."""
    values: dict[str, Any] = {"model": config.model.model_dump(mode="json")}
    if config.model.rating_model.fit_method == "gradient":
        values["training"] = config.training.model_dump(mode="json", exclude={"device", "checkpoint_every_s"})
    elif config.model.uses_seed:
        values["seed"] = config.training.seed
    return json.dumps(values, sort_keys=True)


def _require_shared_rows(members: Sequence[ResolvedMember]) -> None:
    first = members[0]
    for other in members[1:]:
        differing = _differences(first, other)
        if differing:
            raise ConfigError(
                f"{first} and {other} do not share their rows: {'; '.join(differing)}",
                expected="members that share data and split",
                next_step="leave one of them out, or clone it onto the other's data and split",
            )


def _differences(first: ResolvedMember, other: ResolvedMember) -> list[str]:
    """Return how data and split differ; for two runs that have started, by their hashes."""
    if first.run and other.run and first.run.data and other.run.data:
        first_values, second_values = (
            {key: getattr(run, key) for key in SHARED_KEYS} for run in (first.run, other.run)
        )
        keys = [f"{key}.hash" for key in SHARED_KEYS]
    else:
        first_values, second_values = (
            c.config.model_dump(mode="json", include=set(SHARED_KEYS)) for c in (first, other)
        )
        keys = []
    ours, theirs = flatten(first_values), flatten(second_values)
    return [
        f"{key} is {ours.get(key)} and {theirs.get(key)}"
        for key in keys or dict.fromkeys([*ours, *theirs])
        if ours.get(key) != theirs.get(key)
    ]
