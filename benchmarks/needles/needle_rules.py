"""Rules that are sound by construction, drawn at random: what the needles hide in.

Each comes with the properties that it has and why. All are written from the textbook, apart from the catalogue, so that
nothing that is measured here was written for the search.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from needle_forms import Domain, Linear, Peaks, Rng, Sound, others

from mechanism import SingleParameter
from mechanism.direct import Floats

IC = ("dsic", "ir", "monotonicity", "cyclic-monotonicity")


def steps(rng: Rng, d: Domain) -> Sound:
    """Monotone steps whose thresholds move with the others' bids, each step paid at its threshold.

    Agent i's thresholds do not depend on its own bid, and it gets each step exactly when its number beats the
    threshold, at which it is paid: every step is a price of its own that it takes when it wants it.
    """
    n, role = d.agents, str(rng.choice(["buyer", "seller"]))
    count = rng.integers(1, 4, n)
    kinds = rng.choice(["max", "min", "mean"], n)
    first, slope = rng.uniform(0.05, 0.5, n), rng.uniform(-0.3, 0.5, n)
    rise = [np.concatenate([[0.0], np.cumsum(rng.uniform(0.05, 0.25, c - 1))]) for c in count]
    size = [rng.uniform(0.3, 1.0, c) for c in count]

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        got, paid = np.zeros_like(bids), np.zeros_like(bids)
        for i in range(n):
            share = (others(bids, i, kinds[i]) - d.low) / d.span
            for step, more in zip(rise[i], size[i], strict=True):
                threshold = d.at(np.clip(first[i] + slope[i] * share, 0.02, 0.98) + step)
                takes = bids[:, i] >= threshold if role == "buyer" else bids[:, i] <= threshold
                got[:, i] += more * takes
                paid[:, i] += more * threshold * takes
        return got, paid

    mechanism = SingleParameter(rule, n, d.low, d.high, role, "steps")
    more = ("weak-budget-balance",) if role == "buyer" else ()
    return Sound(mechanism, (*IC, *more), f"{n} {role}s, monotone steps at critical prices")


def virtual(rng: Rng, d: Domain) -> Sound:
    """One item to the highest increasing function g_i of the own bid above the own reserve; price g_i^-1(next best)."""
    n = d.agents
    form, weight = str(rng.choice(["line", "root", "square"])), rng.uniform(0.5, 2.0, n)
    offset = d.span * rng.uniform(-0.2, 0.2, n)
    reserve = d.at(np.round(rng.uniform(0.0, 0.5, n), 3))

    def score(bids: Floats) -> Floats:
        return {"line": weight * bids + offset, "root": weight * np.sqrt(bids), "square": weight * bids * bids}[form]

    def back(value: Floats) -> Floats:
        value = value[:, None]
        if form == "line":
            return np.asarray((value - offset) / weight)
        value = np.maximum(value, 0.0) / weight
        return np.asarray(value * value if form == "root" else np.sqrt(value))

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        rows, least = np.arange(len(bids)), -4.0 * (1.0 + d.high) ** 2
        ranked = np.where(bids >= reserve, score(bids), least)
        winner = ranked.argmax(axis=1)
        got = np.zeros_like(bids)
        got[rows, winner] = ranked[rows, winner] > least
        ranked[rows, winner] = least
        return got, got * np.maximum(reserve, back(ranked.max(axis=1)))

    mechanism = SingleParameter(rule, n, d.low, d.high, "buyer", "virtual")
    return Sound(
        mechanism, (*IC, "weak-budget-balance"), f"{n} bidders, virtual values ({form}), own reserves", reserve
    )


def swinging(rng: Rng, d: Domain) -> Sound:
    """Each is offered a quantity at a price that swings with the others' bids (no monotone function of them)."""
    n, quantity = d.agents, rng.uniform(0.5, 2.0, d.agents)
    turns, phase = rng.uniform(3.0, 15.0, n), rng.uniform(0.0, 6.0, n)

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        share = np.stack([(others(bids, i, "mean") - d.low) / d.span for i in range(n)], axis=1)
        price = d.at(0.5 + 0.4 * np.sin(turns * share + phase))
        takes = bids >= price
        return takes * quantity, takes * quantity * price

    mechanism = SingleParameter(rule, n, d.low, d.high, "buyer", "swinging")
    return Sound(mechanism, (*IC, "weak-budget-balance"), f"{n} buyers, prices that swing with the others")


