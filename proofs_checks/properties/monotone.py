"""The shape of an allocation: monotone in one number, free of negative cycles (so that payments can implement it)."""

from dataclasses import dataclass

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.wording import number
from proofs_checks.properties.property import Probe, Property, Rng, profile_words, row_words
from proofs_checks.search.cases import Bools, Cases, answer, part
from proofs_checks.search.lines import Lines, draw_lines, linear, utility_table


@dataclass(frozen=True)
class Monotone(Property):
    """Who reports a higher value gets no less; who asks more delivers no more."""

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Needs an allocation in one number per agent, its name and its direction."""
        if not all(hasattr(mechanism, name) for name in ("allocation", "role", "own")):
            return "the mechanism names no allocation with its role and own number"
        return None

    def _allocation(self, mechanism: DirectMechanism, reports: Floats) -> Floats:
        got = part(mechanism, "allocation", reports, answer(mechanism, reports))
        return got if mechanism.role == "buyer" else -got  # type: ignore[attr-defined]

    def probe(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Probe:
        """Sort each line by the own number and look for the largest fall."""
        own = mechanism.space.index(mechanism.own)  # type: ignore[attr-defined]
        movable = np.arange(mechanism.space.k) == own
        lines = draw_lines(mechanism, rng, ways, count, movable, levels=32 if linear(mechanism) else 8)
        p, r = lines.shape
        rows = np.arange(p)
        got = self._allocation(mechanism, lines.profiles(lines.reports)).reshape(p, r, -1)[rows, :, lines.agent]
        order = np.argsort(lines.levels[:, :, own], axis=1)
        level = np.take_along_axis(lines.levels[:, :, own], order, axis=1)
        got = np.take_along_axis(got, order, axis=1)
        fall = np.maximum.accumulate(got, axis=1) - got
        fall[:, 1:][level[:, 1:] == level[:, :-1]] = 0.0  # the same report twice is no step
        line, high = (int(x) for x in np.unravel_index(int(np.argmax(fall)), fall.shape))
        low = int(np.argmax(got[line, : high + 1]))
        case = lines.case(line, int(order[line, low]), int(order[line, high]))
        return Probe(case, float(fall[line, high]), p * r * (r - 1), p)

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return by how much the allocation falls where the number rises ``[P, R]``."""
        p, r, n, k = cases.reported.shape
        who, rows = cases.deviator, np.arange(p)
        own = mechanism.space.index(mechanism.own)  # type: ignore[attr-defined]
        before = self._allocation(mechanism, cases.before)[rows, who][:, None]
        after = self._allocation(mechanism, cases.reported.reshape(p * r, n, k)).reshape(p, r, n)[rows, :, who]
        rise = cases.reported[rows, :, who, own] - cases.before[rows, who, own][:, None]
        return np.asarray(np.sign(rise) * (before - after))

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Allocations before and after."""
        sign = 1.0 if mechanism.role == "buyer" else -1.0  # type: ignore[attr-defined]
        pairs = (("before", case.before), ("after", case.reported[:, 0]))
        return {f"allocation_{when}": (sign * self._allocation(mechanism, r))[0].tolist() for when, r in pairs}

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """What an agent reports more, and gets less."""
        who = int(case.deviator[0])
        moved = case.before[0, who] != case.reported[0, 0, who]
        got = [number(numbers[f"allocation_{when}"][who]) for when in ("before", "after")]
        old, new = (row_words(mechanism, who, row[who], moved) for row in (case.before[0], case.reported[0, 0]))
        return (
            f"{mechanism.space.who(who)} moves its report from {old} to {new} and its allocation goes from {got[0]} to "
            f"{got[1]}"
            f"{profile_words(mechanism, case.before[0], numbers, [who])}"
        )


@dataclass(frozen=True)
class CyclicallyMonotone(Property):
    """No cycle of an agent's types t_1, …, t_L has sum_k [U(t_k, o(t_k)) - U(t_k, o(t_k+1))] < 0 (Rochet 1987).

    Payments cancel on a cycle, so that this speaks of the allocation alone: without such a cycle some payments make it
    truthful, and the shortest distances are such payments (`implementing_payments`).
    """

    levels: int = 8

    def movable(self, mechanism: DirectMechanism) -> Bools:
        """Return which coordinates make the cycle: the one that the mechanism names its own, else all."""
        own = getattr(mechanism, "own", None)
        names = np.array(mechanism.space.names)
        return names == own if own in mechanism.space.names else np.ones(len(names), dtype=np.bool_)

    def probe(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Probe:
        """Look for negative cycles among the levels of each line: pairs first, then all lengths."""
        lines = draw_lines(mechanism, rng, ways, count, self.movable(mechanism), levels=self.levels)
        length = arcs(utility_table(mechanism, lines))
        p, r = lines.shape
        loops = np.diagonal(shortest(length), axis1=1, axis2=2)
        line = int(np.argmin(loops.min(axis=1)))
        worst = -float(loops[line].min())
        cycle = negative_cycle(length[line]) if worst > 0 else [0, 1]
        case = lines.case(line, cycle[0], cycle[0])
        after = np.repeat(case.before[:, None], len(cycle), axis=1)
        after[0, :, lines.agent[line]] = lines.levels[line, cycle]
        found = Cases(case.types, case.before, after, case.deviators)
        return Probe(found, float(self.violation(mechanism, found).max()), p * r * (r - 1), p)

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return minus the length of the cycle through the alternatives ``[P, 1]``."""
        who, rows = cases.deviator, np.arange(len(cases.reported))
        length = arcs(utility_table(mechanism, Lines(cases.types, cases.before, who, cases.reported[rows, :, who])))
        r = length.shape[1]
        return np.asarray(-length[:, np.arange(r), (np.arange(r) + 1) % r].sum(axis=1, keepdims=True))

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Return the arcs of the cycle."""
        who = case.deviator
        table = utility_table(mechanism, Lines(case.types, case.before, who, case.reported[[0], :, who]))[0]
        following = np.roll(np.arange(len(table)), -1)
        return {
            "utility_truth": np.diag(table).tolist(),
            "utility_next": table[np.arange(len(table)), following].tolist(),
        }

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Return the cycle's types and its length."""
        who = int(case.deviator[0])
        private = mechanism.space.private[who] & self.movable(mechanism)
        steps = " → ".join(row_words(mechanism, who, row[who], private) for row in case.reported[0])
        total = sum(numbers["utility_truth"]) - sum(numbers["utility_next"])
        return (
            f"{mechanism.space.who(who)}'s types {steps} → the first make a cycle of length {number(total)}: "
            f"no payments make this allocation truthful{profile_words(mechanism, case.before[0], numbers, [who])}"
        )


