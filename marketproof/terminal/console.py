"""Where people read: one console on stdout, one on stderr for what moves, both silent when asked to be."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDTH_WITHOUT_TERMINAL = 120


def _console(stream: object, *, quiet: bool) -> Console:
    terminal = bool(getattr(stream, "isatty", lambda: False)())
    return Console(
        file=stream,  # type: ignore[arg-type]
        quiet=quiet,
        width=None if terminal else _WIDTH_WITHOUT_TERMINAL,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


def stdout(*, quiet: bool) -> Console:
    """Return the console for results."""
    return _console(sys.stdout, quiet=quiet)


def stderr(*, quiet: bool) -> Console:
    """Return the console for progress."""
    return _console(sys.stderr, quiet=quiet)


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]], *, left: int = 1) -> Table:
    """Return a table whose first ``left`` columns are text and whose others are numbers.

    Cells are taken literally: what a stranger named a client is never read as markup.
    """
    made = Table(title=Text(title, style="bold"), title_justify="left", header_style="bold")
    for k, column in enumerate(columns):
        made.add_column(Text(column), justify="left" if k < left else "right", overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made
