"""Artifacts of a completed run, beside its log: bundle, reports, per-user metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from movielens_recsys.data.splits.split import Split, split_name
from movielens_recsys.evaluation.report import Report
from movielens_recsys.files import write_atomically
from movielens_recsys.models.base import Model
from movielens_recsys.models.bundle import replace_metadata, save_bundle
from movielens_recsys.recommending.slate import recommend_slate, typical_user
from movielens_recsys.reports.run_report import BASELINE, RunPage, write_report
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.cost import describe_cost
from movielens_recsys.runs.run import Run

BIAS_ROW = BASELINE
REPORT_PAGE = "report.html"
BUNDLE = "bundle"


@dataclass(frozen=True, eq=False)
class CompletedRun:
    """A completed run with its model and reports, by part: validation (if it has rows) and test."""

    run: Run
    config: ExperimentConfig
    split: Split
    recommender: Model
    reports: dict[str, Report]
    folder: Path


def save_fitted(recommender: Model, split: Split, run: Run, folder: Path) -> None:
    """Write bundle/ of a run whose training is complete, whole or not at all."""
    save_bundle(recommender, split.ratings, folder / BUNDLE, _metadata(run, split))


def save_reports(completed: CompletedRun) -> None:
    """Write report.json, report.html and per_user_PART.npz, and add the metrics to the bundle."""
    folder, reports = completed.folder, completed.reports
    values = {part: report.to_json() for part, report in reports.items()}
    write_atomically(folder / "report.json", (json.dumps(values, indent=1) + "\n").encode())
    for part, report in reports.items():
        if report.per_user is not None:
            report.per_user.save(folder / f"per_user_{part}.npz")
    write_page(completed)
    metadata = _metadata(completed.run, completed.split)
    replace_metadata(folder / BUNDLE, {**metadata, "figures": completed.run.to_json()["figures"]})


def write_page(completed: CompletedRun) -> None:
    """Write report.html whole or not at all."""
    write_report(completed.folder / REPORT_PAGE, _page(completed))


def _metadata(run: Run, split: Split) -> dict[str, Any]:
    return {"run": run.id, **_hashes(run, split), "code": run.provenance["code"]}


def _hashes(run: Run, split: Split) -> dict[str, str]:
    return {
        "config_hash": run.config_hash,
        "data_hash": split.ratings.content_hash,
        "split_hash": split.hash,
    }


def _page(completed: CompletedRun) -> RunPage:
    run, config = completed.run, completed.config
    train = completed.split.part("train")
    slate = recommend_slate(completed.recommender, train, typical_user(train))
    return RunPage(
        title=run.id,
        model=f"{run.model} from the template {run.template}, {split_name(completed.split.config)}",
        report=completed.reports["test"],
        command=_command(config),
        targets=run.target_checks,
        history=run.history,
        best_epoch=run.best_epoch,
        recommendations=[asdict(line) for line in slate.recommendations],
        ordered_by=completed.recommender.score_meaning,
        recommended_to=f"user {slate.user_id}, who loved {'; '.join(slate.favourites)}",
        findings=completed.split.ratings.findings,
        warnings=run.findings,
        contingencies=run.contingencies,
        utilization=run.utilization,
        cost=describe_cost(run),
        configuration=config.model_dump(mode="json"),
        environment={**_without_none(run.provenance, "code"), **_without_none(run.provenance, "environment")},
        hashes=_hashes(run, completed.split),
    )


def _without_none(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in values[key].items() if value is not None}


def _command(config: ExperimentConfig) -> str:
    """Return the command that reproduces the metrics, even if the template changes later."""
    decisive = config.model_dump(
        mode="json", include={"data", "split", "model", "training", "evaluation", "targets"}
    )
    modifications = json.dumps(decisive).replace("'", "'\\''")
    return f"recsys experiment run {config.template} --name {config.name} --modifications '{modifications}'"
