"""A test stands at the path of what it tests, and every exception has a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE, TESTS = ROOT / "src" / "movielens_recsys", ROOT / "tests"

EVERY_MODEL = "fields with defaults only: tests/contracts/test_recommender.py fits the model with them"
TESTED_ELSEWHERE = {
    "arrays.py": "names of array types only: mypy checks their use",
    "bench/peers/implicit.py": "needs its library: tests/bench/peers/test_runner.py has what runs without",
    "bench/peers/surprise.py": "needs its library: tests/bench/peers/test_runner.py has what runs without",
    "experiments/report_page.py": "tests/cli/experiment/test_report.py removes the page of a run",
    "experiments/artifacts.py": "writes what a run has: tests/experiments/test_execute.py reads all of it",
    "models/baselines_config.py": EVERY_MODEL,
    "models/bayesian/config.py": "tests/models/test_config.py has its methods beside those of other models",
    "models/implicit/ease_config.py": EVERY_MODEL,
    "models/implicit/ials_config.py": EVERY_MODEL,
    "models/implicit/item_knn_config.py": EVERY_MODEL,
    "models/implicit/mult_vae_config.py": EVERY_MODEL,
    "models/networks/neumf_config.py": "tests/models/test_footprint.py compares its size with the network's",
    "recommender.py": "an interface: tests/contracts/test_recommender.py has what every recommender promises",
    "tracking/tracker.py": "an interface: tests/contracts/test_tracker.py has what every tracker promises",
}
"""Modules without a test file of their own: where they are tested, and why there."""

NO_MODULE = {
    "bench/test_documented.py": "a page of the documentation, followed to the letter",
    "bench/test_kill.py": "the bench as a process that is killed",
    "cli/data/test_implicit_data.py": "a page of the documentation, followed to the letter",
    "cli/experiment/test_scripts.py": "the scripts of experiments/, which is no package",
    "compat/": "files that an older version wrote, across all rooms",
    "contracts/": "one suite for each interface, run over all its implementations",
    "data/readers/test_round_trip.py": "random tables and text, through all readers and the cleaning",
    "data/test_odd_files.py": "the catalogue of odd files in benchmarks/, through all readers",
    "evaluation/test_doctests.py": "the examples of all docstrings of the room",
    "evaluation/test_oracles.py": "the whole evaluation against other libraries",
    "faults/": "faults of the machine, across all rooms",
    "house/": "rules for the repository itself",
    "test_project.py": "the repository's files",
    "test_readme.py": "the commands of README.md and the tutorials",
    "training/test_resume.py": "interruption of a whole training, across the modules of the room",
}
"""Test files, and folders of them, that mirror no module, and why."""


def test_every_module_has_its_test() -> None:
    missing = {name for name in modules() if not (TESTS / mirror(name)).exists()}
    assert missing == TESTED_ELSEWHERE.keys(), (
        "write the test, move it there, or list the module with a reason"
    )


def test_every_test_has_its_module() -> None:
    tests = {path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")}
    strays = tests - {mirror(name) for name in modules()}
    assert {name for name in strays if exception(name) is None} == set()
    assert {exception(name) for name in strays} == NO_MODULE.keys()


@pytest.mark.parametrize("name", TESTED_ELSEWHERE)
def test_an_exception_names_a_test_that_exists(name: str) -> None:
    named = [word.rstrip(":,") for word in TESTED_ELSEWHERE[name].split() if word.startswith("tests/")]
    assert all((ROOT / path).is_file() for path in named)
    assert named or name == "arrays.py"


def modules() -> set[str]:
    """Return the paths of all modules of the package, without those that only name a package."""
    paths = {path for path in PACKAGE.rglob("*.py") if path.name not in {"__init__.py", "__main__.py"}}
    return {path.relative_to(PACKAGE).as_posix() for path in paths}


def mirror(module: str) -> str:
    """Return the path of a module's test below ``tests``."""
    path = Path(module)
    return path.with_name(f"test_{path.name}").as_posix()


def exception(test: str) -> str | None:
    """Return the entry of `NO_MODULE` that a test falls under."""
    return next((prefix for prefix in NO_MODULE if test.startswith(prefix)), None)
