"""What a completed run leaves in its folder beside its log: bundle, reports, per-user figures."""

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
    """A completed run with what it made; ``reports`` by part: validation (if it has rows) and test."""

    run: Run
    config: ExperimentConfig
    split: Split
    recommender: Model
    reports: dict[str, Report]
    folder: Path


def save_artifacts(outcome: CompletedRun) -> None:
    """Write report.json, report.html, per_user_PART.npz and bundle/, each whole or not at all."""
    folder, reports = outcome.folder, outcome.reports
    values = {part: report.to_json() for part, report in reports.items()}
    write_atomically(folder / "report.json", (json.dumps(values, indent=1) + "\n").encode())
    for part, report in reports.items():
        if report.per_user is not None:
            report.per_user.save(folder / f"per_user_{part}.npz")
    write_report(folder / REPORT_PAGE, _page(outcome))
    metadata = {
        "run": outcome.run.id,
        **_hashes(outcome),
        "code": outcome.run.provenance["code"],
        "figures": outcome.run.to_json()["figures"],
    }
    save_bundle(outcome.recommender, outcome.split.ratings, folder / "bundle", metadata)


def _hashes(outcome: CompletedRun) -> dict[str, str]:
    return {
        "config_hash": config_hash(outcome.config),
        "data_hash": outcome.split.ratings.content_hash,
        "split_hash": outcome.split.hash,
    }


def _page(outcome: CompletedRun) -> RunPage:
    run, config = outcome.run, outcome.config
    train = outcome.split.part("train")
    slate = recommend_slate(outcome.recommender, train, typical_user(train))
    return RunPage(
        title=run.id,
        model=f"{run.model} from the template {run.template}, {split_name(outcome.split.config)}",
        report=outcome.reports["test"],
        command=_command(config),
        targets=run.gate,
        history=run.history,
        best_epoch=run.best_epoch,
        recommendations=[asdict(line) for line in slate.recommendations],
        recommended_to=f"user {slate.user_id}, who loved {'; '.join(slate.favourites)}",
        findings=outcome.split.ratings.findings,
        warnings=run.findings,
        contingencies=run.contingencies,
        utilization=run.utilization,
        cost=describe_cost(run),
        configuration=config.model_dump(mode="json"),
        environment={**_of(run.provenance, "code"), **_of(run.provenance, "environment")},
        hashes=_hashes(outcome),
    )


def _of(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in values[key].items() if value is not None}


def _command(config: ExperimentConfig) -> str:
    """Return what to type to get the same figures again, whatever becomes of the template."""
    decisive = config.model_dump(
        mode="json", include={"data", "split", "model", "training", "evaluation", "targets"}
    )
    words = json.dumps(decisive).replace("'", "'\\''")
    return (
        f"recsys experiment create {config.template} {config.name} --modifications '{words}'\n"
        f"recsys experiment run {config.name}"
    )
