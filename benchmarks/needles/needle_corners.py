"""Corners: a rule is changed in a box that holds 1e-3 … 3e-2 of the types, somewhere in their space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from needle_cases import (
    PROFILES,
    REPORTS,
    Box,
    Family,
    Needle,
    Planted,
    Twist,
    best_lie,
    corner_share,
    needle_if,
    one_of,
    random_box,
    span_of,
    twisted,
    uniform,
)
from needle_forms import Domain, Rng, Sound, domain
from needle_rules import (
    fixed,
    maximiser,
    median,
    menu,
    pairs,
    procurement,
    sink,
    steps,
    swinging,
    units,
    virtual,
)

from mechanism.direct import Floats

SINGLE: tuple[Family, ...] = (steps, virtual, swinging, fixed, units, procurement)
"""Families with one number each."""


def _corner_lie(rng: Rng, kind: str, families: tuple[Family, ...]) -> Needle | None:
    """One agent pays a fee, or gets a bonus, in a box only: stepping out of it (into it) pays."""
    sound = one_of(rng, families)
    agent, share = int(rng.integers(sound.mechanism.space.agents)), corner_share(rng)
    box = random_box(rng, sound.mechanism, share)
    fee = float(rng.uniform(0.02, 0.2) * rng.choice((-1.0, 1.0)) * span_of(sound.mechanism))

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        paid[:, agent] += fee * box.inside(reports)
        return got, paid

    mechanism = twisted(sound, twist)
    types = box.draw(rng, PROFILES)
    inside = types[:, None, agent].repeat(REPORTS, axis=1)
    types[::2, agent] = uniform(mechanism, rng)[::2, agent]  # a bonus is fetched from outside
    return needle_if(
        mechanism, "dsic", kind, f"{sound.words}; a fee of {fee:.3g} for one in a box",
        best_lie(mechanism, types, agent, rng, inside), share,
    )  # fmt: skip


def corner_lie(rng: Rng) -> Needle | None:
    """One number each."""
    return _corner_lie(rng, "corner, dsic", SINGLE)


def corner_lie_many(rng: Rng) -> Needle | None:
    """Several numbers each."""
    return _corner_lie(rng, "corner, dsic, many numbers", (maximiser, menu))


def corner_vote(rng: Rng) -> Needle | None:
    """In a box the place is the mean and not the median: a voter moves the mean its way, or steps out."""
    sound = median(rng, domain(rng))
    share, agent = corner_share(rng), int(rng.integers(sound.mechanism.space.agents))
    box = random_box(rng, sound.mechanism, share)

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        mean = reports.mean(axis=1, keepdims=True)
        return np.where(box.inside(reports)[:, None, None], mean, got), paid

    mechanism = twisted(sound, twist)
    case = best_lie(mechanism, box.draw(rng, PROFILES), agent, rng)
    return needle_if(mechanism, "dsic", "corner, dsic, no money", f"{sound.words}; the mean in a box", case, share)


def corner_allocation(rng: Rng) -> Needle | None:
    """In a box one agent gets less of what it would: more just below, or just above."""
    sound = one_of(rng, SINGLE)
    agent, share = int(rng.integers(sound.mechanism.space.agents)), corner_share(rng)
    box, left = random_box(rng, sound.mechanism, share), float(rng.uniform(0.0, 0.9))

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        got[:, agent, 0] *= np.where(box.inside(reports), left, 1.0)
        return got, paid

    mechanism: Any = twisted(sound, twist)
    words = f"{sound.words}; agent {agent} gets {left:.2g} of it in a box"
    for types in box.draw(rng, 60):
        said = types.copy()
        said[agent] = uniform(mechanism, rng, 1)[0, agent]
        needle = needle_if(mechanism, "monotonicity", "corner, monotonicity", words, Planted(types, said, agent), share)
        if needle is not None:
            return needle
    return None


def _profile_corner(rng: Rng, families: tuple[Family, ...], prop: str, kind: str, plan: Any) -> Needle | None:
    """Change the answer in a box and return the case in it that is worst."""
    sound = one_of(rng, families)
    share = corner_share(rng)
    box = random_box(rng, sound.mechanism, share)
    twist, words = plan(rng, sound, box)
    mechanism = twisted(sound, twist)
    order = tuple(int(x) for x in rng.permutation(sound.mechanism.space.agents))
    for types in box.draw(rng, 200):
        needle = needle_if(mechanism, prop, kind, f"{sound.words}; {words}", Planted(types, order=order), share)
        if needle is not None:
            return needle
    return None


def _fee(low: float, high: float) -> Callable[[Rng, Sound, Box], tuple[Twist, str]]:
    def plan(rng: Rng, sound: Sound, box: Box) -> tuple[Twist, str]:
        agent = int(rng.integers(sound.mechanism.space.agents))
        fee = float(10.0 ** rng.uniform(np.log10(low), np.log10(high))) * span_of(sound.mechanism)

        def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
            paid[:, agent] += fee * box.inside(reports)
            return got, paid

        return twist, f"agent {agent} pays {fee:.3g} more in a box"

    return plan


def _refund(rng: Rng, sound: Sound, box: Box) -> tuple[Twist, str]:
    agent, more = int(rng.integers(sound.mechanism.space.agents)), rng.uniform(0.01, 0.1) * span_of(sound.mechanism)

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        paid[:, agent] -= (paid.sum(axis=1) + more) * box.inside(reports)
        return got, paid

    return twist, f"agent {agent} gets back all and {more:.3g} more in a box"


def _waste(rng: Rng, sound: Sound, box: Box) -> tuple[Twist, str]:
    agent = int(rng.integers(sound.mechanism.space.agents))

    def twist(reports: Floats, got: Floats, paid: Floats) -> tuple[Floats, Floats]:
        inside = box.inside(reports)
        if got.shape[2] > 1:  # the outcome after the best one, for all
            got[inside] = np.roll(got[inside], 1, axis=2)
        else:
            got[inside, agent] = 0.0
        return got, paid

    return twist, "another outcome than the best in a box"


def corner_ir(rng: Rng) -> Needle | None:
    """One agent pays more in a box than it has there."""
    return _profile_corner(rng, (*SINGLE, maximiser, menu), "ir", "corner, ir", _fee(0.03, 0.3))


def corner_budget(rng: Rng) -> Needle | None:
    """Payments that sum to zero, and in a box do not."""
    return _profile_corner(rng, (pairs, sink), "budget-balance", "corner, budget-balance", _fee(1e-3, 1e-1))


def corner_deficit(rng: Rng) -> Needle | None:
    """Payments that sum to at least zero, and in a box do not."""
    families = (virtual, swinging, fixed, units, pairs, sink, maximiser, menu)
    return _profile_corner(rng, families, "weak-budget-balance", "corner, weak-budget-balance", _refund)


def corner_waste(rng: Rng) -> Needle | None:
    """The best outcome, and in a box another."""

    def vcg(rng: Rng, d: Domain) -> Sound:
        return maximiser(rng, d, plain=True)

    return _profile_corner(rng, (units, vcg), "efficiency", "corner, efficiency", _waste)


def corner_name(rng: Rng) -> Needle | None:
    """Nobody's name matters, and in a box one's does."""

    def vcg(rng: Rng, d: Domain) -> Sound:
        return maximiser(rng, d, plain=True)

    return _profile_corner(rng, (units, procurement, median, vcg), "anonymity", "corner, anonymity", _fee(1e-3, 1e-1))
