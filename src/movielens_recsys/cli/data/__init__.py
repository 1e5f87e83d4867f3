"""`recsys data`: list, download, inspect, check and import ratings."""

from __future__ import annotations

import typer

from movielens_recsys.cli.data import inspect, obtain, remove
from movielens_recsys.cli.usage import CommandGroup

app = typer.Typer(help="Obtain, inspect and import ratings.", cls=CommandGroup, rich_markup_mode=None)
app.command("list")(inspect.list_datasets)
app.command()(obtain.fetch)
app.command()(inspect.describe)
app.command()(inspect.check)
app.command("import")(obtain.import_file)
app.command()(remove.remove)
