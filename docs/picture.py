"""Draw the README's picture from a run folder: python docs/picture.py runs/NAME docs/run.png."""

from __future__ import annotations

import sys
from pathlib import Path

from analysis.findings.achieved import achieved, drawing
from analysis.page.export import png
from analysis.run.records import read_run
from mechanism.writing import write_all


def main(run: str, out: str) -> None:
    """Write the figure "accuracy beside utility" of a recorded run as PNG."""
    read = read_run(Path(run))
    figure = drawing(read, achieved(read)).figure
    write_all({Path(out): png(figure, 130)})


if __name__ == "__main__":
    main(*sys.argv[1:])
