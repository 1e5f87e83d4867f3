"""An ensemble that is built is measured like a run and saved as a whole."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.ensembles.conftest import load

from movielens_recsys.ensembles import store as ensemble_store
from movielens_recsys.ensembles.build import build_ensemble
from movielens_recsys.errors import ExperimentError
from movielens_recsys.evaluation.per_user import PerUserMetrics
from movielens_recsys.models.bundle import load_bundle
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings


def test_a_built_ensemble_is_evaluated_like_a_run_and_saved_completely(
    members: list[str], settings: Settings
) -> None:
    with ensemble_store.ensemble_lock("all", settings):
        values = build_ensemble(ensemble_store.save_plan("all", members, "ridge", [], settings), settings)
    folder = settings.ensembles / "all"
    assert ensemble_store.load_report("all", settings) == json.loads(json.dumps(values))
    assert ensemble_store.state_of("all", settings) == "completed"
    assert (values["blend"], values["best_member"]) == ("ridge", members[2])
    best_run = store.load_run(members[2], settings)
    assert values["data"]["hash"] == best_run.data["hash"]
    assert set(values["figures"]) == set(best_run.metrics)
    best = values["members"][2]
    assert best["rmse"]["test"] == pytest.approx(best_run.metrics["test_rmse"].value, abs=1e-6)
    assert best["adds"]["validation"]["better"] == best["adds"]["test"]["better"] == "a", "it helps"
    assert values["gate"][0]["validation"] == values["figures"]["val_rmse"]["value"]
    assert values["figures"]["val_rmse"]["value"] == pytest.approx(values["blends"]["ridge"]["validation"])

    loaded, split = load_bundle(folder / "bundle"), load(members, settings)[1]
    assert loaded.metadata["members"] == members
    test = split.part("test")
    predicted = loaded.recommender.predict(test.users, test.items)
    again = float(np.sqrt(np.mean((predicted.astype(np.float64) - test.ratings) ** 2)))
    assert values["figures"]["test_rmse"]["value"] == pytest.approx(again, abs=1e-6)
    assert PerUserMetrics.load(folder / "per_user_test.npz").split_hash == split.hash
    assert members[0] in (folder / "report.html").read_text()


def test_members_of_data_that_have_changed_are_refused(
    members: list[str], completed_members: Path, settings: Settings, tmp_path: Path
) -> None:
    before, after = completed_members / "small.csv", tmp_path / "changed.csv"
    after.write_text(before.read_text() + "1,1,5,2000000000\n")
    for id in members:
        config = store.run_folder(id, settings) / "config.json"
        config.write_text(config.read_text().replace(str(before), str(after)))
    plan = ensemble_store.save_plan("late", members, "mean", [], settings)
    with pytest.raises(ExperimentError, match=f"experiment {members[0]} began with the data"):
        build_ensemble(plan, settings)
    assert ensemble_store.load_report("late", settings) is None
