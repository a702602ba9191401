"""A user's numbers, one clearing of them with all that is said of it, and its forms as JSON and CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mechanism.errors import InputError, shown
from mechanism.wording import number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from analysis.page.export import Table
    from marketproof.files.market_tables import ClientTable
    from mechanism.market.accounting import Accounts, Outcome
    from mechanism.market.allocation.checking import Checked
    from mechanism.market.clients import Market, Types
    from mechanism.market.large.sparse import LargeMarket
    from mechanism.market.rules.rule import Clearing
    from mechanism.market.settling import Promises
    from proofs_checks.search.lies import Lie

ACCOUNT = ("gain", "cost", "paid", "received", "utility")
"""The parts of a client's account, in the order in which they are written."""

DENSE = 5_000
"""Clients up to which a market may be cleared with matrices of everyone against everyone (200 MB each)."""

_USUAL = 1.0  # difference of models that nothing is known of


@dataclass(frozen=True)
class Public:
    """The files that a market is read from, and how differences count; `InputError` where they contradict."""

    clients: Path
    differences: Path | None
    effective: Path | None
    vectors: Path | None
    lam: float | None
    unlisted: float | None

    def __post_init__(self) -> None:
        if self.vectors is not None and self.differences is not None:
            raise InputError("differences come from --differences or from --vectors; leave one out")
        if self.unlisted is not None and not self._lists("differences"):
            raise InputError("--unlisted is for --differences that list pairs (importer,exporter,difference)")

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are read."""
        return tuple(path for path in (self.clients, self.differences, self.effective, self.vectors) if path)

    @cached_property
    def table(self) -> ClientTable:
        """The clients."""
        from marketproof.files.market_tables import PARQUET, read_clients

        if self.clients.suffix.lower() not in PARQUET:
            return read_clients(self.clients)
        from marketproof.files.long_tables import parquet_clients

        return parquet_clients(self.clients)

    @property
    def large(self) -> bool:
        """Whether there are too many clients for matrices."""
        return len(self.table.names) > DENSE

    @property
    def weight(self) -> float:
        """Weight of the differences."""
        given = self.differences is not None or self.vectors is not None
        return self.lam if self.lam is not None else (1.0 if given else 0.0)

    def matrices(self) -> tuple[NDArray[np.float64] | None, float, NDArray[np.float64] | None]:
        """Return differences [m, m], their weight, effective sizes [m, m], None for what is not given."""
        if self.vectors is self.differences is self.effective is None:
            return None, self.weight, None
        from marketproof.files.market_tables import read_amounts, read_differences

        names = self.table.names
        found = self._listed().dense(len(names))
        d, worth = found.differences, found.effective
        if d is None and self.differences is not None:
            d = read_differences(self.differences, names)
        if worth is None and self.effective is not None:
            worth = read_amounts(self.effective, names, "samples")
        return d, self.weight, worth

    def listed(self) -> LargeMarket:
        """Return what is public without a matrix; `InputError` if a file holds one."""
        for option in ("differences", "effective"):
            path = getattr(self, option)
            if path is not None and not self._lists(option):
                column = "samples" if option == "effective" else "difference"
                raise InputError(
                    f"--{option} {shown(path)} is a table of everyone against everyone; for more than {DENSE} clients "
                    f"list pairs, importer,exporter,{column}{', or give --vectors' if option == 'differences' else ''}"
                )
        return self._listed()

    def _lists(self, option: str) -> bool:
        """Whether a file is given for the option that lists pairs."""
        from marketproof.files.long_tables import is_long

        return is_long(getattr(self, option))

    def _listed(self) -> LargeMarket:
        from marketproof.files import long_tables
        from mechanism.market.large.sparse import LargeMarket

        names, pairs, worth, vectors = self.table.names, None, None, None
        if self.differences is not None and self._lists("differences"):
            rest = _USUAL if self.unlisted is None else self.unlisted
            pairs = long_tables.listed_pairs(self.differences, names, long_tables.DIFFERENCE, rest)
        if self.effective is not None and self._lists("effective"):
            worth = long_tables.listed_pairs(self.effective, names, long_tables.SAMPLES)
        if self.vectors is not None:
            vectors = long_tables.client_vectors(self.vectors, len(names))
        return LargeMarket(self.weight, vectors=vectors, pairs=pairs, effective=worth)

    def refuse_small_only(self, options: Iterable[str]) -> None:
        """Raise `InputError` that names the first of some options that large markets do not have."""
        if option := next(iter(options), None):
            found = f"at most {DENSE} clients, here are {len(self.table.names)}"
            raise InputError(f"{option} is for markets of {found}; leave it out")


@dataclass(frozen=True, eq=False)
class Audited:
    """A clearing of m clients: who they are, their accounts, what was promised and proved, and what lies would earn.

    ``selection_gap``: how far one importer's selection may be from its best, at most.
    """

    names: tuple[str, ...]
    types: Types
    market: Market | LargeMarket
    mechanism: str
    accounts: Accounts
    promises: Promises
    lies: dict[str, Lie]
    selection_gap: float
    checked: Checked | None = field(default=None, kw_only=True)

    @property
    def words(self) -> list[str]:
        """The audit in sentences, the scope of the claim last."""
        from mechanism.market.scope import scope_of
        from mechanism.market.settling import sentences

        lies = (lie.sentence(self.names) for lie in self.lies.values())
        checked = () if self.checked is None else (self.checked.sentence,)
        return [*sentences(self.promises), *lies, *checked, scope_of(self.market)]

    def worth(self) -> dict[str, Any]:
        """Return the part of the JSON that says what the clearing is worth, and the audit."""
        from mechanism.market.accounting import MONEY

        promises, words = self.promises, self.words
        return {
            "welfare": float(self.accounts.welfare) + 0.0,
            "objective": promises.objective,
            "optimal_objective": promises.optimal,
            "gap": promises.gap,
            "audit": {
                "scope": words[-1],
                "tolerance": MONEY,
                "lowest_utility": {"client": promises.client, "buyer": promises.buyer, "seller": promises.seller},
                "budget_imbalance": promises.imbalance,
                "optimality_gap": promises.gap,
                "selection_gap": self.selection_gap,
                "best_lie": {name: lie.as_json(self.names) for name, lie in self.lies.items()},
                **({} if self.checked is None else {"certificate": self.checked.as_json()}),
                "words": words,
            },
        }

    def show(self, console: Console, tell: Callable[[], None]) -> None:
        """Print by what rule was cleared, what ``tell`` prints of it, its worth, and the audit."""
        head = f"Cleared by {self.mechanism}: {len(self.names)} clients, lambda {self.market.lam:g}"
        console.print(head, style="bold")
        tell()
        console.print(
            f"Welfare {number(float(self.accounts.welfare))} (sum of utilities) · objective "
            f"{number(self.promises.objective)} ({_objective(self.promises)}) · optimum "
            f"{number(self.promises.optimal)} · gap {number(self.promises.gap)}"
        )
        console.print("Audit", style="bold")
        for sentence in self.words:
            console.print(f"  {sentence}")


def _objective(promises: Promises) -> str:
    """Say how the objective comes from the sum of utilities, which a centre's money raises or lowers."""
    if promises.pays_in > promises.tolerance:
        return f"welfare less the {number(promises.pays_in)} that the centre pays in, less penalties"
    if promises.keeps > promises.tolerance:
        return f"welfare and the {number(promises.keeps)} that the centre keeps, less penalties"
    return "welfare less penalties"


