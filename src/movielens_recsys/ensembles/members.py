"""What an ensemble is wanted to be made of, as typed or as a YAML file says, and what that comes down to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, model_validator

from movielens_recsys.config import Config
from movielens_recsys.errors import ConfigError, ExperimentError, UsageError
from movielens_recsys.experiments.overrides import config_from_clone, config_from_template, merge
from movielens_recsys.experiments.templates import load_template
from movielens_recsys.runs import store
from movielens_recsys.runs.comparison import flatten
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

SEEDS = (42, 123, 456)
"""Training seeds of members that differ in nothing else, unless others are named."""
TAG = "ensemble"
"""What the experiments that an ensemble creates are tagged with."""
MOST = 100
SHARED = ("data", "split")
_FILE = "a YAML file with a list `members`"


class MemberSpec(Config):
    """One or more members: an experiment that exists, or a template or clone of one, once for each seed."""

    experiment: str | None = None
    template: str | None = None
    clone: str | None = None
    modifications: dict[str, Any] = Field(default_factory=dict)
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**32)], ...], Field(max_length=MOST)] = ()

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
    """A YAML file of members; ``modifications`` are laid over each that is created, under its own."""

    members: Annotated[tuple[MemberSpec, ...], Field(min_length=1)]
    modifications: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class ResolvedMember:
    """A member before it is one: an experiment that exists, or one to be created and what it is made from."""

    config: ExperimentConfig
    run: Run | None = None
    base: ExperimentConfig | None = None

    def __str__(self) -> str:
        return self.run.id if self.run else self.config.name


def read_members(path: Path) -> tuple[MemberSpec, ...]:
    """Return the members that a YAML file asks for.

    Raises
    ------
    UsageError
        It cannot be read, is not YAML, or asks for what there is not.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else " ".join(str(exc).split())
        raise UsageError(f"cannot use {path} ({reason})", expected=_FILE) from exc
    if not isinstance(values, Mapping):
        raise UsageError(f"{path} holds no keys", expected=_FILE)
    try:
        wishes = MembersFile.parse(values)
    except ConfigError as exc:
        raise ConfigError(f"{path}: {exc.found}", expected=exc.expected, next_step=exc.next_step) from exc
    return tuple(_under(wishes.modifications, wish) for wish in wishes.members)


def _under(common: Mapping[str, Any], wish: MemberSpec) -> MemberSpec:
    if wish.experiment is not None:
        return wish
    return wish.model_copy(update={"modifications": merge(common, wish.modifications)})


def resolve_members(name: str, wishes: Sequence[MemberSpec], settings: Settings) -> list[ResolvedMember]:
    """Return the members of an ensemble ``name``; those to be created are called name_1, name_2, ...

    Raises
    ------
    UsageError
        There are fewer than two or one is there twice, a name or modification is wrong, or they do not share
        data and split; the message names what differs.
    ExperimentError
        An experiment has failed or is archived.
    """
    found: list[ResolvedMember] = []
    for wish in wishes:
        if wish.experiment is not None:
            found.append(_existing(wish.experiment, settings))
            continue
        seeds: Sequence[int | None] = wish.seeds or (None,)
        for seed in seeds:
            found.append(_new(f"{name}_{len(found) + 1}", wish, seed, settings))
    if not 2 <= len(found) <= MOST:
        raise UsageError(
            f"{len(found)} member{'s' * (len(found) != 1)}",
            expected=f"2 to {MOST}",
            next_step="name experiments with --members, or a template with --template and --seeds",
        )
    _refuse_twice(found)
    _refuse_unlike(found)
    return found


def _existing(id: str, settings: Settings) -> ResolvedMember:
    run = store.load_run(store.find_run(id, settings), settings)
    if run.state in {RunState.FAILED, RunState.ARCHIVED}:
        raise ExperimentError(
            f"experiment {run.id} is {run.state} and cannot be a member",
            next_step=f"take a copy: `recsys experiment clone {run.id} NEW_NAME`",
        )
    return ResolvedMember(store.load_config(run.id, settings), run)


def _new(name: str, wish: MemberSpec, seed: int | None, settings: Settings) -> ResolvedMember:
    store.check_name(name)
    changes: Mapping[str, Any] = wish.modifications
    if seed is not None:
        changes = merge(changes, {"training": {"seed": seed}})
    if wish.template is not None:
        config = config_from_template(wish.template, name, changes, tags=[TAG])
        return ResolvedMember(config, base=load_template(wish.template).config(name))
    assert wish.clone is not None
    original = store.load_config(store.find_run(wish.clone, settings), settings)
    return ResolvedMember(config_from_clone(original, name, changes, tags=[TAG]), base=original)


def _refuse_twice(found: Sequence[ResolvedMember]) -> None:
    seen: dict[str, ResolvedMember] = {}
    for candidate in found:
        key = store.config_hash(candidate.config)
        if key in seen:
            raise UsageError(
                f"{candidate} would learn the very same as {seen[key]}",
                expected="members that differ",
                next_step="give it another training.seed",
            )
        seen[key] = candidate


def _refuse_unlike(found: Sequence[ResolvedMember]) -> None:
    first = found[0]
    for other in found[1:]:
        differing = _differences(first, other)
        if differing:
            raise ConfigError(
                f"{first} and {other} are not judged on the same rows: {'; '.join(differing)}",
                expected="members that share data and split",
                next_step="leave one of them out, or clone it onto the other's data and split",
            )


def _differences(first: ResolvedMember, other: ResolvedMember) -> list[str]:
    """Return what of data and split differs; of runs that have measured them, their hashes."""
    if first.run and other.run and first.run.data and other.run.data:
        ours, theirs = ({key: getattr(run, key) for key in SHARED} for run in (first.run, other.run))
        keys = [f"{key}.hash" for key in SHARED]
    else:
        ours, theirs = (c.config.model_dump(mode="json", include=set(SHARED)) for c in (first, other))
        keys = []
    left, right = flatten(ours), flatten(theirs)
    return [
        f"{key} is {left.get(key)} and {right.get(key)}"
        for key in keys or dict.fromkeys([*left, *right])
        if left.get(key) != right.get(key)
    ]
