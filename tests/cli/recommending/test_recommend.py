"""`recsys recommend`: what is shown, what is written, and what is said."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from tests.cli.recommending.conftest import TEMPLATES, Recsys, settings_of

from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.scale import Scale
from movielens_recsys.models.bundle import load_bundle, save_bundle
from movielens_recsys.models.factory import build_model
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.recommending.slate import recommend_slate
from movielens_recsys.runs import store


def ratings_model(path: Path, folder: str) -> str:
    ratings = load_ratings(path, scale=Scale(1, 5, 1))
    model = build_model(EASEConfig(min_positive_rating=4), ratings)
    return str(save_bundle(model, ratings, folder, {"data_hash": ratings.content_hash}))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_user_gets_ten_titles_that_they_have_not_rated(recsys: Recsys, made: Path, name: str) -> None:
    code, out, err = recsys("recommend", name, "--user", "7", "--json")
    assert (code, err) == (0, "")
    (user,) = json.loads(out)["users"]
    lines = user["recommendations"]
    ratings = load_ratings(made / "films", settings_of(made))
    rated = set(ratings.item_ids[ratings.items[ratings.users == ratings.user_index(7)]].tolist())
    assert user["n_rated"] == len(rated)
    assert not rated & {line["item"] for line in lines}
    assert [line["rank"] for line in lines] == list(range(1, 11))
    scores = [line["score"] for line in lines]
    assert scores == sorted(scores, reverse=True)
    assert all(line["title"] == f"Film number {line['item']} (1990)" for line in lines)
    assert all(line["genres"] == ["Comedy", "Drama"] for line in lines)
    assert all((line["predicted_rating"] is None) == (name == "choices") for line in lines)


def test_the_command_and_python_give_the_same(recsys: Recsys, made: Path) -> None:
    settings = settings_of(made)
    ratings = load_ratings(made / "films", settings)
    bundle = load_bundle(made / "home" / "runs" / store.find_run("both", settings) / "bundle")
    slate = recommend_slate(bundle.recommender, ratings, ratings.user_index(7), k=4)
    (user,) = json.loads(recsys("recommend", "both", "--user", "7", "-k", "4", "--json")[1])["users"]
    found = [(line["item"], line["predicted_rating"]) for line in user["recommendations"]]
    assert found == [(line.item_id, line.predicted) for line in slate.recommendations]
    assert tuple(user["favourites"]) == slate.favourites


def test_the_table_says_what_it_is_ordered_by(recsys: Recsys) -> None:
    code, out, _ = recsys("recommend", "choices", "--user", "7", "--user", "8", "-k", "3")
    assert code == 0
    assert out.count("3 items for user") == 2
    assert " ratings and liked most Film number " in out
    assert "predicted rating" not in out
    assert out.count("Film number") >= 6
    assert "Ordered by how likely the user is to choose the item next" in out
    out = recsys("recommend", "biases", "--user", "7")[1]
    assert "predicted rating" in out.splitlines()[1]
    assert "Ordered by predicted rating." in out


def test_an_unknown_user_is_answered_and_that_is_said(recsys: Recsys) -> None:
    code, out, err = recsys("recommend", "choices", "--user", "7", "--user", "zoe", "--json")
    assert code == 0
    assert "as for an unknown user where a user is not in the data set: 1 of 2 (zoe)" in " ".join(err.split())
    known, unknown = json.loads(out)["users"]
    assert (known["known"], unknown["known"]) == (True, False)
    assert unknown["n_rated"] == 0
    assert len(unknown["recommendations"]) == 10
    assert known["recommendations"] != unknown["recommendations"]
    assert "not in the data set: 1 of 1 (007)" in recsys("recommend", "choices", "--user", "007")[2]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_all_users_are_written_as_a_table(recsys: Recsys, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"recs.{ending}"
    code, out, err = recsys("recommend", "both", "--all", "-k", "5", "--output", str(path))
    assert (code, out) == (0, "")
    assert f"200 rows in {path}" in " ".join(err.split())
    read = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}[ending]
    table = read(path)
    assert table.columns == ["user", "item", "rank", "score", "predicted_rating", "title"]
    assert table["user"].to_list() == [user for user in range(1, 41) for _ in range(5)]
    assert table["rank"].to_list() == [1, 2, 3, 4, 5] * 40
    seven = json.loads(recsys("recommend", "both", "--user", "7", "-k", "5", "--json")[1])["users"][0]
    ours = table.filter(pl.col("user") == 7)
    assert ours["item"].to_list() == [line["item"] for line in seven["recommendations"]]
    assert ours["title"].to_list() == [line["title"] for line in seven["recommendations"]]
    code, _, err = recsys("recommend", "both", "--all", "--output", str(path))
    assert (code, "--force" in err) == (2, True)
    assert recsys("recommend", "choices", "--user", "7", "--output", str(path), "--force")[0] == 0
    table = read(path)
    assert (table.height, "predicted_rating" in table.columns) == (10, False)
    assert [other.name for other in tmp_path.iterdir()] == [path.name]


def test_without_a_file_all_users_go_to_standard_output(recsys: Recsys) -> None:
    code, out, err = recsys("recommend", "biases", "--all", "--top", "2")
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(out.splitlines()))
    assert [row["user"] for row in rows] == [str(user) for user in range(1, 41) for _ in range(2)]
    assert rows[0]["title"] == f"Film number {rows[0]['item']} (1990)"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_new_user_is_answered_from_a_history(recsys: Recsys, tmp_path: Path, name: str) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("item,rating\n50,5\n11,4\n999,3\n")
    code, out, err = recsys("recommend", name, "--history", str(mine), "--json")
    assert code == 0
    assert "1 of 3 items are not in the data set, and are left out: 999" in " ".join(err.split())
    (user,) = json.loads(out)["users"]
    assert (user["user"], user["n_rated"], user["known"]) == ("mine", 2, True)
    assert len(user["recommendations"]) == 10
    assert not {50, 11} & {line["item"] for line in user["recommendations"]}
    table = tmp_path / "recs.csv"
    assert recsys("recommend", name, "--history", str(mine), "-o", str(table))[0] == 0
    assert pl.read_csv(table)["item"].to_list() == [line["item"] for line in user["recommendations"]]


def test_a_history_that_makes_no_sense_is_refused(recsys: Recsys, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("item;stars\n50;9\n")
    code, out, err = recsys("recommend", "choices", "--history", str(tmp_path / "mine.csv"))
    assert (code, out) == (1, "")
    assert "line 2: the rating is outside the scale, found 9" in err
    assert "--on-bad-rows reject" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no user to recommend to; expected one of"),
        (["--user", "7", "--all"], "several kinds of users"),
        (["--all", "-o", "recs.xlsx"], "the ending '.xlsx'; expected"),
        (["--all", "-o", "recs"], "no ending"),
        (["--all", "-o", "nowhere/recs.csv"], "no folder nowhere"),
        (["--user", "7", "-k", "0"], "greater than or equal to 1"),
        (["--user", "7", "--user", " "], "the id of a user is empty"),
        (["--user", "7", "--columns", "item=a", "--no-header"], "--columns and --no-header without effect"),
        (["--all", "--on-bad-rows", "reject"], "leave --on-bad-rows out"),
        (["--all", "--force"], "--force without effect"),
        (["--all", "-o", "recs.csv", "--json"], "--json without effect"),
    ],
)
def test_what_cannot_be_done_is_refused(recsys: Recsys, words: list[str], message: str) -> None:
    code, out, err = recsys("recommend", "biases", *words)
    assert (code, out) == (2, "")
    assert message in err


def test_a_history_of_unknown_items_is_answered_by_the_fallback(recsys: Recsys, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("item,rating\n050,5\n")
    code, out, err = recsys("recommend", "choices", "--history", str(tmp_path / "mine.csv"))
    assert code == 0
    assert "its fallback answers, as for an unknown user: popularity" in " ".join(err.split())
    assert "written differently? the ratings have '50'" in " ".join(err.split())
    assert "Ordered by the model's fallback for unknown users: popularity" in out
    assert "how likely" not in out


def test_items_of_which_nothing_was_learned_are_said_once(recsys: Recsys, tmp_path: Path) -> None:
    home = str(tmp_path / "few")
    rows = [f"{user},{item},5" for user in range(1, 13) for item in range(1, 9) if (user + item) % 3]
    (tmp_path / "few.csv").write_text("\n".join(["user,item,rating", *rows, "1,99,1"]) + "\n")
    model = ratings_model(tmp_path / "few.csv", home)
    code, _, err = recsys(
        "recommend", model, "--data", str(tmp_path / "few.csv"), "--user", "2", "--user", "3"
    )
    assert code == 0
    assert err.count("the model has learned nothing of 2 of the") == 1


def test_a_user_who_is_named_twice_is_answered_once(recsys: Recsys) -> None:
    assert recsys("recommend", "choices", "--user", "7", "--user", "7")[1].count("items for user 7") == 1


def test_a_model_without_a_network_needs_no_torch(made: Path, recsys: Recsys) -> None:
    program = """
import sys
from movielens_recsys.cli.main import main
assert main(["recommend", "both", "--user", "7"]) == 0
assert main(["similar", "choices", "--item", "7"]) == 0
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
