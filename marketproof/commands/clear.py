"""``marketproof clear``: a market on the user's own numbers: who imports from whom at what price, accounts, audit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketproof.commands.options import FixedSeed, Json, Quiet
from marketproof.files.atomic import dumps, refuse_overwriting, write_all
from marketproof.terminal.console import stderr, stdout, table
from mechanism.errors import InputError, shown
from mechanism.wording import number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from marketproof.files.market_tables import ClientTable
    from mechanism.market.accounting import Accounts, Outcome
    from mechanism.market.clients import Market, Types
    from mechanism.market.rules.rule import Clearing
    from mechanism.market.settling import Promises
    from proofs_checks.search.lies import Lie

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
    effective: Annotated[
        Path | None,
        typer.Option(metavar="E.csv", help="Table like D.csv: what each model is worth in the importer's own samples."),
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
    from marketproof.files import market_tables as files

    _check_rule(mechanism, price, pool)
    clients_read = files.read_clients(clients)
    rule = files.priced_rule(mechanism, price, pool, clients_read.names)
    names = clients_read.names
    matrix = None if differences is None else files.read_differences(differences, names)
    worth = None if effective is None else files.read_effective(effective, names)
    weight = lam if lam is not None else (0.0 if matrix is None else 1.0)
    cleared = clear_market(clients_read, matrix, weight, rule, worth)
    result = dumps(as_json(cleared))
    written = {} if json is None else {json: result}
    if out is not None:
        written |= {out / "clear.json": result, **{out / name: text for name, text in tables(cleared).items()}}
    refuse_overwriting(written, (clients, differences, effective, files.table_of_prices(price)))
    made = {path.parent: None for path in written if not path.parent.exists()}
    write_all(written)
    if matrix is None and weight:
        stderr(quiet=quiet).print(f"note: --lam {weight:g} has no effect: it weighs --differences, and none are given")
    _show(cleared, stdout(quiet=quiet))
    _show_written(json, out, made, stdout(quiet=quiet))


def _check_rule(mechanism: str, price: str | None, pool: int | None) -> None:
    """Raise an error, before anything is read, if the mechanism is unknown or has no such parameter."""
    from mechanism.market.mechanisms import market_mechanism

    rule = market_mechanism(mechanism)
    if price is not None and rule.id != "posted-price":
        raise InputError(f"--price belongs to --mechanism posted-price, not to {mechanism}; leave it out")
    if pool is not None and rule.id != "pooled-price":
        raise InputError(f"--pool belongs to --mechanism pooled-price, not to {mechanism}; leave it out")


ACCOUNT = ("gain", "cost", "paid", "received", "utility")
"""The parts of a client's account, in the order in which they are written."""


@dataclass(frozen=True, eq=False)
class Cleared:
    """One clearing of m clients: who they are, what was decided, what it is worth, and what was promised."""

    names: tuple[str, ...]
    types: Types
    market: Market
    mechanism: str
    outcome: Outcome
    accounts: Accounts
    promises: Promises
    lies: dict[str, Lie]

    @property
    def words(self) -> list[str]:
        """The audit in sentences, the scope of the claim last."""
        from mechanism.market.settling import SCOPE, sentences

        return [*sentences(self.promises), *(lie.sentence(self.names) for lie in self.lies.values()), SCOPE]


def clear_market(
    table: ClientTable,
    differences: NDArray[np.float64] | None,
    lam: float,
    mechanism: Clearing,
    effective: NDArray[np.float64] | None = None,
) -> Cleared:
    """Clear one market, taking the numbers of the table as true and as reported; effective sizes are public.

    Raises
    ------
    InvalidMarketError
        If the penalty weight is negative or not finite.
    """
    from mechanism.market.accounting import objective
    from mechanism.market.allocation.selection import optimal_objective
    from mechanism.market.clients import Market, Types
    from mechanism.market.settling import clear_and_settle, measure
    from proofs_checks.search.lies import COORDINATES, best_lie

    market = Market(differences, lam, effective=effective)
    types = Types(table.size, table.cost, table.gain)
    reports = types.truthful()
    outcome = clear_and_settle(mechanism, reports, types, market)
    optimal, optimal_gap = optimal_objective(reports, market)
    reached = objective(reports, outcome.imports, market)
    promises, accounts = measure(types, outcome, market, reached, optimal, optimal_gap)
    lies: dict[str, Lie] = {coordinate: best_lie(mechanism, types, market, coordinate) for coordinate in COORDINATES}
    return Cleared(table.names, types, market, mechanism.id, outcome, accounts, promises, lies)


