"""`recsys recommend`: the best items for users, shown or as a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from movielens_recsys.cli.arguments import Data, refuse_idle
from movielens_recsys.cli.data.options import (
    BadRowsOption,
    Columns,
    DecimalSign,
    NoHeader,
    Separator,
    TimeFormat,
    parse_options,
)
from movielens_recsys.cli.output import Json, err_console, warn
from movielens_recsys.cli.recommending.fitted import Fitted, FittedRun, open_fitted
from movielens_recsys.cli.recommending.show import answer, show_recommendations
from movielens_recsys.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from movielens_recsys.arrays import I64
    from movielens_recsys.recommending.inputs import History

Top = Annotated[int, typer.Option("--top", "-k", min=1, help="Number of items.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write a table to a .csv, .jsonl or .parquet file."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace the output file if it is there.")]
SHOWN = 5


def recommend(
    run: FittedRun,
    user: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A user of the data set; may be repeated.")
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Ratings of a new user: a table with items and, if there are any, ratings."
        ),
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="All users of the data set, as a table.")] = False,
    top: Top = 10,
    output: Output = None,
    force: Force = False,
    data: Data = "",
    columns: Columns = "",
    separator: Separator = "",
    decimal: DecimalSign = "",
    time_format: TimeFormat = "",
    no_header: NoHeader = False,
    on_bad_rows: BadRowsOption = "refuse",
    json: Json = False,
) -> None:
    """Recommend items to users, without what they have rated: in training or held out from it.

    The options from --columns to --on-bad-rows are for the file of --history.
    """
    if (user is not None) + (history is not None) + all != 1:
        raise UsageError(
            "no user to recommend to" if not (user or history or all) else "several kinds of users",
            expected="one of --user ID, --history FILE and --all",
            next_step=f"try: recsys recommend {run} --user ID",
        )
    if "" in [name.strip() for name in user or ()]:
        raise UsageError("the id of a user is empty", expected="--user ID", next_step="name a user")
    if history is None:
        reading = {
            "--columns": columns,
            "--separator": separator,
            "--decimal": decimal,
            "--time-format": time_format,
            "--no-header": no_header,
            "--on-bad-rows": on_bad_rows == "reject",
        }
        refuse_idle(reading, "it is for the file of --history FILE, and there is none")
    check_target(output, force, json)
    fitted = open_fitted(run, data)
    if history is not None:
        from movielens_recsys.recommending.inputs import read_history

        options = parse_options(columns, separator, decimal, time_format, no_header)
        read = read_history(history, fitted.ratings, options, bad_rows=on_bad_rows)
        _for_history(fitted, history.stem, read, top, output, json)
        return
    names = list(dict.fromkeys(user)) if user else [str(user_id) for user_id in fitted.ratings.user_ids]
    users = _indices(names, fitted)
    if output is not None:
        _write(_tables(fitted, users, names, top), output)
    elif all and not json:
        from movielens_recsys.recommending.tables import write_text

        write_text(_tables(fitted, users, names, top), sys.stdout.buffer)
    else:
        answers = [_answer(fitted, int(user), name, top) for user, name in zip(users, names, strict=True)]
        show_recommendations(fitted, answers, as_json=json)


def check_target(output: Path | None, force: bool, as_json: bool) -> None:
    """Refuse an output file that cannot be written, and options that do not fit together.

    Raises
    ------
    UsageError
        See `check_output`; or ``--force`` without a file, or ``--json`` with one.
    """
    from movielens_recsys.recommending.tables import check_output

    if output is None:
        refuse_idle({"--force": force}, "it replaces the file of --output FILE, and there is none")
    else:
        refuse_idle({"--json": as_json}, "--output FILE takes the table (a .jsonl file is JSON)")
        check_output(output, force=force)


def _indices(names: Sequence[str], fitted: Fitted) -> I64:
    """Return the users' indices; those whom the model answers by its fallback are counted in a warning."""
    from movielens_recsys.recommender import UNKNOWN
    from movielens_recsys.recommending.ids import look_up_ids, spelling_hint

    users = look_up_ids(fitted.ratings.user_ids, names)
    absent = [name for name, user in zip(names, users, strict=True) if user == UNKNOWN]
    ranked = fitted.model.ranked_users
    cold = [name for name, user in zip(names, users, strict=True) if user != UNKNOWN and not ranked[user]]
    for found, why in ((absent, "not in the data set"), (cold, "without training ratings that it uses")):
        if found:
            some = ", ".join(found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")
            hint = spelling_hint(fitted.ratings.user_ids, found) if found is absent else ""
            counts = f"{len(found):,} of {len(names):,} ({some}){hint}"
            warn(f"the model answers as for an unknown user where a user is {why}: {counts}")
    return users


def _tables(fitted: Fitted, users: I64, names: Sequence[str], top: int) -> Iterator[pl.DataFrame]:
    from movielens_recsys.recommender import UNKNOWN
    from movielens_recsys.recommending.ranking import rank_in_blocks
    from movielens_recsys.recommending.tables import ranked_table

    # Ids keep their type, unless there are some that the data set does not have.
    ids = names if (users == UNKNOWN).any() else fitted.ratings.user_ids[users].tolist()
    for ranked in rank_in_blocks(fitted.model, users, fitted.rated, top):
        yield ranked_table(ranked, fitted.ratings, ids, predicted=fitted.predicts_ratings)


def _answer(fitted: Fitted, user: int, name: str, top: int) -> dict[str, Any]:
    import numpy as np

    from movielens_recsys.recommender import UNKNOWN
    from movielens_recsys.recommending.ranking import rank_for_users
    from movielens_recsys.recommending.slate import favourite_titles

    return answer(
        fitted,
        name,
        rank_for_users(fitted.model, np.array([user]), fitted.rated, top),
        known=user != UNKNOWN and bool(fitted.model.ranked_users[user]),
        n_rated=len(fitted.rated[user]),
        favourites=() if fitted.ratings.implicit else favourite_titles(fitted.ratings, user),
    )


def _for_history(
    fitted: Fitted, name: str, history: History, top: int, output: Path | None, as_json: bool
) -> None:
    from movielens_recsys.recommending.ranking import rank_for_history, uses_history
    from movielens_recsys.recommending.tables import ranked_table

    for finding in history.findings:
        warn(finding.advice)
    known = uses_history(fitted.model, history.items, history.ratings)
    if not known:
        fallback = fitted.model.fallback_meaning
        warn(f"the model uses none of these items: its fallback answers, as for an unknown user: {fallback}")
    ranked = rank_for_history(fitted.model, history.items, history.ratings, top)
    if output is not None:
        _write([ranked_table(ranked, fitted.ratings, [name], predicted=fitted.predicts_ratings)], output)
        return
    found = answer(fitted, name, ranked, known=known, n_rated=len(history.items))
    show_recommendations(fitted, [found], as_json=as_json)


def _write(blocks: Iterable[pl.DataFrame], output: Path) -> None:
    from movielens_recsys.recommending.tables import write_table

    rows = write_table(blocks, output)
    err_console.print(f"{rows:,} rows in {output}", highlight=False)
