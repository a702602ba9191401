"""What `clear` shows on a terminal: who imports from whom at what price, the accounts, and the audit in words."""

from __future__ import annotations

from rich.console import Console

from marketproof.cleared import Cleared, trades
from marketproof.console import table
from marketproof.promises import money

MOST_ROWS = 40
"""Rows shown of a table; the rest is counted and stands in the JSON."""


def show(cleared: Cleared, console: Console) -> None:
    """Print the clearing."""
    names, accounts, promises = cleared.names, cleared.accounts, cleared.promises
    console.print(f"Cleared by {cleared.mechanism}: {len(names)} clients, lambda {cleared.market.lam:g}", style="bold")
    rows = [(names[i], names[j], money(price)) for i, j, price in trades(cleared)]
    if rows:
        console.print(table("Who imports from whom", ("importer", "exporter", "price"), rows[:MOST_ROWS], left=2))
        _rest(console, len(rows), "imports")
    else:
        console.print("Nobody imports anything: no model is worth its price to anyone.")
    columns = ["client", "gain", "cost", "paid", "received", "utility"]
    parts = [accounts.gain, accounts.cost, accounts.paid, accounts.received, accounts.utility]
    central = bool(accounts.centre.any())
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
        f"(welfare less penalties) · optimum {money(promises.optimal)} · gap {money(promises.gap)}"
    )
    console.print("Audit", style="bold")
    for sentence in cleared.words:
        console.print(f"  {sentence}")


def _rest(console: Console, count: int, what: str) -> None:
    if count > MOST_ROWS:
        console.print(f"… and {count - MOST_ROWS} more {what}; --json FILE or --out DIR holds them all")
