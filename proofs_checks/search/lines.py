"""Lines: one agent goes through R reports while the others stay, and every report is a truth for every other.

U_i(t, r) for all R x R pairs of truth t and report r costs R outcomes, not R². That is where the speed of the search
comes from, and why one line finds a lie wherever along it the truth happens to be.

Break points are found by asking: where along a line an outcome jumps, to the last bit on both sides. A rule that is
constant between jumps (an auction, a market) has its best lies at the jumps. Halving the interval in which a utility
changes most leads to one of them, whatever the rule is; where the rule is smooth it leads somewhere.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import Deal, DirectMechanism, Floats, SingleParameter
from proofs_checks.search import sampling
from proofs_checks.search.cases import Cases, answer, part, utilities

_HALVINGS = 60
_JUMPS = 2


def with_breaks(
    mechanism: DirectMechanism, reports: Floats, agent: NDArray[np.intp], levels: Floats, column: int
) -> Floats:
    """Return levels ``[P, R + 4, k]``: those given, and both sides of two jumps of each line.

    ``reports`` ``[P, n, k]``; ``levels`` ``[P, R, k]`` differ in ``column`` only. What must jump is the agent's utility
    at its lowest or at its highest level, as it moves its report.
    """
    order = np.argsort(levels[:, :, column], axis=1)
    ordered = np.take_along_axis(levels, order[..., None], axis=1)
    truths = ordered[:, [0, -1]]
    seen = _signature(mechanism, reports, agent, ordered, truths)
    change = np.abs(np.diff(seen, axis=1)).max(axis=-1)
    steepest = np.argsort(-change, axis=1)[:, :_JUMPS]
    low, high = (np.take_along_axis(ordered, (steepest + k)[..., None], axis=1) for k in (0, 1))
    below, above = (np.take_along_axis(seen, (steepest + k)[..., None], axis=1) for k in (0, 1))
    for _ in range(_HALVINGS):
        middle = low.copy()
        middle[..., column] = 0.5 * (low[..., column] + high[..., column])
        if ((middle == low).all(axis=-1) | (middle == high).all(axis=-1)).all():
            break
        between = _signature(mechanism, reports, agent, middle, truths)
        left, right = (np.abs(a - b).max(axis=-1, keepdims=True) for a, b in ((between, below), (above, between)))
        first = left >= right
        low, high = np.where(first, low, middle), np.where(first, middle, high)
        below, above = np.where(first, below, between), np.where(first, between, above)
    return np.concatenate([levels, low, high], axis=1)


def _signature(
    mechanism: DirectMechanism, reports: Floats, agent: NDArray[np.intp], levels: Floats, truths: Floats
) -> Floats:
    """Return the agent's utility ``[P, R, 2]`` at both truths when it reports each level."""
    p, r, _ = levels.shape
    rows = np.arange(p)
    full = np.repeat(reports[:, None], r, axis=1)
    full[rows, :, agent] = levels
    outcome = answer(mechanism, full.reshape(p * r, *reports.shape[1:]))
    found = []
    for k in range(2):
        full[rows, :, agent] = truths[:, k, None]
        utility = utilities(mechanism, full.reshape(p * r, *reports.shape[1:]), outcome)
        found.append(utility.reshape(p, r, -1)[rows, :, agent])
    return np.stack(found, axis=-1)


Rng = np.random.Generator
Bools = NDArray[np.bool_]

_BREAK_COST, _MOST_BREAKS = 256, 256


@dataclass(frozen=True, eq=False)
class Lines:
    """P lines with R rows each.

    ``types``, ``reports``: true and reported profiles ``[P, n, k]`` (the row of the agent plays no part); ``agent``
    ``[P]``; ``levels`` ``[P, R, k]``: the agent's rows, the first drawn as the profile was.
    """

    types: Floats
    reports: Floats
    agent: NDArray[np.intp]
    levels: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """P and R."""
        return self.levels.shape[0], self.levels.shape[1]

    @property
    def size(self) -> Floats:
        """How large the numbers of each line are ``[P]``, one at least."""
        largest = [np.abs(a.reshape(len(a), -1)).max(axis=1) for a in (self.types, self.reports, self.levels)]
        return np.maximum(1.0, np.maximum.reduce(largest))

    def profiles(self, base: Floats) -> Floats:
        """Return ``base`` with each level in place ``[P · R, n, k]``."""
        p, r = self.shape
        full = np.repeat(base[:, None], r, axis=1)
        full[np.arange(p), :, self.agent] = self.levels
        return full.reshape(p * r, *base.shape[1:])

    def case(self, line: int, truth: int, report: int) -> Cases:
        """Return the case in which the agent's type is one level and it reports another."""
        types, before = self.types[line : line + 1].copy(), self.reports[line : line + 1].copy()
        agent = int(self.agent[line])
        types[0, agent] = before[0, agent] = self.levels[line, truth]
        after = before.copy()
        after[0, agent] = self.levels[line, report]
        deviators = np.zeros((1, types.shape[1]), dtype=np.bool_)
        deviators[0, agent] = True
        return Cases(types, before, after[:, None], deviators)


