"""Put what `make run` showed into the README, table and picture: python docs/picture.py runs/NAME."""

from __future__ import annotations

import io
import sys
from itertools import takewhile
from pathlib import Path

from rich.console import Console

from analysis.findings.rules.trade import draw_paid, trades
from analysis.page.export import png
from analysis.run.records import read_run
from marketproof.terminal.run_view import show_run
from mechanism.writing import write_all

ROOT = Path(__file__).parents[1]
FENCE = "```\n"


def result(run: Path) -> str:
    """Return what a run shows, from its table to who was paid for what."""
    read, text = read_run(run), io.StringIO()
    show_run(read.summary, read.audit, run, run, Console(file=text, width=104, highlight=False, markup=False))
    audited = tuple(f"{method}: " for method in read.methods)
    shown = takewhile(lambda line: not line.startswith(audited), text.getvalue().splitlines())
    return "".join(f"{line.rstrip()}\n" for line in shown)


def main(run: Path) -> None:
    """Write the figure of who is paid for what in a recorded run as PNG, and its table into the README."""
    read = read_run(run)
    picture = png(draw_paid(read, trades(read) or ()).figure, 130)
    page = (ROOT / "README.md").read_text()
    begin = page.index(FENCE, page.index("`make run` prints")) + len(FENCE)
    told = page[:begin] + result(run) + page[page.index(FENCE, begin) :]
    write_all({ROOT / "docs" / "run.png": picture, ROOT / "README.md": told.encode()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