@dataclass(frozen=True, eq=False)
class Cleared(Audited):
    """A clearing with matrices; ``extra``: what else the table told of each client, by column."""

    market: Market
    outcome: Outcome
    extra: dict[str, list[str]] = field(default_factory=dict, kw_only=True)


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
    from proofs_checks.search.lies import COORDINATES, best_lie

    market = Market(differences, lam, effective=effective)
    types = Types(table.size, table.cost, table.gain)
    reports = types.truthful()
    outcome = clear_and_settle(mechanism, reports, types, market)
    optimal, optimal_gap = optimal_objective(reports, market)
    reached = objective(reports, outcome.imports, market)
    promises, accounts = measure(types, outcome, market, reached, optimal, optimal_gap)
    lies: dict[str, Lie] = {coordinate: best_lie(mechanism, types, market, coordinate) for coordinate in COORDINATES}
    gap = float(outcome.gap.max(initial=0.0))
    return Cleared(table.names, types, market, mechanism.id, accounts, promises, lies, gap, outcome, extra=table.extra)


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
    names = cleared.names
    return {
        "mechanism": cleared.mechanism,
        "clients": list(names),
        "imports": {name: [names[j] for j in cleared.outcome.imports[k].nonzero()[0]] for k, name in enumerate(names)},
        "payments": trades(cleared),
        "centre": {name: float(cleared.outcome.centre[k]) + 0.0 for k, name in enumerate(names)},
        "clients_accounts": accounts_of(cleared),
        **({"extra": cleared.extra} if cleared.extra else {}),
        **cleared.worth(),
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
