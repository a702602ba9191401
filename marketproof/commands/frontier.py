"""``marketproof frontier``: what each rule gives up, over a sweep of markets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from marketproof.cluster import HELP as CLUSTER
from marketproof.commands.options import Json, Quiet, argument, flag, option
from marketproof.terminal.console import show_fitted, spread, stdout
from mechanism.errors import shown
from mechanism.wording import number, percent
from mechanism.writing import dumps, write_all

if TYPE_CHECKING:
    from rich.console import Console


HELP = """Sweep mechanisms over the weight of differences, the spread of costs and how different models are.

At each point the same markets are drawn for every mechanism, cleared, accounted for and searched for lies about costs,
gain parameters and sizes. Written into the folder frontier of the working directory, or --out DIR, are the record
(points.jsonl, which --resume goes on with; all points as points.csv), the table of mechanisms (frontier.csv with 95 %
intervals over the markets drawn, frontier.tex) and a figure for each trade-off as SVG, PNG and, with its numbers, CSV
and LaTeX: efficiency against the best lie about each number, welfare, lowest utility, deficit, and where lies about
each number begin to pay."""

EPILOG = """Example, a file SWEEP.toml: mechanisms = ["ipfl", "ipfl-exact"], lam = [0, 0.5, 1], cost_spread = [0, 1],
heterogeneity = [1], clients = 6, markets = 40. "marketproof frontier SWEEP.toml --out sweep"; without a file a default
sweep of six mechanisms is made, about half a minute."""

DOES = ("mechanism", "of optimum", "welfare", "deficit", "lowest utility")
LIES = (
    "mechanism", "markets with a lie", "best lie", "markets with a gain lie", "best gain lie",
    "markets with a size lie", "best size lie",
)  # fmt: skip
SHARES = ("of optimum", "markets with a lie", "markets with a gain lie", "markets with a size lie")
DISPENSABLE = ("best size lie", "best gain lie", "best lie")

LEGEND = (
    "of optimum: share of the best objective, which is welfare less penalties; mean over all points",
    "welfare: gains less costs of exporting; what a centre pays in is no part of it",
    "deficit: what a centre pays in more than it takes out of a market; mean over all markets (0: balanced)",
    "lowest utility: of any truthful client in any market of any point; below 0 somebody loses",
    "markets with a lie: share of the markets in which some client gains by a false report of its cost; with a gain "
    "lie, a size lie: by a false gain parameter, a false size (some reports are tried of these, more may pay)",
    "best lie: what the client gains that gains most by it, 0 where none does; mean over all markets",
)
"""What the columns of the tables mean."""


def frontier(
    spec: Annotated[Path | None, argument("[SWEEP.toml]", "What to sweep; all keys optional.")] = None,
    out: Annotated[Path, option("DIR", "Folder for record, table and figures.")] = Path("frontier"),
    resume: Annotated[bool, flag("Go on with the record in DIR.", "--resume")] = False,
    seed: Annotated[int | None, option(None, "Which markets are drawn; default 0.", "--seed", min=0)] = None,
    cluster: Annotated[str | None, option("ADDRESS", CLUSTER)] = None,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Read, sweep, draw, write, show."""
    from analysis.findings.several.frontier import judged, numbers, table, wilson
    from analysis.findings.several.trade_offs import figures
    from analysis.page.export import export
    from marketproof.studies.sweep import read_sweep, swept
    from marketproof.terminal.console import bar

    sweep = read_sweep(spec, seed)
    with bar("points", quiet=quiet) as tell:
        rows = swept(sweep, out, resume=resume, progress=tell, cluster=cluster)
    told = table(rows)
    drawn = numbers(rows)
    points = drawn["trade-off"]
    for name, figure in figures(rows).items():
        export(figure, points if name == "trade-off" else told, out / name, drawn=drawn[name])
    files = {
        out / "points.csv": points.to_csv().encode(),
        out / "frontier.csv": table(rows, intervals=True).to_csv().encode(),
        out / "frontier.tex": told.to_latex().encode(),
    }
    write_all(files | ({json: dumps({"points": rows})} if json is not None else {}))
    console = stdout(quiet=quiet)
    _show(console, f"{len(rows)} points, {sweep.markets} markets of {sweep.clients} clients each", rows, DOES)
    _show(console, "What lies win", rows, LIES)
    for line in (*LEGEND, *judged(rows)):
        console.print(line)
    none = percent(wilson(0.0, sweep.markets)[1], 2)
    console.print(
        f"±: half of a 95 % interval over the {sweep.markets} markets drawn, which are the same at every point and for "
        f"every mechanism; a share of 0 % of them leaves up to {none} of all such markets"
    )
    console.print(f"Figures (SVG, PNG), tables (CSV, LaTeX) and the record: {shown(out)}", soft_wrap=True)


def _show(console: Console, title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print some columns of the table of mechanisms, each mean with half of its interval."""
    from analysis.findings.several.frontier import table

    told = table(rows, intervals=True)
    cells = []
    for row in told.rows:
        found = dict(zip(told.columns, row, strict=True))
        cells.append([_cell(name, found[name], found.get(f"{name} ±")) for name in columns])
    show_fitted(console, title, columns, cells, dispensable=DISPENSABLE, elsewhere="frontier.csv")


def _cell(name: str, value: object, half: object) -> str:
    if not isinstance(value, float):
        return str(value)
    said = percent(value, 2) if name in SHARES else number(value, 4)
    if not isinstance(half, float) or half == 0.0:
        return said
    return f"{said} ± {number(100.0 * half, 2)}%" if name in SHARES else spread(said, half)
