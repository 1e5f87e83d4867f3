"""The experiment that a word stands for, and what is said of a choice."""

from __future__ import annotations

import pytest

from movielens_recsys.cli.arguments import find_run
from movielens_recsys.errors import UsageError
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings


def test_a_choice_among_experiments_of_one_name_is_announced(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_from_template("popularity", "mine")
    only = store.create_run(config, settings).id
    for word in (only, "mine", "min"):
        assert find_run(word, settings) == only
    assert capsys.readouterr() == ("", "")
    assert find_run("mine_TIMESTAMP", settings) == only
    assert capsys.readouterr() == ("", f"mine_TIMESTAMP stands for {only}\n")
    newest = store.create_run(config, settings).id
    assert find_run("mine", settings) == newest
    assert capsys.readouterr() == ("", f"mine stands for {newest}, the newest of that name\n")
    with pytest.raises(UsageError, match="2 experiments begin with 'mine'"):
        find_run("mine", settings, unique=True)
