"""Whether a textbook mechanism computes the formula that its certificate is about: tested on random profiles."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import DirectMechanism
from mechanism.market.accounting import MONEY, scale
from mechanism.space import Floats

CRITICAL_ONLY = ("myerson", "greedy-knapsack")
"""Formulas of which only what their proof uses is tested: an allocation that rises, and critical values as prices."""

_BISECTIONS = 50
_STEPS = 24
_CRITICAL_TOLERANCE = 1e-7  # bisection stops where a float cannot tell, and divisions add their own rounding


def classic_conformance(mechanism: DirectMechanism, formula: str, rng: np.random.Generator, samples: int) -> list[str]:
    """Return how a mechanism departs from the rule named ``formula`` on random profiles; empty if nowhere.

    Values are drawn from the mechanism's bounds, every third profile from a grid of tenths, so that ties occur.
    """
    space = mechanism.space
    used = space.k if formula == "vcg-combinatorial" else 1
    if space.private[:, used:].any():
        return [f"{space.names[used]!r} is private too; the formula knows of {used} private number{'s' * (used > 1)}"]
    shares = rng.random((samples, space.agents, space.k))
    shares[::3] = np.round(shares[::3], 1)
    return _TESTS[formula](mechanism, space.low + shares * (space.high - space.low))


def _deal(mechanism: Any, profiles: Floats) -> tuple[Floats, Floats]:
    """Return (what each gets, what each pays), ``[batch, agents]``, as utility and payments account for it."""
    outcome = mechanism.outcome(profiles)
    paid = np.asarray(mechanism.payments(outcome))
    allocation = np.asarray(mechanism.allocation(outcome), dtype=np.float64)
    if not _accounted(mechanism, profiles, outcome, lambda types: types[..., 0] * allocation - paid):
        return allocation, np.full(allocation.shape, np.nan)
    return allocation, paid


def _accounted(mechanism: Any, profiles: Floats, outcome: Any, due: Callable[[Floats], Floats]) -> bool:
    """Tell whether utilities are what the formula says, at the types that were reported and at others."""
    return all(
        np.allclose(mechanism.utility(types, outcome), due(types), rtol=0.0, atol=MONEY * scale(types))
        for types in (profiles, profiles[::-1])
    )


def _critical(mechanism: Any, profiles: Floats) -> list[str]:
    """Each agent wins above some value that the others' reports fix, and then pays it; below, it pays nothing."""
    low, high = mechanism.space.low[:, 0], mechanism.space.high[:, 0]
    tolerance = _CRITICAL_TOLERANCE * scale(np.array([low, high]))
    for i in range(mechanism.space.agents):
        sweep = np.linspace(low[i], high[i], _STEPS)
        rows = np.repeat(profiles[:, None], _STEPS, axis=1)
        rows[:, :, i, 0] = sweep
        flat = rows.reshape(-1, *profiles.shape[1:])
        got, paid = (a[:, i].reshape(len(profiles), _STEPS) for a in _deal(mechanism, flat))
        if not np.isfinite(paid).all():
            return ["utility is not value times allocation less payment"]
        if not np.isin(got, (0.0, 1.0)).all():
            return ["an allocation is neither 0 nor 1"]
        if (np.diff(got, axis=1) < 0).any():
            return [f"agent {i} wins with a report and loses with a higher one"]
        wins = got > 0
        if not (np.abs(paid[~wins]) <= tolerance).all():
            return [f"agent {i} pays although it loses"]
        price = np.where(wins, paid, np.nan)
        some = wins.any(axis=1)
        spread = np.nanmax(price[some], axis=1) - np.nanmin(price[some], axis=1)
        if not (spread <= tolerance).all():
            return [f"the price of agent {i} moves with its own report while it wins"]
        first = wins.argmax(axis=1)
        due = np.where(first > 0, _threshold(mechanism, profiles, i, sweep, first), low[i])
        asked = paid[np.arange(len(paid)), first]
        # who always wins pays at most the lowest value there is: its critical value lies at or below it
        off = np.where(first > 0, np.abs(asked - due), np.maximum(0.0, asked - due))[some]
        if not (off <= tolerance).all():
            return [f"agent {i} pays {off.max():.3g} away from its critical value"]
    return []


def _threshold(mechanism: Any, profiles: Floats, i: int, sweep: Floats, first: NDArray[np.intp]) -> Floats:
    """Bisect agent i's report between the last losing and the first winning one of a sweep, ``[batch]``."""
    lose, win = sweep[np.maximum(first - 1, 0)], sweep[first]
    for _ in range(_BISECTIONS):
        rows = profiles.copy()
        rows[:, i, 0] = middle = 0.5 * (lose + win)
        won = _deal(mechanism, rows)[0][:, i] > 0
        lose, win = np.where(won, lose, middle), np.where(won, middle, win)
    return win


def _priced(floor: Callable[[Any], float], gap: Callable[[Floats, float], NDArray[np.bool_]], price: Any) -> Any:
    """Return a test of one item: who wins (``gap``) and what it pays (``price``), besides being critical."""

    def test(mechanism: Any, profiles: Floats) -> list[str]:
        wrong = _critical(mechanism, profiles)
        if wrong:
            return wrong
        bids, least = profiles[..., 0], floor(mechanism)
        got, paid = _deal(mechanism, profiles)
        wins = gap(bids, least)
        tolerance = MONEY * scale(bids)
        if (got != wins).any():
            return ["the item does not go where the rule says"]
        due = np.where(wins, price(bids, least), 0.0)
        off = np.abs(paid - due).max(initial=0.0)
        return [f"a payment is off by {off:.3g}"] if not off <= tolerance else []

    return test


