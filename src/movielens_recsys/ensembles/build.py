"""Building an ensemble of completed members: blend, bundle, metrics and, written last, its report."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movielens_recsys.arrays import FloatArray, IntArray
from movielens_recsys.data.splits.split import HeldOutPart, Split, split_name
from movielens_recsys.ensembles import store as ensemble_store
from movielens_recsys.ensembles.blend_selection import BlendResult, select_blend
from movielens_recsys.ensembles.predictions import predictions_of
from movielens_recsys.ensembles.store import EnsemblePlan
from movielens_recsys.evaluation.evaluate import evaluate
from movielens_recsys.evaluation.metric_name import run_metric_name
from movielens_recsys.evaluation.report import Report
from movielens_recsys.experiments.artifacts import BIAS_ROW, REPORT_PAGE
from movielens_recsys.experiments.evaluate_run import evaluated_event
from movielens_recsys.experiments.run_data import data_event, load_split, require_same_rows
from movielens_recsys.experiments.targets import check_targets
from movielens_recsys.files import write_atomically
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.bundle import load_bundle, save_bundle
from movielens_recsys.models.ensemble.model import Ensemble
from movielens_recsys.models.factory import build_model
from movielens_recsys.recommending.slate import recommend_slate, typical_user
from movielens_recsys.reports.run_report import RunPage, write_report
from movielens_recsys.runs import store
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.provenance import provenance_of
from movielens_recsys.runs.run import Run, RunMetric
from movielens_recsys.settings import Settings


def build_ensemble(plan: EnsemblePlan, settings: Settings) -> dict[str, Any]:
    """Blend the completed members of ``plan``, evaluate the blend, and save bundle, metrics and report.

    The evaluation and the targets are those of the first member.

    Raises
    ------
    ExperimentError
        A member was trained on other rows than the data have now.
    UsageError
        The split has no validation rows and the blend needs them.
    BundleError
        A member's bundle is missing or damaged.
    """
    started = time.monotonic()
    runs = [store.load_run(run_id, settings) for run_id in plan.members]
    configs = [store.load_evaluated_config(run, settings) for run in runs]
    split = load_split(configs[0], settings)
    for run in runs:
        require_same_rows(run, split)
    models = [load_bundle(store.run_folder(run.id, settings) / "bundle").recommender for run in runs]
    predictions = {
        run.id: predictions_of(run.id, model, split, settings)
        for run, model in zip(runs, models, strict=True)
    }
    result = select_blend(predictions, split, configs[0].evaluation, plan.blend)
    ensemble = Ensemble.of(models, result.blend, result.fitted, result.meta_features)
    reports = _evaluate(ensemble, result, split, configs[0])
    values = _values(plan, runs, configs, split, result, reports)
    values["seconds"] = time.monotonic() - started
    folder = ensemble_store.ensemble_folder(plan.name, settings)
    _save(folder, ensemble, split, reports, values, configs[0])
    return values


class PrecomputedEnsemble:
    """The ensemble with its predictions for the rows of one part computed beforehand."""

    def __init__(
        self, ensemble: Ensemble, split: Split, part: HeldOutPart, predicted: NDArray[np.float64]
    ) -> None:
        rows = split.part(part)
        self._ensemble = ensemble
        keys = self._keys(rows.users, rows.items)
        order = np.argsort(keys, kind="stable")
        self._sorted, self._predicted = keys[order], predicted[order].astype(np.float32)
        self.n_users, self.n_items = ensemble.n_users, ensemble.n_items

    def _keys(self, users: IntArray, items: IntArray) -> NDArray[np.int64]:
        return users.astype(np.int64) * self._ensemble.n_items + items

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Return the predictions of pairs that all belong to the part, shape (n,)."""
        return self._predicted[np.searchsorted(self._sorted, self._keys(users, items))]

    def score(self, users: IntArray) -> FloatArray:
        """Return the ensemble's scores, shape (n users, n items)."""
        return self._ensemble.score(users)

    def fold_in(self, items: IntArray, ratings: FloatArray) -> FloatArray:
        """Return the ensemble's scores for a new user."""
        return self._ensemble.fold_in(items, ratings)