def arcs(table: Floats) -> Floats:
    """Return U(t, o(t)) - U(t, o(r)) ``[P, R, R]``, row t: what truth t would rather keep than take r's outcome."""
    return np.asarray(np.diagonal(table, axis1=1, axis2=2)[:, :, None] - table)


def shortest(length: Floats) -> Floats:
    """Return shortest walks of at most R steps ``[P, R, R]`` (Floyd and Warshall); a negative diagonal is a cycle."""
    distance = length.copy()
    for via in range(length.shape[1]):
        np.minimum(distance, distance[:, :, via, None] + distance[:, None, via, :], out=distance)
    return distance


def negative_cycle(length: Floats) -> list[int]:
    """Return the vertices of a negative cycle of one graph ``[R, R]``, in order; the steepest pair if it is one.

    Bellman and Ford: a walk of R steps that is shorter than all of fewer goes round, and each round of it is negative.
    ``length`` is 0 on the diagonal. [0, 1] where rounding leaves no such walk.
    """
    pairs = length + length.T
    if pairs.min() < 0:
        return [int(x) for x in np.unravel_index(int(np.argmin(pairs)), pairs.shape)]
    before = distance = np.zeros(len(length))
    came = []
    for _ in length:
        through = distance[:, None] + length
        came.append(through.argmin(axis=0))
        before, distance = distance, through.min(axis=0)
    walk = [int(np.argmin(distance - before))]
    if distance[walk[0]] >= before[walk[0]]:
        return [0, 1]
    for step in reversed(came):
        at = int(step[walk[-1]])
        if at in walk:
            return walk[walk.index(at) :][::-1]
        walk.append(at)
    return [0, 1]  # pragma: no cover - R + 1 vertices of R are not all different


def implementing_payments(table: Floats) -> Floats | None:
    """Return what to add to the payments of R reports so that each truth prefers its own, or None if nothing does.

    ``table`` ``[R, R]``: U(t, r). The shortest distances from the first report in the graph of `arcs` (reversed) are
    such changes: U(t, t) - x_t >= U(t, r) - x_r, that is x_t <= x_r + arcs[t, r].

    >>> implementing_payments(np.array([[0.0, -1.0], [0.5, 0.0]])).tolist()
    [0.0, -0.5]
    """
    length = arcs(table[None])[0]
    distance = shortest(length[None])[0]
    if np.diag(distance).min() < -1e-12 * max(1.0, float(np.abs(table).max())):
        return None
    return np.asarray(distance[:, 0])


FAMILY = (
    Monotone.stated(
        "monotonicity", "x_i(r_i', r_-i) >= x_i(r_i, r_-i) for r_i' > r_i (a seller's: <=)", follows=("dsic",)
    ),
    CyclicallyMonotone.stated(
        "cyclic-monotonicity",
        "sum_k U_i(t_k, f(t_k)) >= sum_k U_i(t_k, f(t_k+1)) for every cycle of types",
        follows=("dsic",),
    ),
)
