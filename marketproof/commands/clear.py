"""``marketproof clear``: a market on the user's own numbers: who imports from whom at what price, accounts, audit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from marketproof.clearing import ACCOUNT, DENSE, Cleared, Public, as_json, clear_market, tables, trades
from marketproof.commands.options import FixedSeed, Json, Quiet, argument, flag, option
from marketproof.terminal.console import stderr, stdout, table
from mechanism.errors import InputError, shown
from mechanism.spreadsheets import sheets
from mechanism.wording import number
from mechanism.writing import dumps, refuse_overwriting, write_all

if TYPE_CHECKING:
    from rich.console import Console


HELP = """Clear a market on your own numbers: who imports whose model, at what price, and whether the promises hold.

Row 1 of CLIENTS.csv is the header client,size,cost,gain, its columns in any order, and each further row a client:
samples, money per exported model, and the gain parameter K (what data is worth to the client; 0 wants no model).
Further columns go through to the output. Columns are separated by commas, semicolons, tabs or bars; decimals have a
point, or beside the latter three a comma. Tables may be workbooks (.xlsx, first sheet). The numbers are taken as true
and as reported. More than 5,000 clients are cleared without matrices, by ipfl-exact, ipfl or exact-marginal: then --out
DIR holds clear.json, accounts.parquet and payments.parquet."""

EPILOG = """Example, a file A.csv of four lines:

client,size,cost,gain

buyer,100,0,3600

dear,300,1.1,0

cheap,300,1.0,0

"marketproof clear A.csv" lets buyer import from cheap at 1.1: the price is what its rival would have asked, so that
no seller gains by lying about its cost. Compare "marketproof clear A.csv --mechanism ipfl": there the price is 3,
and dear would gain 1.9 by saying 0.9."""


def clear(
    clients: Annotated[Path, argument("CLIENTS.csv", "Table client,size,cost,gain; row 1 is the header. Or Parquet.")],
    differences: Annotated[
        Path | None,
        option(
            "D.csv",
            "Table client,ID1,ID2,… of differences in [0, 2], row = importer; or, CSV or Parquet, "
            "importer,exporter,difference, a pair a row.",
        ),
    ] = None,
    effective: Annotated[
        Path | None,
        option(
            "E.csv",
            "Table like D.csv: what each model is worth in the importer's own samples; or importer,exporter,"
            "samples, pairs that are not listed being worth nothing.",
        ),
    ] = None,
    vectors: Annotated[
        Path | None, option("V.npy", "A vector for each client, in their order: differences are 1 - cosine.")
    ] = None,
    unlisted: Annotated[
        float | None, option("D", "Difference of pairs that a long table does not list; default 1.", min=0, max=2)
    ] = None,
    lam: Annotated[
        float | None, option("L", "Weight of the differences, without effect where none are given; default 1.")
    ] = None,
    mechanism: Annotated[str, option("ID", "How the market clears; see 'marketproof list mechanisms'.")] = "ipfl-exact",
    price: Annotated[
        str | None, option("P|TABLE.csv", "Prices of posted-price: one number, or a table like D.csv; default 1.")
    ] = None,
    pool: Annotated[int | None, option("K", "Pool of pooled-price; default half of the others.", min=1)] = None,
    out: Annotated[Path | None, option("DIR", "Write clear.json, accounts.csv and payments.csv to DIR.")] = None,
    xlsx: Annotated[Path | None, option("FILE", "Write accounts and payments to one workbook (.xlsx).")] = None,
    certificate: Annotated[
        Path | None, option("FILE", "Write a proof of purchases and prices, for 'marketproof check'.")
    ] = None,
    cluster: Annotated[str | None, option("ADDRESS|local:N", "Of a large market: clear on a Dask cluster.")] = None,
    resume: Annotated[bool, flag("Of a large market: go on with the clearing in --out DIR.", "--resume")] = False,
    json: Json = None,
    seed: FixedSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Read, clear, audit, certify, write, show."""
    from marketproof.files import market_tables as files

    _check_rule(mechanism, price, pool)
    public = Public(clients, differences, effective, vectors, lam, unlisted)
    if public.large:
        refused = {"--price": price, "--pool": pool, "--xlsx": xlsx, "--certificate": certificate}
        public.refuse_small_only(name for name, given in refused.items() if given is not None)
        from marketproof.large.command import clear_files

        clear_files(public, mechanism, out, json, cluster, resume=resume, quiet=quiet)
        return
    if cluster is not None or resume:
        raise InputError(f"--cluster and --resume are for markets of more than {DENSE} clients; leave them out")
    clients_read = public.table
    rule = files.priced_rule(mechanism, price, pool, clients_read.names)
    matrix, weight, worth = public.matrices()
    cleared = clear_market(clients_read, matrix, weight, rule, worth)
    proof = b""
    if certificate is not None:
        cleared, proof = _certified(cleared, rule.payment)
    result = dumps(as_json(cleared))
    written = {} if json is None else {json: result}
    if out is not None:
        written[out / "clear.json"] = result
        written |= {out / f"{name}.csv": told.to_csv().encode() for name, told in tables(cleared).items()}
    if xlsx is not None:
        written[xlsx] = sheets({name: (told.columns, *told.rows) for name, told in tables(cleared).items()})
    refuse_overwriting((*written, certificate), (*public.paths, files.table_of_prices(price)))
    written |= {} if certificate is None else {certificate: proof}
    made = {path.parent: None for path in written if not path.parent.exists()}
    write_all(written)
    if matrix is None and weight:
        stderr(quiet=quiet).print(f"note: --lam {weight:g} has no effect: it weighs --differences, and none are given")
    console = stdout(quiet=quiet)
    cleared.show(console, lambda: _show(cleared, console))
    _show_written(json, out, xlsx, certificate, made, stdout(quiet=quiet))


