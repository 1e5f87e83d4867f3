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
Modifications = Annotated[
    str,
    typer.Option(
        "--modifications",
        "-m",
        metavar="JSON",
        help='Changes to the configuration, e.g. \'{"training": {"seed": 42}}\', or @FILE with them.',
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A change to one key of `recsys experiment keys`, e.g. training.epochs=5; may be repeated.",
    ),
]
