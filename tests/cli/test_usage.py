"""Bare groups print their help; unknown words and wrong arguments name what is right."""

from __future__ import annotations

import pytest

from movielens_recsys.cli.main import main

GROUPS = ([], ["data"], ["experiment"], ["ensemble"], ["notify"])


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    return code, *capsys.readouterr()


@pytest.mark.parametrize("words", GROUPS)
def test_a_bare_group_prints_its_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = typed(capsys, *words)
    assert (code, err) == (0, "")
    assert out.startswith(" ".join(["Usage: recsys", *words, "[OPTIONS] COMMAND"]))
    assert len(out.splitlines()) > 8
    assert typed(capsys, *words, "--help") == (0, out, "")


@pytest.mark.parametrize("words", [*GROUPS, ["experiment", "run"], ["data", "import"], ["watch"]])
def test_h_is_help_everywhere(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(capsys, *words, "-h") == typed(capsys, *words, "--help")


@pytest.mark.parametrize(
    ("words", "suggested"),
    [
        (["run"], "did you mean `recsys experiment run` or `recsys ensemble run`?"),
        (["list"], "`recsys data list` or `recsys experiment list` or `recsys ensemble list`?"),
        (["train"], "did you mean `recsys auto` or `recsys experiment run`"),
        (["experiment", "train"], "did you mean `recsys experiment run`"),
        (["templates"], "did you mean `recsys experiment templates`?"),
        (["experiment", "download"], "did you mean `recsys data fetch`?"),
        (["experiment", "creat"], "did you mean `recsys experiment create`?"),
        (["expriment"], "did you mean `recsys experiment`?"),
        (["xyzzy"], "`recsys --help` describes them"),
    ],
)
def test_an_unknown_command_names_those_that_may_be_meant(
    words: list[str], suggested: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = typed(capsys, *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: unknown command 'recsys {' '.join(words)}'; expected one of ")
    assert suggested in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["experiment", "create"],
            "missing argument TEMPLATE (A name from `recsys experiment templates`); "
            "usage: recsys experiment create TEMPLATE NAME [OPTIONS]; "
            "`recsys experiment create --help` shows all arguments",
        ),
        (["data", "import", "a.csv"], "missing argument --name"),
        (["data", "import", "a.csv"], "usage: recsys data import FILE --name NAME [OPTIONS]"),
        (["experiment", "show", "a", "b"], "nothing takes 'b'; usage: recsys experiment show ID [OPTIONS]"),
        (["ensemble", "run", "x", "--blend", "best"], "'best' is not one of 'auto', 'mean'"),
        (["ensemble", "run", "x", "--blend", "best"], "usage: recsys ensemble run NAME [ID...] [OPTIONS]"),
        (["experiment", "list", "--stats", "x"], "unknown option --stats of `recsys experiment list`"),
        (["experiment", "list", "--stats", "x"], "did you mean '--status'?"),
        (["experiment", "create", "ease", "a", "--learning-rate", "1"], "--set training.learning_rate=VALUE"),
        (["experiment", "show", "a", "--epochs", "5"], "unknown option --epochs of `recsys experiment show`"),
        (["experiment", "show", "a", "--xyzzy"], "`recsys experiment show --help` describes them"),
        (["experiment", "list", "--sort"], "Option '--sort' requires an argument"),
    ],
)
def test_wrong_arguments_show_the_usage_and_the_next_step(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = typed(capsys, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
