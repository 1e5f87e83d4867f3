"""The page "Add a model", followed to the letter in a copy of the package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "add-a-model.md"
BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def follow(page: str, checkout: Path) -> None:
    """Create the files of the page's blocks; where a file exists, add the block's imports and table lines."""
    for name, text in BLOCK.findall(page):
        path = checkout / name
        if not path.exists():
            path.write_text(text)
            continue
        imports = "".join(re.findall(r"^from .*\n", text, re.MULTILINE))
        content = path.read_text().replace("import annotations\n", f"import annotations\n{imports}", 1)
        lines = text.removeprefix(imports)
        path.write_text(re.sub(r"^([A-Z]+: .* = \{\n)", rf"\1{lines}", content, count=1, flags=re.MULTILINE))


def test_the_page_adds_a_model_that_passes_the_contract(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("contracts", "notify", "tracking"):  # the contract suites use fixtures of all three
        shutil.copytree(ROOT / "tests" / folder, tmp_path / "tests" / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    follow(PAGE.read_text(), tmp_path)

    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    suite = "tests/contracts/test_recommender.py"
    code = (
        "from movielens_recsys.experiments.templates import load_template\n"
        "assert load_template('user_mean').config('first_look').model.shrinkage == 5\n"
        "import pytest\n"
        f"arguments = ['-q', '-p', 'no:cacheprovider', '{suite}', '-k', 'user_mean or every_model']\n"
        "raise SystemExit(pytest.main(arguments))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 14
