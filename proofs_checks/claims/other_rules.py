"""What theory.md says of each mechanism under the table: posted, pooled, two-sided, Shapley, realised."""

from dataclasses import dataclass, replace
from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from mechanism.market.accounting import MONEY, Outcome, account, objective, values
from mechanism.market.allocation.offers import buy
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.direct import MarketDirect
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.pooled_price import PooledPrice
from mechanism.market.rules.posted_price import PostedPrice
from proofs_checks.claims.claim import COMPUTED, Check, Claim, ClaimVerdict, Context, Number, worked
from proofs_checks.claims.examples import Example, ask
from proofs_checks.claims.sweeps import Batch, Floats, sweep, swept
from proofs_checks.evidence.verdict import Grade
from proofs_checks.properties.property import Rng


@dataclass(frozen=True)
class Penalised:
    """Posted price 1, the buyer's set chosen with the penalty subtracted: what theory.md warns of."""

    id: str = "posted-price-penalised"
    allocation: str = "posted"
    payment: str = "posted"

    def clear(self, reports: Reports, market: Market) -> Outcome:
        """Choose at price plus penalty, pay the price."""
        offers = np.where(reports.cost[..., None, :] <= 1.0, 1.0 + market.penalties(reports.size), np.inf)
        chosen = buy(reports, offers, market)
        return replace(chosen, prices=np.where(chosen.imports, 1.0, 0.0))


def _posts_one(context: Context) -> ClaimVerdict:
    posted = market_mechanism("posted-price")
    assert isinstance(posted, PostedPrice)
    return worked({"posted price": Number(float(posted.price), 1.0, 0.0)}, where="for the catalogue's instance")


def _pool_size(context: Context) -> ClaimVerdict:
    rule = PooledPrice()
    stated = {2: 1, 3: 1, 4: 1, 5: 2, 6: 2, 7: 3, 8: 3, 9: 4, 10: 4}
    return worked(
        {f"k among {m} clients": Number(rule.k(m), k, 0.0) for m, k in stated.items()}, where="for 2 to 10 clients"
    )


def _no_pool(context: Context) -> ClaimVerdict:
    example = Example((100, 300, 300, 300), (0, 0, 0, 0), (3600, 0, 0, 0))
    counts = {k: float(example.cleared(PooledPrice(pool=k))[0].imports.sum()) for k in (2, 3)}
    return worked(
        {
            "imports with k = 2 of three others": Number(float(counts[2] > 0), 1.0, 0.0),
            "imports with k = 3 of three others": Number(counts[3], 0.0, 0.0),
        }
    )


