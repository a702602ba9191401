"""Truthfulness: no agent, or no coalition, is better off with a false report.

Where a rule's break points are known (cost in the market's mechanisms) best responses are exact.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import DirectMechanism, Floats
from mechanism.entry import PROPERTIES as STATEMENTS
from mechanism.market.direct import MarketDirect
from mechanism.market.gains import CONCAVE
from mechanism.wording import apart, number
from proofs_checks.properties.property import MOST_TOLD, Probe, Property, Rng, change, profile_words, row_words
from proofs_checks.search import sampling
from proofs_checks.search.cases import Cases, deviating
from proofs_checks.search.lies import best_reports
from proofs_checks.search.lines import draw_lines, linear, utility_table

_ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
"""A member of a coalition loses if it is left with less by more than this share of its utilities: their rounding."""

_RESOLVED = 1e-6
"""A coalition's gain counts from this share of its members' utilities.

A loss of second order hides in rounding: where a helper moves its report by x and loses about x², it may gain another x
while nothing of the loss is seen up to some 1e-8.
"""


@dataclass(frozen=True)
class Truthful(Property):
    """U_i(θ_i, r_-i) >= U_i(r_i, r_-i).

    ``coordinate``: the one that is misreported (None: any). ``others``: "arbitrary" or "truthful" (`lines.draw_lines`).
    """

    coordinate: str | None = None
    others: str = "arbitrary"

    def _movable(self, mechanism: DirectMechanism) -> NDArray[np.bool_]:
        names = np.array(mechanism.space.names)
        return np.ones(len(names), dtype=np.bool_) if self.coordinate is None else names == self.coordinate

    def asks(self, mechanism: DirectMechanism, case: Cases) -> bool:
        """Tell whether a case is one lie of one agent, about nothing else, the others as this property has them."""
        if case.after is None or case.deviators is None or len(case.members) != 1:
            return False
        moved = (case.after != case.before[:, None])[..., ~self._movable(mechanism)]
        return not moved.any() and (self.others == "arbitrary" or bool((case.types == case.before).all()))

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Needs a private coordinate of that name."""
        if not (mechanism.space.private & self._movable(mechanism)).any():
            return f"agents have no private {self.coordinate or 'number'}"
        return None

    def probe(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Probe:
        """Compare every truth with every report along each line."""
        levels = 32 if linear(mechanism) else 8
        lines = draw_lines(mechanism, rng, ways, count, self._movable(mechanism), levels=levels, others=self.others)
        table = utility_table(mechanism, lines)
        gain = table.max(axis=2) - np.diagonal(table, axis1=1, axis2=2)
        p, r = lines.shape

        def worst(by: Floats) -> tuple[Cases, float]:
            line, truth = (int(x) for x in np.unravel_index(int(np.argmax(by)), by.shape))
            return lines.case(line, truth, int(np.argmax(table[line, truth]))), float(gain[line, truth])

        case, amount = worst(gain)
        sized, _ = worst(gain / lines.size[:, None]) if sampling.wide(mechanism.space) else (None, 0.0)
        return Probe(case, amount, p * r * (r - 1), p, sized)

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return U_i(after) - U_i(before) of the deviator ``[P, R]``."""
        before, after = change(mechanism, cases)
        who = cases.deviator
        rows = np.arange(len(who))
        return np.asarray(after[rows, :, who] - before[rows, :, who])

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Client b has cost 1.1; reporting cost 0.9 takes its utility from 0 to 1.9."""
        return _sentence(mechanism, case, numbers)


def _sentence(mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
    parts = []
    said = np.zeros(mechanism.space.private.shape, dtype=np.bool_)
    for agent in case.members:
        truth, lie = case.types[0, agent], case.reported[0, 0, agent]
        moved = truth != lie
        rise = "from {} to {}".format(*apart(numbers["utility_before"][agent], numbers["utility_after"][agent]))
        shown = moved if moved.any() else mechanism.space.private[agent]
        said[agent] = shown
        parts.append(
            f"{mechanism.space.who(int(agent))} has {row_words(mechanism, int(agent), truth, shown)}; "
            f"reporting {row_words(mechanism, int(agent), lie, moved)} takes its utility {rise}"
        )
    rest = profile_words(mechanism, case.before[0], numbers, case.members, said, "other reports: ")
    return "; and ".join(parts) + rest


@dataclass(frozen=True)
class GroupTruthful(Property):
    """No coalition can report so that none of it loses and one gains (``strong``), or all gain (not ``strong``)."""

    strong: bool = True
    largest: int = 3

    @property
    def kind(self) -> str:
        """Strong if nothing is said."""
        return "" if self.strong else "weak"

    @property
    def variant(self) -> dict[str, Any]:
        """Strong or weak."""
        return {"strong": self.strong}

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Needs two agents with private numbers."""
        return None if mechanism.space.private.any(axis=1).sum() > 1 else "fewer than two agents have private numbers"

    def draw(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Cases:
        """Draw coalitions of two or three; in half the cases some members stay with the truth's exact ties."""
        space = mechanism.space
        alternatives = 8
        number = max(1, count // alternatives)
        types = sampling.PROFILES[ways[0]](space, rng, number)
        able = np.flatnonzero(space.private.any(axis=1))
        size = int(rng.integers(2, min(self.largest, len(able)) + 1))
        members = rng.permuted(np.broadcast_to(able, (number, len(able))), axis=1)[:, :size]
        after = np.repeat(types[:, None], alternatives, axis=1)
        rows = np.arange(number)
        everything = np.ones(space.k, dtype=np.bool_)
        for position in range(size):
            agent = members[:, position]
            way = ways[1] if position == 0 else sampling.REPORTS[int(rng.integers(len(sampling.REPORTS)))]
            after[rows, :, agent] = sampling.reports(space, rng, types, agent, alternatives, everything, way)
        deviators = np.zeros((number, space.agents), dtype=np.bool_)
        np.put_along_axis(deviators, members, True, axis=1)
        return Cases(types, types, after, deviators)

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return the largest gain where no member loses (strong), the smallest gain (weak); ``[P, R]``.

        Gains and losses are measured on one scale, the utilities of the members; a gain too small to tell that nobody
        pays for it (`_RESOLVED`) counts only as far as all gain.
        """
        before, after = change(mechanism, cases)
        assert cases.deviators is not None
        inside = cases.deviators[:, None, :]
        gain = after - before
        least = np.where(inside, gain, np.inf).min(axis=-1)
        if not self.strong:
            return np.asarray(least)
        own = np.where(inside, np.maximum(1.0, np.maximum(np.abs(before), np.abs(after))), 0.0)
        most = np.where(inside, gain, -np.inf).max(axis=-1)
        told = (most >= _RESOLVED * own.max(axis=-1)) | (cases.deviators.sum(axis=1) == 1)[:, None]
        loses = (gain < -_ROUNDING * own).any(axis=-1, where=inside)
        return np.asarray(np.where(loses, np.minimum(least, -_ROUNDING), np.where(told, most, least)))

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Each member's truth, report and change; shrinking may leave one member, which counts as a coalition."""
        members = case.members
        if len(members) == 1:
            return f"a coalition of one: {_sentence(mechanism, case, numbers)}"
        gains = np.subtract(numbers["utility_after"], numbers["utility_before"])[members]
        told = np.sort(members[np.argsort(-gains, kind="stable")[:MOST_TOLD]])
        parts = [_member(mechanism, case, numbers, int(agent)) for agent in told]
        if len(told) < len(members):
            parts.append(f"{len(members) - len(told)} more members, who gain less or nothing")
        said = np.zeros(mechanism.space.private.shape, dtype=np.bool_)
        said[members] = True
        rest = profile_words(mechanism, case.before[0], numbers, case.members, said, "other reports: ")
        return "together: " + "; and ".join(parts) + rest


def _member(mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]], agent: int) -> str:
    """Say what one member of a coalition has, reports and gets by it."""
    truth, lie = case.types[0, agent], case.reported[0, 0, agent]
    moved = truth != lie
    has = f"{mechanism.space.who(agent)} has {row_words(mechanism, agent, truth, mechanism.space.private[agent])}"
    reports = f"reports {row_words(mechanism, agent, lie, moved)}" if moved.any() else "tells the truth"
    before, after = (numbers[f"utility_{when}"][agent] for when in ("before", "after"))
    if abs(after - before) <= _ROUNDING * max(1.0, abs(before)):
        return f"{has}, {reports} and keeps its utility of {number(before)}"
    return f"{has}, {reports} and goes from utility {' to '.join(apart(before, after))}"


_ALWAYS = "U_i(θ_i, r_-i) >= U_i(r_i, r_-i) for all θ_i, r_i, r_-i"
_EX_POST = "U_i(θ_i, θ_-i) >= U_i(r_i, θ_-i) for all θ, r_i"


def about(coordinate: str) -> tuple[Truthful, Truthful]:
    """Return the two properties that no agent gains by a false report of that number alone: dsic and ex post."""
    one, post = f"dsic-{coordinate}", f"expost-{coordinate}"
    words = f"no agent gains by a false report of its {coordinate}"
    return (
        Truthful(
            one, STATEMENTS.get(one, f"{words}, whatever the others report"),
            f"{_ALWAYS}, r_i false in the {coordinate} only", follows=("dsic",), coordinate=coordinate,
        ),
        Truthful(
            post, STATEMENTS.get(post, f"{words} when the others tell the truth"),
            f"{_EX_POST} false in the {coordinate} only", follows=(one, "expost", "dsic"), coordinate=coordinate,
            others="truthful",
        ),
    )  # fmt: skip


FAMILY = (
    Truthful.stated("dsic", _ALWAYS, follows=("group-dsic", "group-dsic=weak")),
    *(prop for name in ("cost", "gain", "size") for prop in about(name)),
    Truthful.stated("expost", _EX_POST, follows=("dsic",), others="truthful"),
    GroupTruthful.stated("group-dsic", "no T, r_T: U_i(r_T, θ_-T) >= U_i(θ) for all i in T, one strictly"),
    GroupTruthful(
        "group-dsic",
        "no coalition can report so that all of it gain, without side payments",
        "no T, r_T: U_i(r_T, θ_-T) > U_i(θ) for all i in T",
        strong=False,
        follows=("group-dsic",),
    ),
)  # fmt: skip


_EVERY = 4
_ROWS_PER_CLIENT = 64
_MOST_LOOKED = 1024


def exact_probe(mechanism: DirectMechanism, prop: Property, rng: Rng, count: int, turn: int) -> Probe | None:
    """Return the best cost lie over a batch of markets, every fourth turn, or None where that is not the question.

    Others are truthful; each client's every break point is tried, so that no report of its cost is better. Where the
    rule's outcomes tell a gap, in the markets of a larger draw whose gap is largest: a search, no best response.
    """
    if turn % _EVERY != 2 or type(mechanism) is not MarketDirect or mechanism.interdependent:
        return None
    if not (isinstance(prop, Truthful) and prop.coordinate == "cost"):
        return None
    space = mechanism.space
    way = ("uniform", "lattice", "ties", "corners", "boxes")[turn // _EVERY % 5]
    profiles = sampling.PROFILES[way](space, rng, max(4, count // (_ROWS_PER_CLIENT * space.agents)))
    told_by = sampling.PROFILES[("corners", "boxes", "ties", "uniform")[turn // _EVERY % 4]]
    more = told_by(space, np.random.default_rng(turn), min(_MOST_LOOKED, count // space.agents))
    gaps = mechanism.outcome(more).gap.reshape(len(more), -1).max(axis=1)
    missing = gaps.max() > 0.0 or type(mechanism.law) not in CONCAVE
    if missing:  # a rule that may have missed something is asked where it tells that it missed most
        profiles = more[np.argsort(-gaps, kind="stable")[: len(profiles)]]
    lies = best_reports(mechanism.mechanism, mechanism.types(profiles), mechanism.market(profiles))
    if not (lies.exact or missing):
        return None
    at, agent = lies.best()
    cost = space.index("cost")
    report = min(float(lies.report[at, agent]), float(space.high[agent, cost]))  # reports above the bound sell no more
    case = deviating(profiles[[at]], np.array([agent]), cost, np.array([report]))
    exact = len(profiles) if lies.exact else 0
    return Probe(case, float(prop.violation(mechanism, case).max()), lies.deviations, exact)
