"""One console on stdout, one on stderr for what moves, both silent when asked to be; tables that fit, and a bar.

In a table that is fitted no word and no number is ever broken: first the heads are folded between words, then columns
are left out, least important first, and a line says which.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mechanism.wording import number

Tell = Callable[[str, int, int], None]
"""Called with (what is worked on, how many are done, of how many)."""

_WIDTH_WITHOUT_TERMINAL = 120
_MOST_LINES = 4
_EDGE, _GAP = 1, 3  # what rich draws before the first column, and beside each


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


def spread(value: str, deviation: float | None) -> str:
    """Return a number with its deviation in two digits; None: there is none."""
    return value if deviation is None else f"{value} ± {number(deviation, 2)}"


def show_fitted(
    console: Console,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    dispensable: Sequence[str] = (),
    elsewhere: str = "",
    left: int = 1,
) -> None:
    """Print a table in the console's width, and a line about the columns that were left out, if any.

    ``dispensable``: columns that may be left out, least important first; ``elsewhere``: where to find them; ``left``:
    how many columns at the left are text.
    """
    left_out: list[str] = []
    widths = _widths(columns, rows, console.width)
    for name in dispensable:
        if widths is not None:
            break
        left_out.append(name)
        kept = [k for k, column in enumerate(columns) if column not in left_out]
        widths = _widths([columns[k] for k in kept], [[row[k] for k in kept] for row in rows], console.width)
    kept = [k for k, column in enumerate(columns) if column not in left_out]
    made = table(title, [columns[k] for k in kept], [[row[k] for k in kept] for row in rows], left=left)
    for column, width in zip(made.columns, widths or (), strict=False):  # a width of nothing: rich does what it can
        column.width = width
    console.print(made)
    if left_out:
        where = f" (all columns: {elsewhere})" if elsewhere else ""
        console.print(f"Left out, for the terminal is narrow: {', '.join(left_out)}{where}")


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], most: int) -> list[int] | None:
    """Return the widths of columns with heads on as few lines as fit into ``most``; None if they fit on no number."""
    cells = [max((len(row[k]) for row in rows), default=0) for k in range(len(columns))]
    for lines in range(1, _MOST_LINES + 1):
        widths = [max(cell, _head(column, lines)) for cell, column in zip(cells, columns, strict=True)]
        if sum(widths) + _GAP * len(widths) + _EDGE <= most:
            return widths
    return None


def _head(text: str, lines: int) -> int:
    """Return the least width in which a head takes at most that many lines, broken between words."""
    words = [len(word) for word in text.split()]
    for width in range(max(words, default=0), len(text)):
        if _lines(words, width) <= lines:
            return width
    return len(text)


def _lines(words: Sequence[int], width: int) -> int:
    count, used = 1, -1
    for word in words:
        if used + 1 + word > width:
            count, used = count + 1, -1
        used += 1 + word
    return count


@contextmanager
def bar(what: str, *, quiet: bool) -> Iterator[Tell | None]:
    """Give a function that moves the bar, or None where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=stderr(quiet=quiet), transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda name, done, total: shown.update(task, description=name, completed=done, total=total)


def counting(tell: Tell | None, name: str) -> Callable[[int, int], None] | None:
    """Return what to call with (done, of how many) where only one thing is worked on."""
    return None if tell is None else lambda done, total: tell(name, done, total)
