"""The corners of the possible: what each rule gives up, measured over drawn markets, point by point of a sweep."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import product
from typing import Any

import numpy as np

from mechanism import MONEY, Market, Types, account, market_mechanism, objective, optimal_objective
from mechanism.market.accounting import Accounts
from mechanism.market.settling import settled
from proofs_checks.search.lies import BestReports, best_reports
from proofs_checks.search.random_markets import cosines

SMALLEST, LARGEST = 50.0, 1000.0
"""Samples of a client, log-uniform between."""

COST = 1.0
"""Mean cost of exporting a model, the paper's C."""


@dataclass(frozen=True)
class Point:
    """One place of a sweep.

    ``lam``: weight of differences. ``cost_spread`` s in [0, 1]: costs are uniform on C (1 ± s). ``heterogeneity`` h in
    [0, 1]: differences are h (1 - cos) of random directions. ``gain``: gains are uniform on [gain / 2, gain].
    """

    mechanism: str
    lam: float
    cost_spread: float
    heterogeneity: float
    gain: float = 20_000.0


@dataclass(frozen=True)
class Measured:
    """What a rule did in ``markets`` drawn markets; money per market, lies per client that gains most.

    ``welfare``: mean of gains less costs of exporting. Money that moves, to and from a centre too, is no part of it, so
    that a rule whose centre pays in is not the better for it; where ``deficit`` is 0 it is the sum of utilities.
    ``of_optimum``: the objectives' sum over that of the best. ``lowest_utility``: of any truthful client, a minimum.
    ``lying_share``: share of the markets in which some false cost pays, ``best_lie``: the mean gain of the best one (0
    where none pays); ``gain_…`` and ``size_…`` the same for the gain parameter and the size, of which a ladder of
    reports is searched. ``deficit``: mean loss of a centre (0: balanced). ``…_se``: the standard error of a mean over
    the markets drawn, None with one market.
    """

    markets: int
    welfare: float
    of_optimum: float
    lowest_utility: float
    lying_share: float
    best_lie: float
    gain_lying_share: float
    gain_best_lie: float
    deficit: float
    size_lying_share: float
    size_best_lie: float
    welfare_se: float | None
    of_optimum_se: float | None
    best_lie_se: float | None
    gain_best_lie_se: float | None
    size_best_lie_se: float | None
    deficit_se: float | None


UNKNOWN = tuple(field.name for field in fields(Measured) if field.name.endswith("_se"))
"""What a single market does not tell."""


def grid(
    mechanisms: Sequence[str], lams: Sequence[float], spreads: Sequence[float], heterogeneities: Sequence[float]
) -> list[Point]:
    """Return all points, mechanisms moving fastest: a sweep that is cut short still compares them."""
    return [Point(m, lam, s, h) for h, s, lam, m in product(heterogeneities, spreads, lams, mechanisms)]


def draw(point: Point, clients: int, markets: int, seed: int) -> tuple[Types, Market]:
    """Draw the markets of a point: the same for every mechanism, and nested over λ and spreads (common numbers)."""
    rng = np.random.default_rng([seed, clients])
    size = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST), (markets, clients)))
    cost = COST * (1.0 + point.cost_spread * rng.uniform(-1.0, 1.0, (markets, clients)))
    gain = point.gain * rng.uniform(0.5, 1.0, (markets, clients))
    return Types(size, cost, gain), Market(point.heterogeneity * cosines(rng, markets, clients), point.lam)


def measure(point: Point, clients: int = 6, markets: int = 40, seed: int = 0) -> Measured:
    """Clear the drawn markets, account for them, and look for the best lies.

    `UnknownNameError` or `InvalidMarketError` if the point names no mechanism, or a number of it is out of bounds.
    """
    types, market = draw(point, clients, markets, seed)
    rule = market_mechanism(point.mechanism)
    reports = types.truthful()
    outcome = settled(rule, rule.clear(reports, market), types)
    books = account(types, outcome, market)
    reached = objective(reports, outcome.imports, market)
    optimal, _ = optimal_objective(reports, market)
    tolerance = MONEY * _scales(books)
    cost = _per_market(best_reports(rule, types, market), tolerance)
    gain, size = (_per_market(best_reports(rule, types, market, key), tolerance) for key in ("gain", "size"))
    total = float(optimal.sum())
    share = float(reached.sum()) / total if total > 0.0 else 1.0
    welfare = (books.gain - books.cost).sum(axis=-1)
    deficit = np.maximum(0.0, -outcome.centre.sum(axis=-1))
    # Of a ratio of sums, by its linear part: the mean is taken over markets, each counted by its best objective.
    departure = (reached - share * optimal) / float(optimal.mean()) if total > 0.0 else np.zeros(markets)
    return Measured(
        markets=markets,
        welfare=float(welfare.mean()),
        of_optimum=share,
        lowest_utility=float(books.utility.min()),
        lying_share=float((cost > 0.0).mean()),
        best_lie=float(cost.mean()),
        gain_lying_share=float((gain > 0.0).mean()),
        gain_best_lie=float(gain.mean()),
        deficit=float(deficit.mean()),
        size_lying_share=float((size > 0.0).mean()),
        size_best_lie=float(size.mean()),
        welfare_se=_error(welfare),
        of_optimum_se=_error(departure),
        best_lie_se=_error(cost),
        gain_best_lie_se=_error(gain),
        size_best_lie_se=_error(size),
        deficit_se=_error(deficit),
    )


def _scales(accounts: Accounts) -> np.ndarray:
    """Return each market's scale ``[...]``: max(1, largest gain, cost or payment of a client), money."""
    parts = (accounts.gain, accounts.cost, accounts.paid, accounts.received, np.abs(accounts.centre))
    return np.maximum(1.0, np.max([np.abs(p).max(axis=-1, initial=0.0) for p in parts], axis=0))


def _error(values: np.ndarray) -> float | None:
    """Return the standard error of the mean of independent values; None of a single one."""
    return float(values.std(ddof=1)) / values.size**0.5 if values.size > 1 else None


def _per_market(lies: BestReports, tolerance: np.ndarray) -> np.ndarray:
    best = lies.gain.max(axis=-1)
    return np.where(best > tolerance, best, 0.0)


def record(point: Point, measured: Measured) -> dict[str, Any]:
    """Return one row: where, and what was measured there."""
    return {**asdict(point), **asdict(measured)}
