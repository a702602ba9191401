"""One clearing of a user's numbers with all that is said of it, and its forms as JSON and CSV."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analysis.page.export import Table
    from marketproof.files.market_tables import ClientTable
    from mechanism.market.accounting import Accounts, Outcome
    from mechanism.market.allocation.checking import Checked
    from mechanism.market.clients import Market, Types
    from mechanism.market.rules.rule import Clearing
    from mechanism.market.settling import Promises
    from proofs_checks.search.best_lie import Lie

ACCOUNT = ("gain", "cost", "paid", "received", "utility")
"""The parts of a client's account, in the order in which they are written."""


@dataclass(frozen=True, eq=False)
class Cleared:
    """One clearing of m clients: who they are, what was decided, what it is worth, what was promised and proved.

    ``extra``: what else the table told of each client, by column.
    """

    names: tuple[str, ...]
    types: Types
    market: Market
    mechanism: str
    outcome: Outcome
    accounts: Accounts
    promises: Promises
    lies: dict[str, Lie]
    checked: Checked | None = None
    extra: dict[str, list[str]] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        """The audit in sentences, the scope of the claim last."""
        from mechanism.market.settling import SCOPE, sentences

        lies = (lie.sentence(self.names) for lie in self.lies.values())
        checked = () if self.checked is None else (self.checked.sentence,)
        return [*sentences(self.promises), *lies, *checked, SCOPE]


def clear_market(
    table: ClientTable,
    differences: NDArray[np.float64] | None,
    lam: float,
    mechanism: Clearing,
    effective: NDArray[np.float64] | None = None,
) -> Cleared:
    """Clear one market, taking the numbers of the table as true and as reported; effective sizes are public.

    `InvalidMarketError` if the penalty weight is negative or not finite.
    """
    from mechanism.market.accounting import objective
    from mechanism.market.allocation.selection import optimal_objective
    from mechanism.market.clients import Market, Types
    from mechanism.market.settling import clear_and_settle, measure
    from proofs_checks.search.best_lie import best_lie
    from proofs_checks.search.lies import COORDINATES

    market = Market(differences, lam, effective=effective)
    types = Types(table.size, table.cost, table.gain)
    reports = types.truthful()
    outcome = clear_and_settle(mechanism, reports, types, market)
    optimal, optimal_gap = optimal_objective(reports, market)
    reached = objective(reports, outcome.imports, market)
    promises, accounts = measure(types, outcome, market, reached, optimal, optimal_gap)
    lies: dict[str, Lie] = {coordinate: best_lie(mechanism, types, market, coordinate) for coordinate in COORDINATES}
    return Cleared(table.names, types, market, mechanism.id, outcome, accounts, promises, lies, extra=table.extra)


def trades(cleared: Cleared) -> list[dict[str, Any]]:
    """Return every import as its row of JSON and CSV, in the order of the clients; its effective size if there are."""
    names, prices, e = cleared.names, cleared.outcome.prices, cleared.market.effective
    return [
        {"from": names[i], "to": names[j], "amount": float(prices[i, j]) + 0.0}
        | ({} if e is None else {"effective": float(e[i, j])})
        for i, j in zip(*cleared.outcome.imports.nonzero(), strict=True)
    ]


def accounts_of(cleared: Cleared) -> dict[str, dict[str, float]]:
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
        "clients_accounts": accounts_of(cleared),
        **({"extra": cleared.extra} if cleared.extra else {}),
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
            **({} if cleared.checked is None else {"certificate": cleared.checked.as_json()}),
            "words": cleared.words,
        },
    }


def tables(cleared: Cleared) -> dict[str, Table]:
    """Return accounts and payments by their names.

    Further columns of the clients' table stand behind the accounts; one that is called like a part of the account
    ends in " (given)".
    """
    from analysis.page.export import Table

    extra = [f"{column} (given)" if column in ACCOUNT else column for column in cleared.extra]
    cells = zip(*cleared.extra.values(), strict=True) if extra else [()] * len(cleared.names)
    accounts = tuple(
        (name, *account.values(), *row)
        for (name, account), row in zip(accounts_of(cleared).items(), cells, strict=True)
    )
    payments = tuple(tuple(row.values()) for row in trades(cleared))
    columns = ("from", "to", "amount", *(() if cleared.market.effective is None else ("effective",)))
    return {
        "accounts": Table("", ("client", *ACCOUNT, *extra), accounts),
        "payments": Table("", columns, payments),
    }
