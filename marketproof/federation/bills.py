"""What each client is told of a round, its own account, and what the server's terminal shows of all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mechanism.market.accounting import MONEY, scale
from mechanism.wording import number

if TYPE_CHECKING:
    from analysis.run.market import MarketRecord


COLUMNS = ("present", "imports", "exports", "paid", "received", "centre", "gain", "cost", "utility", "accuracy")
"""Of an audit's rounds: whether the client was there, how many models it bought and sold, money, personal accuracy."""
FEW = 12
"""Names or trades in a line of the terminal: two hundred clients make forty thousand trades."""


def run_name(text: str) -> str:
    """Return a run's name as clients keep it: up to 100 letters, digits, "_" and "-"."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)[:100]


def bills_of(record: MarketRecord, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return for each client who was there the terms of its bill (`learning.federation.messages.Bill`).

    What it pays for each import and receives for each export, by the others' names; gain, cost and utility at what it
    reported itself; and the sentences of its audit. Nothing of what others reported is in it.
    """
    accounts, bills = record.accounts, []
    small = MONEY * scale(np.concatenate([accounts.gain, accounts.cost, accounts.paid]))
    for k in np.flatnonzero(record.present).tolist():
        paid = tuple((names[j], float(record.prices[k, j])) for j in np.flatnonzero(record.imports[k]).tolist())
        got = tuple((names[i], float(record.prices[i, k])) for i in np.flatnonzero(record.imports[:, k]).tolist())
        gain, cost, utility = (float(getattr(accounts, name)[k]) for name in ("gain", "cost", "utility"))
        centre = float(record.centre[k])
        rest = gain - cost - sum(money for _, money in paid) + sum(money for _, money in got) - centre
        lines = [
            f"taking part {'cost' if utility < -small else 'did not cost'} you: utility {number(utility)}, alone 0",
            f"gain - cost - paid + received - centre {'is' if abs(rest - utility) <= small else 'is not'} your utility",
        ]
        bills.append(
            {"client": k, "name": names[k], "paid": paid, "received": got, "centre": centre, "gain": gain,
             "cost": cost, "utility": utility, "audit": tuple(lines)}
        )  # fmt: skip
    return bills


def some(words: Sequence[str], of: int) -> str:
    """Return the first `FEW` of ``of`` words, separated by commas, and how many more there are."""
    more = [f"and {of - FEW:,} more"] if of > FEW else []
    return ", ".join([*words[:FEW], *more])


def told_of(record: MarketRecord, names: Sequence[str]) -> str:
    """Return a round in a line: who is in, who is away, who buys from whom, how much money moved."""
    there = [name for name, present in zip(names, record.present, strict=True) if present]
    away = [name for name, present in zip(names, record.present, strict=True) if not present]
    pairs = np.argwhere(record.imports)
    trades = [f"{names[i]} from {names[j]} for {number(record.prices[i, j])}" for i, j in pairs[:FEW]]
    moved = float(np.where(record.imports, record.prices, 0.0).sum())
    return "; ".join(
        [
            f"in: {some(there, len(there)) or 'nobody'}",
            *([f"away: {some(away, len(away))}"] if away else []),
            f"{number(moved)} moved",
            some(trades, len(pairs)) or "nobody buys",
        ]
    )