def fixed(rng: Rng, d: Domain, *, places: int = 3, shares: tuple[float, float] = (0.15, 0.85)) -> Sound:
    """Fixed prices, one each: a report moves nobody else's lot, so that no coalition can help a member either."""
    price = d.at(np.round(rng.uniform(*shares, d.agents), places))

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        return (bids >= price) * 1.0, (bids >= price) * price

    mechanism = SingleParameter(rule, d.agents, d.low, d.high, "buyer", "fixed")
    holds = (*IC, "group-dsic", "non-bossiness", "weak-budget-balance")
    return Sound(mechanism, holds, f"{d.agents} buyers, fixed prices", price)


def units(rng: Rng, d: Domain) -> Sound:
    """Sell k units to the k highest at the (k+1)-th bid: names play no part, and the most valuable get them."""
    n, k = d.agents, int(rng.integers(1, d.agents))

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        order = np.argsort(-bids, axis=1, kind="stable")
        got = np.zeros_like(bids)
        np.put_along_axis(got, order[:, :k], 1.0, axis=1)
        return got, got * np.take_along_axis(bids, order[:, k : k + 1], axis=1)

    def best(values: Floats) -> Floats:
        return np.asarray(np.sort(values, axis=1)[:, n - k :].sum(axis=1))

    mechanism = SingleParameter(rule, n, d.low, d.high, "buyer", "units", best)
    holds = (*IC, "weak-budget-balance", "efficiency", "anonymity")
    return Sound(mechanism, holds, f"{n} bidders, {k} units at the next bid")


def procurement(rng: Rng, d: Domain) -> Sound:
    """Award k contracts to the lowest costs under a reserve, each at the next cost or the reserve if that is less."""
    n, k = d.agents, int(rng.integers(1, d.agents))
    reserve = d.at(round(float(rng.uniform(0.5, 0.95)), 3))

    def rule(costs: Floats) -> tuple[Floats, Floats]:
        order = np.argsort(costs, axis=1, kind="stable")
        got = np.zeros_like(costs)
        np.put_along_axis(got, order[:, :k], 1.0, axis=1)
        got *= costs <= reserve
        return got, got * np.minimum(np.take_along_axis(costs, order[:, k : k + 1], axis=1), reserve)

    mechanism = SingleParameter(rule, n, d.low, d.high, "seller", "procurement")
    holds = (*IC, "anonymity")
    return Sound(mechanism, holds, f"{n} sellers, {k} contracts under a reserve", np.full(n, reserve))


def sink(rng: Rng, d: Domain) -> Sound:
    """Second price among all but the first agent, who gets the money and never the item: balanced."""
    n = max(3, d.agents)

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        rows, rest = np.arange(len(bids)), bids[:, 1:]
        winner = rest.argmax(axis=1)
        got, paid = np.zeros_like(bids), np.zeros_like(bids)
        got[rows, 1 + winner] = 1.0
        price = np.sort(rest, axis=1)[:, -2]
        paid[rows, 1 + winner], paid[:, 0] = price, -price
        return got, paid

    mechanism = SingleParameter(rule, n, d.low, d.high, "buyer", "sink")
    holds = (*IC, "budget-balance", "weak-budget-balance")
    return Sound(mechanism, holds, f"{n - 1} bidders at the second price, which the first agent receives")


