"""`recsys experiment`: plan, run, find and compare experiments."""

from __future__ import annotations

import typer

from movielens_recsys.cli.experiment import create, delete, inspect, report, run
from movielens_recsys.cli.usage import CommandGroup

app = typer.Typer(help="Plan, run, find and compare experiments.", cls=CommandGroup)
app.command()(create.create)
app.command()(create.clone)
app.command()(create.templates)
app.command()(create.keys)
app.command("list")(inspect.list_)
app.command()(inspect.search)
app.command()(inspect.show)
app.command()(run.run)
app.command()(run.resume)
app.command()(run.evaluate)
app.command()(inspect.compare)
app.command()(inspect.best)
app.command()(report.report)
app.command()(create.archive)
app.command()(create.unarchive)
app.command()(delete.delete)
app.command()(inspect.export)
app.command()(inspect.sync)
