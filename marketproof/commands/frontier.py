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

At each point the same markets are drawn for every mechanism, cleared, accounted for and searched for lies. Written are
the record (points.jsonl, which --resume goes on with), a table (points.csv, frontier.tex) and a figure for each
trade-off: efficiency against the best lie, lowest utility, deficit, and where lies begin to pay."""

EPILOG = """Example, a file SWEEP.toml: mechanisms = ["ipfl", "ipfl-exact"], lam = [0, 0.5, 1], cost_spread = [0, 1],
heterogeneity = [1], clients = 6, markets = 40. "marketproof frontier SWEEP.toml --out sweep"; without a file a default
sweep of six mechanisms is made, about half a minute."""


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
    from analysis.frontier import figures, table
    from analysis.tables import Table, shown
    from marketproof.atomic import write_all
    from marketproof.console import stdout
    from marketproof.console import table as printed
    from marketproof.progress import bar
    from marketproof.sweep import read_sweep, swept

    sweep = read_sweep(spec, seed)
    with bar("points", quiet=quiet) as tell:
        rows = swept(sweep, out, resume=resume, progress=tell)
    told = table(rows)
    columns = tuple(rows[0])
    points = Table("points", columns, tuple(tuple(row[c] for c in columns) for row in rows))
    for name, figure in figures(rows).items():
        export(figure, points if name == "trade-off" else told, out / name)
    write_all({json: dumps({"points": rows})} if json is not None else {})
    console = stdout(quiet=quiet)
    cells = [[shown(cell) for cell in row] for row in told.rows]
    console.print(printed(f"{len(rows)} points, {sweep.markets} markets of {sweep.clients} clients each",
                          told.columns, cells))  # fmt: skip
    console.print("of optimum, best lie, deficit: means over all points; lowest utility: the worst of all of them")
    console.print(f"Figures (SVG, PNG), tables (CSV, LaTeX) and the record: {out}")
