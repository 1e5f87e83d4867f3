"""Which model a command answers from, and what it says where the ratings are away."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.cli.recommending.conftest import Recsys, settings_of

from movielens_recsys.runs import event_writer, store


def answer(recsys: Recsys, *words: str) -> dict:
    code, out, err = recsys(*words, "--json")
    assert code == 0, err
    return json.loads(out)


def test_a_model_is_named_by_id_beginning_or_folder(recsys: Recsys, made: Path) -> None:
    run_id = store.find_run("choices", settings_of(made))
    folder = made / "home" / "runs" / run_id
    first = answer(recsys, "recommend", run_id, "--user", "7")
    for name in ("choices", str(folder), str(folder / "bundle")):
        assert answer(recsys, "recommend", name, "--user", "7")["users"] == first["users"]
    assert first["notes"] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("planned", ["is planned and has no model", "`recsys experiment run planned_"]),
        ("nothing", ["unknown experiment 'nothing'"]),
        (".", ["holds no bundle; expected a folder with bundle.json"]),
    ],
)
def test_what_is_no_completed_model_is_refused(recsys: Recsys, name: str, words: list[str]) -> None:
    code, out, err = recsys("similar", name, "--item", "7")
    assert (code != 0, out) == (True, "")
    assert all(word in err for word in words)


def test_a_folder_of_the_same_name_is_not_meant(
    recsys: Recsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "choices").mkdir()
    monkeypatch.chdir(tmp_path)
    assert recsys("recommend", "choices", "--user", "7")[0] == 0


def test_an_ensemble_answers_by_its_name(recsys: Recsys, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_HOME", str(root / "home"))
    members = [store.find_run(name, settings_of(root)) for name in ("biases", "choices")]
    assert recsys("ensemble", "run", "duo", "--members", *members, "--blend", "mean")[0] == 0
    found = answer(recsys, "recommend", "duo", "--user", "7")
    assert found["notes"] == []
    assert found["ordered_by"].startswith("mean of the members' scores")
    (root / "home" / "ensembles" / "duo" / "report.json").unlink()
    assert "`recsys ensemble run duo`" in recsys("recommend", "duo", "--user", "7")[2]


def test_the_next_step_fits_the_state(recsys: Recsys, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(root)
    monkeypatch.setenv("RECSYS_HOME", str(settings.home))
    run_id = store.find_run("planned", settings)

    def advice() -> str:
        return recsys("recommend", run_id, "--user", "7")[2]

    with event_writer.open_log(run_id, settings) as writer:
        writer.append("started", {"attempt": 1, "pid": 1, "code": {}})
        assert f"`recsys watch {run_id}`" in advice()
    assert f"`recsys experiment resume {run_id}" in advice()
    assert f"{run_id} has lost its process and has no model" in advice()
    for kind, data, command in (
        ("stopped", {"reason": "interrupted"}, f"resume {run_id}"),
        ("fitted", {"best_epoch": None, "stopped_because": "", "seconds": 1.0}, f"evaluate {run_id}"),
        ("failed", {"reason": "it broke", "final": True}, f"clone {run_id} NEW_NAME"),
    ):
        with event_writer.open_log(run_id, settings) as writer:
            writer.append(kind, data)
        assert f"`recsys experiment {command}`" in advice()


def test_a_name_stands_for_the_newest_completed_one(
    recsys: Recsys, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(root)
    monkeypatch.setenv("RECSYS_HOME", str(settings.home))
    fitted = store.find_run("choices", settings)
    config = store.load_config(fitted, settings)
    newest = store.create_run(config, settings).id
    code, _, err = recsys("recommend", "choices", "--user", "7")
    assert (code, err) == (0, f"choices stands for {fitted}, the newest completed one of that name\n")
    assert recsys("experiment", "archive", fitted)[0] == 0
    assert recsys("recommend", "choices", "--user", "7")[0] == 0
    assert f"{newest} is planned and has no model" in recsys("recommend", newest, "--user", "7")[2]
    second = store.create_run(store.load_config(store.find_run("planned", settings), settings), settings).id
    assert f"{second} is planned and has no model" in recsys("recommend", "planned", "--user", "7")[2]


def test_an_archived_model_still_answers(recsys: Recsys, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_HOME", str(root / "home"))
    assert recsys("experiment", "archive", "biases")[0] == 0
    assert len(answer(recsys, "recommend", "biases", "--user", "7")["users"][0]["recommendations"]) == 10


def test_without_the_ratings_it_says_what_is_not_left_out(recsys: Recsys, made: Path, tmp_path: Path) -> None:
    settings = settings_of(made)
    for name, words in (("biases", "cannot be left out"), ("choices", "only the training positives")):
        bundle = made / "home" / "runs" / store.find_run(name, settings) / "bundle"
        moved = shutil.copytree(bundle, tmp_path / name)
        description = json.loads((moved / "bundle.json").read_text())
        description["metadata"]["run"] = "of_another_home"
        (moved / "bundle.json").write_text(json.dumps(description))
        code, out, err = recsys("recommend", str(moved), "--user", "7", "--json")
        assert code == 0
        assert words in err
        assert "--data" in err
        found = json.loads(out)
        assert words in found["notes"][0]
        lines = found["users"][0]["recommendations"]
        assert all(line["title"] == str(line["item"]) for line in lines)
        named = answer(recsys, "recommend", str(moved), "--user", "7", "--data", str(made / "films"))
        assert all(line["title"].startswith("Film") for line in named["users"][0]["recommendations"])
        assert named["notes"] == []


def test_ratings_that_are_named_must_be_the_model_s(recsys: Recsys, made: Path, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("user,item,rating\n1,2,3\n2,2,5\n")
    code, _, err = recsys("recommend", "biases", "--user", "7", "--data", str(tmp_path / "other.csv"))
    assert code == 1
    assert "not those that the model was fitted to" in err
    assert recsys("recommend", "biases", "--user", "7", "--data", "nowhere")[0] == 2
    films = shutil.copytree(made / "films", tmp_path / "films")
    lines = (films / "ratings.csv").read_text().splitlines()
    user, item, _, time = lines[-1].split(",")
    (films / "ratings.csv").write_text("\n".join([*lines[:-1], f"{user},{item},1,{time}"]) + "\n")
    code, _, err = recsys("recommend", "biases", "--user", "7", "--data", str(films))
    assert code == 0
    assert f"the model was fitted to {made / 'films'}, not to {films}: it has learned from" in err
    assert f"left out is what users have rated in {films.name}" in err
