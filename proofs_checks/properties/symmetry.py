"""Names should not matter, and nobody should move others without moving itself."""

from dataclasses import dataclass

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.wording import number
from proofs_checks.properties.property import MOST_TOLD, Deviations, Probe, Property, Rng, profile_words, row_words
from proofs_checks.search import sampling
from proofs_checks.search.cases import Cases, answer, part, payments, utilities
from proofs_checks.search.lines import draw_lines

_JITTERS = 3
_JITTER = 1e-6
_SAME = 1e-14


@dataclass(frozen=True)
class Anonymous(Property):
    """Relabelling the agents relabels utilities and payments, exact ties aside.

    Ties are left aside by asking three neighbours of the profile too, each number moved by up to 1e-6 of its range:
    what counts is the smallest difference among the four. Whole numbers cannot be moved so little: agents alike in all
    numbers may change places with each other; profiles in which two have the same whole numbers, and another of the
    rest, are left aside.
    """

    @property
    def aside(self) -> str:
        """Ties."""
        return "exact ties are left aside: they may go to whoever is listed first"

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Needs agents that could be one another."""
        space = mechanism.space
        if space.agents < 2:
            return "there is one agent only"
        same = (space.low == space.low[0]).all() and (space.high == space.high[0]).all()
        if not hasattr(mechanism, "permuted") and not (same and (space.private == space.private[0]).all()):
            return "agents have different domains, and the mechanism does not say how to relabel them"
        return None

    def draw(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Cases:
        """One relabelling per batch."""
        types = sampling.PROFILES[ways[0]](mechanism.space, rng, max(1, count // (2 + 2 * _JITTERS)))
        order = rng.permutation(mechanism.space.agents)
        while (order == np.arange(len(order))).all():
            order = rng.permutation(mechanism.space.agents)
        return Cases(types, types, extra=(("order", np.broadcast_to(order, (len(types), len(order)))),))

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return the largest change of an agent's utility or payment by relabelling ``[P, 1]``."""
        found = self._difference(mechanism, cases.types, cases.more("order"))
        space = mechanism.space
        low, high = sampling.around(space, cases.types)
        rng = np.random.default_rng(0)
        for _ in range(_JITTERS):
            step = rng.uniform(-_JITTER, _JITTER, cases.types.shape[1:]) * (high - low)
            step = np.where(space.integer, 0.0, step)  # public numbers can tie as well
            there = cases.types + step
            near = np.where((there < space.low) | (there > space.high), cases.types - step, there)  # bounds are no tie
            found = np.minimum(found, self._difference(mechanism, near, cases.more("order")))
        whole = (space.private & space.integer & (space.low < space.high)).any(axis=0)
        tied = whole.any() & (_alike(cases.types[..., whole]) != _alike(cases.types)).any(axis=1)
        return np.where(tied, 0.0, found)[:, None]

    def _difference(self, mechanism: DirectMechanism, types: Floats, orders: np.ndarray) -> Floats:
        before = answer(mechanism, types)
        values = utilities(mechanism, types, before), payments(mechanism, types, before)
        found = np.empty(len(types))
        for order in np.unique(orders, axis=0):
            rows = (orders == order).all(axis=1)
            moved = relabelled(mechanism, types[rows], order)
            after = answer(mechanism, moved)
            other = utilities(mechanism, moved, after), payments(mechanism, moved, after)
            pairs = [(a[rows][:, order], b) for a, b in zip(values, other, strict=True)]
            if mechanism.space.integer.any():
                alike = _alike(moved)
                pairs = [(_within(alike, a), _within(alike, b)) for a, b in pairs]
            found[rows] = np.maximum(*(np.abs(a - b).max(axis=1) for a, b in pairs))
        return found

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Utilities before, and after relabelling, by the agents' old names."""
        order = case.more("order")[0]
        moved = relabelled(mechanism, case.types, order)
        back = np.argsort(order)
        before, after = answer(mechanism, case.types), answer(mechanism, moved)
        return {
            "utility_before": utilities(mechanism, case.types, before)[0].tolist(),
            "utility_after": utilities(mechanism, moved, after)[0][back].tolist(),
            "payment_before": payments(mechanism, case.types, before)[0].tolist(),
            "payment_after": payments(mechanism, moved, after)[0][back].tolist(),
        }

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Whose lot changes with its place."""
        by = {w: np.abs(np.subtract(numbers[f"{w}_after"], numbers[f"{w}_before"])) for w in ("utility", "payment")}
        what = max(by, key=lambda w: float(by[w].max()))
        who = int(np.argmax(by[what]))
        order = case.more("order")[0]
        listed = ", ".join(mechanism.space.short(int(a)) for a in order[:MOST_TOLD])
        if len(order) > MOST_TOLD:
            listed += f", … ({mechanism.space.short(who)} at place {int(np.argsort(order)[who]) + 1} of {len(order)})"
        return (
            f"listed in the order {listed}, {mechanism.space.who(who)}'s {what} changes "
            f"from {number(numbers[f'{what}_before'][who])} to {number(numbers[f'{what}_after'][who])}"
            f"{profile_words(mechanism, case.before[0], numbers, [who])}"
        )


def _alike(types: Floats) -> np.ndarray:
    """Return for each agent the first one with the same numbers ``[P, n]``."""
    return np.asarray((types[:, :, None] == types[:, None, :]).all(axis=-1).argmax(axis=2))


def _within(alike: np.ndarray, values: Floats) -> Floats:
    """Return the values ``[P, n]``, those of agents that are alike in order."""
    return np.take_along_axis(values, np.lexsort((values, alike), axis=-1), axis=-1)


def relabelled(mechanism: DirectMechanism, profiles: Floats, order: np.ndarray) -> Floats:
    """Return profiles in which agent q is agent order[q] of before."""
    if hasattr(mechanism, "permuted"):
        return part(mechanism, "permuted", profiles, profiles, order, shape=(len(profiles), len(order), None))
    return profiles[:, order]


@dataclass(frozen=True)
class NonBossy(Deviations):
    """If a report changes nothing for the one who makes it (to 1e-14), it changes nothing for anyone."""

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Needs consequences."""
        return None if hasattr(mechanism, "consequences") else "the mechanism does not list consequences"

    def _consequences(self, mechanism: DirectMechanism, reports: Floats) -> Floats:
        shape = (*reports.shape[:2], None)
        return part(mechanism, "consequences", reports, answer(mechanism, reports), shape=shape)

    def probe(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Probe:
        """Compare all reports along each line."""
        everything = np.ones(mechanism.space.k, dtype=np.bool_)
        lines = draw_lines(mechanism, rng, ways, count, everything, levels=8)
        p, r = lines.shape
        got = self._consequences(mechanism, lines.profiles(lines.reports)).reshape(p, r, mechanism.space.agents, -1)
        found = np.full((p, r, r), -np.inf)
        rows = np.arange(p)
        own = got[rows, :, lines.agent]
        others = got.copy()
        others[rows, :, lines.agent] = 0.0
        for shift in range(1, r):
            other = (np.arange(r) + shift) % r
            change = np.abs(own - own[:, other]).max(axis=-1)
            effect = np.abs(others - others[:, other]).max(axis=(-1, -2))
            found[:, np.arange(r), other] = _measure(change, effect, own)
        line, one, two = (int(x) for x in np.unravel_index(int(np.argmax(found)), found.shape))
        return Probe(lines.case(line, one, two), float(found[line, one, two]), p * r * (r - 1), p)

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return the largest change for others where the own is nothing, else minus the own change ``[P, R]``."""
        p, r, n, k = cases.reported.shape
        who, rows = cases.deviator, np.arange(p)
        before = self._consequences(mechanism, cases.before)[:, None]
        after = self._consequences(mechanism, cases.reported.reshape(p * r, n, k)).reshape(p, r, n, -1)
        change = np.abs(after - before)
        own = change[rows, :, who].max(axis=-1)
        change[rows, :, who] = 0.0
        return _measure(own, change.max(axis=(-1, -2)), after[rows, :, who])

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Largest change of each agent's consequences."""
        change = np.abs(self._consequences(mechanism, case.reported[:, 0]) - self._consequences(mechanism, case.before))
        return {"change": change[0].max(axis=-1).tolist()}

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Who moves whom."""
        who = int(case.deviator[0])
        moved = case.before[0, who] != case.reported[0, 0, who]
        victim = int(np.argmax(numbers["change"]))
        old, new = (row_words(mechanism, who, row[who], moved) for row in (case.before[0], case.reported[0, 0]))
        return (
            f"{mechanism.space.who(who)} reports {new} instead of {old}: nothing changes for it, but by "
            f"{number(numbers['change'][victim])} for {mechanism.space.who(victim)}"
            f"{profile_words(mechanism, case.before[0], numbers, [who, victim])}"
        )


def _measure(own: Floats, others: Floats, consequences: Floats) -> Floats:
    scale = np.maximum(1.0, np.abs(consequences).max(axis=-1))
    return np.asarray(np.where(own <= _SAME * scale, others, -own))


FAMILY = (
    Anonymous.stated("anonymity", "f(π(θ)) = π(f(θ)) for every relabelling π, exact ties aside"),
    NonBossy.stated("non-bossiness", "f_i(r_i', r_-i) = f_i(r) implies f(r_i', r_-i) = f(r)"),
)