def _one_each(types: Types, rng: Rng) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return for each market its row and one client of it, drawn."""
    return np.arange(types.batch[0]), rng.integers(0, types.clients, types.batch[0])


@swept("inside", 0.0, "importers whose pool price or choice a member moved")
def _inside(types: Types, market: Market, rng: Rng) -> Floats:
    """Let one client in a pool report anything that keeps it there: offers and choices of that importer stay."""
    rule = PooledPrice()
    rows, agent = _one_each(types, rng)
    before = rule.offers(types.cost)
    cost = types.cost.copy()
    cost[rows, agent] = rng.random(len(rows)) * np.where(rng.random(len(rows)) < 0.5, 1.0, cost[rows, agent])
    after = rule.offers(cost)
    stays = np.isfinite(before[rows, :, agent]) & np.isfinite(after[rows, :, agent])
    old = rule.clear(types.truthful(), market).imports
    new = rule.clear(types.report(cost=cost), market).imports
    same = (before == after).all(axis=-1) & (old == new).all(axis=-1)
    return np.asarray(stays & ~same, dtype=np.float64)


@swept("entering", 0.0, "offer above the cost of who lied itself into a pool")
def _entering(types: Types, market: Market, rng: Rng) -> Floats:
    """Let one client outside a pool report 0: if it gets in, it is offered no more than its cost."""
    rule = PooledPrice()
    worst = np.full(types.cost.shape, -np.inf)
    for agent in range(types.clients):
        cost = types.cost.copy()
        cost[:, agent] = 0.0
        before, after = rule.offers(types.cost)[..., agent], rule.offers(cost)[..., agent]
        enters = ~np.isfinite(before) & np.isfinite(after)
        worst[:, agent] = np.where(enters, after - types.cost[:, agent, None], -np.inf).max(axis=-1)
    return worst


@swept("gain moves", 0.0, "distance of a price paid from the offer on costs only")
def _gain_moves(types: Types, market: Market, rng: Rng) -> Floats:
    rule = PooledPrice()
    gain = types.gain * rng.exponential(1.0, types.gain.shape)
    outcome = rule.clear(types.report(gain=gain), market)
    offers = rule.offers(types.cost)
    return np.where(outcome.imports, np.abs(outcome.prices - np.where(np.isfinite(offers), offers, -1.0)), 0.0)


def _without(types: Types, market: Market, agent: int) -> Floats:
    """Return W_k(M without agent) of every other importer, by clearing the market that is left, ``[B, m - 1]``."""
    left = Types(*(np.delete(a, agent, axis=-1) for a in (types.size, types.cost, types.gain)))
    d = market.differences
    less = None if d is None else np.delete(np.delete(d, agent, axis=-1), agent, axis=-2)
    rest = Market(less, market.lam, market.law)
    return values(left, market_mechanism("ipfl-exact").clear(left.truthful(), rest).imports, rest)


def _pivot_utility(name: str) -> Check:
    @swept(f"pivot {name}", MONEY, "relative distance of U_i from the formula, W_k(M without i) computed by itself")
    def measure(types: Types, market: Market, rng: Rng) -> Floats:
        outcome = market_mechanism(name).clear(types.truthful(), market)
        utility = account(types, outcome).utility
        total = objective(types, outcome.imports, market)
        formula = np.stack([total - _without(types, market, a).sum(axis=-1) for a in range(types.clients)], axis=-1)
        return np.abs(utility - formula) / np.maximum(1.0, np.abs(utility))

    return measure


def _centre(types: Types, market: Market) -> tuple[Floats, Floats]:
    """Return the centre's balance ``[B]`` and the largest pivot of a traded seller ``[B]``."""
    outcome = market_mechanism("vcg-two-sided").clear(types.truthful(), market)
    sold = market_mechanism("ipfl-exact").clear(types.truthful(), market)
    pivots = np.where(sold.imports, sold.prices - types.cost[..., None, :], 0.0)
    return outcome.centre.sum(axis=-1), pivots.max(axis=(-1, -2))


def _free(batch: Batch) -> Batch:
    return batch[0], Market(None, 0.0, batch[1].law)


@swept("surplus", MONEY, "the centre's surplus at lambda = 0, relative", prepare=_free)
def _never_surplus(types: Types, market: Market, rng: Rng) -> Floats:
    return np.asarray(_centre(types, market)[0] / np.maximum(1.0, types.gain.max(axis=-1)))


@swept("deficit", 0.0, "markets in which only one of them happens", prepare=_free)
def _deficit(types: Types, market: Market, rng: Rng) -> Floats:
    balance, pivot = _centre(types, market)
    room = MONEY * np.maximum(1.0, np.abs(balance))
    return np.asarray((balance < -room) != (pivot > room), dtype=np.float64)


def _either_sign(context: Context) -> ClaimVerdict:
    found: dict[str, float] = {"surplus": 0.0, "deficit": 0.0}

    def measure(types: Types, market: Market, rng: Rng) -> Floats:
        balance, _ = _centre(types, market)
        found["surplus"] = max(found["surplus"], float(balance.max()))
        found["deficit"] = max(found["deficit"], float((-balance).max()))
        return balance

    seen = sweep(context, "either sign", measure, kinds=("small", "wide", "paper"))
    both = found["surplus"] > MONEY and found["deficit"] > MONEY
    ends = f"with {found['surplus']:.6g} in one and with {-found['deficit']:.6g} in the other"
    words = f"computed on two markets: the centre ends {ends}"
    evidence = {"method": "examples", "markets": seen.markets, **found}
    return ClaimVerdict(True if both else None, COMPUTED if both else Grade.UNKNOWN, evidence, None, words)


