"""``marketproof report``: one page from recorded runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marketproof.commands.options import FixedSeed, Json, Quiet, dumps


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("report", help=HELP, epilog=EPILOG)(report)


HELP = "Make a report from recorded runs: one page that needs nothing else, for a browser."

EPILOG = """Example: "marketproof report runs/digits-niid-* --out comparison.html" puts several runs on one page.
A single run has its report.html in its own folder already."""


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", help="Run folders.")],
    out: Annotated[Path, typer.Option(metavar="FILE.html", help="The page to write.")] = Path("report.html"),
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Read, write, show."""
    from analysis.report import write_report
    from marketproof.atomic import write_all
    from marketproof.console import stdout
    from marketproof.errors import InputError, shown

    if out.is_dir():
        raise InputError(f"{shown(out)} is a folder; expected the name of a file to write, such as report.html")
    written = write_report(runs, out)
    if json is not None:
        write_all({json: dumps({"report": str(written), "runs": [str(run) for run in runs]})})
    stdout(quiet=quiet).print(f"Report: {shown(written)}")
