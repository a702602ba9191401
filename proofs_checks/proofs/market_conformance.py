"""Whether a market mechanism computes the formulas that its certificate is about: tested on random small markets.

A test, not a proof: code that is wrong only elsewhere passes. Every formula is computed here once more, by listing all
sets of sellers and by bisection, from the reports and public data alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mechanism import MONEY, Market, Outcome, Reports
from mechanism.market.accounting import scale
from mechanism.market.allocation.certifying import certify
from mechanism.market.allocation.checking import check_clearing
from mechanism.market.allocation.purchases import Purchases
from mechanism.market.direct import MarketDirect
from mechanism.market.gains import GainLaw
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import TwoStage
from mechanism.space import Floats
from proofs_checks.proofs.independence import clarke_independence, posted_independence
from proofs_checks.search.sampling import PROFILES

_CLIENTS = (2, 3, 4, 5)
_MOST_CLIENTS, _RARER = 10, 20  # larger markets of 2^(m-1) sets for each importer are tried on a twentieth of the cases


@dataclass(frozen=True, eq=False)
class _Buyer:
    """One importer in a batch of markets: others ``[s]``, values of all 2^s sets of them ``[B, 2^s]``.

    ``held`` bool ``[2^s, s]``; ``sizes`` (what each counts for the importer), ``costs``, ``pens``, ``prices``
    ``[B, s]``; ``at`` ``[B]``: the set that was imported.
    """

    client: int
    held: NDArray[np.bool_]
    sizes: Floats
    costs: Floats
    pens: Floats
    prices: Floats
    bought: NDArray[np.bool_]
    gains: Floats
    at: NDArray[np.intp]

    @property
    def values(self) -> Floats:
        """V(S) = G(S) - Σ (c + pen), ``[B, 2^s]``."""
        return np.asarray(self.gains - (self.costs + self.pens) @ self.held.T)

    def without(self, values: Floats, j: int) -> Floats:
        """Return ``values`` of the imported set less seller j, ``[B]``."""
        return np.asarray(values[np.arange(len(values)), self.at & ~(1 << j)])


def random_cases(rng: np.random.Generator, count: int, m: int, law: GainLaw) -> tuple[Reports, Market]:
    """Draw markets: sizes over a decade, some equal, round costs and zeros among them, penalties in half of the calls.

    In a third of the calls effective sizes, some of them 0. Shapes: reports ``[count, m]``, differences and effective
    sizes ``[count, m, m]`` or none.
    """
    size = rng.uniform(50.0, 1000.0, (count, m))
    size[: count // 4] = np.round(size[: count // 4], -2) + 100.0
    cost = rng.uniform(0.0, 3.0, (count, m)) * rng.choice([0.0, 0.3, 1.0, 1.0], (count, 1))
    cost[: count // 4] = np.round(cost[: count // 4])
    gain = rng.uniform(0.0, 20_000.0, (count, m)) * rng.choice([0.0, 1.0, 1.0, 10.0], (count, m))
    size, cost, gain = (rng.permuted(a, axis=0) if rng.random() < 0.2 else a for a in (size, cost, gain))
    reports = Reports(size, cost, gain)
    effective = None
    if rng.random() < 1 / 3:
        effective = size[:, None, :] * rng.choice([0.0, 0.5, 1.0, 1.7], (count, m, m))
    if rng.random() < 0.4:
        return reports, Market(law=law, effective=effective)
    differences = rng.uniform(0.0, 2.0, (count, m, m))
    differences[:, np.arange(m), np.arange(m)] = 0.0
    return reports, Market(differences, float(rng.choice([0.01, 0.1, 1.0])), law, effective)


def market_conformance(
    mechanism: Clearing, formula: str, rng: np.random.Generator, samples: int, law: GainLaw
) -> list[str]:
    """Return how the mechanism departs from a formula on ``samples`` random markets; empty if nowhere.

    ``formula``: ``ipfl``, ``exact-marginal``, ``ipfl-exact`` or ``posted-price``; the last needs ``prices(reports,
    market)``. What a proof says does not depend on a report is tested by moving that report.
    """
    if isinstance(mechanism, TwoStage):
        return ["it settles payments after the clearing, the formula does not"]
    for m in _CLIENTS:
        count = max(1, samples // len(_CLIENTS))
        for share in (count // 2, count - count // 2):
            if share and (wrong := _departures(mechanism, formula, *random_cases(rng, share, m, law))):
                return wrong
    return []


def declared_conformance(direct: MarketDirect, formula: str, rng: np.random.Generator, samples: int) -> list[str]:
    """Return how a market departs from a formula, at its own number of clients and on its own declared bounds.

    Drawn as the search draws: uniform, corners, ties, lattice, boxes, all sizes of number. Up to 10 clients all sets
    are listed; above, the certificate of each clearing is made and checked. From 6 on it is a twentieth of the samples.
    """
    if isinstance(direct.mechanism, TwoStage):
        return ["it settles payments after the clearing, the formula does not"]
    for draw in PROFILES.values():
        profiles = draw(direct.space, rng, declared_cases(direct, samples) // len(PROFILES))
        reports, market = direct.types(profiles).truthful(), direct.market(profiles)
        check = _departures if direct.agents <= _MOST_CLIENTS else _uncertified
        if wrong := check(direct.mechanism, formula, reports, market):
            return wrong
    return []


def declared_cases(direct: MarketDirect, samples: int) -> int:
    """Return how many markets of its own number of clients `declared_conformance` compares, where it finds nothing."""
    rarer = 1 if direct.agents <= _CLIENTS[-1] else _RARER
    return len(PROFILES) * max(4, -(-samples // (len(PROFILES) * rarer)))


def _uncertified(mechanism: Clearing, formula: str, reports: Reports, market: Market) -> list[str]:
    """Return what the certificates of many clients' clearings do not prove."""
    if formula not in ("ipfl-exact", "exact-marginal"):
        return [f"it is held against the formula for up to {_MOST_CLIENTS} clients, here are {reports.clients}"]
    outcome = mechanism.clear(reports, market)
    wrong = _bilateral(outcome)
    payment = "clarke" if formula == "ipfl-exact" else "marginal"
    for b in range(len(reports.size)):
        purchases = Purchases.of(reports.at(b), market.at(b))
        one = Outcome(outcome.imports[b], outcome.prices[b], outcome.centre[b], outcome.gap[b])
        certificate = certify(purchases, one.imports, critical=payment == "clarke")
        checked = check_clearing(purchases, one, certificate, payment, formula)
        if not (checked.holds and checked.proved):
            return [*wrong, checked.sentence]
    return wrong


