"""The output of commands: text and progress for users, ``--json`` for programs.

Results go to standard output; progress, warnings and errors to standard error, so that a pipe gets results
only. Progress bars appear on terminals only.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from movielens_recsys.cli.streams import escape_unprintable

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]

console = Console(soft_wrap=True)
err_console = Console(stderr=True, soft_wrap=True)


def emit(values: Any, *, as_json: bool, render: Callable[[], None]) -> None:
    """Print ``values`` as JSON, or call ``render``, which shows them as text.

    The JSON is valid wherever it goes: in ASCII unless the stream is UTF-8, and null in place of NaN.
    """
    if not as_json:
        render()
        return
    text = json.dumps(_finite(values), ensure_ascii=False, indent=2, default=str)
    utf8 = (sys.stdout.encoding or "utf-8").lower().replace("-", "").replace("_", "") == "utf8"
    if not utf8 or any("\ud800" <= char <= "\udfff" for char in text):
        text = json.dumps(_finite(values), indent=2, default=str)
    echo(text)


def _finite(values: Any) -> Any:
    if isinstance(values, float):
        return values if math.isfinite(values) else None
    if isinstance(values, Mapping):
        return {key: _finite(value) for key, value in values.items()}
    return [_finite(value) for value in values] if isinstance(values, list | tuple) else values


def echo(text: str, *, err: bool = False, end: str = "\n") -> None:
    """Write text to standard output or error, as it is.

    `typer.echo` writes UTF-8 to a stream whose encoding is ASCII.
    """
    stream = sys.stderr if err else sys.stdout
    stream.write(text + end)
    stream.flush()


def warn(message: str) -> None:
    """Print a one-line warning to standard error."""
    err_console.print(f"[yellow]warning:[/yellow] {escape(escape_unprintable(message))}", highlight=False)


def progress() -> Progress:
    """Return a progress display, which is silent unless on a terminal that can redraw a line."""
    return Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=err_console,
        disable=not err_console.is_terminal or err_console.is_dumb_terminal,
        transient=True,
    )
