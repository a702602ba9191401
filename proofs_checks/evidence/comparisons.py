"""Deviations as comparisons of one table: reports, steps, cycles, coalitions and expectations over a finite grid.

Each function yields looks: the largest violation of a part of the grid, and the cases in it that may break the property
by more than they are allowed, worst first. What breaks it is for the property itself to say.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import numpy as np

from mechanism.direct import Floats
from mechanism.market.accounting import MONEY
from proofs_checks.evidence.outcome_table import Ints, OutcomeTable
from proofs_checks.properties.expectation import BayesTruthful, prior_of
from proofs_checks.properties.monotone import CyclicallyMonotone, Monotone, arcs, negative_cycle, shortest
from proofs_checks.properties.property import Property
from proofs_checks.properties.truthful import Truthful
from proofs_checks.search.cases import Bools, Cases
from proofs_checks.search.grids import Grid

Look = tuple[float, Iterator[Cases]]


def movable(prop: Property, mechanism: Any) -> Bools:
    """Return bool ``[n, k]``: the private numbers that a deviation of this property changes."""
    space = mechanism.space
    if isinstance(prop, Monotone):
        return np.asarray(space.private & (np.array(space.names) == mechanism.own))
    if isinstance(prop, CyclicallyMonotone):
        return np.asarray(space.private & prop.movable(mechanism))
    if isinstance(prop, Truthful) and prop.coordinate is not None:
        return np.asarray(space.private & (np.array(space.names) == prop.coordinate))
    return space.private


def worst_first(
    amount: Floats, size: Floats | float, make: Callable[[Ints], Cases], at_once: int = 256
) -> Iterator[Cases]:
    """Make the cases of the amounts above the tolerance of their own size, largest first, ``at_once`` at a time.

    ``make`` takes flat places of ``amount``. The first case comes by itself: it mostly decides, and nothing is sorted.
    """
    places = np.flatnonzero(amount > MONEY * np.maximum(1.0, size))
    if not len(places):
        return
    above = amount.ravel()[places]
    yield make(places[[above.argmax()]])
    rest = places[np.argsort(-above, kind="stable")][1:]
    for start in range(0, len(rest), at_once):
        yield make(rest[start : start + at_once])


def _alike(grid: Grid, i: int, allowed: Bools) -> list[Ints]:
    """Return the types of agent i in groups: those of one group differ in what is ``allowed`` to move only."""
    groups = grid.groups(i, allowed[i])
    return [np.flatnonzero(groups == group) for group in range(int(groups.max()) + 1)]


def reports(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    """Compare every report of every type with the truth, against every profile of the others; worst types first."""
    allowed = movable(prop, table.mechanism)
    for i in range(len(table.grid.counts)):
        for inside in _alike(table.grid, i, allowed):
            found = []
            for true in table.blocks(inside):
                said, truth = _said(table, i, true, inside)
                found.append((float((said.max(axis=2, keepdims=True) - truth).max()), true))
            for amount, true in sorted(found, key=lambda of: -of[0]):
                yield amount, _lies(table, i, true, inside)


def _said(table: OutcomeTable, i: int, true: Ints, inside: Ints) -> tuple[Floats, Floats]:
    """Return the utilities of true types ``[T, before, reports, after]`` by reports in a group, and by the truth."""
    every = table.around(table.utilities(i, true), i)
    truth = every[np.arange(len(true)), :, true][:, :, None]
    return every if len(inside) == every.shape[2] else every[:, :, inside], truth


def _lies(table: OutcomeTable, i: int, true: Ints, inside: Ints) -> Iterator[Cases]:
    said, truth = _said(table, i, true, inside)
    gain = said - truth

    def make(at: Ints) -> Cases:
        who, before, report, after = np.unravel_index(at, gain.shape)
        return table.deviations(i, true[who], (before, inside[report], after))

    yield from worst_first(gain, np.maximum(np.abs(said), np.abs(truth)), make)


def steps(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    """Compare the allocations of neighbours in the own number: what never falls from one to the next never falls."""
    allowed, own = movable(prop, table.mechanism), table.mechanism.space.index(table.mechanism.own)
    got = table.allocations() if table.mechanism.role == "buyer" else -table.allocations()
    for i, rows in enumerate(table.grid.types):
        mine = np.moveaxis(table.around(got[i], i), 1, 0)
        for inside in _alike(table.grid, i, allowed):
            order = inside[np.argsort(rows[inside, own])]
            table.tick()
            rising = mine[order]
            fall = rising[:-1] - rising[1:]

            def make(at: Ints, i: int = i, order: Any = order, shape: Any = fall.shape) -> Cases:
                pair, before, after = np.unravel_index(at, shape)
                return table.deviations(i, order[pair], (before, order[pair + 1], after))

            if fall.size:
                yield float(fall.max()), worst_first(fall, 0.0, make)


def cycles(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    """Look for the shortest cycle through the types of each agent, against every profile of the others."""
    allowed = movable(prop, table.mechanism)
    for i, rows in enumerate(table.grid.types):
        for inside in _alike(table.grid, i, allowed):
            every = table.around(table.utilities(i, inside), i)[:, :, inside]
            length = arcs(np.moveaxis(every, (1, 3), (0, 1)).reshape(-1, len(inside), len(inside)))
            loops = -np.diagonal(shortest(length), axis1=1, axis2=2).min(axis=1)
            size = np.abs(length).max(axis=(1, 2))

            def make(at: Ints, i: int = i, rows: Any = rows, inside: Any = inside, length: Any = length) -> Cases:
                cycle = negative_cycle(length[at[0]])
                first, (left, _, right) = inside[[cycle[0]]], table.sides(i)
                place = np.unravel_index(at, (left, right))
                case = table.deviations(i, first, (place[0], first, place[1]))
                after = np.repeat(case.before[:, None], len(cycle), axis=1)
                after[0, :, i] = rows[inside[cycle]]
                return replace(case, after=after)

            yield float(loops.max()), worst_first(loops, size, make, at_once=1)


def coalitions(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    """Every set of agents, of one on, every true profile of theirs, every report of theirs and of the others."""
    grid, allowed = table.grid, movable(prop, table.mechanism)
    counts, n = grid.counts, len(grid.counts)
    known = [table.utilities(i, np.arange(counts[i])).reshape(counts[i], *counts) for i in range(n)]
    groups = [grid.groups(i, allowed[i]) for i in range(n)]
    for team in (t for size in range(1, n + 1) for t in combinations(range(n), size)):
        front = (*team, *(j for j in range(n) if j not in team))
        inner = tuple(counts[i] for i in team)
        for true in product(*map(range, inner)):
            table.tick()
            said = int(np.ravel_multi_index(true, inner))
            least, most, size = (np.full((math.prod(inner), 1), x) for x in (np.inf, -np.inf, 1.0))
            for i, t in zip(team, true, strict=True):
                mine = known[i][t].transpose(front).reshape(math.prod(inner), -1)
                gain = mine - mine[said]
                least, most = np.minimum(least, gain), np.maximum(most, gain)
                size = np.maximum(size, np.maximum(np.abs(mine), np.abs(mine[said])))
            may = np.ones(1, dtype=np.bool_)
            for i, t in zip(team, true, strict=True):
                may = np.logical_and.outer(may, groups[i] == groups[i][t])
            score = np.where(least >= -MONEY * size, most, least) if prop.strong else least
            score = np.where(may.reshape(-1, 1), score, -np.inf)

            def make(at: Ints, team: Any = team, true: Any = true, front: Any = front, inner: Any = inner) -> Cases:
                rest = [counts[j] for j in front[len(team) :]]
                index = np.empty((len(at), n), dtype=np.intp)
                index[:, front] = np.stack(np.unravel_index(at, (*inner, *rest)), axis=1)
                after = np.stack([grid.types[j][index[:, j]] for j in range(n)], axis=1)
                types = after.copy()
                for i, t in zip(team, true, strict=True):
                    types[:, i] = grid.types[i][t]
                return Cases(
                    types, types, after[:, None], np.broadcast_to(np.isin(np.arange(n), team), types.shape[:2])
                )

            yield float(score.max()), worst_first(score, size, make)


def expectations(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    """Every type that has a chance, what is public of the others known, against every report."""
    grid, allowed = table.grid, movable(prop, table.mechanism)
    chances = np.full(grid.profiles, 1.0 / grid.profiles) if grid.chances is None else grid.chances
    for i, count in enumerate(grid.counts):
        groups, news = grid.groups(i, allowed[i]), table.around(_news(table, i), i)
        for t in range(count):
            weight, known = table.around(chances, i)[:, t], news[:, t]
            mine = table.around(table.utilities(i, np.array([t]))[0], i)
            reports = np.flatnonzero(groups == groups[t]) if isinstance(prop, BayesTruthful) else np.array([t])
            for told in np.unique(known[weight > 0.0]):
                table.tick()
                part = np.where(known == told, weight, 0.0)
                part = part / part.sum()
                expected = np.einsum("bra,ba->r", mine, part)
                gain = expected[reports] - expected[t] if isinstance(prop, BayesTruthful) else -expected[reports]

                def make(at: Ints, i: int = i, t: int = t, reports: Any = reports, part: Any = part) -> Cases:
                    before, after = np.argwhere(part)[0]
                    case = table.deviations(i, np.array([t]), (before, reports[at], after))
                    rest = Grid((*grid.types[:i], grid.types[i][[t]], *grid.types[i + 1 :]))
                    prior = tuple((name, np.repeat(a, len(at), axis=0)) for name, a in prior_of(rest, part.ravel()))
                    return replace(case, before=case.types, extra=prior)

                yield float(gain.max()), worst_first(gain, float(np.abs(expected).max()), make)


def _news(table: OutcomeTable, i: int) -> Ints:
    """Return a label ``[P]`` of what is public of all but agent i."""
    grid, space = table.grid, table.mechanism.space
    which = np.unravel_index(np.arange(grid.profiles), grid.counts)
    code = np.zeros(grid.profiles, dtype=np.intp)
    for j, rows in enumerate(grid.types):
        if j != i and not space.private[j].all():
            labels = np.unique(rows[:, ~space.private[j]], axis=0, return_inverse=True)[1].ravel()
            code = code * (int(labels.max()) + 1) + labels[which[j]]
    return code