def _others(bids: Floats) -> Floats:
    """Return the highest other bid, 0 if alone; ``[batch, agents]``."""
    n = bids.shape[1]
    return np.stack([np.delete(bids, i, axis=1).max(axis=1, initial=0.0) for i in range(n)], axis=1)


def _highest(bids: Floats, least: float) -> NDArray[np.bool_]:
    """Return who has the highest bid, ties to the lowest index, if it is at least the reserve."""
    first = np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None]
    return np.asarray(first & (bids >= least))


def _first(bids: Floats, price: float) -> NDArray[np.bool_]:
    """Return the first agent whose bid exceeds the price."""
    willing = bids > price
    return np.asarray(willing & (np.arange(bids.shape[1]) == willing.argmax(axis=1)[:, None]))


def _asked_alone(mechanism: Any) -> float:
    """Return what agent 0 pays when it bids the most and all others the least: the reserve or posted price."""
    profile = mechanism.space.low[None].copy()
    profile[0, 0, 0] = mechanism.space.high[0, 0]
    got, paid = _deal(mechanism, profile)
    return float(paid[0, 0]) if got[0, 0] else float(np.inf)


def _positions(mechanism: Any, profiles: Floats) -> list[str]:
    """Clicks by rank are read off one profile; then all assignments of positions are listed."""
    n = mechanism.space.agents
    if n > 5:
        return ["positions are tested for at most 5 agents; pass a mechanism with fewer"]
    if mechanism.space.low.min() < 0:
        return ["the bounds allow values below 0, the formula does not"]
    falling = mechanism.space.low + (mechanism.space.high - mechanism.space.low) * np.linspace(1.0, 0.5, n)[:, None]
    clicks = _deal(mechanism, falling[None])[0][0]
    outcomes = np.array(list(itertools.permutations(clicks)))  # [n!, n]
    got, paid = _deal(mechanism, profiles)
    return _pivots(profiles[..., 0][:, None, :] * outcomes[None], profiles[..., 0] * got, paid)


def _combinatorial(mechanism: Any, profiles: Floats) -> list[str]:
    """All n² holders of the two items are listed; a bundle is worth the best of A, B and AB."""
    n = mechanism.space.agents
    if mechanism.space.low.min() < 0:
        return ["the bounds allow values below 0, the formula does not"]
    pairs = list(itertools.product(range(n), repeat=2))
    worth = np.zeros((len(profiles), len(pairs), n))
    for x, (a, b) in enumerate(pairs):
        worth[:, x, a] += profiles[:, a].max(axis=1) if a == b else profiles[:, a, 0]
        if a != b:
            worth[:, x, b] += profiles[:, b, 1]
    outcome = mechanism.outcome(profiles)
    at = (np.asarray(outcome.holder_a) * n + np.asarray(outcome.holder_b))[:, None, None]
    enjoyed = np.take_along_axis(worth, at, axis=1)[:, 0]
    paid = mechanism.payments(outcome)

    def due(types: Floats) -> Floats:
        there = worth if types is profiles else worth[::-1]  # of the same outcome to the other types
        return np.asarray(np.take_along_axis(there, at, axis=1)[:, 0] - paid)

    if not _accounted(mechanism, profiles, outcome, due):
        return ["utility is not the worth of what is held less the payment"]
    return _pivots(worth, enjoyed, paid)


def _public_good(mechanism: Any, profiles: Floats) -> list[str]:
    """Two outcomes: nothing, worth 0, or the good, worth value less an equal share of the cost."""
    n = mechanism.space.agents
    net = profiles[..., 0] - mechanism.cost / n
    outcome = mechanism.outcome(profiles)
    built = np.asarray(mechanism.allocation(outcome))
    if (built != built[:, :1]).any():
        return ["the good serves some agents only"]
    enjoyed, taxes = net * built, mechanism.payments(outcome)
    if not _accounted(mechanism, profiles, outcome, lambda types: (types[..., 0] - mechanism.cost / n) * built - taxes):
        return ["utility is not the net worth of the decision less the tax"]
    return _pivots(np.stack([np.zeros_like(net), net], axis=1), enjoyed, taxes)


def _pivots(worth: Floats, enjoyed: Floats, paid: Floats) -> list[str]:
    """Compare with the Clarke rule: ``worth`` ``[batch, outcomes, agents]``, the others ``[batch, agents]``."""
    tolerance = MONEY * scale(worth) * worth.shape[2]
    total = worth.sum(axis=2)
    if not (total.max(axis=1) - enjoyed.sum(axis=1) <= tolerance).all():
        return ["the outcome does not maximise the sum of reported values"]
    best_without = (total[:, :, None] - worth).max(axis=1)
    due = best_without - (enjoyed.sum(axis=1, keepdims=True) - enjoyed)
    off = np.abs(paid - due).max(initial=0.0)
    return [f"a payment is off by {off:.3g} from the Clarke pivot"] if not off <= tolerance else []


_TESTS: dict[str, Callable[[Any, Floats], list[str]]] = {
    "second-price": _priced(lambda mechanism: -np.inf, _highest, lambda bids, least: _others(bids)),
    "second-price-reserve": _priced(_asked_alone, _highest, lambda bids, least: np.maximum(least, _others(bids))),
    "posted-price-single": _priced(_asked_alone, _first, lambda bids, price: np.full(bids.shape, price)),
    "myerson": _critical,
    "greedy-knapsack": _critical,
    "vcg-positions": _positions,
    "vcg-combinatorial": _combinatorial,
    "clarke-public-good": _public_good,
}

CLASSICS = tuple(_TESTS)
"""Textbook mechanisms whose code is held against the formula."""
