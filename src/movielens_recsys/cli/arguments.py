"""Arguments that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Id = Annotated[str, typer.Argument(metavar="ID", help="An experiment's id, or a unique beginning of it.")]
Devices = Annotated[
    int, typer.Option(min=1, max=64, help="Number of GPUs, or of CPU processes, that share each batch.")
]
CapUsd = Annotated[
    float | None, typer.Option("--cap-usd", help="New spending cap of the run in USD, over all its attempts.")
]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or unique beginnings of them.")]
