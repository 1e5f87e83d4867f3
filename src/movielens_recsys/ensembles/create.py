"""From wishes to a plan on disk: its experiments created, or the plan of the same request found again."""

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
    name: str, wishes: Sequence[MemberSpec], blend: BlendChoice | None, settings: Settings
) -> EnsemblePlan | None:
    """Return the plan that ``name`` has already; None if there is none yet.

    Parameters
    ----------
    wishes, blend
        What is asked for now; nothing asks for what was planned, whatever that is.

    Raises
    ------
    UsageError
        The plan is of other members or another blend.
    """
    store.check_name(name)
    if name not in ensemble_store.ensemble_names(settings):
        return None
    plan = ensemble_store.load_plan(name, settings)
    if (wishes and _plain(wishes, settings) != plan.wishes) or blend not in {None, plan.blend}:
        raise UsageError(
            f"ensemble {name} was planned otherwise: blend {plan.blend} of {', '.join(plan.members)}",
            expected="the same request again, or the name alone",
            next_step=f"go on with it: `recsys ensemble run {name}`, or choose another name",
        )
    return plan


def create_ensemble(
    name: str,
    wishes: Sequence[MemberSpec],
    blend: BlendChoice | None,
    settings: Settings,
    warn: Callable[[str], None] = lambda message: None,
) -> EnsemblePlan:
    """Create the experiments that are asked for, and write the plan; the caller runs the ensemble.

    Raises
    ------
    RecsysError
        What `candidates` refuses, or the data are not there; nothing was created then.
    """
    found = resolve_members(name, wishes, settings)
    check_data(found[0].config.data, settings)
    members = [_created(candidate, settings, warn) for candidate in found]
    return ensemble_store.save_plan(name, members, blend or "auto", _plain(wishes, settings), settings)


def _created(candidate: ResolvedMember, settings: Settings, warn: Callable[[str], None]) -> str:
    if candidate.run is not None:
        return candidate.run.id
    assert candidate.base is not None
    findings = preflight_findings(candidate.config, candidate.base)
    for finding in findings:
        warn(f"{candidate.config.name}: {finding}")
    return store.create_run(candidate.config, settings, as_events(findings, ())).id


def _plain(wishes: Sequence[MemberSpec], settings: Settings) -> list[dict[str, Any]]:
    """Return wishes as plain JSON values, experiments by their whole ids."""
    plain = []
    for wish in wishes:
        named = {key: value for key in ("experiment", "clone") if (value := getattr(wish, key)) is not None}
        ids = {key: store.find_run(value, settings) for key, value in named.items()}
        plain.append({**wish.model_dump(mode="json"), **ids})
    return plain
