"""``marketproof clear``: a market on the user's own numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marketproof.commands.options import FixedSeed, Json, Quiet, dumps


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("clear", help=HELP, epilog=EPILOG)(clear)


HELP = """Clear a market on your own numbers: who imports whose model, at what price, and whether the promises hold.

Row 1 of CLIENTS.csv is the header client,size,cost,gain, its columns in any order, and each further row a client:
samples, money per exported model, and the gain parameter K (what data is worth to the client; 0 wants no model).
Columns are separated by commas, and decimals written with a point. The numbers are taken as true and as reported."""

EPILOG = """Example, a file A.csv of four lines:

client,size,cost,gain

buyer,100,0,3600

dear,300,1.1,0

cheap,300,1.0,0

"marketproof clear A.csv" lets buyer import from cheap at 1.1: the price is what its rival would have asked, so that
no seller gains by lying about its cost. Compare "marketproof clear A.csv --mechanism ipfl": there the price is 3,
and dear would gain 1.9 by saying 0.9."""


def clear(
    clients: Annotated[
        Path, typer.Argument(metavar="CLIENTS.csv", help="Table client,size,cost,gain; row 1 is the header.")
    ],
    differences: Annotated[
        Path | None,
        typer.Option(metavar="D.csv", help="Table client,ID1,ID2,… of differences in [0, 2], row = importer."),
    ] = None,
    lam: Annotated[
        float | None,
        typer.Option(metavar="L", help="Weight of the differences, without effect where none are given; default 1."),
    ] = None,
    mechanism: Annotated[
        str, typer.Option(metavar="ID", help="How the market clears; see 'marketproof list mechanisms'.")
    ] = "ipfl-exact",
    price: Annotated[
        str | None,
        typer.Option(
            metavar="P|TABLE.csv", help="Prices of posted-price: one number, or a table like D.csv; default 1."
        ),
    ] = None,
    pool: Annotated[
        int | None, typer.Option(min=1, metavar="K", help="Pool of pooled-price; default half of the others.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write clear.json, accounts.csv and payments.csv to DIR.")
    ] = None,
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Read, clear, audit, write, show."""
    from marketproof.clearing.clear_files import files
    from marketproof.clearing.clear_rule import check_rule, rule_of, table_of_prices
    from marketproof.clearing.clear_view import show, show_written
    from marketproof.clearing.cleared import as_json, clear_market
    from marketproof.clearing.tables import read_clients, read_differences
    from marketproof.files.atomic import refuse_overwriting, write_all
    from marketproof.terminal.console import stderr, stdout

    check_rule(mechanism, price, pool)
    table = read_clients(clients)
    rule = rule_of(mechanism, price, pool, table.names)
    matrix = None if differences is None else read_differences(differences, table.names)
    weight = lam if lam is not None else (0.0 if matrix is None else 1.0)
    cleared = clear_market(table, matrix, weight, rule)
    written = {}
    if json is not None:
        written[json] = dumps(as_json(cleared))
    if out is not None:
        written |= files(cleared, out)
    refuse_overwriting(written, (clients, differences, table_of_prices(price)))
    made = {path.parent: None for path in written if not path.parent.exists()}
    write_all(written)
    if matrix is None and weight:
        stderr(quiet=quiet).print(f"note: --lam {weight:g} has no effect: it weighs --differences, and none are given")
    show(cleared, stdout(quiet=quiet))
    show_written(json, out, made, stdout(quiet=quiet))
