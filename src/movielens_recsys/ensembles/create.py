"""Creating an ensemble: its new experiments and its plan on disk, or finding the plan of the same request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from movielens_recsys.data.sources.user_datasets import check_data
from movielens_recsys.ensembles import store as ensemble_store
from movielens_recsys.ensembles.members import MemberSpec, ResolvedMember, resolve_members
from movielens_recsys.ensembles.store import BlendChoice, EnsemblePlan
from movielens_recsys.errors import UsageError
from movielens_recsys.experiments.preflight import as_events, preflight_findings
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings


def plan_of(
    name: str, specs: Sequence[MemberSpec], blend: BlendChoice | None, settings: Settings
) -> EnsemblePlan | None:
    """Return the existing plan of ensemble ``name``; None if there is none yet.

    Parameters
    ----------
    specs, blend
        The request; an empty one matches any plan.

    Raises
    ------
    UsageError
        The plan has other members or another blend.
    """
    store.check_name(name)
    if name not in ensemble_store.ensemble_names(settings):
        return None
    plan = ensemble_store.load_plan(name, settings)
    if (specs and _to_json(specs, settings) != plan.member_specs) or blend not in {None, plan.blend}:
        raise UsageError(
            f"ensemble {name} was planned differently: blend {plan.blend} of {', '.join(plan.members)}",
            expected="the same request again, or the name alone",
            next_step=f"go on with it: `recsys ensemble run {name}`, or choose another name",
        )
    return plan


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
    check_data(resolved[0].config.data, settings)
    members = [_run_id_of(member, settings, warn) for member in resolved]
    return ensemble_store.save_plan(name, members, blend or "auto", _to_json(specs, settings), settings)


def _run_id_of(member: ResolvedMember, settings: Settings, warn: Callable[[str], None]) -> str:
    """Return the id of the member's experiment, which is created if it does not exist."""
    if member.run is not None:
        return member.run.id
    assert member.base is not None
    findings = preflight_findings(member.config, member.base)
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
