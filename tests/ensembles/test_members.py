"""What can be asked for, and what is refused with the reason, before anything is created."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.example_runs import Finish

from movielens_recsys.ensembles.create import create_ensemble, plan_of
from movielens_recsys.ensembles.members import MemberSpec, read_members, resolve_members
from movielens_recsys.ensembles.store import ensemble_lock, ensemble_names
from movielens_recsys.errors import RecsysError, UsageError
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings

FILE = """
modifications: {training: {epochs: 3}}
members:
  - {template: quickstart, seeds: [1, 2]}
  - template: user_item_bias
    modifications: {model: {user_regularization: 7}}
  - {experiment: old}
  - {clone: old, modifications: {model: {n_factors: 8}}}
"""


def test_a_file_mixes_templates_seeds_clones_and_experiments(
    tmp_path: Path, settings: Settings, finish: Finish
) -> None:
    old = finish("old")
    (tmp_path / "members.yaml").write_text(FILE)
    wishes = read_members(tmp_path / "members.yaml")
    found = resolve_members("mixed", wishes, settings)
    assert [str(one) for one in found] == ["mixed_1", "mixed_2", "mixed_3", old.id, "mixed_5"]
    assert [one.config.training.seed for one in found[:2]] == [1, 2]
    assert [one.config.training.epochs for one in found] == [3, 3, 3, 60, 3]
    assert found[2].config.model.user_regularization == 7
    assert (found[4].config.model.n_factors, found[4].config.template) == (8, "quickstart")
    assert all("ensemble" in one.config.tags for one in found if one.run is None)
    assert store.run_ids(settings) == [old.id], "nothing is created by asking"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("members: [", "while parsing"),
        ("memberz: []", "members.yaml: unknown key 'memberz'.* did you mean 'members'"),
        ("- a list", "list `members`"),
        ("members: []", "members"),
        ("members: [{template: quickstart, experiment: old}]", "experiment and template"),
        ("members: [{seeds: [1]}]", "no origin"),
        ("members: [{experiment: old, seeds: [1]}]", "taken as it is"),
        ("members: [{templat: quickstart}]", "did you mean 'template'"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "members.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=says) as caught:
        read_members(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ([{"experiment": "done"}], "1 member; expected 2"),
        ([{"experiment": "done"}, {"experiment": "done"}], "the very same"),
        ([{"template": "quickstart", "seeds": (4, 4)}], "the very same"),
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
def test_what_cannot_be_an_ensemble_is_refused(
    wishes: list[dict[str, Any]], says: str, settings: Settings, finish: Finish
) -> None:
    finish("done")
    finish("elsewhere", split="s2", modifications={"training": {"seed": 1}})
    finish("broken", end="failed", modifications={"training": {"seed": 2}})
    before = store.run_ids(settings)
    with pytest.raises(RecsysError, match=says), ensemble_lock("refused", settings):
        create_ensemble("refused", [MemberSpec(**wish) for wish in wishes], None, settings)
    assert store.run_ids(settings) == before
    assert not (settings.ensembles / "refused").exists()


def test_the_same_request_is_known_again_and_another_is_refused(settings: Settings, finish: Finish) -> None:
    first, second = finish("first"), finish("second", modifications={"training": {"seed": 1}})
    wishes = [MemberSpec(experiment="first"), MemberSpec(experiment="second")]
    assert plan_of("both", wishes, None, settings) is None
    with ensemble_lock("both", settings):
        plan = create_ensemble("both", wishes, "ridge", settings)
    assert plan.members == (first.id, second.id)
    assert ensemble_names(settings) == ["both"]
    whole = [MemberSpec(experiment=first.id), MemberSpec(experiment=second.id)]
    assert plan_of("both", whole, "ridge", settings) == plan == plan_of("both", [], None, settings)
    for other, blend in ((whole, "mean"), (whole[::-1], "ridge")):
        with pytest.raises(UsageError, match="planned otherwise"):
            plan_of("both", other, blend, settings)
