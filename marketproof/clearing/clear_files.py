"""The files of ``clear --out DIR``: the JSON, and its two tables for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from marketproof.clearing.cleared import Cleared, as_json, trades
from marketproof.commands.options import dumps


def _csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def files(cleared: Cleared, folder: Path) -> dict[Path, bytes]:
    """Return the content of each file of the folder; floats are written exactly (shortest form that reads back)."""
    names, accounts = cleared.names, cleared.accounts
    parts = (accounts.gain, accounts.cost, accounts.paid, accounts.received, accounts.utility)
    rows = [(name, *(float(part[k]) + 0.0 for part in parts)) for k, name in enumerate(names)]
    payments = [(names[i], names[j], price) for i, j, price in trades(cleared)]
    return {
        folder / "clear.json": dumps(as_json(cleared)),
        folder / "accounts.csv": _csv(("client", "gain", "cost", "paid", "received", "utility"), rows),
        folder / "payments.csv": _csv(("from", "to", "amount"), payments),
    }
