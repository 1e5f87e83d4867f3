"""Creating an ensemble: its new experiments and its plan on disk, or finding the plan of the same request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from movielens_recsys.data.splits.split import split_name
from movielens_recsys.ensembles import store as ensemble_store
from movielens_recsys.ensembles.members import MemberSpec, ResolvedMember, resolve_members
from movielens_recsys.ensembles.store import BlendChoice, EnsemblePlan
from movielens_recsys.errors import ConfigError, UsageError
from movielens_recsys.experiments.data_facts import DataFacts, known_facts
from movielens_recsys.experiments.preflight import as_events, preflight_findings
from movielens_recsys.experiments.requirements import check_requirements
from movielens_recsys.experiments.run_data import require_same_rows
from movielens_recsys.experiments.unmet_requirement import set_in_clone
from movielens_recsys.runs import store
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.settings import Settings

LEAST_ROWS_TO_BLEND = 2
"""Validation rows without which a blend has no fold to be fitted to."""


def plan_of(
    name: str, specs: Sequence[MemberSpec], blend: BlendChoice | None, settings: Settings
) -> EnsemblePlan | None:
    """Return the existing plan of ensemble ``name``, with the requested blend; None if there is none yet.

    Until the blend is made, another one may be requested.

    Parameters
    ----------
    specs, blend
        The request; an empty one matches any plan.

    Raises
    ------
    UsageError
        The plan has other members, or its blend is made and another.
    """
    store.check_name(name)
    if name not in ensemble_store.ensemble_names(settings):
        return None
    plan = ensemble_store.load_plan(name, settings)
    others = bool(specs) and _to_json(specs, settings) != plan.member_specs
    blend = blend or plan.blend
    if others or (blend != plan.blend and ensemble_store.state_of(name, settings) == "completed"):
        members = " ".join(plan.members)
        another = members if not others else "ID ID"
        raise UsageError(
            f"ensemble {name} was planned differently: blend {plan.blend} of {', '.join(plan.members)}",
            expected="the same request again, or the name alone",
            next_step=f"see it: `recsys ensemble show {name}`, or choose another name: "
            f"`recsys ensemble run NEW_NAME --members {another} --blend {blend}`",
        )
    return replace(plan, blend=blend)


def create_ensemble(
    name: str,
    specs: Sequence[MemberSpec],
    blend: BlendChoice | None,
    settings: Settings,
    warn: Callable[[str], None] = lambda message: None,
) -> EnsemblePlan:
    """Create the new experiments of ``specs`` and write the plan; the caller runs the ensemble.

    Raises
    ------
    RecsysError
        `resolve_members` refuses the request, or the data are missing; nothing was created then.
    """
    resolved = resolve_members(name, specs, settings)
    facts = check_members(resolved, blend or "auto", settings)
    members = [_run_id_of(member, facts, settings, warn) for member in resolved]
    return ensemble_store.save_plan(name, members, blend or "auto", _to_json(specs, settings), settings)


def go_on(plan: EnsemblePlan, settings: Settings) -> None:
    """Write an existing plan again, whose blend may be another now; the caller runs the ensemble.

    Raises
    ------
    RecsysError
        `check_members` refuses what is left to do; the plan on disk is as it was then.
    """
    members = [
        ResolvedMember(store.load_config(run_id, settings), store.load_run(run_id, settings))
        for run_id in plan.members
    ]
    check_members(members, plan.blend, settings)
    ensemble_store.write_plan(plan, settings)


def check_members(
    members: Sequence[ResolvedMember], blend: BlendChoice, settings: Settings
) -> DataFacts | None:
    """Refuse members that cannot be trained, or cannot be blended once they are; return what the data are.

    Members share data and split, so that these are looked up once.

    Raises
    ------
    ConfigError
        A member misses one of its requirements, the data hold no ratings to blend, or the blend has no
        validation rows to be fitted to.
    ExperimentError
        A member began with other rows than the data have now.
    DataError
        The data are here, and cannot be read or split.
    """
    facts = known_facts(members[0].config, settings)
    _check_blend(blend, members[0].config, facts)
    for member in members:
        if facts is not None and facts.split is not None and member.run is not None:
            require_same_rows(member.run, facts.split)
        if member.run is None:
            check_requirements(member.config, facts)
        elif not member.run.state.finished:
            check_requirements(member.config, facts, set_in_clone(member.run.id))
    return facts


def _check_blend(blend: BlendChoice, config: ExperimentConfig, facts: DataFacts | None) -> None:
    """Refuse a blend of data without ratings, and one that finds no validation rows to be fitted to."""
    if facts is not None and facts.implicit:
        raise ConfigError(
            f"an ensemble blends predicted ratings, and {facts.name} holds interactions without ratings",
            expected="members on data with ratings",
            next_step="blend rankings in one model: recsys experiment create list_blend NAME",
        )
    if blend == "mean":
        return
    if facts is not None and facts.split is not None:
        few = len(facts.split.validation) < LEAST_ROWS_TO_BLEND
    else:
        few = getattr(config.split, "validation", None) == 0
    if few:
        raise ConfigError(
            f"{split_name(config.split)} leaves no validation rows for the blend {blend!r}",
            expected=f"{LEAST_ROWS_TO_BLEND} or more, to fit the blend to and select it on",
            next_step="add --blend mean, or set split.validation of the members, say to 0.1",
        )


def _run_id_of(
    member: ResolvedMember, facts: DataFacts | None, settings: Settings, warn: Callable[[str], None]
) -> str:
    """Return the id of the member's experiment, which is created if it does not exist."""
    if member.run is not None:
        return member.run.id
    assert member.base is not None
    findings = preflight_findings(member.config, member.base, facts)
    for finding in findings:
        warn(f"{member.config.name}: {finding}")
    return store.create_run(member.config, settings, as_events(findings, ())).id


def _to_json(specs: Sequence[MemberSpec], settings: Settings) -> list[dict[str, Any]]:
    """Return member specs as plain JSON values, with full experiment ids."""
    values = []
    for spec in specs:
        named = {key: value for key in ("experiment", "clone") if (value := getattr(spec, key)) is not None}
        ids = {key: store.find_run(value, settings) for key, value in named.items()}
        values.append({**spec.model_dump(mode="json"), **ids})
    return values
