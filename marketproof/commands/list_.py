"""``marketproof list``: what exists."""

from __future__ import annotations

from typing import Annotated

import typer

from marketproof.commands.options import FixedSeed, Json, Quiet, dumps
from marketproof.errors import InputError, shown


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("list", help=HELP, epilog=EPILOG)(list_)


HELP = "List what exists: mechanisms, methods, tasks, properties or populations."

EPILOG = """Example: "marketproof list mechanisms" shows of each mechanism which promises it keeps by theory: ir (nobody
loses), dsic-cost (no lie about a cost pays), budget-balance, efficiency. No mechanism keeps all of them."""


def list_(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="mechanisms, methods, tasks, properties or populations.")],
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Look up, write, show."""
    from marketproof.listing import LISTINGS

    if what not in LISTINGS:
        raise InputError(f"there is no list of {shown(what)}; expected one of {', '.join(LISTINGS)}")
    from marketproof.files.atomic import write_all
    from marketproof.terminal.console import stdout, table

    listing = LISTINGS[what]()
    if json is not None:
        write_all({json: dumps({what: listing.rows})})
    rows = [[str(row.get(column, "-")) for column in listing.columns] for row in listing.rows]
    stdout(quiet=quiet).print(table(listing.title, listing.columns, rows, left=len(listing.columns)))