def draw_lines(
    mechanism: DirectMechanism,
    rng: Rng,
    ways: tuple[str, str],
    count: int,
    movable: Bools,
    *,
    levels: int,
    others: str = "truthful",
) -> Lines:
    """Draw lines with about ``count`` outcomes in all; the agent moves in coordinates ``movable`` (bool ``[k]``).

    ``others``: "truthful" (true types are what is reported), or "arbitrary": in half the lines what is true of the
    others is drawn anew, in the coordinates that the mechanism names as ``interdependent``.
    """
    space = mechanism.space
    levels = max(2, min(levels, count))
    number = max(1, count // levels)
    if ways[1] == "breaks":  # each line takes some sixty halvings
        number = min(max(8, count // _BREAK_COST), _MOST_BREAKS)
        movable = movable & (np.arange(space.k) == rng.choice(np.flatnonzero((space.private & movable).any(axis=0))))
    reports = sampling.PROFILES[ways[0]](space, rng, number)
    able = np.flatnonzero((space.private & movable).any(axis=1))
    agent = able[rng.integers(0, len(able), number)]
    rows = np.empty((number, levels, space.k))
    rows[:, 0] = reports[np.arange(number), agent]
    rows[:, 1:] = sampling.reports(space, rng, reports, agent, levels - 1, movable, ways[1])
    if ways[1] == "breaks":
        rows = with_breaks(mechanism, reports, agent, rows, int(np.argmax(movable)))
    types = reports
    foreign = np.isin(space.names, interdependent(mechanism))
    if others == "arbitrary" and foreign.any():
        anew = sampling.PROFILES[ways[0]](space, rng, number)
        swap = rng.random((number, 1, 1)) < 0.5
        types = np.where(swap & space.private & foreign, anew, reports)
    return Lines(types, reports, agent, rows)


def interdependent(mechanism: DirectMechanism) -> tuple[str, ...]:
    """Return the coordinates of others that an agent's utility depends on (a mechanism may name them)."""
    return tuple(getattr(mechanism, "interdependent", ()))


def utility_table(mechanism: DirectMechanism, lines: Lines, truths: int | None = None) -> Floats:
    """Return U_i(t, r) ``[P, T, R]``: the agent's utility at true level t and reported level r, others as drawn.

    ``truths``: only the first T levels are taken as truths (default all).
    """
    p, r = lines.shape
    t = r if truths is None else truths
    asked = lines.profiles(lines.reports)
    outcome = answer(mechanism, asked)
    if linear(mechanism):
        return _linear_table(mechanism, lines, outcome, t)
    if affine(mechanism, lines):
        return _affine_table(mechanism, lines, asked, outcome, t)
    table = np.full((p, t, r), -np.inf)
    places = np.arange(p)
    types = np.repeat(lines.types[:, None], r, axis=1)
    for shift in range(r):
        truth = (np.arange(r) + shift) % r
        if t < r and not (truth < t).any():
            continue
        types[places, :, lines.agent] = lines.levels[:, truth]
        found = utilities(mechanism, types.reshape(p * r, *types.shape[2:]), outcome).reshape(p, r, -1)
        own = found[places, :, lines.agent]
        keep = truth < t
        table[:, truth[keep], np.flatnonzero(keep)] = own[:, keep]
    return table


def linear(mechanism: DirectMechanism) -> bool:
    """Tell whether utility is value · allocation - payment by construction (a subclass may say otherwise)."""
    return isinstance(mechanism, SingleParameter) and type(mechanism).utility is SingleParameter.utility


def affine(mechanism: DirectMechanism, lines: Lines) -> bool:
    """Tell whether these lines move nothing but the own number, in which the mechanism says that utility is affine."""
    if not getattr(mechanism, "affine_in_own", False):
        return False
    others = np.arange(mechanism.space.k) != mechanism.space.index(mechanism.own)  # type: ignore[attr-defined]
    return bool((lines.levels[:, :, others] == lines.levels[:, :1, others]).all())


def _affine_table(mechanism: DirectMechanism, lines: Lines, asked: Floats, outcome: Any, truths: int) -> Floats:
    """Account once, at the first level: another own number changes utility by the allocation times the difference."""
    p, r = lines.shape
    rows, own = np.arange(p), mechanism.space.index(mechanism.own)  # type: ignore[attr-defined]
    types = np.repeat(lines.types[:, None], r, axis=1)
    types[rows, :, lines.agent] = lines.levels[:, :1]
    found = utilities(mechanism, types.reshape(p * r, *types.shape[2:]), outcome).reshape(p, r, -1)
    got = part(mechanism, "allocation", asked, outcome).reshape(p, r, -1)[rows, :, lines.agent]
    if mechanism.role == "seller":  # type: ignore[attr-defined]
        got = -got
    change = lines.levels[:, :truths, own] - lines.levels[:, :1, own]
    return np.asarray(found[rows, :, lines.agent][:, None, :] + change[:, :, None] * got[:, None, :])


def _linear_table(mechanism: DirectMechanism, lines: Lines, outcome: Deal, truths: int) -> Floats:
    p, r = lines.shape
    where = np.arange(p)
    got = outcome.allocation.reshape(p, r, -1)[where, :, lines.agent]
    paid = outcome.payment.reshape(p, r, -1)[where, :, lines.agent]
    table = lines.levels[:, :truths, 0, None] * got[:, None, :]
    table -= paid[:, None, :]
    if mechanism.role == "seller":  # type: ignore[attr-defined]
        np.negative(table, out=table)
    return table
