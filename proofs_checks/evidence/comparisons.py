"""Deviations as comparisons of one table: reports, steps, cycles, coalitions and expectations over a finite grid.

Each function yields looks: the largest violation of a part of the grid, and the cases in it that may break the property
by more than they are allowed, worst first. What breaks it is for the property itself to say.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import Floats
from mechanism.market.accounting import MONEY
from proofs_checks.evidence.outcome_table import OutcomeTable, Place
from proofs_checks.properties.expectation import BayesTruthful, prior_of
from proofs_checks.properties.monotone import CyclicallyMonotone, Monotone, arcs, negative_cycle, shortest
from proofs_checks.properties.property import Property
from proofs_checks.properties.truthful import Truthful
from proofs_checks.search.cases import Bools, Cases
from proofs_checks.search.grids import Grid

Ints = NDArray[np.intp]
Look = tuple[float, Iterator[Cases]]

_AT_ONCE = 256


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


def suspects(amount: Floats, size: Floats | float) -> Ints:
    """Return the flat places of amounts above the tolerance of their own size, largest first."""
    places = np.flatnonzero(amount > MONEY * np.maximum(1.0, size))
    return places[np.argsort(-amount.flat[places], kind="stable")]


def batches(places: Ints, make: Callable[[Ints], Cases]) -> Iterator[Cases]:
    """Make the cases of some places at a time, in their order, the first by itself: it mostly decides."""
    for part in np.split(places, range(1, len(places), _AT_ONCE)):
        if len(part):
            yield make(part)


def _places(at: Ints, shape: tuple[int, ...], reports: Ints) -> list[Place]:
    before, said, after = np.unravel_index(at, shape)
    return [(int(b), int(reports[r]), int(a)) for b, r, a in zip(before, said, after, strict=True)]


def reports(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    """Compare every report of every type with the truth, against every profile of the others."""
    allowed = movable(prop, table.mechanism)
    for i, count in enumerate(table.grid.counts):
        groups = table.grid.groups(i, allowed[i])
        for t in range(count):
            reports = np.flatnonzero(groups == groups[t])
            found = table.around(table.utilities(i, t), i)
            gain = found[:, reports] - found[:, [t]]
            size = np.maximum(np.abs(found[:, reports]), np.abs(found[:, [t]]))

            def make(at: Ints, i: int = i, t: int = t, reports: Any = reports, shape: Any = gain.shape) -> Cases:
                return table.deviations(i, t, _places(at, shape, reports))

            yield float(gain.max()), batches(suspects(gain, size), make)


def steps(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    """Compare the allocations of neighbours in the own number: a what never falls from one to the next never falls."""
    allowed, own = movable(prop, table.mechanism), table.mechanism.space.index(table.mechanism.own)
    got = table.allocations() * (1.0 if table.mechanism.role == "buyer" else -1.0)
    for i, rows in enumerate(table.grid.types):
        groups, mine = table.grid.groups(i, allowed[i]), table.around(got[:, i], i)
        for group in np.unique(groups):
            inside = np.flatnonzero(groups == group)
            order = inside[np.argsort(rows[inside, own])]
            for low, high in pairwise(order):
                table.tick()
                fall = mine[:, low] - mine[:, high]

                def make(at: Ints, i: int = i, t: int = low, to: Any = high, shape: Any = fall.shape) -> Cases:
                    return table.deviations(i, int(t), _places(at, (shape[0], 1, shape[1]), np.array([to])))

                yield float(fall.max()), batches(suspects(fall, 0.0), make)


def cycles(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    """Look for the shortest cycle through the types of each agent, against every profile of the others."""
    allowed = movable(prop, table.mechanism)
    for i, rows in enumerate(table.grid.types):
        groups = table.grid.groups(i, allowed[i])
        for group in np.unique(groups):
            inside = np.flatnonzero(groups == group)
            every = np.stack([table.around(table.utilities(i, int(t)), i)[:, inside] for t in inside], axis=1)
            length = arcs(np.moveaxis(every, 3, 1).reshape(-1, len(inside), len(inside)))
            loops = -np.diagonal(shortest(length), axis1=1, axis2=2).min(axis=1)
            size = np.abs(length).max(axis=(1, 2))

            def make(at: Ints, i: int = i, rows: Any = rows, inside: Any = inside, length: Any = length) -> Cases:
                cycle = negative_cycle(length[at[0]])
                place = np.unravel_index(
                    at[0], (math.prod(table.grid.counts[:i]), math.prod(table.grid.counts[i + 1 :]))
                )
                case = table.deviations(
                    i, int(inside[cycle[0]]), [(int(place[0]), int(inside[cycle[0]]), int(place[1]))]
                )
                after = np.repeat(case.before[:, None], len(cycle), axis=1)
                after[0, :, i] = rows[inside[cycle]]
                return replace(case, after=after)

            each = (make(np.array([at])) for at in suspects(loops, size))
            yield float(loops.max()), each


def coalitions(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    """Every set of agents, of one on, every true profile of theirs, every report of theirs and of the others."""
    grid, allowed = table.grid, movable(prop, table.mechanism)
    counts, n = grid.counts, len(grid.counts)
    known = {(i, t): table.utilities(i, t).reshape(counts) for i in range(n) for t in range(counts[i])}
    groups = [grid.groups(i, allowed[i]) for i in range(n)]
    for team in (t for size in range(1, n + 1) for t in combinations(range(n), size)):
        front = (*team, *(j for j in range(n) if j not in team))
        inner = tuple(counts[i] for i in team)
        for true in product(*map(range, inner)):
            table.tick()
            said = int(np.ravel_multi_index(true, inner))
            least, most, size = (np.full((math.prod(inner), 1), x) for x in (np.inf, -np.inf, 1.0))
            for i, t in zip(team, true, strict=True):
                mine = known[i, t].transpose(front).reshape(math.prod(inner), -1)
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

            yield float(score.max()), batches(suspects(score, size), make)


def expectations(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    """Every type that has a chance, what is public of the others known, against every report."""
    grid, allowed = table.grid, movable(prop, table.mechanism)
    chances = np.full(grid.profiles, 1.0 / grid.profiles) if grid.chances is None else grid.chances
    for i, count in enumerate(grid.counts):
        groups, news = grid.groups(i, allowed[i]), table.around(_news(table, i), i)
        for t in range(count):
            weight, known = table.around(chances, i)[:, t], news[:, t]
            mine = table.around(table.utilities(i, t), i)
            reports = np.flatnonzero(groups == groups[t]) if isinstance(prop, BayesTruthful) else np.array([t])
            for told in np.unique(known[weight > 0.0]):
                table.tick()
                part = np.where(known == told, weight, 0.0)
                part = part / part.sum()
                expected = np.einsum("bra,ba->r", mine, part)
                gain = expected[reports] - expected[t] if isinstance(prop, BayesTruthful) else -expected[reports]

                def make(at: Ints, i: int = i, t: int = t, reports: Any = reports, part: Any = part) -> Cases:
                    before, after = (int(x) for x in np.argwhere(part)[0])
                    case = table.deviations(i, t, [(before, int(reports[r]), after) for r in at])
                    rest = Grid((*grid.types[:i], grid.types[i][[t]], *grid.types[i + 1 :]))
                    prior = tuple((name, np.repeat(a, len(at), axis=0)) for name, a in prior_of(rest, part.ravel()))
                    return replace(case, before=case.types, extra=prior)

                yield float(gain.max()), batches(suspects(gain, float(np.abs(expected).max())), make)


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
