"""What is refused before anything is created, and the same request made again."""

from __future__ import annotations

from typing import Any

import pytest
from tests.example_runs import Finish

from movielens_recsys.ensembles.create import create_ensemble, plan_of
from movielens_recsys.ensembles.members import MemberSpec
from movielens_recsys.ensembles.store import ensemble_lock, ensemble_names
from movielens_recsys.errors import RecsysError, UsageError
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([{"experiment": "done"}], "1 member; expected 2"),
        ([{"experiment": "done"}, {"experiment": "done"}], "exactly the configuration"),
        ([{"template": "quickstart", "seeds": (4, 4)}], "exactly the configuration"),
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
    for other, blend in ((full_ids, "mean"), (full_ids[::-1], "ridge")):
        with pytest.raises(UsageError, match="planned differently"):
            plan_of("both", other, blend, settings)
