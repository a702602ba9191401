"""Two conditions at once: what goes wrong is narrow (a little money, a band, a tie) and confined as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from needle_cases import (
    Box,
    Needle,
    Planted,
    best_lie,
    corner_share,
    needle_if,
    one_of,
    random_box,
    span_of,
    twisted,
    uniform,
)
from needle_corners import SINGLE
from needle_forms import Rng, Sound, domain
from needle_rules import fixed, maximiser, menu, steps, swinging, units, virtual

from mechanism import DirectMechanism
from mechanism.direct import Floats


def box_of_others(rng: Rng, mechanism: DirectMechanism, agent: int, share: float) -> tuple[Box, float]:
    """Return a box in the others' numbers only, and its volume (at least ``share``)."""
    box, space = random_box(rng, mechanism, share), mechanism.space
    low, high = box.low.copy(), box.high.copy()
    low[agent], high[agent] = space.low[agent], space.high[agent]
    return Box(low, high), float(np.prod((high - low) / (space.high - space.low)))


def change_points(mechanism: Any, profile: Floats, agent: int, ends: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Bisect the segment between two reports to neighbours that get different things (or return it, if none do)."""

    def got(row: Floats) -> Any:
        said = profile[None].copy()
        said[0, agent] = row
        outcome = mechanism.outcome(said)
        return outcome.got[0, agent] if hasattr(outcome, "got") else outcome.allocation[0, agent]

    first, (left, right) = got(ends[0]), ends
    for _ in range(80):
        middle = 0.5 * (left + right)
        left, right = (middle, right) if np.array_equal(got(middle), first) else (left, middle)
    return left, right


def _price_off(
    rng: Rng, kind: str, sound: Sound, inside: Callable[[Floats], Any], agent: int, profiles: Floats, share: float
) -> Needle | None:
    """One agent pays its price times 1 ± 1e-5 … 1e-3 on some profiles: who wins narrowly there should not win."""
    off = float(10.0 ** rng.uniform(-5.0, -3.0) * rng.choice((-1.0, 1.0)))

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        paid[:, agent] *= np.where(inside(reports), 1.0 + off, 1.0)
        return got, paid

    mechanism, space = twisted(sound, twist), sound.mechanism.space
    words = f"{sound.words}; agent {agent} pays {1 + off:.7g} times its price (share {share:.2g})"
    for profile in profiles:
        near = change_points(mechanism, profile, agent, (space.low[agent], space.high[agent]))
        random = change_points(mechanism, profile, agent, (profile[agent], uniform(mechanism, rng, 1)[0, agent]))
        for truth, lie in (near, near[::-1], random, random[::-1]):
            types, said = profile.copy(), profile.copy()
            types[agent], said[agent] = truth, lie
            needle = needle_if(mechanism, "dsic", kind, words, Planted(types, said, agent), share * abs(off))
            if needle is not None:
                return needle
    return None


def price_off_corner(rng: Rng) -> Needle | None:
    """Only where the others are in a box of a hundredth to a tenth."""
    sound = one_of(rng, (steps, virtual, swinging, units, fixed), domain(rng, powers=(1.0, 5.0)))
    agent = int(rng.integers(sound.mechanism.space.agents))
    box, share = box_of_others(rng, sound.mechanism, agent, float(10.0 ** rng.uniform(-2.0, -1.0)))
    return _price_off(rng, "price off in a corner, dsic", sound, box.inside, agent, box.draw(rng, 20), share)


def price_off_many(rng: Rng) -> Needle | None:
    """Everywhere, where agents have several numbers: the lie is across a surface."""
    sound = one_of(rng, (maximiser, menu), domain(rng, powers=(1.0, 5.0)))
    agent = int(rng.integers(sound.mechanism.space.agents))
    profiles = uniform(sound.mechanism, rng, 20)

    def everywhere(reports: Floats) -> Any:
        return np.ones(len(reports), dtype=np.bool_)

    return _price_off(rng, "price off, many numbers, dsic", sound, everywhere, agent, profiles, 1.0)


def small_fee(rng: Rng) -> Needle | None:
    """A fee of 1e-5 … 1e-3 of the interval, for one agent in a corner."""
    sound = one_of(rng, SINGLE, domain(rng, (3, 8), (1.0, 5.0)))
    agent, share = int(rng.integers(sound.mechanism.space.agents)), corner_share(rng)
    box = random_box(rng, sound.mechanism, share)
    fee = float(10.0 ** rng.uniform(-5.0, -3.0) * rng.choice((-1.0, 1.0))) * span_of(sound.mechanism)

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        paid[:, agent] += fee * box.inside(reports)
        return got, paid

    mechanism = twisted(sound, twist)
    types = box.draw(rng, 300)
    inside = types[:, None, agent].repeat(40, axis=1)
    types[::2, agent] = uniform(mechanism, rng)[::2, agent]
    case = best_lie(mechanism, types, agent, rng, inside)
    return needle_if(
        mechanism, "dsic", "small fee in a corner, dsic", f"{sound.words}; {fee:.2g} in a box", case, share
    )


def band_corner(rng: Rng) -> Needle | None:
    """A band of 1e-3 … 1e-2 of one agent's numbers in which it gets less, where the others are in a tenth."""
    sound = one_of(rng, SINGLE, domain(rng, (3, 6)))
    space, span = sound.mechanism.space, span_of(sound.mechanism)
    agent, width = int(rng.integers(space.agents)), float(10.0 ** rng.uniform(-3.0, -2.0)) * span
    box, share = box_of_others(rng, sound.mechanism, agent, 0.1)
    start, left = float(space.low[agent, 0] + span * rng.uniform(0.05, 0.9)), float(rng.uniform(0.0, 0.9))

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        own = reports[:, agent, 0]
        where = (own >= start) & (own <= start + width) & box.inside(reports)
        got[:, agent, 0] *= np.where(where, left, 1.0)
        return got, paid

    mechanism: Any = twisted(sound, twist)
    words = f"{sound.words}; agent {agent} gets {left:.2g} of it in a band of {width / span:.2g} (share {share:.2g})"
    for types in box.draw(rng, 60):
        said = types.copy()
        types[agent], said[agent] = start + rng.random() * width, start + (rng.random() - 0.5) * 0.2 * span
        said[agent] = np.clip(said[agent], space.low[agent], space.high[agent])
        case = Planted(types, said, agent)
        needle = needle_if(
            mechanism, "monotonicity", "band in a corner, monotonicity", words, case, share * width / span
        )
        if needle is not None:
            return needle
    return None


def tie_corner(rng: Rng) -> Needle | None:
    """An exact tie of two, where a third is in a twentieth to a fifth of its interval."""
    sound = one_of(rng, (steps, virtual, swinging, fixed, units, maximiser, menu), domain(rng, (3, 6)))
    space, span = sound.mechanism.space, span_of(sound.mechanism)
    a, b, c = (int(x) for x in rng.choice(space.agents, 3, replace=False))
    bonus, width = rng.uniform(0.05, 0.3) * span, rng.uniform(0.05, 0.2) * span
    start = float(space.low[c, 0] + rng.random() * (span - width))

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        third = (reports[:, c, 0] >= start) & (reports[:, c, 0] <= start + width)
        paid[:, a] -= bonus * ((reports[:, a, 0] == reports[:, b, 0]) & third)
        return got, paid

    mechanism = twisted(sound, twist)
    types = uniform(mechanism, rng)
    types[:, c, 0] = start + width * rng.random(len(types))
    case = best_lie(mechanism, types, a, rng, types[:, None, b])
    words = f"{sound.words}; {a} gains by a tie with {b} where {c} is in an interval"
    return needle_if(mechanism, "dsic", "tie of two in a corner, dsic", words, case, 0.0)


def coalition_of_three(rng: Rng) -> Needle | None:
    """Low fixed prices; of three, each gets a bonus when neither of the others buys.

    Nearly always all of them would buy. Then all three must leave it: with one of them truthful no bonus is paid to the
    other two, who give up their surplus for nothing.
    """
    sound = fixed(rng, domain(rng, (3, 5)), shares=(0.02, 0.06))
    assert sound.landmark is not None
    price, span = sound.landmark, span_of(sound.mechanism)
    team = [int(x) for x in rng.choice(len(price), 3, replace=False)]
    bonus = float(rng.uniform(0.1, 0.2)) * span

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        leaves = {j: reports[:, j, 0] < price[j] for j in team}
        for i in team:
            one, two = (j for j in team if j != i)
            paid[:, i] -= bonus * (leaves[one] & leaves[two])
        return got, paid

    mechanism = twisted(sound, twist)
    types = uniform(mechanism, rng, 1)[0]
    types[team, 0] = price[team] + 0.2 * bonus
    said = types.copy()
    said[team, 0] = 0.5 * (price[team] + mechanism.space.low[team, 0])
    words, share = f"{sound.words}; {team} collude", float((bonus / span) ** 3)
    return needle_if(mechanism, "group-dsic", "coalition of three", words, Planted(types, said, team[0]), share)