def pairs(rng: Rng, d: Domain) -> Sound:
    """Owner and buyer trade at a fixed price when both want to; money goes across: balanced."""
    n, price = 2 * max(1, d.agents // 2), d.at(round(float(rng.uniform(0.25, 0.75)), 3))

    def rule(reports: Floats) -> tuple[Floats, Floats]:
        sells, buys = reports[:, 0::2, 0] <= price, reports[:, 1::2, 0] >= price
        trade = (sells & buys) * 1.0
        got = np.zeros_like(reports)
        got[:, 0::2, 0], got[:, 1::2, 0] = -trade, trade
        return got, got[..., 0] * price

    mechanism = Linear(rule, n, 1, d.low, d.high, "pairs")
    holds = ("dsic", "ir", "cyclic-monotonicity", "budget-balance", "weak-budget-balance")
    return Sound(mechanism, holds, f"{n // 2} owners and buyers at a fixed price", np.full(n, price))


def maximiser(rng: Rng, d: Domain, *, plain: bool | None = None) -> Sound:
    """Of M outcomes the one that maximises sum_i w_i v_i(o) + c_o, with Clarke's pivots (over w_i).

    Roberts's affine maximisers; weights 1 and no constants is Vickrey, Clarke and Groves. Values are not negative, so
    that taking part never hurts.
    """
    n, m = d.agents, int(rng.integers(2, 6))
    plain = bool(rng.random() < 0.5) if plain is None else plain
    weight = np.ones(n) if plain else rng.uniform(0.5, 2.0, n)
    constant = np.zeros(m) if plain else d.span * rng.uniform(-0.3, 0.3, m)

    def rule(reports: Floats) -> tuple[Floats, Floats]:
        worth = weight[:, None] * reports
        rows, total = np.arange(len(reports)), worth.sum(axis=1) + constant
        chosen = total.argmax(axis=1)
        got = np.zeros_like(reports)
        got[rows, :, chosen] = 1.0
        paid = np.empty(reports.shape[:2])
        for i in range(n):
            rest = np.delete(worth, i, axis=1).sum(axis=1) + constant
            paid[:, i] = (rest.max(axis=1) - rest[rows, chosen]) / weight[i]
        return got, paid

    def best(types: Floats) -> Floats:
        return np.asarray(types.sum(axis=1).max(axis=1))

    mechanism = Linear(rule, n, m, d.low, d.high, "vcg" if plain else "affine", best if plain else None)
    holds = ("dsic", "ir", "cyclic-monotonicity", "weak-budget-balance")
    words = "Vickrey, Clarke and Groves" if plain else "an affine maximiser"
    return Sound(
        mechanism, (*holds, "efficiency", "anonymity") if plain else holds, f"{n} agents, {m} outcomes, {words}"
    )


def menu(rng: Rng, d: Domain) -> Sound:
    """Each picks what it likes best from a menu of bundles with prices that depend on the others' reports only.

    Whoever gets its own favourite from a list that it cannot change has no reason to lie (the taxation principle).
    """
    n, k, entries = d.agents, int(rng.integers(2, 4)), int(rng.integers(2, 6))
    bundles = np.concatenate([np.zeros((n, 1, k)), rng.uniform(0.0, 1.0, (n, entries, k))], axis=1)
    base = d.at(rng.uniform(0.2, 0.7, (n, entries))) * bundles[:, 1:].sum(axis=-1)
    slope = rng.uniform(0.0, 0.3, (n, entries))

    def rule(reports: Floats) -> tuple[Floats, Floats]:
        got, paid = np.zeros_like(reports), np.zeros(reports.shape[:2])
        for i in range(n):
            level = np.delete(reports, i, axis=1).max(axis=(1, 2)) - d.low
            price = np.concatenate([np.zeros((len(reports), 1)), base[i] + slope[i] * level[:, None]], axis=1)
            liked = (reports[:, i, None, :] * bundles[i]).sum(axis=-1) - price
            best = liked.argmax(axis=1)
            got[:, i], paid[:, i] = bundles[i][best], np.take_along_axis(price, best[:, None], axis=1)[:, 0]
        return got, paid

    holds = ("dsic", "ir", "cyclic-monotonicity", "weak-budget-balance")
    return Sound(Linear(rule, n, k, d.low, d.high, "menu"), holds, f"{n} agents, {k} numbers each, menus of {entries}")


def median(rng: Rng, d: Domain) -> Sound:
    """The median of the peaks and n - 1 phantoms (Moulin 1980): not even a coalition gains."""
    n = d.agents
    phantoms = d.at(rng.random(n - 1))

    def rule(reports: Floats) -> tuple[Floats, Floats]:
        points = np.concatenate([reports[..., 0], np.broadcast_to(phantoms, (len(reports), n - 1))], axis=1)
        place = np.sort(points, axis=1)[:, n - 1]
        return np.repeat(place[:, None, None], n, axis=1), np.zeros(reports.shape[:2])

    mechanism = Peaks(rule, n, 1, d.low, d.high, "median")
    return Sound(mechanism, ("dsic", "group-dsic", "anonymity", "budget-balance"), f"{n} voters, median with phantoms")


def twelve_digits(amount: Floats) -> Floats:
    """Round to 2^-40 of the amount itself: 9e-13 relative."""
    mantissa, exponent = np.frexp(amount)
    return np.asarray(np.ldexp(np.rint(mantissa * 2.0**40) / 2.0**40, exponent))


def rounded(rng: Rng, d: Domain) -> Sound:
    """A sound rule whose payments are right to twelve digits only, or go through logarithms."""
    base = (steps, virtual, units, fixed)[int(rng.integers(4))](rng, d)
    inner: Any = base.mechanism
    by_log = rng.random() < 0.5

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        got, paid = inner.rule(bids)
        there = np.maximum(paid, 1e-300)
        return got, np.where(paid > 0, np.exp(np.log(there)), paid) if by_log else twelve_digits(paid)

    holds = tuple(p for p in base.holds if p != "group-dsic")  # exactly "no member loses" is not what rounding leaves
    return Sound(replace(inner, rule=rule, name=f"rounded-{inner.name}"), holds, f"{base.words}, payments to 12 digits")


FAMILIES: tuple[Callable[[Rng, Domain], Sound], ...] = (
    steps, virtual, swinging, fixed, units, procurement, sink, pairs, maximiser, menu, median, rounded,
)  # fmt: skip
