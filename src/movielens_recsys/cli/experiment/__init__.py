"""`recsys experiment`: plan, run, find and compare experiments."""

from __future__ import annotations

import typer

from movielens_recsys.cli.experiment import look, plan, run

app = typer.Typer(help="Plan, run, find and compare experiments.", no_args_is_help=True)
app.command()(plan.create)
app.command()(plan.clone)
app.command()(plan.templates)
app.command("list")(look.list_)
app.command()(look.search)
app.command()(look.show)
app.command()(run.run)
app.command()(run.resume)
app.command()(look.compare)
app.command()(look.best)
app.command()(plan.archive)
app.command()(look.export)
app.command()(look.sync)