def _departures(mechanism: Clearing, formula: str, reports: Reports, market: Market) -> list[str]:
    outcome = mechanism.clear(reports, market)
    if type(outcome) is not Outcome:
        return [f"the outcome is a {type(outcome).__name__}, which may be accounted otherwise than an Outcome"]
    wrong = _bilateral(outcome)
    posted = None
    if formula == "posted-price":
        posted = np.broadcast_to(mechanism.prices(reports, market), outcome.prices.shape)  # type: ignore[attr-defined]
        wrong += posted_independence(mechanism, reports, market)
    elif formula == "ipfl-exact":
        wrong += clarke_independence(mechanism, reports, market)
    for i in range(reports.clients):
        buyer = _buyer(i, reports, market, outcome)
        tolerance = MONEY * scale(buyer.gains) + MONEY * scale(buyer.costs + buyer.pens)
        if posted is not None:
            found = _posted(buyer, np.delete(posted[:, i], i, axis=1), tolerance)
        elif formula == "ipfl":
            found = _threshold(buyer, reports, market) + _marginal(buyer, tolerance)
        else:
            price = _clarke if formula == "ipfl-exact" else _marginal
            found = _optimal(buyer, outcome, tolerance) + price(buyer, tolerance)
        wrong += [f"{error} (importer {i}, {reports.clients} clients)" for error in found]
    return wrong[:3]


def _bilateral(outcome: Outcome) -> list[str]:
    """Nobody trades with itself, the centre gets nothing, what is not imported is not paid for."""
    diagonal = np.arange(outcome.imports.shape[-1])
    wrong = []
    if outcome.imports[..., diagonal, diagonal].any() or outcome.prices[..., diagonal, diagonal].any():
        wrong.append("a client trades with itself")
    if outcome.centre.any():
        wrong.append("the centre receives or pays something")
    if outcome.prices[~outcome.imports].any():
        wrong.append("a price stands where nothing is imported")
    if (outcome.payments + np.swapaxes(outcome.payments, -1, -2)).any():
        wrong.append("net payments are not antisymmetric")
    return wrong


def _buyer(i: int, reports: Reports, market: Market, outcome: Outcome) -> _Buyer:
    others = np.flatnonzero(np.arange(reports.clients) != i)
    held = (np.arange(2**others.size)[:, None] >> np.arange(others.size)) & 1 == 1
    size = np.broadcast_to(market.counted(reports.size), outcome.prices.shape)[:, i][:, others]
    pens = np.broadcast_to(market.penalties(reports.size), outcome.prices.shape)[:, i][:, others]
    own = reports.size[:, [i]]
    gains = market.law.value(reports.gain[:, [i]], own, own + size @ held.T)
    bought = outcome.imports[:, i][:, others]
    at = (bought * (1 << np.arange(others.size))).sum(axis=1)
    return _Buyer(i, held, size, reports.cost[:, others], pens, outcome.prices[:, i][:, others], bought, gains, at)


