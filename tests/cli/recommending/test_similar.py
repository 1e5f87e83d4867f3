"""`recsys similar`: by id or by a part of the title."""

from __future__ import annotations

import json

import pytest
from tests.cli.recommending.conftest import Recsys


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("choices", "partial correlation"),
        ("both", "members' similarities"),
        ("network", "cosine of the items' embeddings"),
        ("biases", "who rated both"),
    ],
)
def test_similar_items_and_what_similar_means(recsys: Recsys, name: str, meaning: str) -> None:
    code, out, err = recsys("similar", name, "--item", "50", "-k", "3", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["item_id"], found["title"]) == (50, "Film number 50 (1990)")
    assert meaning in found["meaning"]
    assert 1 <= len(found["items"]) <= 3
    values = [line["similarity"] for line in found["items"]]
    assert values == sorted(values, reverse=True)
    assert min(values) > 0
    assert 50 not in {line["item_id"] for line in found["items"]}


def test_an_item_is_found_by_a_part_of_its_title(recsys: Recsys) -> None:
    code, out, _ = recsys("similar", "biases", "--item", "number 50")
    assert code == 0
    assert "most like Film number 50 (1990) (50)" in out
    assert "Similarity: share of users who rated both items" in out


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("Film number 1", "11 titles hold 'Film number 1': 1 Film number 1 (1990); 10 Film"),
        ("Nosferatu", "no item of films has the id 'Nosferatu', or it in its title"),
        ("050", "written differently? the ratings have '50'"),
        (" ", "the item is empty"),
    ],
)
def test_an_item_that_is_not_one_is_refused(recsys: Recsys, item: str, words: str) -> None:
    code, out, err = recsys("similar", "biases", "--item", item)
    assert (code != 0, out) == (True, "")
    assert words in err
