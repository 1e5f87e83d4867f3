"""What is refused before anything is created, and the same request made again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.example_runs import Finish

from movielens_recsys.data.readers.options import ReadOptions
from movielens_recsys.data.sources.user_datasets import register_dataset
from movielens_recsys.ensembles.create import create_ensemble, go_on, plan_of
from movielens_recsys.ensembles.members import MemberSpec
from movielens_recsys.ensembles.store import REPORT, ensemble_lock, ensemble_names, load_plan, save_plan
from movielens_recsys.errors import ConfigError, RecsysError, UsageError
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([{"experiment": "done"}], "1 member; expected 2"),
        ([{"experiment": "done"}, {"experiment": "done"}], "exactly the model"),
        ([{"template": "quickstart", "seeds": (4, 4)}], "exactly the model .* another training.seed"),
        (
            [{"template": "user_item_bias", "seeds": (1, 2)}],
            "exactly the model .* no seed changes user_item_bias",
        ),
        (
            [
                {"template": "bayesian_mf"},
                {"template": "bayesian_mf", "modifications": {"training": {"epochs": 3}}},
            ],
            "exactly the model",
        ),
        (
            [{"template": name, "modifications": {"split": {"validation": 0}}} for name in ("ease", "ials")],
            "leaves no validation rows for the blend 'auto'; .* add --blend mean",
        ),
        (
            [
                {"template": name, "modifications": {"evaluation": {"relevance_threshold": 6}}}
                for name in ("ease", "ials")
            ],
            "evaluation.relevance_threshold is 6, and the ratings of ml-100k are from 1 to 5",
        ),
        ([{"template": "quickstrt", "seeds": (1, 2)}], "did you mean 'quickstart'"),
        ([{"experiment": "dune"}, {"template": "quickstart"}], "unknown experiment 'dune'"),
        ([{"experiment": "done"}, {"experiment": "broken"}], "failed and cannot be a member"),
        ([{"experiment": "done"}, {"experiment": "elsewhere"}], "split.hash is s1s1.* and s2s2"),
        (
            [{"experiment": "done"}, {"template": "quickstart", "modifications": {"split": {"seed": 1}}}],
            "split.seed is 0 and 1",
        ),
        (
            [
                {"experiment": "done"},
                {
                    "template": "quickstart",
                    "modifications": {"data": {"name": "ml-1m"}, "split": {"test": 0.2}},
                },
            ],
            "data.name is ml-100k and ml-1m; split.test is 0.1 and 0.2",
        ),
    ],
)
def test_impossible_ensembles_are_refused(
    specs: list[dict[str, Any]], message: str, settings: Settings, finish: Finish
) -> None:
    finish("done")
    finish("elsewhere", split="s2", modifications={"training": {"seed": 1}})
    finish("broken", end="failed", modifications={"training": {"seed": 2}})
    before = store.run_ids(settings)
    with pytest.raises(RecsysError, match=message), ensemble_lock("refused", settings):
        create_ensemble("refused", [MemberSpec(**spec) for spec in specs], None, settings)
    assert store.run_ids(settings) == before
    assert not (settings.ensembles / "refused").exists()


def test_the_same_request_finds_its_plan_and_another_is_refused(settings: Settings, finish: Finish) -> None:
    first, second = finish("first"), finish("second", modifications={"training": {"seed": 1}})
    specs = [MemberSpec(experiment="first"), MemberSpec(experiment="second")]
    assert plan_of("both", specs, None, settings) is None
    with ensemble_lock("both", settings):
        plan = create_ensemble("both", specs, "ridge", settings)
    assert plan.members == (first.id, second.id)
    assert ensemble_names(settings) == ["both"]
    full_ids = [MemberSpec(experiment=first.id), MemberSpec(experiment=second.id)]
    assert plan_of("both", full_ids, "ridge", settings) == plan == plan_of("both", [], None, settings)
    with pytest.raises(UsageError, match="planned differently"):
        plan_of("both", full_ids[::-1], "ridge", settings)


def test_the_blend_of_a_plan_may_change_until_it_is_made(settings: Settings, finish: Finish) -> None:
    ids = [finish("first").id, finish("second", modifications={"training": {"seed": 1}}).id]
    with ensemble_lock("both", settings):
        create_ensemble("both", [MemberSpec(experiment=id) for id in ids], None, settings)
    plan = plan_of("both", [], "mean", settings)
    assert plan is not None
    go_on(plan, settings)
    assert load_plan("both", settings).blend == "mean"
    (settings.ensembles / "both" / REPORT).write_text("{}")
    with pytest.raises(UsageError, match=rf"run NEW_NAME --members {ids[0]} {ids[1]} --blend ridge"):
        plan_of("both", [], "ridge", settings)


def test_a_plan_from_before_without_validation_rows_is_refused_before_it_trains(settings: Settings) -> None:
    without = {"split": {"validation": 0.0}}
    runs = [
        store.create_run(config_from_template(template, template, without), settings)
        for template in ("global_mean", "user_item_bias")
    ]
    with ensemble_lock("old", settings):
        plan = save_plan("old", [run.id for run in runs], "auto", [], settings)
    with pytest.raises(ConfigError, match="no validation rows"):
        go_on(plan, settings)
    go_on(replace(plan, blend="mean"), settings)


def test_interactions_hold_no_ratings_to_blend(settings: Settings, tmp_path: Path) -> None:
    rows = [f"{user},{item}" for user in range(20) for item in range(user % 3, 20, 2)]
    (tmp_path / "likes.csv").write_text("\n".join(["user,item", *rows]) + "\n")
    register_dataset(tmp_path / "likes.csv", "likes", settings, ReadOptions(implicit=True))
    modifications = {"data": {"name": "likes"}}
    specs = [MemberSpec(template=name, modifications=modifications) for name in ("ease", "item_knn")]
    with (
        pytest.raises(ConfigError, match=r"likes holds interactions.*create list_blend"),
        ensemble_lock("both", settings),
    ):
        create_ensemble("both", specs, "mean", settings)
    assert store.run_ids(settings) == []
