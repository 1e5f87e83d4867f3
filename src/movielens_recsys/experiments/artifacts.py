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
from movielens_recsys.models.bundle import save_bundle
from movielens_recsys.recommending.slate import recommend_slate, typical_user
from movielens_recsys.reports.run_report import BASELINE, RunPage, write_report
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.cost import describe_cost
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.store import config_hash

BIAS_ROW = BASELINE
REPORT_PAGE = "report.html"


@dataclass(frozen=True, eq=False)
class CompletedRun:
    """A completed run with its model and reports, by part: validation (if it has rows) and test."""

    run: Run
    config: ExperimentConfig
    split: Split
    recommender: Model
    reports: dict[str, Report]
    folder: Path


def save_artifacts(completed: CompletedRun) -> None:
    """Write report.json, report.html, per_user_PART.npz and bundle/, each whole or not at all."""
    folder, reports = completed.folder, completed.reports
    values = {part: report.to_json() for part, report in reports.items()}
    write_atomically(folder / "report.json", (json.dumps(values, indent=1) + "\n").encode())
    for part, report in reports.items():
        if report.per_user is not None:
            report.per_user.save(folder / f"per_user_{part}.npz")
    write_report(folder / REPORT_PAGE, _page(completed))
    metadata = {
        "run": completed.run.id,
        **_hashes(completed),
        "code": completed.run.provenance["code"],
        "figures": completed.run.to_json()["figures"],
    }
    save_bundle(completed.recommender, completed.split.ratings, folder / "bundle", metadata)


def _hashes(completed: CompletedRun) -> dict[str, str]:
    return {
        "config_hash": config_hash(completed.config),
        "data_hash": completed.split.ratings.content_hash,
        "split_hash": completed.split.hash,
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
        hashes=_hashes(completed),
    )


def _without_none(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in values[key].items() if value is not None}


def _command(config: ExperimentConfig) -> str:
    """Return the commands that reproduce the metrics, even if the template changes later."""
    decisive = config.model_dump(
        mode="json", include={"data", "split", "model", "training", "evaluation", "targets"}
    )
    modifications = json.dumps(decisive).replace("'", "'\\''")
    return (
        f"recsys experiment create {config.template} {config.name} --modifications '{modifications}'\n"
        f"recsys experiment run {config.name}"
    )
