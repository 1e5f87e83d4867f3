"""What holds for the project as a whole: its tools, its documents, and what it must never contain."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "movielens_recsys"
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
TARGETS = re.findall(r"^\.PHONY: (\w+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)


def run(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def pages_of(nav: list[object]) -> list[str]:
    pages: list[str] = []
    for entry in nav:
        assert isinstance(entry, dict)
        for value in entry.values():
            pages += pages_of(value) if isinstance(value, list) else [str(value)]
    return pages


def movielens_file() -> re.Pattern[str]:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    return re.compile(next(hook["files"] for hook in hooks if hook["id"] == "no-movielens-files"))


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", DOCS / "hooks" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "path",
    [
        *("ml-1m/ratings.dat", "some/ml-100k/u.data", "ml-latest-small.zip", "data/u3.base", "ua.test"),
        *("data/ratings.csv", "x/genome-scores.csv", "ml-100k.inter", "cache/0123.parquet"),
    ],
)
def test_the_hook_refuses_movielens_files(path: str) -> None:
    assert movielens_file().search(path)


def test_no_movielens_file_is_tracked() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = run("git", "ls-files").stdout.splitlines()
    assert tracked
    assert [path for path in tracked if movielens_file().search(path)] == []


def test_every_module_says_what_it_is() -> None:
    modules = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")}
    assert modules
    assert [path for path, module in modules.items() if not ast.get_docstring(module)] == []


@pytest.mark.parametrize("module", ["movielens_recsys", "movielens_recsys.cli.main"])
def test_starting_loads_no_heavy_library(module: str) -> None:
    heavy = ("torch", "polars", "mlflow", "scipy", "plotly", "pandera")
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    assert run(sys.executable, "-c", code).stdout.strip() == "[]"


def test_make_help_lists_every_target() -> None:
    listed = re.findall(r"^  make (\w+) +\S", run("make", "help").stdout, re.MULTILINE)
    assert listed == TARGETS
    assert run("make").stdout == run("make", "help").stdout


def test_continuous_integration_runs_targets_that_exist() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert set(re.findall(r"^make (\w+)$", script.read_text(), re.MULTILINE)) == {"lint", "docs", "test"}
    assert {"lint", "docs", "test"} <= set(TARGETS)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what `make setup` reads, and an interpreter and pip that only pretend."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    pip = tmp_path / "pip"
    pip.write_text('#!/bin/sh\ncase "$1" in -c) exit 0;; esac\necho "$@" >> pip.log\nexit $(cat pip.code)\n')
    python = tmp_path / "python"
    python.write_text(
        '#!/bin/sh\ncase "$1" in -c) exit $(cat python.code);; --version) echo "Python 3.9.2";; esac\n'
        'case "$2" in venv) mkdir -p .venv/bin && cp pip .venv/bin/python;; esac\n'
    )
    for script in (pip, python):
        script.chmod(0o755)
    (tmp_path / "python.code").write_text("0")
    (tmp_path / "pip.code").write_text("0")
    return tmp_path


def setup(checkout: Path) -> subprocess.CompletedProcess[str]:
    return run("make", "setup", f"PYTHON={checkout / 'python'}", cwd=checkout)


def test_setup_refuses_an_old_python(checkout: Path) -> None:
    (checkout / "python.code").write_text("1")
    done = setup(checkout)
    assert done.returncode != 0
    assert "is Python 3.9.2; expected Python 3.11 or newer" in done.stderr
    assert not (checkout / ".venv").exists()


def test_setup_is_done_only_when_it_has_succeeded(checkout: Path) -> None:
    (checkout / "pip.code").write_text("1")
    assert setup(checkout).returncode != 0
    assert not (checkout / ".venv" / ".installed").exists()
    (checkout / "pip.code").write_text("0")
    assert setup(checkout).returncode == 0
    assert (checkout / ".venv" / ".installed").exists()
    assert "--constraint constraints.txt --editable ." in (checkout / "pip.log").read_text()


def test_setup_runs_again_only_when_requirements_change(checkout: Path) -> None:
    setup(checkout)
    calls = (checkout / "pip.log").read_text()
    setup(checkout)
    assert (checkout / "pip.log").read_text() == calls
    stamp = (checkout / ".venv" / ".installed").stat().st_mtime
    os.utime(checkout / "constraints.txt", (stamp + 1, stamp + 1))
    setup(checkout)
    assert (checkout / "pip.log").read_text() != calls


def test_every_requirement_is_pinned_within_its_bounds() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.lower().replace("_", "-").split("==") for line in lines if not line.startswith("#"))
    assert all(re.fullmatch(r"[\w.]+", version) for version in pins.values())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for text in [*project["dependencies"], *extras["dev"], *extras["docs"], *extras["ray"]]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins[requirement.name.lower().replace("_", "-")]), text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = [link for link in LINK.findall(document.read_text(encoding="utf-8")) if "://" not in link]
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_every_page_is_in_the_navigation() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    assert sorted(pages_of(site["nav"])) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


def test_the_decision_on_layers_lists_those_of_the_linter() -> None:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = [contract for contract in linter["contracts"] if contract["type"] == "layers"]
    page = (DOCS / "adr" / "0001-rooms-and-layers.md").read_text(encoding="utf-8")
    assert re.findall(r"^    (\S.*)$", page, re.MULTILINE) == contract["layers"]


def test_the_site_fetches_nothing() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    assert site["theme"]["font"] is False
    assert not {"extra_javascript", "extra_css"} & set(site)


@pytest.mark.parametrize("page", sorted((DOCS / "reference").glob("*.md")), ids=lambda path: path.stem)
def test_reference_pages_equal_the_code(reference: ModuleType, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert reference.fill(text) == text, "docs/reference differs from the code: run make reference"


def test_every_part_made_from_the_code_is_on_a_page(reference: ModuleType) -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))
    assert sorted(re.findall(r"<!-- made from the code: (\w+) -->", pages)) == sorted(reference.SECTIONS)


def test_the_reference_knows_every_command_key_and_template(reference: ModuleType) -> None:
    commands = reference.commands()
    for name in ("recsys demo", "recsys data fetch", "recsys experiment create", "recsys ensemble run"):
        assert f"## {name}\n" in commands
    assert "--modifications" in commands
    assert "| `kl_weight` | number ≥ 0" in reference.configuration()
    assert "## hybrid_vae_optimized" in reference.templates()
    assert "`RECSYS_HOME`" in reference.environment()


@pytest.mark.slow
def test_a_fresh_clone_installs(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    assert run("git", "clone", "--quiet", str(ROOT), str(clone)).returncode == 0
    subprocess.run(["make", "setup"], cwd=clone, check=True, timeout=1800)
    assert run(str(clone / ".venv" / "bin" / "recsys"), "--version", cwd=clone).stdout.startswith("recsys ")