def _evaluate(
    ensemble: Ensemble, result: BlendResult, split: Split, config: ExperimentConfig
) -> dict[HeldOutPart, Report]:
    references = {BIAS_ROW: build_model(UserItemBiasConfig(), split.part("train"))}
    return {
        part: evaluate(
            PrecomputedEnsemble(ensemble, split, part, predicted),
            split,
            part=part,
            config=config.evaluation,
            references=references,
        )
        for part, predicted in result.predicted.items()
    }


def _values(
    plan: EnsemblePlan,
    runs: list[Run],
    configs: list[ExperimentConfig],
    split: Split,
    result: BlendResult,
    reports: Mapping[HeldOutPart, Report],
) -> dict[str, Any]:
    """Return the report as plain JSON values."""
    metrics = {
        run_metric_name(part, name): metric
        for part, report in reports.items()
        for name, metric in evaluated_event(part, report)["figures"].items()
        if metric["value"] is not None
    }
    measured = {name: RunMetric(**metric) for name, metric in metrics.items()}
    blend_values = result.to_json()
    for member, run, config in zip(blend_values["members"], runs, configs, strict=True):
        member.update(template=run.template, model=run.model, seed=config.training.seed)
    return {
        **plan.to_json(),
        "asked_blend": plan.blend,
        **blend_values,
        "completed": datetime.now(UTC).isoformat(timespec="seconds"),
        **data_event(split),
        "figures": metrics,
        "gate": check_targets(configs[0], measured),
        "provenance": provenance_of(configs[0]),
        "reports": {part: report.to_json() for part, report in reports.items()},
    }


def _save(
    folder: Path,
    ensemble: Ensemble,
    split: Split,
    reports: Mapping[HeldOutPart, Report],
    values: dict[str, Any],
    config: ExperimentConfig,
) -> None:
    """Write every file atomically; the report, which says that the ensemble is complete, comes last."""
    for part, report in reports.items():
        if report.per_user is not None:
            report.per_user.save(folder / f"per_user_{part}.npz")
    hashes = {"data_hash": split.ratings.content_hash, "split_hash": split.hash}
    members = [member["run"] for member in values["members"]]
    metadata = {
        "ensemble": values["name"],
        "members": members,
        **hashes,
        "code": values["provenance"]["code"],
        "figures": values["figures"],
    }
    save_bundle(ensemble, split.ratings, folder / "bundle", metadata)
    train = split.part("train")
    slate = recommend_slate(ensemble, train, typical_user(train))
    write_report(
        folder / REPORT_PAGE,
        RunPage(
            title=values["name"],
            model=f"{len(members)} experiments blended by {values['blend']}, {split_name(split.config)}",
            report=reports["test"],
            command=f"recsys ensemble run {values['name']} --members {' '.join(members)}",
            targets=values["gate"],
            recommendations=[asdict(line) for line in slate.recommendations],
            ordered_by=ensemble.score_meaning,
            recommended_to=f"user {slate.user_id}, who loved {'; '.join(slate.favourites)}",
            findings=split.ratings.findings,
            configuration={
                "blend": {"name": values["blend"], **_rmse_texts(values["blends"])},
                **{member["run"]: _member_texts(member) for member in values["members"]},
                "evaluation": config.evaluation.model_dump(mode="json"),
            },
            environment={**values["provenance"]["code"], **values["provenance"]["environment"]},
            hashes=hashes,
        ),
    )
    write_atomically(folder / ensemble_store.REPORT, (json.dumps(values, indent=1) + "\n").encode())


def _rmse_texts(by_part: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    return {
        f"{name} RMSE": ", ".join(f"{part} {value:.4f}" for part, value in values.items())
        for name, values in by_part.items()
    }


def _member_texts(member: Mapping[str, Any]) -> dict[str, str]:
    return {
        "template": f"{member['template']}, seed {member['seed']}",
        "weight": f"{member['weight']:.3f}",
        **_rmse_texts({"own": member["rmse"], "without it": member["without"]}),
        "adds to the RMSE": ", ".join(
            f"{part} {adds['difference']:+.4f} [{adds['low']:+.4f}, {adds['high']:+.4f}]"
            for part, adds in member["adds"].items()
        ),
        **({"same ratings as": member["same_as"]} if "same_as" in member else {}),
    }
