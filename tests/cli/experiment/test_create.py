"""Creating, cloning and archiving experiments."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.experiment.conftest import Recsys

from movielens_recsys.runs import store
from movielens_recsys.settings import load_settings


def test_create_prints_the_id_and_the_next_command(recsys: Recsys) -> None:
    code, out, _ = recsys(
        "create", "quickstart", "a", "--description", "why [not]", "--tag", "x", "--tag", "y"
    )
    (run_id,) = store.run_ids(load_settings())
    assert (code, out.splitlines()) == (0, [f"created {run_id}", f"next:   recsys experiment run {run_id}"])
    _, shown, _ = recsys("show", "a")
    assert "why [not]" in shown
    assert "quickstart, x, y" in shown


def test_archived_experiments_are_searched_but_not_listed(
    recsys: Recsys, created: Callable[..., str]
) -> None:
    run_id = created("quickstart", "a")
    assert recsys("archive", "a")[:2] == (0, f"archived {run_id}\n")
    assert json.loads(recsys("list", "--json")[1]) == []
    for words in (("list", "--all"), ("list", "--status", "archived"), ("search",)):
        assert [run["id"] for run in json.loads(recsys(*words, "--json")[1])] == [run_id]


def test_templates_are_listed_with_their_descriptions(recsys: Recsys) -> None:
    answer: list[dict[str, Any]] = json.loads(recsys("templates", "--json")[1])
    assert {"quickstart", "hybrid_vae_word_for_word"} <= {row["name"] for row in answer}
    assert "quickstart" in recsys("templates")[1]


def test_one_key_is_set_by_its_name_and_many_by_a_file(
    recsys: Recsys, created: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "changes.json").write_text('{"training": {"epochs": 5, "seed": 1}}')
    words = ("-m", f"@{tmp_path / 'changes.json'}", "--set", "training.seed=7", "--set", "model.latent_dim=8")
    original = created("quickstart", "a", *words)
    code, out, err = recsys("clone", original, "b", "--set", "training.epochs=6", "--json")
    assert (code, err) == (0, "")
    for run_id, epochs in ((original, 5), (json.loads(out)["id"], 6)):
        config = json.loads(recsys("show", run_id, "--json")[1])["config"]
        assert (config["training"]["epochs"], config["training"]["seed"]) == (epochs, 7)
        assert config["model"]["latent_dim"] == 8


def test_keys_are_listed_searched_and_shown_with_the_values_of_a_template(recsys: Recsys) -> None:
    lines = recsys("keys", "training.epochs")[1].splitlines()
    assert lines[0].split() == ["key", "of", "value", "default", "meaning"]
    assert lines[1].startswith("training.epochs  -   integer ≥ 1, ≤ 100000  50 ")
    (row,) = json.loads(recsys("keys", "quickstart", "training.epochs", "--json")[1])
    assert row["default"] == "60"
    assert len(recsys("keys")[1].splitlines()) > 200
    code, out, err = recsys("keys", "training.epohcs")
    assert (code, out) == (2, "")
    assert "did you mean 'training.epochs'" in err


def test_an_unknown_data_set_is_refused_before_anything_is_created(recsys: Recsys, home: Path) -> None:
    code, out, err = recsys("create", "quickstart", "lost", "-m", '{"data": {"name": "ml-100"}}')
    assert (code, out) == (2, "")
    assert "did you mean 'ml-10" in err
    assert not (home / "runs").exists()


def test_preflight_findings_are_warned_of_and_shown_as_accepted(recsys: Recsys) -> None:
    changes = json.dumps({"training": {"kl_weight": 0.02, "batch_size": 1024}})
    code, out, err = recsys("create", "quickstart", "bold", "-m", changes, "--accept", "batch_size")
    assert (code, out.splitlines()[0].startswith("created bold_")) == (0, True)
    assert "kl_weight 0.02 against 0.015" in err
    assert "batch_size" not in err
    code, out, err = recsys("clone", "bold", "bolder", "-m", '{"model": {"n_factors": 64}}', "--json")
    assert [row["name"] for row in json.loads(out)["findings"]] == ["kl_weight", "batch_size", "capacity"]
    assert len(err.splitlines()) == 3
    shown = recsys("show", "bold_")[1]
    assert "creation, accepted" in shown
    found = json.loads(recsys("show", "bold_", "--json")[1])["findings"]
    assert [(row["name"], row["accepted"]) for row in found] == [("kl_weight", False), ("batch_size", True)]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["create", "quikstart", "a"], 2, "did you mean 'quickstart'"),
        (["create", "quickstart", "a/b"], 2, "cannot be the name"),
        (["create", "quickstart", "a" * 300], 2, "has 300 characters; expected at most 80"),
        (["create", "quickstart", ""], 2, "cannot be the name"),
        (["create", "quickstart", "a", "-m", "{training: 1}"], 2, "not JSON at line 1 column 2"),
        (["create", "quickstart", "a", "-m", "[]"], 2, "expected an object"),
        (["create", "quickstart", "a", "-m", '{"training": {"sed": 1}}'], 2, "did you mean 'seed'"),
        (["create", "hybrid_vae_optimized", "a", "-m", '{"training": {"swa": true}}'], 2, "training.swa"),
        (["create", "quickstart", "a", "--set", "epochs=5"], 2, "did you mean 'training.epochs'"),
        (["create", "quickstart", "a", "--set", "epochs"], 2, "expected KEY=VALUE"),
        (["create", "quickstart", "a", "-m", "@nothing.json"], 2, "cannot read the modifications in nothing"),
        (["create", "quickstart"], 2, "missing argument NAME"),
        (["create", "quickstart", "a", "--accept", "batchsize"], 2, "did you mean 'batch_size'"),
        (["creat"], 2, "creat"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line_and_change_nothing(
    words: list[str], code: int, message: str, recsys: Recsys, home: Path
) -> None:
    got, out, err = recsys(*words)
    assert (got, out) == (code, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert err.startswith("error: ")
    assert not home.exists()
