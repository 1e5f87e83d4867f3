"""Member specs: what a file may hold, and what is refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.example_runs import Finish

from movielens_recsys.ensembles.members import read_members, resolve_members
from movielens_recsys.errors import UsageError
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
    specs = read_members(tmp_path / "members.yaml")
    found = resolve_members("mixed", specs, settings)
    assert [str(member) for member in found] == ["mixed_1", "mixed_2", "mixed_3", old.id, "mixed_5"]
    assert [member.config.training.seed for member in found[:2]] == [1, 2]
    assert [member.config.training.epochs for member in found] == [3, 3, 3, 60, 3]
    assert found[2].config.model.user_regularization == 7
    assert (found[4].config.model.n_factors, found[4].config.template) == (8, "quickstart")
    assert all("ensemble" in member.config.tags for member in found if member.run is None)
    assert store.run_ids(settings) == [old.id], "resolving creates nothing"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("members: [", "members.yaml line 1: no YAML"),
        ("memberz: []", "members.yaml: unknown key 'memberz'.* did you mean 'members'"),
        ("- a list", "list `members`"),
        ("members: []", "members"),
        ("members: [{template: quickstart, experiment: old}]", "experiment and template"),
        ("members: [{seeds: [1]}]", "no origin"),
        ("members: [{experiment: old, seeds: [1]}]", "taken as it is"),
        ("members: [{templat: quickstart}]", "did you mean 'template'"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "members.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        read_members(path)
    assert "\n" not in str(caught.value)
