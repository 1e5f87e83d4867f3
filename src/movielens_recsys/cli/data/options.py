"""Options of commands that read a rating file, and the output of findings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from movielens_recsys.cli import completion
from movielens_recsys.cli.output import console
from movielens_recsys.errors import UsageError, shorten

if TYPE_CHECKING:
    from movielens_recsys.data.readers.options import ReadOptions
    from movielens_recsys.data.scale import Scale
    from movielens_recsys.schema import Finding

OnBadRows = Literal["refuse", "reject"]
_SEPARATORS = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";"}
"""Words for separators that are hard to type in a shell."""
NameOrPath = Annotated[
    str,
    typer.Argument(
        help="A name from `recsys data list`, a data set folder, or a rating file.",
        autocompletion=completion.datasets,
    ),
]
Columns = Annotated[
    str,
    typer.Option(
        help="Names of the columns: user=NAME,item=NAME,rating=NAME,timestamp=NAME (timestamp is optional); "
        "their numbers from 1 where there is no header."
    ),
]
Separator = Annotated[
    str, typer.Option(metavar="TEXT", help="The text between two fields, such as ';', '::' or tab.")
]
DecimalSign = Annotated[
    str, typer.Option("--decimal", metavar="SIGN", help="The sign before a rating's fraction: . or ,")
]
TimeFormat = Annotated[
    str,
    typer.Option(
        metavar="FORMAT",
        help="How times are written: seconds, milliseconds, microseconds, nanoseconds, iso, excel, or a "
        "format such as %d/%m/%Y.",
    ),
]
NoHeader = Annotated[bool, typer.Option("--no-header", help="The first line is a rating already.")]
Implicit = Annotated[
    bool,
    typer.Option(
        "--implicit",
        help="A row says that something happened (a play, a click, a purchase); no ratings are needed, and "
        "numbers above 0 in their place say only that it did.",
    ),
]
Unrated = Annotated[
    float | None,
    typer.Option(metavar="NUMBER", help="The number that stands for: not rated. Such rows are left out."),
]
BadRowsOption = Annotated[
    OnBadRows,
    typer.Option(
        "--on-bad-rows", help="refuse: stop at an invalid row; reject: skip such rows and count them."
    ),
]
ScaleOption = Annotated[
    str,
    typer.Option(
        "--scale", metavar="LOWEST:HIGHEST[:STEP]", help="The rating scale of the file. Default: inferred."
    ),
]


def parse_options(
    columns: str,
    separator: str,
    decimal: str,
    time_format: str,
    no_header: bool,
    implicit: bool = False,
    unrated: float | None = None,
) -> ReadOptions:
    """Return what the options of a command state about a file; an empty text states nothing.

    Raises
    ------
    UsageError
        One of them cannot be read.
    """
    from movielens_recsys.data.readers.options import ReadOptions

    if decimal not in {"", ".", ","}:
        raise UsageError(f"cannot read {shorten(decimal)!r} in --decimal", expected="a point or a comma")
    sign: Literal[".", ","] | None = "," if decimal == "," else "." if decimal else None
    return ReadOptions(
        parse_columns(columns),
        _SEPARATORS.get(separator, separator) or None,
        sign,
        time_format or None,
        False if no_header else None,
        implicit or None,
        unrated,
    )


def parse_columns(
    text: str, option: str = "--columns", form: str = "user=NAME,item=NAME,rating=NAME,timestamp=NAME"
) -> dict[str, str] | None:
    """Return ``user=a,item=b`` as a mapping; None for an empty text.

    Raises
    ------
    UsageError
        A part is not of the form ``OURS=THEIRS``, or a column is named twice.
    """
    if not text:
        return None
    mapping: dict[str, str] = {}
    for part in text.split(","):
        ours, equals, theirs = (piece.strip() for piece in part.partition("="))
        if not (ours and equals and theirs):
            raise UsageError(
                f"cannot read {shorten(part)!r} in {option}",
                expected=form,
            )
        if ours in mapping:
            raise UsageError(f"{option} names {shorten(ours)!r} twice", expected="each column once")
        mapping[ours] = theirs
    return mapping


def parse_scale(text: str) -> Scale | None:
    """Return ``1:5:1``, or ``-10:10`` for ratings without steps, as a scale; None for an empty text.

    Raises
    ------
    UsageError
        It is not two or three numbers, they are not a scale, or its levels are too many.
    """
    from movielens_recsys.data.scale import MAX_STATED_LEVELS, Scale

    if not text:
        return None
    try:
        lowest, highest, *steps = (float(part) for part in text.split(":"))
        if len(steps) > 1:
            raise ValueError(text)
    except ValueError as exc:
        raise UsageError(
            f"cannot read {shorten(text)!r} as a scale",
            expected="LOWEST:HIGHEST:STEP such as 1:5:1 or 0.5:5:0.5, or LOWEST:HIGHEST for ratings without "
            "steps, such as -10:10",
        ) from exc
    if not all(map(math.isfinite, (lowest, highest, *steps))):
        raise UsageError(f"the scale {shorten(text)} is not finite", expected="finite numbers")
    if highest <= lowest:
        raise UsageError(
            f"the scale {shorten(text)} ends at {highest:g}, which is not above {lowest:g}",
            expected="LOWEST:HIGHEST:STEP, the lower end first",
        )
    if not steps:
        return Scale(lowest, highest)
    if steps[0] <= 0:
        raise UsageError(f"the scale {shorten(text)} has a step of {steps[0]:g}", expected="a step above 0")
    n_steps = (highest - lowest) / steps[0]
    if not abs(n_steps - round(n_steps)) < 1e-6:
        raise UsageError(
            f"{highest:g} is not a whole number of steps of {steps[0]:g} above {lowest:g}",
            expected="ends that are a whole number of steps apart",
            next_step=f"correct the step, or leave it out: --scale {lowest:g}:{highest:g}",
        )
    if round(n_steps) >= MAX_STATED_LEVELS:
        raise UsageError(
            f"a scale of {round(n_steps) + 1:,} levels",
            expected=f"at most {MAX_STATED_LEVELS:,} levels",
            next_step=f"leave the step out: --scale {lowest:g}:{highest:g}",
        )
    return Scale(lowest, highest, steps[0])


def print_findings(findings: Sequence[Finding]) -> None:
    """Print one line for each finding."""
    if not findings:
        console.print("no findings")
        return
    for finding in findings:
        console.print(
            f"{finding.severity.value:8} {finding.name}: {finding.advice}", highlight=False, markup=False
        )
