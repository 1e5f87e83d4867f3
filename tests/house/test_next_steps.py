"""What an error tells the user to do can be done, and does not lead back to an error already seen."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.example_runs import Finish, write_small_ratings

from movielens_recsys.cli.main import main
from movielens_recsys.data.sources.user_datasets import register_dataset
from movielens_recsys.ensembles.store import save_plan
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings

LONGEST_WALK = 4
NOT_FOLLOWED = ("data fetch", "experiment resume", "auto", "demo")
"""Commands that download, or train without a dry run; that they exist, test_printed_commands.py checks."""


@dataclass
class Walk:
    """Follows the next steps of one command's error, and of the errors that they end in."""

    files: dict[str, str]
    capsys: pytest.CaptureFixture[str]
    seen: list[str] = field(default_factory=list)

    def follow(self, words: list[str], depth: int = 0) -> None:
        code = main(words)
        error = self.capsys.readouterr().err.strip().splitlines()
        if code == 0:
            return
        line = re.sub(r"_\d{8}_\d{6}(_\d+)?", "_TIME", error[-1])
        assert line.startswith("error: ")
        assert "unexpected" not in line
        assert line not in self.seen, f"{' -> '.join(self.seen)} -> again {line}"
        assert depth < LONGEST_WALK, self.seen
        self.seen.append(line)
        for _, *step in next_commands(error[-1], words):
            if " ".join(step).startswith(NOT_FOLLOWED):
                continue
            dry = ["--dry-run"] if step[1:2] == ["run"] and "--dry-run" not in step else []
            agreed = ["--yes"] if step[1:2] in (["remove"], ["delete"]) else []
            self.follow([*(self.files.get(word, word) for word in step), *dry, *agreed], depth + 1)


def next_commands(error: str, words: list[str]) -> list[list[str]]:
    """Return the commands of an error, and the same command with the options that it proposes."""
    commands = [shlex.split(text) for text in re.findall(r"`(recsys [^`]+)`", error)]
    bare = re.sub(r"`[^`]+`", "", error)
    commands += [shlex.split(text) for text in re.findall(r"(?:; |: )(recsys [^;]+)$", bare)]
    options = re.findall(r"--set \S+=\S+|--blend mean", bare)
    return [*commands, *(["recsys", *words, *option.split()] for option in options)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings, empty_store: Path) -> Settings:
    """The settings of a test for commands in this process, without data but what is registered."""
    settings.home.mkdir()
    shutil.copy(empty_store, settings.tracking_db)
    for name, value in (("HOME", settings.home), ("DATA", settings.data), ("DATA_PATH", "")):
        monkeypatch.setenv(f"RECSYS_{name}", str(value))
    register_dataset(write_small_ratings(tmp_path / "small.csv"), "small", settings)
    likes = (tmp_path / "small.csv").read_text().splitlines()
    rows = [line.split(",") for line in likes[1:]]
    liked = [f"{user},{item},{int(rating) // 4},{time}" for user, item, rating, time in rows]
    (tmp_path / "likes.csv").write_text("\n".join([likes[0], *liked]) + "\n")
    register_dataset(tmp_path / "likes.csv", "likes", settings)
    return settings


def planned(settings: Settings, name: str = "unfit", template: str = "quickstart", **changes: Any) -> str:
    """Return the id of an experiment that an earlier version created without checks."""
    return store.create_run(config_from_template(template, name, changes), settings).id


def plan_without_validation(settings: Settings, finish: Finish) -> None:
    split = {"split": {"validation": 0.0}}
    ids = [
        planned(settings, t, t, data={"name": "small"}, **split) for t in ("global_mean", "user_item_bias")
    ]
    save_plan("both", ids, "auto", [], settings)


def two_runs(settings: Settings, finish: Finish) -> None:
    finish("first")
    finish("second", modifications={"training": {"seed": 1}})


