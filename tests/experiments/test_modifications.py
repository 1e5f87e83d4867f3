"""`--modifications` and `--set`: JSON, a file, KEY=VALUE; what cannot be read is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from movielens_recsys.errors import SourceError, UnknownNameError, UsageError
from movielens_recsys.experiments.modifications import (
    data_modification,
    parse_assignments,
    parse_modifications,
    read_modifications,
    with_data,
)
from movielens_recsys.settings import Settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON at line 1 column 2"),
        ("", "not JSON"),
        ("{'training': 1}", "not JSON at line 1 column 2"),
        ("[1]", "wrong kind"),
        ("7", "wrong kind"),
        ('{"a": 1, "a": 2}', "'a' twice"),
        ('{"NaN": "NaN", "a": NaN}', "NaN at character 21"),
        ('{"a": -Infinity}', "-Infinity at character 7"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 17 + "1" + "}" * 17, "nested too deeply"),
        ('{"a": ' + "1" * 5000 + "}", "cannot be read"),
    ],
)
def test_invalid_json_modifications_are_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_modifications(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_nested_json_is_read() -> None:
    assert parse_modifications('{"training": {"early_stopping": null}}') == {
        "training": {"early_stopping": None}
    }


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("a.b=5", 5),
        ("a.b=1e-3", 0.001),
        ("a.b=true", True),
        ("a.b=null", None),
        ("a.b=[64, 32]", [64, 32]),
        ('a.b={"start": 0.5}', {"start": 0.5}),
        ("a.b=off", "off"),
        ("a.b=ml-1m", "ml-1m"),
        ('a.b="5"', "5"),
        ("a.b= x=y ", "x=y"),
        ("a.b=", ""),
    ],
)
def test_a_value_is_json_or_else_text(assignment: str, value: object) -> None:
    assert parse_assignments([assignment]) == {"a": {"b": value}}


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["training.epochs"], "cannot read --set 'training.epochs'; expected KEY=VALUE"),
        (["=5"], "expected KEY=VALUE"),
        (["training..epochs=5"], "expected KEY=VALUE"),
        (["a.b=1", "a.b=2"], "'a.b' twice"),
        (["a=1", "a.b=2"], "'a.b' twice"),
        (["a.b=1", "a=2"], "'a' twice"),
    ],
)
def test_wrong_assignments_are_refused(assignments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_assignments(assignments)


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e999", '{"x": 1, "x": 2}', "[" * 100_000])
def test_a_value_that_json_would_change_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match=r"^--set a\.b holds "):
        parse_assignments([f"a.b={value}"])


def test_a_later_change_overrides_and_set_comes_last() -> None:
    texts = ['{"training": {"epochs": 5, "seed": 1}}', '{"training": {"seed": 2}, "model": {"name": "ease"}}']
    changes = read_modifications(texts, ["training.epochs=7", "model.regularization=3"])
    assert changes == {
        "training": {"epochs": 7, "seed": 2},
        "model": {"name": "ease", "regularization": 3},
    }
    assert read_modifications() == read_modifications([""]) == {}


def test_data_named_twice_are_refused_and_other_keys_are_kept(settings: Settings) -> None:
    assert with_data({"data": {"typo": 7}}, "ml-1m", settings)["data"]["typo"] == 7
    assert with_data({"data": {"name": "ml-1m"}}, "", settings) == {"data": {"name": "ml-1m"}}
    for section, named in (
        ({"name": "ml-1m"}, "data.name"),
        ({"name": "x", "path": "/no"}, "data.name and data.path"),
        (5, "data"),
    ):
        with pytest.raises(UsageError, match=f"^--data ml-1m beside a change to {named}; expected"):
            with_data({"data": section}, "ml-1m", settings)


def test_a_name_of_data_replaces_a_path(settings: Settings, tmp_path: Path) -> None:
    assert data_modification("ml-1m", settings) == {"data": {"name": "ml-1m", "path": None}}
    assert data_modification(str(tmp_path), settings) == {"data": {"path": str(tmp_path)}}
    with pytest.raises(UnknownNameError, match="ml-100k"):
        data_modification("ml-1000k", settings)
    with pytest.raises(SourceError, match=r"nothing at .*/ratings\.csv; expected a rating file"):
        data_modification("ratings.csv", settings)


def test_a_file_is_read_after_an_at_sign(tmp_path: Path) -> None:
    path = tmp_path / "changes.json"
    path.write_text('\ufeff{"training": {"epochs": 5}}', encoding="utf-8")
    assert read_modifications([f"@{path}"]) == {"training": {"epochs": 5}}
    (tmp_path / "changes.yaml").write_text("training:\n  learning_rate: 1e-3\ncontingencies: off\n")
    expected = {"training": {"learning_rate": 0.001}, "contingencies": "off"}
    assert read_modifications([f"@{tmp_path / 'changes.yaml'}"]) == expected
    path.write_bytes(b"\xff\xfe")
    for name, reason in (("changes.json", "not UTF-8"), ("missing", "No such file"), ("", "Is a directory")):
        with pytest.raises(UsageError, match=rf"cannot read the modifications in .*{name} \(.*{reason}"):
            read_modifications([f"@{tmp_path / name}"])
