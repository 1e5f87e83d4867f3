"""What became of a file, line by line of text: its lines, its columns, what was ignored and left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from movielens_recsys.cli.output import console

if TYPE_CHECKING:
    from movielens_recsys.data.ratings import Ratings
    from movielens_recsys.data.readers.account import ColumnAccount, ReadingAccount


def print_account(ratings: Ratings) -> None:
    """Print how the file of ``ratings`` was read, and that of its items, if there is one."""
    if ratings.account is not None:  # else the rows come from no file
        _print_account(ratings.account, "read")
    if ratings.items_account is not None:
        _print_account(ratings.items_account, "table of items, read")


def accounts(ratings: Ratings) -> dict[str, Any]:
    """Return both accounts as plain JSON values; that of the items only where there is a table of them."""
    of_items = ratings.items_account
    return {
        "account": ratings.account.to_json() if ratings.account else None,
        **({"items_account": of_items.to_json()} if of_items else {}),
    }


def _print_account(account: ReadingAccount, what: str) -> None:
    lines = [
        f"{what} as {account.form}",
        *(f"  {_column(column)}" for column in account.columns),
        f"  ignored: {', '.join(name or 'a column without a name' for name in account.ignored)}"
        if account.ignored
        else "",
        _lines(account),
    ]
    for line in filter(None, lines):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def rows_read(ratings: Ratings) -> str:
    """Return the account of the rows of ``ratings``, with the reasons of those that were left out."""
    from movielens_recsys.data.cleaning.rejections import REASONS

    rejected = ratings.account.rejected if ratings.account else {}
    reasons = "; ".join(f"{count:,} because {REASONS[reason]}" for reason, count in rejected.items())
    return (
        f"{ratings.rows_read:,} rows read = {len(ratings):,} kept + {ratings.rows_rejected:,} rejected"
        f"{f': {reasons}' if reasons else ''}"
    )


def _column(column: ColumnAccount) -> str:
    missing = f"; {column.missing:,} missing" if column.missing else ""
    return f"{column.column:9} <- {column.name}: {column.form}{missing}"


def _lines(account: ReadingAccount) -> str:
    if not account.lines:
        return ""
    return (
        f"{account.lines:,} lines = {account.header_lines:,} before the rows + {account.blank_lines:,} blank "
        f"+ {account.row_lines:,} of rows"
    )
