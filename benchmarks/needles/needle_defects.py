"""Defects planted in sound rules: each kind says what is changed, and so why the property fails.

Every one is returned with a case that breaks its property by more than a millionth, found with the plant's secret
(where the box lies, which price is off), which a search does not know. A draw without such a case is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from needle_cases import Needle, Planted, best_lie, needle_if, one_of, span_of, twisted, uniform
from needle_corners import (
    SINGLE,
    corner_allocation,
    corner_budget,
    corner_deficit,
    corner_ir,
    corner_lie,
    corner_lie_many,
    corner_name,
    corner_vote,
    corner_waste,
)
from needle_forms import Rng, domain
from needle_narrow import (
    band_corner,
    coalition_of_three,
    price_off_corner,
    price_off_many,
    small_fee,
    tie_corner,
)
from needle_rules import fixed, maximiser, menu, steps, swinging, units, virtual

from mechanism.direct import Floats

Plant = Callable[[Rng], "Needle | None"]


def one_agent(rng: Rng) -> Needle | None:
    """One of six to ten agents pays by its own report, everywhere: it shades."""
    sound = one_of(rng, (units, virtual, fixed), domain(rng, (6, 10)))
    agent, part = int(rng.integers(sound.mechanism.space.agents)), float(rng.uniform(0.02, 0.5))

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        own = reports[:, agent, 0] * got[:, agent, 0]
        paid[:, agent] += part * (own - paid[:, agent])
        return got, paid

    mechanism = twisted(sound, twist)
    case = best_lie(mechanism, uniform(mechanism, rng), agent, rng)
    return needle_if(
        mechanism, "dsic", "one agent, dsic", f"{sound.words}; agent {agent} pays its bid in part", case, 1.0
    )


def _jump(mechanism: Any, profile: Floats, agent: int) -> tuple[float, float] | None:
    """Bisect one agent's number to the two neighbouring floats between which its allocation changes."""
    space = mechanism.space
    ends = [float(space.low[agent, 0]), float(space.high[agent, 0])]

    def got(value: float) -> float:
        row = profile[None].copy()
        row[0, agent] = value
        return float(mechanism.allocation(mechanism.outcome(row))[0, agent])

    low, high = got(ends[0]), got(ends[1])
    if low == high:
        return None
    while (middle := 0.5 * (ends[0] + ends[1])) not in ends:
        ends[0 if got(middle) == low else 1] = middle
    return ends[0], ends[1]


def price_off(rng: Rng) -> Needle | None:
    """All that one pays is off by a factor 1 ± 1e-6 … 1e-3: who wins narrowly loses by it (or the reverse)."""
    sound = one_of(rng, (steps, virtual, swinging, units, fixed), domain(rng, powers=(1.0, 5.0)))
    off = float(10.0 ** rng.uniform(-6.0, -3.0) * rng.choice((-1.0, 1.0)))
    agent = int(rng.integers(sound.mechanism.space.agents))
    prop = "ir" if off > 0 and rng.random() < 0.4 else "dsic"

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        paid[:, agent] *= 1.0 + off
        return got, paid

    mechanism = twisted(sound, twist)
    words = f"{sound.words}; agent {agent} pays {1 + off:.7g} times its price"
    for profile in uniform(mechanism, rng, 20):
        jump = _jump(mechanism, profile, agent)
        for truth, lie in () if jump is None else (jump, jump[::-1]):
            types, said = profile.copy(), profile.copy()
            types[agent], said[agent] = truth, lie
            needle = needle_if(mechanism, prop, f"price off, {prop}", words, Planted(types, said, agent), 2 * abs(off))
            if needle is not None:
                return needle
    return None


def price_by_report(rng: Rng) -> Needle | None:
    """The price rises by 1e-6 … 1e-3 of the own report: shading saves that much."""
    sound = one_of(rng, SINGLE, domain(rng, powers=(1.0, 5.0)))
    off, agent = float(10.0 ** rng.uniform(-5.5, -3.0)), int(rng.integers(sound.mechanism.space.agents))

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        paid[:, agent] += off * got[:, agent, 0] * reports[:, agent, 0]
        return got, paid

    mechanism = twisted(sound, twist)
    case = best_lie(mechanism, uniform(mechanism, rng), agent, rng)
    words = f"{sound.words}; agent {agent} pays {off:.2g} of its report on top"
    return needle_if(mechanism, "dsic", "price by report, dsic", words, case, 1.0)


def band(rng: Rng) -> Needle | None:
    """In a band of 1e-3 … 1e-2 of one agent's numbers it gets less: both neighbours get more, one is the wrong one."""
    sound = one_of(rng, SINGLE)
    space, span = sound.mechanism.space, span_of(sound.mechanism)
    agent, width = int(rng.integers(space.agents)), float(10.0 ** rng.uniform(-3.0, -2.0))
    start = float(space.low[agent, 0] + span * rng.uniform(0.05, 0.9))
    left, prop = float(rng.uniform(0.0, 0.9)), str(rng.choice(["monotonicity", "cyclic-monotonicity", "dsic"]))

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        own = reports[:, agent, 0]
        got[:, agent, 0] *= np.where((own >= start) & (own <= start + width * span), left, 1.0)
        return got, paid

    mechanism: Any = twisted(sound, twist)
    words = f"{sound.words}; agent {agent} gets {left:.2g} of it in a band of {width:.2g}"
    for profile in uniform(mechanism, rng, 40):
        inside, out = profile.copy(), profile.copy()
        inside[agent] = start + rng.random() * width * span
        for edge in (start - 0.5 * span * rng.random() * 0.2, start + width * span + 0.1 * span * rng.random()):
            out[agent] = np.clip(edge, space.low[agent, 0], space.high[agent, 0])
            needle = needle_if(mechanism, prop, f"band, {prop}", words, Planted(inside, out.copy(), agent), width)
            if needle is not None:
                return needle
    return None


