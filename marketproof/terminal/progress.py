"""A bar on a terminal's stderr while something long is counted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from marketproof.terminal.console import stderr

Tell = Callable[[str, int, int], None]
"""Called with (what is worked on, how many are done, of how many)."""


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