def nothing(settings: Settings, finish: Finish) -> None:
    """Prepare no run."""


Prepare = Callable[[Settings, Finish], Any]
LIKES_RUN: Prepare = lambda settings, finish: planned(  # noqa: E731
    settings, data={"name": "likes"}, evaluation={"relevance_threshold": 4}
)
SITUATIONS: list[tuple[Prepare, str]] = [
    (nothing, "experiment create quickstart a --set data.name=likes --set evaluation.relevance_threshold=4"),
    (nothing, "experiment create quickstart a --set data.name=small --set split.validation=0"),
    (nothing, "experiment create quickstart a --set data.name=ml-1m --set split.protocol=official"),
    (
        nothing,
        "experiment create hybrid_vae_two_sided a --set data.name=small --set training.batch_fraction=null",
    ),
    (nothing, "experiment create ease a --set data.name=small --set model.min_positive_rating=6"),
    (
        nothing,
        "experiment create hybrid_vae_word_for_word a --set data.name=small --set training.batch_size=1",
    ),
    (nothing, "experiment create quickstart a --set data.name=smal"),
    (nothing, "experiment create quickstart a --set data.name=unheard_of"),
    (nothing, "experiment create quikstart a"),
    (nothing, "experiment create quickstart a --set trainin.epochs=5"),
    (nothing, "experiment create quickstart a --set epochs=5"),
    (nothing, "experiment create quickstart a --set split.fold=2"),
    (nothing, "experiment run unknown"),
    (nothing, "experiment show unknown"),
    (nothing, "experiment best --metric rmse"),
    (nothing, "experiment list --sort loss_of_what"),
    (nothing, "auto unknown_TIMESTAMP"),
    (nothing, "watch unknown"),
    (nothing, "ensemble run blend"),
    (nothing, "ensemble show blend"),
    (nothing, "ensemble run blend --template user_item_bias --set data.name=small"),
    (nothing, "ensemble run blend --template quickstart --set data.name=small --set split.validation=0"),
    (nothing, "data check unheard_of"),
    (nothing, "data check ml-1m"),
    (nothing, "data import nowhere.csv --name books"),
    (nothing, "data import FILE --name small"),
    (nothing, "notify test"),
    (nothing, "notify send unknown"),
    (LIKES_RUN, "experiment run unfit"),
    (LIKES_RUN, "experiment run unfit --dry-run"),
    (LIKES_RUN, "experiment resume unfit"),
    (LIKES_RUN, "auto unfit"),
    (lambda settings, finish: finish("done"), "experiment run done"),
    (lambda settings, finish: finish("done"), "experiment resume done"),
    (lambda settings, finish: finish("done", end="failed"), "experiment run done"),
    (lambda settings, finish: finish("done", end="failed"), "auto done"),
    (lambda settings, finish: finish("done", end="stopped"), "experiment run done"),
    (lambda settings, finish: finish("done"), "experiment compare done"),
    (lambda settings, finish: finish("done"), "ensemble run blend --members done"),
    (lambda settings, finish: finish("done", end="failed"), "ensemble run blend --members done done"),
    (two_runs, "experiment best --metric rmse"),
    (plan_without_validation, "ensemble run both --dry-run"),
    (plan_without_validation, "ensemble run both"),
    (plan_without_validation, "ensemble run both --members first second"),
]


@pytest.mark.parametrize(("prepare", "command"), SITUATIONS, ids=[command for _, command in SITUATIONS])
def test_next_steps_lead_on(
    prepare: Prepare,
    command: str,
    home: Settings,
    finish: Finish,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prepare(home, finish)
    files = {
        "FILE": str(tmp_path / "small.csv"),
        "NAME": "again",
        "NEW_NAME": "again",
        "TEMPLATE": "quickstart",
    }
    walk = Walk(files, capsys)
    walk.follow([files.get(word, word) for word in shlex.split(command)])
    assert walk.seen, "this situation is no error"
