"""Shapley values of an importer's purchase, and the mechanism that pays them.

The game of one importer is played by it and the sellers of its set S: v(T and i) = G_i(T) - sum_{j in T} w_j, nothing
without i. A seller's price w_j counts whenever i came before it, one half of the time, so that

    phi_j = psi_j - w_j / 2,   psi_j = sum_{T in S without j} (|T|+1)! (|S|-|T|-1)! / (|S|+1)! · [G(T and j) - G(T)]

and only psi asks for work. Three ways: all subsets (up to `ENUMERATED` sellers); for power laws above that an
integral, exact to rounding; otherwise sampled orders, with the standard error.

The integral. With x^-e = 1/Gamma(e) ∫ t^(e-1) exp(-t x) dt, and a uniform time of arrival u for every player,

    psi_j = K^e / Gamma(e) ∫_0^1 ∫_0^∞ u t^(e-1) exp(-t n) a_j prod_{k != j} (1 - u a_k) dt du,  a_k = 1 - exp(-t n_k):

a polynomial of degree |S| in u (Gauss-Legendre: exact), analytic in log t (trapezoidal rule: the error falls
exponentially in the step). Owen (1972) for the arrival times.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from mechanism.entry import BALANCED, truths
from mechanism.errors import InvalidMechanismError
from mechanism.market.accounting import Outcome
from mechanism.market.allocation import kernels
from mechanism.market.allocation.selection import NODE_LIMIT, run_kernels
from mechanism.market.clients import Market, Reports
from mechanism.market.direct import RATIONAL, SHAPED, honest, market_entry
from mechanism.market.gains import GainLaw, PowerGain
from mechanism.space import Floats

ENUMERATED: int = 12
"""Sets of at most so many sellers are valued over all their subsets."""

_CELLS = 1 << 21  # numbers in one block of work
_STEP = 0.25  # of the trapezoidal rule in log t: error about exp(-pi²/step)


@dataclass(frozen=True, eq=False)
class ShapleyOutcome(Outcome):
    """An outcome with ``error`` float64 ``[..., m, m]``: the standard error of each price, 0 where it is exact."""

    error: Floats


@dataclass(frozen=True)
class ShapleySplit:
    """Exact selection; a seller is paid its cost and its Shapley value: p_ij = c_j + phi_j.

    Individually rational, balanced, efficient; not truthful: a seller that overstates its cost by δ and stays bought
    earns δ/2. Ties as in `mechanism.market.rules`. ``samples`` orders (and their reverses), drawn from ``seed``,
    value large sets under laws that have no closed form; how large, `ENUMERATED` says.
    """

    id: str = "shapley-split"
    allocation: str = field(default="exact", init=False)
    payment: str = field(default="shapley", init=False)
    node_limit: int = field(default=NODE_LIMIT, kw_only=True)
    samples: int = field(default=2000, kw_only=True)
    seed: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        if self.samples < 2:
            raise InvalidMechanismError(f"samples is {self.samples}; a standard error needs at least 2")

    def clear(self, reports: Reports, market: Market) -> ShapleyOutcome:
        """Select exactly, then divide each importer's objective by Shapley values."""
        chosen = run_kernels(
            reports, market, allocation=kernels.EXACT, payment=kernels.NOTHING, node_limit=self.node_limit
        )
        shape = chosen.imports.shape
        m = shape[-1]
        imports = chosen.imports.reshape(-1, m)
        own, gain = (np.broadcast_to(a, shape[:-1]).reshape(-1) for a in (reports.size, reports.gain))
        size = np.broadcast_to(market.counted(reports.size), shape).reshape(-1, m)
        share, error = np.zeros(imports.shape), np.zeros(imports.shape)
        count = imports.sum(axis=-1)
        for s in np.unique(count[count > 0]):
            rows = np.flatnonzero(count == s)
            where = (rows[:, None], np.nonzero(imports[rows])[1].reshape(-1, s))
            share[where], error[where] = arrival_values(
                market.law, gain[rows], own[rows], size[where], samples=self.samples, seed=self.seed
            )
        # p = c + psi - (c + pen) / 2
        half = 0.5 * (reports.cost[..., None, :] - market.penalties(reports.size))
        prices = np.where(chosen.imports, share.reshape(shape) + half, 0.0)
        return ShapleyOutcome(chosen.imports, prices, chosen.centre, chosen.gap, error.reshape(shape))


