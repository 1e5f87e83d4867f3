"""The commands of README.md and of the tutorial are run, so that they cannot rot.

A block after the line `<!-- run -->` is run as it stands; one after `<!-- run: data -->` where real ratings
can be had. `ID` stands for the experiments of a small home.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.experiments.templates import template_names
from movielens_recsys.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^<!-- run(: data)? -->\n```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ACTIVATE = "source .venv/bin/activate\n"
"""Left out: the interpreter that runs the tests has the commands beside it."""


def bash(script: str, home: Path, data_path: str = "", folder: Path = ROOT) -> str:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "RECSYS_HOME": str(home / "home"),
        "RECSYS_DATA": str(home / "data"),
        "RECSYS_DATA_PATH": data_path,
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def blocks(text: str, kind: str = "") -> list[str]:
    return [script.replace(ACTIVATE, "") for mark, script in BLOCK.findall(text) if mark == kind]


@pytest.mark.parametrize("script", blocks(README))
def test_commands_run(script: str, tmp_path: Path) -> None:
    assert bash(script, tmp_path)


@pytest.mark.real_data
def test_commands_on_real_data_run(tmp_path: Path, real_data_folder: Path) -> None:
    def create(template: str, name: str) -> str:
        options = """--tag baseline --modifications '{"evaluation": {"bootstrap_samples": 100}}' --json"""
        answer = bash(f"recsys experiment create {template} {name} {options}", tmp_path)
        return re.findall(rf"{name}_\d{{8}}_\d{{6}}\w*", answer)[0]

    finished = [create("user_item_bias", "biases"), create("popularity", "popular")]
    planned = create("quickstart", "planned")
    for identifier in finished:
        bash(f"recsys experiment run {identifier}", tmp_path, str(real_data_folder))
    for script in blocks(README, ": data"):
        lines = [
            re.sub(r"\bID ID\b", " ".join(finished), line).replace(" ID", f" {planned}")
            for line in script.splitlines(keepends=True)
        ]
        assert bash("".join(lines), tmp_path, str(real_data_folder))
    tutorial = (ROOT / "docs" / "tutorial" / "first-experiment.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", tutorial, re.MULTILINE | re.DOTALL)
    code = code.replace(".recsys/runs/ID", str(tmp_path / "home" / "runs" / finished[0]))
    assert len(bash(f"python - <<'END'\n{code}END", tmp_path).split()) >= 10, "ten movies"


def own_ratings(first_user: str) -> tuple[list[str], int]:
    """Return rows of 40 users, of whom the first is ``first_user``, and the number of items."""
    ratings = synthetic_ratings(40, 60, 1_200, seed=4).ratings
    assert ratings.timestamps is not None
    users = [first_user if user == 0 else str(user + 1) for user in ratings.users]
    rows = zip(users, ratings.items + 1, ratings.ratings, ratings.timestamps, strict=True)
    return [",".join(map(str, row)) for row in rows], ratings.n_items


@pytest.fixture
def with_store(empty_store: Path, tmp_path: Path) -> None:
    """A tracking store in the home, so that no run has to make one, which takes seconds."""
    (tmp_path / "home").mkdir()
    shutil.copy(empty_store, Settings(home=tmp_path / "home").tracking_db)


@pytest.mark.usefixtures("with_store")
def test_the_first_experiment_runs_on_ratings_in_the_layout_of_ml_100k(tmp_path: Path) -> None:
    tutorial = (ROOT / "docs" / "tutorial" / "first-experiment.md").read_text(encoding="utf-8")
    rows, _ = own_ratings("1")
    (tmp_path / "ml-100k").mkdir()
    (tmp_path / "ml-100k" / "u.data").write_text("\n".join(rows).replace(",", "\t") + "\n")
    scripts = blocks(tutorial)
    assert len(scripts) == 3
    quick = r"\1 --set training.epochs=2 --set evaluation.bootstrap_samples=100"
    script = re.sub(
        r"^(recsys experiment (?:run|create) quickstart .*)$", quick, "".join(scripts), flags=re.M
    )
    shown = bash(script + "recsys experiment report first_steps --no-open\n", tmp_path, str(tmp_path))
    assert "model.latent_dim" in shown
    assert shown.splitlines()[-1].endswith("report.html")


@pytest.mark.usefixtures("with_store")
def test_the_tutorial_on_own_ratings_ends_in_ten_titles(tmp_path: Path) -> None:
    tutorial = (ROOT / "docs" / "tutorial" / "your-own-ratings.md").read_text(encoding="utf-8")
    ratings, books = re.findall(r"^```text\n(.*?)^```$", tutorial, re.MULTILINE | re.DOTALL)
    rows, n_items = own_ratings("ann")
    (tmp_path / "ratings.csv").write_text("\n".join([ratings.splitlines()[0], *rows]) + "\n")
    items = [f"{item},Book number {item},Novel|Classic,1871" for item in range(1, n_items + 1)]
    (tmp_path / "books.csv").write_text("\n".join([books.splitlines()[0], *items]) + "\n")
    scripts = blocks(tutorial)
    assert len(scripts) == 2
    for script in scripts:
        shown = bash(script, tmp_path, folder=tmp_path)
    assert "10 items for user ann" in shown
    assert shown.count("Book number") >= 10


@pytest.mark.usefixtures("with_store")
def test_the_page_on_recommending_runs(tmp_path: Path) -> None:
    page = ROOT / "docs" / "how-to" / "recommend-from-the-command-line.md"
    rows, _ = own_ratings("1")
    (tmp_path / "ratings.csv").write_text("\n".join(["user,item,rating,timestamp", *rows]) + "\n")
    scripts = blocks(page.read_text(encoding="utf-8"))
    assert len(scripts) == 5
    bash("".join(scripts), tmp_path, folder=tmp_path)
    assert (tmp_path / "predicted.csv").read_text().splitlines()[2].endswith("unknown item")
    assert len((tmp_path / "recs.csv").read_text().splitlines()) == 1 + 40 * 5


def test_the_first_screen_has_the_one_command() -> None:
    assert "make demo" in "\n".join(README.splitlines()[:30])


def test_every_make_target_named_here_exists() -> None:
    targets = set(re.findall(r"^\.PHONY: (\w+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake (\w+)`", README)) <= targets


def test_every_template_named_here_exists() -> None:
    table = README[README.index("| template |") : README.index("## Where the data")]
    first_cells = " ".join(row.split("|")[1] for row in table.strip().splitlines()[2:])
    assert sorted(re.findall(r"`(\w+)`", first_cells)) == template_names()


def test_the_tree_names_what_exists() -> None:
    tree = re.search(r"```text\n(Makefile.*?)```", README, re.DOTALL)
    assert tree is not None
    for line in tree[1].splitlines():
        folder = ROOT / "src" / "movielens_recsys" if line.startswith("  ") else ROOT
        assert (folder / line.split()[0]).exists(), line