def _optimal(buyer: _Buyer, outcome: Outcome, tolerance: float) -> list[str]:
    values = buyer.values
    chosen = np.take_along_axis(values, buyer.at[:, None], axis=1)[:, 0]
    missed = (values.max(axis=1) - chosen).max()
    wrong = [f"the chosen set misses the optimum by {missed:.3g}"] if not missed <= tolerance else []
    return wrong + ([] if (outcome.gap[:, buyer.client] <= tolerance).all() else ["the gap is not 0"])


def _marginal(buyer: _Buyer, tolerance: float) -> list[str]:
    chosen = np.take_along_axis(buyer.gains, buyer.at[:, None], axis=1)[:, 0]
    due = [chosen - buyer.without(buyer.gains, j) - buyer.pens[:, j] for j in range(buyer.held.shape[1])]
    return _prices(buyer, np.stack(due, axis=1), "the marginal contribution less the penalty", tolerance)


def _clarke(buyer: _Buyer, tolerance: float) -> list[str]:
    values = buyer.values
    best = values.max(axis=1)
    due = [buyer.costs[:, j] + best - values[:, ~buyer.held[:, j]].max(axis=1) for j in range(buyer.held.shape[1])]
    return _prices(buyer, np.stack(due, axis=1), "c + W(M) - W(M-j)", tolerance)


def _posted(buyer: _Buyer, posted: Floats, tolerance: float) -> list[str]:
    wrong = ["a seller sells below its cost"] if (buyer.bought & (buyer.costs > posted)).any() else []
    offered = np.where((buyer.held[None] & (buyer.costs > posted)[:, None]).any(axis=2), -np.inf, 0.0)
    values = buyer.gains - posted @ buyer.held.T + offered
    chosen = np.take_along_axis(values, buyer.at[:, None], axis=1)[:, 0]
    if not (values.max(axis=1) - chosen <= tolerance).all():
        wrong.append("a buyer does not get its best set at the posted prices")
    return wrong + _prices(buyer, posted, "the posted price", tolerance)


def _prices(buyer: _Buyer, due: Floats, words: str, tolerance: float) -> list[str]:
    off = np.where(buyer.bought, np.abs(buyer.prices - due), 0.0).max(initial=0.0)
    return [f"a price is off by {off:.3g} from {words}"] if not off <= tolerance else []


def _threshold(buyer: _Buyer, reports: Reports, market: Market) -> list[str]:
    """Run the reference rule once more; markets in which a test is as good as a tie are left out."""
    roots = _roots(market.law, reports.gain[:, [buyer.client]], buyer.sizes, buyer.costs + buyer.pens)
    for b, marks in enumerate(roots.tolist()):
        size = buyer.sizes[b]
        total, taken, close = float(reports.size[b, buyer.client]), 0, False
        for j in sorted(range(size.size), key=lambda j: (-marks[j], j)):
            close |= any(k != j and 0 < abs(marks[k] - marks[j]) <= 1e-9 * marks[j] for k in range(size.size))
            close |= abs(total + size[j] - marks[j]) <= 1e-9 * marks[j]
            if total + size[j] >= marks[j]:
                break
            taken |= 1 << j
            total += float(size[j])
        if not close and taken != buyer.at[b]:
            return ["the set is not the one of falling thresholds, stopped at the first failure"]
    return []


def _roots(law: GainLaw, gain: Floats, n: Floats, price: Floats) -> Floats:
    """Total data x > n with f(x) - f(x-n) = price, by bisection; n if there is none, inf where the price is 0.

    Shape ``[B, s]``, gain ``[B, 1]``.
    """
    roots = np.where((price <= 0.0) & (n > 0.0), np.inf, n)  # who brings nothing is never taken
    live = (n > 0.0) & (price > 0.0) & (gain > 0.0)
    k, n, price = (np.broadcast_to(a, live.shape)[live] for a in (gain, n, price))

    def positive(x: Floats) -> NDArray[np.bool_]:
        return np.asarray(law.value(k, n, x) - law.value(k, n, x - n) > price)

    low, high = n * (1.0 + 1e-12), 2.0 * n
    some = positive(low)
    while (short := some & positive(high)).any():
        low, high = np.where(short, high, low), np.where(short, 2.0 * high, high)
    while (between := ((middle := 0.5 * (low + high)) != low) & (middle != high)).any():
        above = positive(middle)
        low, high = np.where(between & above, middle, low), np.where(between & ~above, middle, high)
    roots[live] = np.where(some, high, n)
    return roots
