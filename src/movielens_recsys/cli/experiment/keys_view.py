"""Keys of a configuration on a terminal, and as plain columns elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.padding import Padding

from movielens_recsys.cli.fitted_table import FittedTable
from movielens_recsys.cli.output import console
from movielens_recsys.errors import shorten

if TYPE_CHECKING:
    from movielens_recsys.experiments.keys import ConfigKey

_DEFAULT_WIDTH = 24


def print_keys(keys: Sequence[ConfigKey]) -> None:
    """Print each key with its meaning below it; without a terminal, one line each."""
    if not console.is_terminal:
        rows = [
            (key.key, key.kind or "-", key.value, shorten(key.default, _DEFAULT_WIDTH), key.meaning)
            for key in keys
        ]
        console.print(FittedTable("", ["key", "of", "value", "default", "meaning"], rows))
        return
    for key in keys:
        kind = f"  ({key.kind})" if key.kind else ""
        default = shorten(key.default, _DEFAULT_WIDTH)
        console.print(f"[bold]{escape(key.key)}[/bold]{kind}", highlight=False)
        console.print(f"    {escape(key.value)}; default {escape(default)}", highlight=False)
        meaning = Padding(escape(key.meaning), (0, 0, 0, 4))
        console.print(meaning, style="dim", soft_wrap=False, highlight=False)