def trades(cleared: Cleared) -> list[dict[str, Any]]:
    """Return every import as its row of JSON and CSV, in the order of the clients; its effective size if there are."""
    names, prices, e = cleared.names, cleared.outcome.prices, cleared.market.effective
    return [
        {"from": names[i], "to": names[j], "amount": float(prices[i, j]) + 0.0}
        | ({} if e is None else {"effective": float(e[i, j])})
        for i, j in zip(*cleared.outcome.imports.nonzero(), strict=True)
    ]


def _accounts(cleared: Cleared) -> dict[str, dict[str, float]]:
    """Return every client's account by its name: the parts of `ACCOUNT`, money."""
    return {
        name: {part: float(getattr(cleared.accounts, part)[k]) + 0.0 for part in ACCOUNT}
        for k, name in enumerate(cleared.names)
    }


def as_json(cleared: Cleared) -> dict[str, Any]:
    """Return the JSON of ``clear --json``: one payment row per import, gross, importer to exporter, never netted."""
    from mechanism.market.accounting import MONEY
    from mechanism.market.settling import SCOPE

    names, promises = cleared.names, cleared.promises
    return {
        "mechanism": cleared.mechanism,
        "clients": list(names),
        "imports": {name: [names[j] for j in cleared.outcome.imports[k].nonzero()[0]] for k, name in enumerate(names)},
        "payments": trades(cleared),
        "centre": {name: float(cleared.outcome.centre[k]) + 0.0 for k, name in enumerate(names)},
        "clients_accounts": _accounts(cleared),
        "welfare": float(cleared.accounts.welfare) + 0.0,
        "objective": promises.objective,
        "optimal_objective": promises.optimal,
        "gap": promises.gap,
        "audit": {
            "scope": SCOPE,
            "tolerance": MONEY,
            "lowest_utility": {"client": promises.client, "buyer": promises.buyer, "seller": promises.seller},
            "budget_imbalance": promises.imbalance,
            "optimality_gap": promises.gap,
            "selection_gap": float(cleared.outcome.gap.max(initial=0.0)),
            "best_lie": {name: lie.as_json(cleared.names) for name, lie in cleared.lies.items()},
            "words": cleared.words,
        },
    }


def tables(cleared: Cleared) -> dict[str, bytes]:
    """Return accounts and payments as CSV by the names of their files; floats in the shortest form that reads back."""
    from analysis.page.export import Table

    accounts: tuple[Any, ...] = tuple((name, *account.values()) for name, account in _accounts(cleared).items())
    payments = tuple(tuple(row.values()) for row in trades(cleared))
    columns = ("from", "to", "amount", *(() if cleared.market.effective is None else ("effective",)))
    return {
        "accounts.csv": Table("", ("client", *ACCOUNT), accounts).to_csv().encode(),
        "payments.csv": Table("", columns, payments).to_csv().encode(),
    }


MOST_ROWS = 40
"""Rows shown of a table; the rest is counted and stands in the JSON."""


def _show(cleared: Cleared, console: Console) -> None:
    """Print the clearing; where all money moves through a centre, there is no price between importer and exporter."""
    names, accounts, promises = cleared.names, cleared.accounts, cleared.promises
    console.print(f"Cleared by {cleared.mechanism}: {len(names)} clients, lambda {cleared.market.lam:g}", style="bold")
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
    console.print(
        f"Welfare {number(float(accounts.welfare))} (sum of utilities) · objective {number(promises.objective)} "
        f"({_objective(promises)}) · optimum {number(promises.optimal)} · gap {number(promises.gap)}"
    )
    console.print("Audit", style="bold")
    for sentence in cleared.words:
        console.print(f"  {sentence}")


def _objective(promises: Promises) -> str:
    """Say how the objective comes from the sum of utilities, which a centre's money raises or lowers."""
    if promises.pays_in > promises.tolerance:
        return f"welfare less the {number(promises.pays_in)} that the centre pays in, less penalties"
    if promises.keeps > promises.tolerance:
        return f"welfare and the {number(promises.keeps)} that the centre keeps, less penalties"
    return "welfare less penalties"


def _show_written(json: Path | None, out: Path | None, made: Collection[Path], console: Console) -> None:
    """Print in one line what was written where, and which folders were ``made`` for it."""
    parts = [] if json is None else [f"JSON: {shown(json)}"]
    parts += [] if out is None else [f"tables: {shown(out)} (clear.json, accounts.csv, payments.csv)"]
    if made:
        parts.append(f"new folder{'s' if len(made) > 1 else ''}: {', '.join(shown(folder) for folder in made)}")
    if parts:
        console.print(" · ".join(parts))


def _rest(console: Console, count: int, what: str) -> None:
    if count > MOST_ROWS:
        console.print(f"… and {count - MOST_ROWS} more {what}; --json FILE or --out DIR holds them all")
