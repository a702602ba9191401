"""``marketproof frontier``: what each rule gives up, over a sweep of markets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marketproof.commands.options import Json, Quiet, dumps


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("frontier", help=HELP, epilog=EPILOG)(frontier)


HELP = """Sweep mechanisms over the weight of differences, the spread of costs and how different models are.

At each point the same markets are drawn for every mechanism, cleared, accounted for and searched for lies. Written into
the folder frontier of the working directory, or --out DIR, are the record (points.jsonl, which --resume goes on with;
all points as points.csv), the table of mechanisms (frontier.csv, frontier.tex) and a figure for each trade-off as SVG,
PNG and, with its numbers, CSV and LaTeX: efficiency against the best lie, lowest utility, deficit, and where lies begin
to pay."""

EPILOG = """Example, a file SWEEP.toml: mechanisms = ["ipfl", "ipfl-exact"], lam = [0, 0.5, 1], cost_spread = [0, 1],
heterogeneity = [1], clients = 6, markets = 40. "marketproof frontier SWEEP.toml --out sweep"; without a file a default
sweep of six mechanisms is made, about half a minute."""

SHARES = ("of optimum", "markets with a lie")
DISPENSABLE = ("deficit", "lowest utility", "best lie")

LEGEND = (
    "of optimum: share of the best objective, which is welfare less penalties; mean over all points",
    "lowest utility: of any truthful client in any market of any point; below 0 somebody loses",
    "markets with a lie: share of the markets in which some client gains by a false report of its cost",
    "best lie: what the client gains that gains most by it, 0 where none does; mean over all markets",
    "deficit: what a centre pays in more than it takes out of a market; mean over all markets (0: balanced)",
)
"""What the columns of the table mean."""


def frontier(
    spec: Annotated[
        Path | None, typer.Argument(metavar="[SWEEP.toml]", help="What to sweep; all keys optional.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for record, table and figures.")] = Path("frontier"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the record in DIR.")] = False,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Which markets are drawn; default 0.")] = None,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Read, sweep, draw, write, show."""
    from analysis.export import export
    from analysis.frontier import figures, numbers, table
    from marketproof.atomic import write_all
    from marketproof.console import stdout
    from marketproof.errors import shown
    from marketproof.fitting import four, share, show_fitted
    from marketproof.progress import bar
    from marketproof.sweep import read_sweep, swept

    sweep = read_sweep(spec, seed)
    with bar("points", quiet=quiet) as tell:
        rows = swept(sweep, out, resume=resume, progress=tell)
    told = table(rows)
    drawn = numbers(rows)
    points = drawn["trade-off"]
    for name, figure in figures(rows).items():
        export(figure, points if name == "trade-off" else told, out / name, drawn=drawn[name])
    files = {
        out / "points.csv": points.to_csv().encode(),
        out / "frontier.csv": told.to_csv().encode(),
        out / "frontier.tex": told.to_latex().encode(),
    }
    write_all(files | ({json: dumps({"points": rows})} if json is not None else {}))
    console = stdout(quiet=quiet)
    cells = [
        [str(cell) if isinstance(cell, str) else (share if name in SHARES else four)(float(cell or 0.0))
         for name, cell in zip(told.columns, row, strict=True)]
        for row in told.rows
    ]  # fmt: skip
    title = f"{len(rows)} points, {sweep.markets} markets of {sweep.clients} clients each"
    show_fitted(console, title, told.columns, cells, dispensable=DISPENSABLE, elsewhere="frontier.csv")
    for line in LEGEND:
        console.print(line)
    console.print(f"Figures (SVG, PNG), tables (CSV, LaTeX) and the record: {shown(out)}", soft_wrap=True)
