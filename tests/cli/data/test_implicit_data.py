"""The page on data without ratings, from its file to a report: every command that it prints is run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from movielens_recsys.cli.main import main
from movielens_recsys.runs import store
from movielens_recsys.settings import load_settings

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "implicit-data.md"


def commands() -> list[list[str]]:
    """The lines of the page's blocks of commands, without comments."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [shlex.split(line, comments=True)[1:] for block in blocks for line in block.splitlines()]


def plays() -> str:
    """Plays as on the page: each user hears every other artist, with numbers of 0 and a repeated row."""
    rows = [
        f"user{user},artist{artist},{(user + artist) % 4},2024-03-{1 + (user * artist) % 28:02}"
        for user in range(20)
        for artist in range(user % 2, 24, 2)
    ]
    return "\n".join(["user,artist,plays,when", *rows, rows[1]]) + "\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plays.csv").write_text(plays(), encoding="utf-8")


def test_every_command_of_the_page_works(capsys: pytest.CaptureFixture[str]) -> None:
    for words in commands():
        assert main(words) == 0, words
    printed = capsys.readouterr().out
    assert "interactions of 20 users for 24 items" in printed
    assert "1 repeated interaction was merged" in printed
    assert "learns from" in printed
    shown = printed[printed.index("completed") :]
    assert "ndcg_at_10_full" in shown
    assert "relevant: every held-out interaction" in shown
    assert not re.search("rmse|_rated", shown)
    settings = load_settings()
    (run,) = store.load_runs(settings)[0]
    page = (store.run_folder(run.id, settings) / "report.html").read_text(encoding="utf-8")
    assert "held-out interactions" in page
    assert "Predicted rating" not in page
    assert "RMSE" not in page.partition("<h2>Configuration")[0]


def test_models_of_ratings_are_refused_with_those_that_fit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(commands()[0]) == 0
    words = ("experiment", "create", "user_item_bias", "bias", "-m", '{"data": {"name": "plays"}}')
    code = main(words) or main(("experiment", "run", "bias"))
    assert code != 0
    assert re.search(r"interactions.*ease, ials", capsys.readouterr().err)
