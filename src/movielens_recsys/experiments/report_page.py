"""The report of a completed run, made anew from its artifacts where it is missing."""

from __future__ import annotations

import json
from pathlib import Path

from movielens_recsys.errors import ExperimentError
from movielens_recsys.evaluation.report import Report
from movielens_recsys.experiments.artifacts import REPORT_PAGE, CompletedRun, write_page
from movielens_recsys.experiments.run_data import load_split
from movielens_recsys.models.bundle import load_bundle
from movielens_recsys.runs.store import load_config, load_run, run_folder
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings


def report_page(run_id: str, settings: Settings) -> Path:
    """Return the path of a completed run's report, which is written if it is missing.

    Raises
    ------
    ExperimentError
        The run is not completed, or its metrics cannot be read.
    RecsysError
        The report is missing, and the run's data or bundle cannot be read.
    """
    folder = run_folder(run_id, settings)
    path = folder / REPORT_PAGE
    if path.is_file():
        return path
    run = load_run(run_id, settings)
    if RunState.COMPLETED not in {run.state, run.state_before_archive}:
        raise ExperimentError(
            f"experiment {run_id} is {run.state} and has no report yet",
            expected="a completed one",
            next_step=f"see how far it is: `recsys experiment show {run_id}`",
        )
    config = load_config(run_id, settings).with_evaluation(run.evaluation)
    reports = _load_reports(folder / "report.json", run_id)
    bundle, split = load_bundle(folder / "bundle"), load_split(config, settings)
    bundle.check_ids(split.ratings)
    write_page(CompletedRun(run, config, split, bundle.recommender, reports, folder))
    return path


def _load_reports(path: Path, run_id: str) -> dict[str, Report]:
    try:
        values = json.loads(path.read_bytes())
        return {part: Report.from_json(report) for part, report in values.items()}
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise ExperimentError(
            f"cannot use {path} ({exc})",
            next_step=f"run a copy: `recsys experiment clone {run_id} NEW_NAME`",
        ) from exc
