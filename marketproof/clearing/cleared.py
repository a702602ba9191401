"""A market cleared on a user's own numbers: everything about it as one result, as JSON and as tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from marketproof.clearing.tables import ClientTable
from mechanism.market.accounting import Accounts, Outcome, objective
from mechanism.market.allocation.selection import optimal_objective
from mechanism.market.clients import Market, Types
from mechanism.market.promises import SCOPE, Promises, measure, sentences
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import clear_and_settle
from mechanism.tolerance import MONEY
from proofs_checks.search.best_lie import COORDINATES, Lie, best_lie

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
        return [*sentences(self.promises), *(lie.sentence(self.names) for lie in self.lies.values()), SCOPE]


def clear_market(table: ClientTable, differences: np.ndarray | None, lam: float, mechanism: Clearing) -> Cleared:
    """Clear one market, taking the numbers of the table as true and as reported.

    Raises
    ------
    InvalidMarketError
        If the penalty weight is negative or not finite.
    """
    market = Market(differences, lam)
    types = Types(table.size, table.cost, table.gain)
    reports = types.truthful()
    outcome = clear_and_settle(mechanism, reports, types, market)
    optimal, optimal_gap = optimal_objective(reports, market)
    reached = objective(reports, outcome.imports, market)
    promises, accounts = measure(types, outcome, market, reached, optimal, optimal_gap)
    lies: dict[str, Lie] = {coordinate: best_lie(mechanism, types, market, coordinate) for coordinate in COORDINATES}
    return Cleared(table.names, types, market, mechanism.id, outcome, accounts, promises, lies)


def trades(cleared: Cleared) -> list[tuple[int, int, float]]:
    """Return (importer, exporter, price) of every import, in the order of the clients."""
    return [
        (int(i), int(j), float(cleared.outcome.prices[i, j]) + 0.0) for i, j in np.argwhere(cleared.outcome.imports)
    ]


def _accounts(cleared: Cleared) -> dict[str, dict[str, float]]:
    """Return every client's account by its name: the parts of `ACCOUNT`, money."""
    return {
        name: {part: float(getattr(cleared.accounts, part)[k]) + 0.0 for part in ACCOUNT}
        for k, name in enumerate(cleared.names)
    }


def as_json(cleared: Cleared) -> dict[str, Any]:
    """Return the JSON of ``clear --json``: one payment row per import, gross, importer to exporter, never netted."""
    names, promises = cleared.names, cleared.promises
    rows = trades(cleared)
    imports: dict[str, list[str]] = {name: [] for name in names}
    for i, j, _ in rows:
        imports[names[i]].append(names[j])
    return {
        "mechanism": cleared.mechanism,
        "clients": list(names),
        "imports": imports,
        "payments": [{"from": names[i], "to": names[j], "amount": price} for i, j, price in rows],
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


def _csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def tables(cleared: Cleared) -> dict[str, bytes]:
    """Return accounts and payments as CSV by the names of their files; floats in the shortest form that reads back."""
    accounts = [(name, *account.values()) for name, account in _accounts(cleared).items()]
    payments = [(cleared.names[i], cleared.names[j], price) for i, j, price in trades(cleared)]
    return {
        "accounts.csv": _csv(("client", *ACCOUNT), accounts),
        "payments.csv": _csv(("from", "to", "amount"), payments),
    }
