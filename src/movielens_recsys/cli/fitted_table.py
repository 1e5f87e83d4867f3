"""`FittedTable`: a table that keeps names, ids and numbers whole, however wide the terminal is."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.table import Table
from rich.text import Text

_LEAST_WRAPPED_WIDTH = 30
_GAP = 2

Cells = Sequence[Sequence[object]]


class FittedTable:
    """A table for a terminal of any width; elsewhere plain columns, in which nothing is cut.

    On a terminal that is too narrow, ``narrow`` replaces the rows, then the ``lesser`` columns are left out,
    from the first on, and the caption says so. Only ``wrapped`` columns are ever broken into lines.

    Parameters
    ----------
    title, caption
        Plain text above and below the table; empty: none.
    columns, rows
        Headers and cells; columns of numbers but the first are right-aligned, others to the left.
    lesser, wrapped
        Names of columns.
    narrow
        The same rows with shorter cells.
    """

    def __init__(
        self,
        title: str,
        columns: Sequence[str],
        rows: Cells,
        *,
        caption: str = "",
        lesser: Sequence[str] = (),
        wrapped: Collection[str] = (),
        narrow: Cells | None = None,
    ) -> None:
        self._title, self._caption = title, caption
        self._columns, self._rows, self._narrow = columns, rows, narrow
        self._lesser, self._wrapped = lesser, wrapped

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not console.is_terminal:
            yield from (Text(line, no_wrap=True, overflow="ignore") for line in self.plain_lines())
            return
        rows, hidden = self._rows, 0
        if self._width(rows) > options.max_width and self._narrow is not None:
            rows = self._narrow
        while hidden < len(self._lesser) and self._width(rows, self._lesser[:hidden]) > options.max_width:
            hidden += 1
        width = max(options.max_width, self._width(rows, self._lesser[:hidden]))
        yield from console.render(self._table(rows, self._lesser[:hidden]), options.update(width=width))
        if self._title:
            yield Text("")

    def _width(self, rows: Cells, hidden: Sequence[str] = ()) -> int:
        """Return the smallest width without a column in ``hidden``."""
        widths = [self._column_width(rows, position) for position in self._shown(hidden)]
        return sum(widths) + _GAP * (len(widths) - 1)

    def _column_width(self, rows: Cells, position: int) -> int:
        """Return the width of the longest cell, or of a line of one that is wrapped."""
        name = self._columns[position]
        natural = max(cell_len(cell) for cell in (name, *(str(row[position]) for row in rows)))
        return min(natural, _LEAST_WRAPPED_WIDTH) if name in self._wrapped else natural

    def _shown(self, hidden: Sequence[str]) -> list[int]:
        return [position for position, name in enumerate(self._columns) if name not in hidden]

    def _is_text(self, position: int) -> bool:
        """Return whether a cell of the column starts with a letter, after signs."""
        return any(re.match(r"\W*[^\W\d]", str(row[position])) for row in self._rows)

    def plain_lines(self) -> list[str]:
        """Return the table without lines and colours, its columns two spaces apart, as `awk` takes it."""
        cells = [list(self._columns), *([str(cell) for cell in row] for row in self._rows)]
        lines = [*filter(None, [self._title]), *aligned(cells), *filter(None, [self._caption])]
        return [*lines, ""] if self._title else lines

    def _table(self, rows: Cells, hidden: Sequence[str] = ()) -> Table:
        note = f"not shown at this width: {', '.join(hidden)}" if hidden else ""
        below = "\n".join(filter(None, [self._caption, note]))
        blank = "\n" if self._title else ""
        table = Table(
            title=Text(f"{self._title}\n") if self._title else None,
            title_justify="left",
            caption=Text(f"{blank}{below}") if below else None,
            caption_justify="left",
            box=SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            collapse_padding=True,
        )
        for position in self._shown(hidden):
            wraps = self._columns[position] in self._wrapped
            table.add_column(
                escape(self._columns[position]),
                justify="left" if wraps or position == 0 or self._is_text(position) else "right",
                no_wrap=not wraps,
                overflow="fold",
                min_width=self._column_width(rows, position),
            )
        for row in rows:
            table.add_row(*(escape(str(row[position])) for position in self._shown(hidden)))
        return table


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines of plain columns, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