def coalition_swap(rng: Rng) -> Needle | None:
    """Fixed prices; of one pair, each gets a bonus when the *other* does not buy.

    Not to buy gives up the own surplus (who has none does not buy anyway) and does not move the own bonus: no single
    agent gains. Two whose surplus is smaller than the bonus both gain when both do not buy; if one of them does, the
    other has lost. For any other agents there is nothing.
    """
    sound = fixed(rng, domain(rng, (3, 6)))
    assert sound.landmark is not None
    price, span = sound.landmark, span_of(sound.mechanism)
    a, b = (int(x) for x in rng.choice(len(price), 2, replace=False))
    bonus = float(rng.uniform(0.035, 0.12)) * span

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        for i, j in ((a, b), (b, a)):
            paid[:, i] -= bonus * (reports[:, j, 0] < price[j])
        return got, paid

    mechanism = twisted(sound, twist)
    types = uniform(mechanism, rng, 1)[0]
    types[[a, b], 0] = price[[a, b]] + 0.2 * bonus
    said = types.copy()
    said[[a, b], 0] = 0.5 * (price[[a, b]] + mechanism.space.low[[a, b], 0])
    case, share = Planted(types, said, a), float((bonus / span) ** 2)
    return needle_if(
        mechanism, "group-dsic", "coalition, both must", f"{sound.words}; {a} and {b} collude", case, share
    )


def coalition_region(rng: Rng) -> Needle | None:
    """Fixed prices; of one pair, each gets a bonus when the *other*'s report is in an interval: they arrange it."""
    sound = fixed(rng, domain(rng, (4, 8)))
    span, n = span_of(sound.mechanism), sound.mechanism.space.agents
    a, b = (int(x) for x in rng.choice(n, 2, replace=False))
    width, bonus = (rng.uniform(0.01, 0.05, 2) * span).tolist()
    start = sound.mechanism.space.low[0, 0] + span * rng.uniform(0.0, 0.9, n)

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        for i, j in ((a, b), (b, a)):
            paid[:, i] -= bonus * ((reports[:, j, 0] >= start[j]) & (reports[:, j, 0] <= start[j] + width))
        return got, paid

    mechanism = twisted(sound, twist)
    words, share = f"{sound.words}; {a} and {b} reward each other's reports", float(width / span)
    for types in uniform(mechanism, rng, 60):
        said = types.copy()
        said[[a, b], 0] = start[[a, b]] + 0.5 * width
        needle = needle_if(mechanism, "group-dsic", "coalition, interval", words, Planted(types, said, a), share)
        if needle is not None:
            return needle
    return None


def tie_reports(rng: Rng) -> Needle | None:
    """Where two reports are exactly equal, one of the two gets a bonus: it copies the other's."""
    sound = one_of(rng, (steps, virtual, swinging, fixed, units, maximiser, menu))
    a, b = (int(x) for x in rng.choice(sound.mechanism.space.agents, 2, replace=False))
    bonus = rng.uniform(0.05, 0.3) * span_of(sound.mechanism)

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        paid[:, a] -= bonus * (reports[:, a, 0] == reports[:, b, 0])
        return got, paid

    mechanism = twisted(sound, twist)
    types = uniform(mechanism, rng)
    case = best_lie(mechanism, types, a, rng, types[:, None, b])
    return needle_if(
        mechanism, "dsic", "tie of two reports, dsic", f"{sound.words}; {a} gains by a tie with {b}", case, 0.0
    )


def _tie_reserve(rng: Rng, places: int, kind: str) -> Needle | None:
    """Who reports its own fixed price exactly gets it for less: everybody above says just that."""
    d = domain(rng)
    sound = fixed(rng, d, places=places)
    assert sound.landmark is not None
    a, rebate = int(rng.integers(d.agents)), float(rng.uniform(0.1, 0.9))
    price = float(sound.landmark[a])

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        paid[:, a] *= np.where(reports[:, a, 0] == price, rebate, 1.0)
        return got, paid

    mechanism = twisted(sound, twist)
    types = uniform(mechanism, rng)
    case = best_lie(mechanism, types, a, rng, np.full((len(types), 1, 1), price))
    return needle_if(
        mechanism, "dsic", kind, f"{sound.words}; {a} pays {rebate:.2g} of it at exactly the price", case, 0.0
    )


def tie_round(rng: Rng) -> Needle | None:
    """The price is a tenth of the interval."""
    return _tie_reserve(rng, 1, "tie with a round reserve, dsic")


def tie_odd(rng: Rng) -> Needle | None:
    """The price has three digits."""
    return _tie_reserve(rng, 3, "tie with any reserve, dsic")


PLANTS: tuple[Plant, ...] = (
    corner_lie, corner_lie_many, corner_vote, one_agent, price_off, price_by_report, band, corner_allocation, corner_ir,
    corner_budget, corner_deficit, corner_waste, corner_name, coalition_swap, coalition_region, tie_reports, tie_round,
    tie_odd, price_off_corner, price_off_many, small_fee, band_corner, tie_corner, coalition_of_three,
)  # fmt: skip
"""Every kind of defect, drawn in turn."""
