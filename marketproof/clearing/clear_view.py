"""What `clear` shows on a terminal: who imports from whom at what price, the accounts, and the audit in words."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from rich.console import Console

from marketproof.clearing.cleared import Cleared, trades
from marketproof.clearing.promises import Promises
from marketproof.errors import shown
from marketproof.terminal.console import table
from proofs_checks.amounts import money

MOST_ROWS = 40
"""Rows shown of a table; the rest is counted and stands in the JSON."""


def show(cleared: Cleared, console: Console) -> None:
    """Print the clearing; where all money moves through a centre, there is no price between importer and exporter."""
    names, accounts, promises = cleared.names, cleared.accounts, cleared.promises
    console.print(f"Cleared by {cleared.mechanism}: {len(names)} clients, lambda {cleared.market.lam:g}", style="bold")
    central = bool(accounts.centre.any())
    priced = not central or bool(cleared.outcome.prices.any())
    rows = [(names[i], names[j], money(price) if priced else "-") for i, j, price in trades(cleared)]
    if rows:
        console.print(table("Who imports from whom", ("importer", "exporter", "price"), rows[:MOST_ROWS], left=2))
        _rest(console, len(rows), "imports")
        if not priced:
            console.print("-: no price between the two, each settles with the centre")
    else:
        console.print("Nobody imports anything: no model is worth its price to anyone.")
    columns = ["client", "gain", "cost", "paid", "received", "utility"]
    parts = [accounts.gain, accounts.cost, accounts.paid, accounts.received, accounts.utility]
    if central:
        columns.insert(5, "to centre")
        parts.insert(4, accounts.centre)
    lines = [(name, *(money(float(part[k])) for part in parts)) for k, name in enumerate(names)]
    console.print(table("Accounts", columns, lines[:MOST_ROWS]))
    _rest(console, len(lines), "clients")
    centre = " - to centre" if central else ""
    console.print(f"utility = gain - cost of exporting - paid + received{centre} (money)")
    console.print(
        f"Welfare {money(float(accounts.welfare))} (sum of utilities) · objective {money(promises.objective)} "
        f"({_objective(promises)}) · optimum {money(promises.optimal)} · gap {money(promises.gap)}"
    )
    console.print("Audit", style="bold")
    for sentence in cleared.words:
        console.print(f"  {sentence}")


def _objective(promises: Promises) -> str:
    """Say how the objective comes from the sum of utilities, which a centre's money raises or lowers."""
    if promises.pays_in > promises.tolerance:
        return f"welfare less the {money(promises.pays_in)} that the centre pays in, less penalties"
    if promises.keeps > promises.tolerance:
        return f"welfare and the {money(promises.keeps)} that the centre keeps, less penalties"
    return "welfare less penalties"


def show_written(json: Path | None, out: Path | None, made: Collection[Path], console: Console) -> None:
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
