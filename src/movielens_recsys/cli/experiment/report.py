"""The report of an experiment in the browser."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from movielens_recsys.cli.arguments import Id, announce, find_run
from movielens_recsys.cli.output import Json, echo, emit


def report(
    id: Id,
    open_page: Annotated[
        bool, typer.Option("--open/--no-open", help="Open it in the browser, or only print its path.")
    ] = True,
    json: Json = False,
) -> None:
    """Open the report of a completed experiment in the browser, and print its path."""
    from movielens_recsys.experiments.report_page import report_page
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    run_id = find_run(id, settings)
    page = report_page(run_id, settings).absolute()
    emit({"id": run_id, "report": str(page)}, as_json=json, render=lambda: echo(str(page)))
    if open_page and not webbrowser.open(page.as_uri()):
        announce("no browser was found here: open that file in one")
