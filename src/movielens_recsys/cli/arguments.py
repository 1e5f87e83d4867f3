"""Arguments that more than one command takes."""

from __future__ import annotations

from typing import Annotated

import typer

Id = Annotated[str, typer.Argument(metavar="ID", help="An experiment's id, or the only beginning of one.")]
Devices = Annotated[
    int, typer.Option(min=1, max=64, help="GPUs, or processes on the CPU, to divide each batch among.")
]
CapUsd = Annotated[
    float | None, typer.Option("--cap-usd", help="What the run may cost altogether, from now on.")
]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or the only beginnings of them.")]