def arrival_values(
    law: GainLaw, gain: Floats, own: Floats, size: Floats, *, samples: int = 2000, seed: int = 0
) -> tuple[Floats, Floats]:
    """Return psi and its standard error, money, each ``[rows, s]``, for importers whose sets hold s sellers.

    ``gain``, ``own`` ``[rows]``: the importers' parameter and samples; ``size`` ``[rows, s]``: the sellers' samples.
    """
    rows, s = size.shape
    if s <= ENUMERATED:
        cells, way = 2**s, _enumerated
    elif isinstance(law, PowerGain):
        return np.array([_integrated(law, *row) for row in zip(gain, own, size, strict=True)]), np.zeros(size.shape)
    else:
        return _sampled(law, gain, own, size, samples, seed)
    step = max(1, _CELLS // cells)
    blocks = [way(law, gain[a : a + step], own[a : a + step], size[a : a + step]) for a in range(0, rows, step)]
    return np.concatenate(blocks), np.zeros(size.shape)


def _enumerated(law: GainLaw, gain: Floats, own: Floats, size: Floats) -> Floats:
    """All subsets: one matrix of weights times the gains of all of them."""
    s = size.shape[1]
    member = (np.arange(2**s)[:, None] >> np.arange(s) & 1).astype(bool)
    held = member.sum(axis=1)
    weight = np.array([math.factorial(t + 1) * math.factorial(s - t - 1) / math.factorial(s + 1) for t in range(s)])
    # T counts for its members as T, for the others as what they join
    weights = np.where(member, weight[held - 1][:, None], -weight[np.minimum(held, s - 1)][:, None])
    total = own[:, None] + size @ member.T.astype(np.float64)
    return np.asarray(law.value(gain[:, None], own[:, None], total) @ weights)


def _integrated(law: PowerGain, gain: float, own: float, size: Floats) -> Floats:
    """Return the double integral of the module's docstring, ``[s]``."""
    e, s = law.exponent, len(size)
    if gain <= 0.0:
        return np.zeros(s)
    nodes, weights = np.polynomial.legendre.leggauss(s // 2 + 1)
    u, du = 0.5 * (nodes + 1.0), 0.5 * weights
    # below the first t the integrand has lost 16 digits against its peak, above the last it has decayed
    total = own + size.sum()
    low, high = math.log(1.0 / total) - 38.0 / (e + 1.0) - 2.0, math.log(45.0 / own)
    t = np.exp(np.arange(low, high + _STEP, _STEP))
    used = -np.expm1(-t[:, None] * size)  # [t, s]
    base = _STEP * t**e * np.exp(-t * own)
    answer = np.zeros(s)
    step = max(1, _CELLS // used.size)
    for a in range(0, len(u), step):
        v, dv = u[a : a + step], du[a : a + step]
        logs = np.log1p(-v[:, None, None] * used)
        rest = np.exp(logs.sum(axis=-1, keepdims=True) - logs)
        answer += np.einsum("u,t,uts,ts->s", v * dv, base, rest, used, optimize=True)
    return answer * float(gain) ** e / math.gamma(e)


def _sampled(law: GainLaw, gain: Floats, own: Floats, size: Floats, samples: int, seed: int) -> tuple[Floats, Floats]:
    """Sampled orders of the sellers, each with its reverse; the importer's place is averaged over in closed form."""
    s = size.shape[1]
    generator = np.random.default_rng([seed, s])  # the same orders for every importer, whatever batch it is in
    first = second = np.zeros(size.shape)
    place = (np.arange(s) + 1.0) / (s + 1.0)
    for _ in range(samples):
        order = generator.permutation(s)
        pair = np.zeros(size.shape)
        for way in (order, order[::-1]):
            total = np.concatenate([own[:, None], own[:, None] + np.cumsum(size[:, way], axis=1)], axis=1)
            pair[:, way] += 0.5 * place * np.diff(law.value(gain[:, None], own[:, None], total), axis=1)
        first, second = first + pair, second + pair * pair
    mean = first / samples
    spread = np.maximum(0.0, second / samples - mean * mean)
    return mean, np.sqrt(spread / (samples - 1))


RULE = ShapleySplit()

ENTRY = market_entry(
    RULE,
    "exact selection, cost and Shapley value",
    "Shapley: A Value for n-Person Games, 1953",
    truths(
        **RATIONAL, **honest("no (both directions)", "no", "no"), **BALANCED, **SHAPED, bic="no", efficiency="yes",
        group_dsic="no", split_proof="no", merge_proof="no", core="no",
    ),
)  # fmt: skip
