"""The words of the house are the field's: names and phrases that were replaced do not come back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORDS = Path(__file__).with_name("old_words.txt")
EXEMPT = (
    "CHANGELOG.md",
    "docs/adr/0010-the-fields-words.md",
    "docs/reference/renames.md",
    "tests/compat",
    "tests/house/old_words.txt",
    "tests/house/test_words.py",
)
"""What speaks of the old words, or of files written with them."""

BOUND = ("--entrants", ":judged", "'judged'", '"judged"', '"sink"', "['sink']")
"""Old words that stay: an option of the command line, columns of saved files, a key of ``--json``."""


def words() -> list[str]:
    """Return the regular expressions of the list."""
    lines = WORDS.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def occurrences(pattern: str, *paths: str) -> list[str]:
    """Return ``path:line:text`` of each line of a tracked file that holds a word of ``pattern``."""
    command = ["git", "grep", "-InwE", pattern, "--", *paths]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode > 1:
        pytest.skip(f"needs git and a checkout: {found.stderr.strip()}")
    return found.stdout.splitlines()


def test_the_list_is_long_sorted_and_without_doubles() -> None:
    found = words()
    assert len(found) >= 60
    assert len(set(found)) == len(found)


def test_no_file_has_an_old_word() -> None:
    exempt = [f":(exclude){path}" for path in EXEMPT]
    found = occurrences("|".join(words()), ".", *exempt)
    assert [line for line in found if not any(word in line for word in BOUND)] == []


def test_an_old_word_would_be_found() -> None:
    assert occurrences("StarsAndLists", "docs/reference/renames.md")