def _certified(cleared: Cleared, payment: str) -> tuple[Cleared, bytes]:
    """Return the clearing with what its certificate proves, and the certificate's file."""
    from json import dumps as compact

    from marketproof.exits import RequirementFailed
    from mechanism.market.allocation.certificate_file import certified

    reports = cleared.types.truthful()
    told, found = certified(
        cleared.names, reports, cleared.market, cleared.outcome, cleared.mechanism, payment
    )  # fmt: skip
    if not found.holds:
        raise RequirementFailed(f"the clearing is not what its rule says: {found.failures[0]}; please report this")
    return replace(cleared, checked=found), compact(told).encode() + b"\n"


def _check_rule(mechanism: str, price: str | None, pool: int | None) -> None:
    """Raise an error, before anything is read, if the mechanism is unknown or has no such parameter."""
    from mechanism.market.mechanisms import market_mechanism

    rule = market_mechanism(mechanism)
    if rule.payment == "earned":
        raise InputError(
            f"{mechanism} settles on what models bring when they are used, in a run; expected --mechanism "
            f"{mechanism.removesuffix('-earned')}, which gives what is paid in expectation"
        )
    if price is not None and rule.id != "posted-price":
        raise InputError(f"--price belongs to --mechanism posted-price, not to {mechanism}; leave it out")
    if pool is not None and rule.id != "pooled-price":
        raise InputError(f"--pool belongs to --mechanism pooled-price, not to {mechanism}; leave it out")


MOST_ROWS = 40
"""Rows shown of a table; the rest is counted and stands in the JSON."""


def _show(cleared: Cleared, console: Console) -> None:
    """Print trades, without prices where all money moves through a centre, and accounts."""
    names, accounts = cleared.names, cleared.accounts
    central = bool(accounts.centre.any())
    priced = not central or bool(cleared.outcome.prices.any())
    rows = []
    for trade in trades(cleared):
        importer, exporter, price, *worth = trade.values()
        rows.append((importer, exporter, number(price) if priced else "-", *map(number, worth)))
    if rows:
        heads = ("importer", "exporter", "price", "worth in samples")[: len(rows[0])]
        console.print(table("Who imports from whom", heads, rows[:MOST_ROWS], left=2))
        _rest(console, len(rows), "imports")
        if not priced:
            console.print("-: no price between the two, each settles with the centre")
    else:
        console.print("Nobody imports anything: no model is worth its price to anyone.")
    columns = ["client", *ACCOUNT]
    parts = [getattr(accounts, part) for part in ACCOUNT]
    if central:
        columns.insert(5, "to centre")
        parts.insert(4, accounts.centre)
    lines = [(name, *(number(float(part[k])) for part in parts)) for k, name in enumerate(names)]
    console.print(table("Accounts", columns, lines[:MOST_ROWS]))
    _rest(console, len(lines), "clients")
    centre = " - to centre" if central else ""
    console.print(f"utility = gain - cost of exporting - paid + received{centre} (money)")


def _show_written(
    json: Path | None,
    out: Path | None,
    xlsx: Path | None,
    certificate: Path | None,
    made: Collection[Path],
    console: Console,
) -> None:
    """Print in one line what was written where, and which folders were ``made`` for it."""
    parts = [] if json is None else [f"JSON: {shown(json)}"]
    parts += [] if out is None else [f"tables: {shown(out)} (clear.json, accounts.csv, payments.csv)"]
    parts += [] if xlsx is None else [f"workbook: {shown(xlsx)}"]
    parts += [] if certificate is None else [f"certificate: {shown(certificate)} (marketproof check)"]
    if made:
        parts.append(f"new folder{'s' if len(made) > 1 else ''}: {', '.join(shown(folder) for folder in made)}")
    if parts:
        console.print(" · ".join(parts))


def _rest(console: Console, count: int, what: str) -> None:
    if count > MOST_ROWS:
        console.print(f"… and {count - MOST_ROWS} more {what}; --json FILE or --out DIR holds them all")
