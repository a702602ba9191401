"""The one accounting identity: what each client gains, bears, pays and receives; and how money is compared.

All economics is float64. Two amounts of money are equal when they differ by at most `MONEY` times the market's scale,
and a promise (individual rationality, truthfulness, balance) is broken only by more than that. The selection search
treats objectives closer than `TIE` times their own scale as equal, and does not look for sets that could be better by
less than `SEARCH` times it; both are small against `MONEY`, so that what they add up to in one clearing stays below it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import InvalidMarketError
from mechanism.market.clients import Market, Reports, Types, _Clients
from mechanism.wording import count, html_table, number

MONEY: float = 1e-9
"""Relative tolerance for money (multiplied by `scale`, at least 1)."""

TIE: float = 1e-13
"""Relative difference under which two objective values are a tie."""

SEARCH: float = 1e-12
"""Relative improvement that an exact selection may leave on the table: its gap counts as 0 up to this."""


def scale(amounts: NDArray[np.float64]) -> float:
    """Return the scale of a set of amounts: max(1, largest magnitude), in units of money."""
    values = np.asarray(amounts, dtype=np.float64)
    return float(max(1.0, np.abs(values).max(initial=0.0)))


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a mechanism decides.

    ``imports`` bool ``[..., m, m]``: entry (i, j) is true when i imports j's model; diagonal false.
    ``prices`` float64 ``[..., m, m]``: gross money from importer i to exporter j, zero where there is no import.
    ``centre`` float64 ``[..., m]``: money from i to the centre (zero in bilateral mechanisms).
    ``gap`` float64 ``[..., m]``: how far each importer's selection may be from its optimum (0: exact or not optimised).
    """

    imports: NDArray[np.bool_]
    prices: NDArray[np.float64]
    centre: NDArray[np.float64]
    gap: NDArray[np.float64]

    @property
    def payments(self) -> NDArray[np.float64]:
        """Net payments ``[..., m, m]``: what i pays j, antisymmetric: prices minus their transpose."""
        return self.prices - np.swapaxes(self.prices, -1, -2)

    def _repr_html_(self) -> str:
        """Return imports and prices as a notebook shows them: one by one, of a batch of markets the sums of each."""
        m, shown = self.imports.shape[-1], 50
        imports, prices = (array.reshape(-1, m, m) for array in (self.imports, self.prices))
        if len(imports) > 1:
            told = [
                (str(k), str(int(i.sum())), number(p.sum()))
                for k, (i, p) in enumerate(zip(imports, prices, strict=True))
            ]
            rows = [("market", "imports", "paid"), *told]
        else:
            pairs = np.argwhere(imports.reshape(-1, m)).tolist()
            rows = [("importer", "exporter", "price"), *((str(i), str(j), number(prices[0, i, j])) for i, j in pairs)]
        more = f"; the first {shown} of {len(rows) - 1} rows" if len(rows) > shown + 1 else ""
        said = f"{count(int(imports.sum()))} imports among {m} clients, {number(prices.sum())} paid{more}"
        return html_table(rows[: shown + 1], said)


@dataclass(frozen=True, eq=False)
class CentralOutcome(Outcome):
    """An outcome settled through the centre, with both sides of each account.

    ``sales`` float64 ``[..., m]``: money from the centre to i for what it sold; what i paid the centre for its
    purchases is ``centre + sales``.
    """

    sales: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Accounts:
    """Every client's account, float64 ``[..., m]`` each, in money; ``paid`` and ``received`` are gross.

    utility = gain - cost - paid + received - centre.
    """

    gain: NDArray[np.float64]
    cost: NDArray[np.float64]
    paid: NDArray[np.float64]
    received: NDArray[np.float64]
    centre: NDArray[np.float64]

    @property
    def utility(self) -> NDArray[np.float64]:
        """U_i ``[..., m]``."""
        return self.gain - self.cost - self.paid + self.received - self.centre

    @property
    def buyer(self) -> NDArray[np.float64]:
        """The importer's part of U_i ``[..., m]``: gain less what it paid to exporters and the centre."""
        return self.gain - self.paid - self.centre

    @property
    def seller(self) -> NDArray[np.float64]:
        """The exporter's part of U_i ``[..., m]``: received less the cost of exporting."""
        return self.received - self.cost

    @property
    def welfare(self) -> NDArray[np.float64]:
        """SW = sum of utilities ``[...]`` (equals gains less costs when nothing goes to the centre)."""
        return np.asarray(self.utility.sum(axis=-1))


def fixed_outcome(imports: NDArray[np.bool_]) -> Outcome:
    """Return the outcome of a graph that is given and paid for by nobody (what a method without a market implies)."""
    taken = np.array(imports, dtype=np.bool_)
    diagonal = np.arange(taken.shape[-1])
    taken[..., diagonal, diagonal] = False
    zeros = np.zeros(taken.shape[:-1])
    return Outcome(taken, np.zeros(taken.shape), zeros, zeros)


def account(
    types: Types, outcome: Outcome, market: Market | None = None, measured: NDArray[np.float64] | None = None
) -> Accounts:
    """Account for an outcome with the *true* types.

    G_i from the market's gain law (default: the paper's) at the true sizes and its effective ones, or as ``measured``
    ``[..., m]``; cost c_i times the number of exports, paid and received as row and column sums of the prices. Shapes
    broadcast: a batch of outcomes may be accounted with one set of types. `InvalidMarketError` if the outcome is for
    another number of clients.
    """
    if outcome.imports.shape[-1] != types.clients:
        raise InvalidMarketError(
            f"the outcome is for {outcome.imports.shape[-1]} clients, the types for {types.clients}"
        )
    gain = gains(types, outcome.imports, market or Market()) if measured is None else measured
    cost = types.cost * outcome.imports.sum(axis=-2)
    paid, received = outcome.prices.sum(axis=-1), outcome.prices.sum(axis=-2)
    gain, cost, paid, received, centre = np.broadcast_arrays(gain, cost, paid, received, outcome.centre)
    return Accounts(gain, cost, paid, received, centre)


def gains(clients: _Clients, imports: NDArray[np.bool_], market: Market) -> NDArray[np.float64]:
    """Return each importer's G_i of what it imports, money, ``[..., m]``."""
    return market.law.value(clients.gain, clients.size, market.total_data(clients.size, imports))


def values(clients: _Clients, imports: NDArray[np.bool_], market: Market) -> NDArray[np.float64]:
    """Return each importer's objective V_i = G_i - sum_j a_ij (c_j + pen_ij), money, ``[..., m]`` (theory.md).

    Pass reports for the objective that the mechanism maximised, types for the true one.
    """
    burden = clients.cost[..., None, :] + market.penalties(clients.size)
    return np.asarray(gains(clients, imports, market) - (imports * burden).sum(axis=-1))


def objective(clients: Reports | Types, imports: NDArray[np.bool_], market: Market) -> NDArray[np.float64]:
    """Return V_lambda = sum_i V_i = welfare less the penalties, money, ``[...]`` (theory.md, first paragraph)."""
    return np.asarray(values(clients, imports, market).sum(axis=-1))
