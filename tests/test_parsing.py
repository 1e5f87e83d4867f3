"""JSON and YAML of users: values as they were written, and everything doubtful refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from movielens_recsys.errors import UsageError
from movielens_recsys.experiments import templates
from movielens_recsys.parsing import parse_json, parse_json_object, parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 100_000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-2.5e+1", -25.0),
        ("042", 42),
        ("0o14", 12),
        ("0x1F", 31),
        ("+3", 3),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("1:30", "1:30"),
        ("2024-01-02", "2024-01-02"),
        ("2026-13-45", "2026-13-45"),
        ("off", "off"),
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'7'", "7"),
        ('"off"', "off"),
        ("!!str 7", "7"),
        ("!!float 7", 7.0),
        ("<<", "<<"),
        ("=", "="),
        ("[a, 1]", ["a", 1]),
        ("{b: {c: 2}}", {"b": {"c": 2}}),
    ],
)
def test_a_plain_value_is_what_yaml_1_2_says(text: str, value: object) -> None:
    found = parse_yaml(f"key: {text}\n", "file")["key"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "file line 3: the key 'a' again, which is in line 1 already"),
        ("x:\n  a: 1\n  a: 1", "line 3: the key 'a' again, which is in line 2"),
        ("a: 1\n---\nb: 2", "line 3: a second document"),
        ("a:\n\tb: 1", "line 2: a tab"),
        ("a: [\n1,", "line 2: no YAML"),
        ("a: *b", "line 1: no YAML: found undefined alias"),
        ("a: 'open", "line 1: no YAML"),
        ("1: a", "line 1: the key 1, which is no text"),
        ("a: 1\ntrue: b", "line 2: the key true, which is no text"),
        ("? [a]\n: 1", "which is no text"),
        ("a: .inf", "'.inf' as a number; expected a finite number"),
        ("a: .nan", "'.nan' as a number"),
        ("a: 1e999", "'1e999' as a number"),
        ("a: !!int x", "'x' as a number"),
        (f"a: {'9' * 5000}", "as a number"),
        ("a: !!timestamp 2020-01-01", "the tag 'timestamp'"),
        ("a: !!python/object:os.system x", "the tag 'python/object:os.system'"),
        ("a: !own 3", "the tag '!own'"),
        ("a: &x [*x]", "nested too deeply"),
        ("a: " + "[" * 20 + "]" * 20, "nested too deeply"),
        ("[" * 5000, "nested too deeply"),
        ("a: \x00", "no YAML"),
        ("a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
         "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
         "e: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n", "too many values"),
    ],
)  # fmt: skip
def test_what_would_be_lost_or_misread_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_yaml(text, "file")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_an_alias_repeats_its_value() -> None:
    assert parse_yaml("a: &x {b: 1}\nc: *x", "file") == {"a": {"b": 1}, "c": {"b": 1}}


def test_an_empty_document_has_no_value() -> None:
    assert [parse_yaml(text, "file") for text in ("", "# only a comment\n", "---\n")] == [None] * 3


def test_a_file_is_read_with_and_without_a_mark_of_its_order(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes("\ufefftitle: Amélie\n".encode())
    assert read_yaml(path) == {"title": "Amélie"}
    path.write_bytes("title: Amélie\n".encode("latin-1"))
    with pytest.raises(UsageError, match="not UTF-8"):
        read_yaml(path)
    with pytest.raises(UsageError, match=r"cannot read .*none\.yaml \(No such file"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="Is a directory"):
        read_yaml(tmp_path)


def test_the_packages_own_files_are_the_same_by_the_rules_of_1_1() -> None:
    folder = Path(templates.__file__).with_name("templates")
    own = [*folder.glob("*.yaml"), *(folder.parents[1] / "bench" / "peers").glob("*.yaml")]
    assert len(own) > 10
    for path in own:
        assert read_yaml(path) == yaml.safe_load(path.read_text(encoding="utf-8")), path


def test_json_is_read_as_it_stands_or_refused() -> None:
    assert parse_json("[1e-3, null]", "text") == [0.001, None]
    assert parse_json_object('{"a": {"b": 1}}', "text") == {"a": {"b": 1}}
    for text, message in (
        ('{"a": 1e999}', "text holds the number 1e999; expected a finite number"),
        ('{"a": {"b": 1, "b": 2}}', "text holds the key 'b' twice"),
        ('{"a": NaN}', "text holds NaN at character 7"),
        ("[1]", "text holds JSON of the wrong kind"),
    ):
        with pytest.raises(UsageError, match=message):
            parse_json_object(text, "text")