@swept("shapley", MONEY, "relative distance of p_ij from c_j plus the Shapley value by all subsets", clients=(3, 4))
def _shapley(types: Types, market: Market, rng: Rng) -> Floats:
    outcome = market_mechanism("shapley-split").clear(types.truthful(), market)
    wrong = np.zeros(outcome.prices.shape)
    for b, i, j in np.argwhere(outcome.imports)[:200]:
        others = [int(k) for k in np.flatnonzero(outcome.imports[b, i]) if k != j]
        value = _shapley_value(types, market, int(b), int(i), int(j), others)
        wrong[b, i, j] = abs(outcome.prices[b, i, j] - types.cost[b, j] - value) / max(1.0, abs(value))
    return wrong


def _shapley_value(types: Types, market: Market, b: int, i: int, j: int, others: list[int]) -> float:
    players, total = len(others) + 2, 0.0
    pens = market.penalties(types.size)[b, i]

    def worth(members: tuple[int, ...]) -> float:
        data = types.size[b, i] + sum(types.size[b, k] for k in members)
        gain = market.law.value(types.gain[b, i], types.size[b, i], data)
        return float(gain - sum(types.cost[b, k] + pens[k] for k in members))

    for size in range(len(others) + 1):
        weight = factorial(size + 1) * factorial(players - size - 2) / factorial(players)
        total += weight * sum(worth((*t, j)) - worth(t) for t in combinations(others, size))
    return total


@swept("half", MONEY, "relative distance of the price's rise from delta / 2")
def _half(types: Types, market: Market, rng: Rng) -> Floats:
    rows, agent = _one_each(types, rng)
    raised = rng.exponential(0.1, len(rows))
    cost = types.cost.copy()
    cost[rows, agent] += raised
    rule = market_mechanism("shapley-split")
    before, after = rule.clear(types.truthful(), market), rule.clear(types.report(cost=cost), market)
    same = (before.imports == after.imports).all(axis=-1) & before.imports[rows, :, agent]
    rise = after.prices[rows, :, agent] - before.prices[rows, :, agent]
    scale = np.maximum(1.0, np.abs(after.prices[rows, :, agent]))
    return np.where(same, np.abs(rise - 0.5 * raised[:, None]) / scale, 0.0)


_POSTED, _POOLED = "theory, posted-price", "theory, pooled-price"
_TWO, _SHAPLEY, _REALISED = "theory, vcg-two-sided", "theory, shapley-split", "theory, realised"

CLAIMS = (
    Claim("posted-penalised", _POSTED, "With the penalty subtracted from the buyer's choice lies about K still do not "
          "pay.", False, ask(MarketDirect(Penalised(), 3), "dsic-gain")),
    Claim("posted-price-one", _POSTED, "The catalogue's instance posts 1, the paper's C.", True, _posts_one),
    Claim("pooled-inside", _POOLED, "Inside the pool no report moves price or choice.", True, _inside),
    Claim("pooled-entering", _POOLED, "Lying oneself into a pool pays at most one's cost.", True, _entering),
    Claim("pooled-gain", _POOLED, "K_i moves neither the pool nor its price.", True, _gain_moves),
    Claim("pooled-none", _POOLED, "There is no pool without a (k+1)-th seller.", True, _no_pool),
    Claim("pooled-k", _POOLED, "k is half of the others by default, rounded down, at least 1.", True, _pool_size),
    Claim("two-sided-utility", _TWO, "U_i = W_i(M) + sum over k of W_k(M) - W_k(M without i).", True,
          _pivot_utility("vcg-two-sided")),
    Claim("two-sided-no-surplus", _TWO, "The centre never has a surplus at lambda = 0.", True, _never_surplus),
    Claim("two-sided-deficit", _TWO, "At lambda = 0 it has a deficit exactly when a traded seller is pivotal.", True,
          _deficit),
    Claim("two-sided-either-sign", _TWO, "At lambda > 0 the centre's balance has either sign.", True, _either_sign),
    Claim("shapley-value", _SHAPLEY, "p_ij = c_j plus j's Shapley value of the game on i and its set.", True, _shapley),
    Claim("shapley-half", _SHAPLEY, "Overstating by delta earns delta / 2 while accepted.", True, _half),
    Claim("realised-utility", _REALISED, "At truth U_i = V_lambda - h_i, h_i the sum of W_k(M without i).", True,
          _pivot_utility("realised")),
)  # fmt: skip
"""The claims."""
