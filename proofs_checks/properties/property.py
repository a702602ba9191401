"""What a property is: a statement, when it applies, where to look for a violation, and how large one is."""

import builtins
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mechanism.direct import DirectMechanism, Floats
from mechanism.entry import PROPERTIES as STATEMENTS
from mechanism.errors import InvalidMechanismError
from mechanism.market.accounting import MONEY
from mechanism.wording import number
from proofs_checks.search import sampling
from proofs_checks.search.cases import Cases, answer, payments, truthful, utilities

Rng = np.random.Generator


@dataclass(frozen=True, eq=False)
class Probe:
    """What one batch showed: its worst case (P = R = 1), by how much that breaks the property, and how much was tried.

    ``tried``: deviations, or profiles where there are none. ``profiles``: independent profiles behind them. ``sized``:
    the case that breaks it most for its `size`, which may be another: a small one is not hidden by large ones.
    """

    case: Cases
    worst: float
    tried: int
    profiles: int
    sized: Cases | None = None


def size(cases: Cases) -> Floats:
    """Return how large the numbers of each case are ``[P, R]``: max(1, the largest of its types and reports)."""
    arrays = [a[:, None] for a in (cases.types, cases.before)] + ([] if cases.after is None else [cases.after])
    sizes = [np.abs(a).max(axis=(2, 3)) for a in arrays]
    return np.maximum(1.0, sizes[0] if len(sizes) == 1 else np.maximum(sizes[0], np.maximum(sizes[1], sizes[-1])))


@dataclass(frozen=True, eq=False)
class Check:
    """What given cases showed: the one that breaks the property most for its size (P = R = 1), and by how much.

    ``violation``: in money (units of allocation for monotonicity), at most 0: not at all. ``tolerance``: what that case
    is allowed. ``where``: its profile and alternative. ``checked``: how many cases there were.
    """

    property: str
    case: Cases
    violation: float
    tolerance: float
    where: tuple[int, int]
    checked: int
    tell: Callable[[], str]

    @builtins.property
    def sentence(self) -> str:
        """The case in words."""
        return self.tell()

    @builtins.property
    def holds(self) -> bool:
        """Whether no case breaks the property by more than its tolerance."""
        return self.violation <= self.tolerance


@dataclass(frozen=True)
class Property:
    """A property of direct mechanisms.

    Subclasses draw cases and measure their violation: positive where the property fails, in money (units of
    allocation for monotonicity). A violation counts only above `tolerance`, which grows with the amounts involved.
    ``follows``: ids of properties that it follows from; a proof of one of them is a proof of it.
    """

    id: str
    statement: str
    formula: str
    follows: tuple[str, ...] = field(default=(), kw_only=True)

    @classmethod
    def stated(cls, id: str, formula: str, **parameters: Any) -> Self:
        """Return the property of that id of `mechanism.PROPERTIES`, in its words."""
        return cls(id, STATEMENTS[id], formula, **parameters)

    @property
    def kind(self) -> str:
        """Which variant of the property this is, in a word, "" for the one that is meant where nothing is said."""
        return ""

    @property
    def name(self) -> str:
        """The id, and the variant where it is another: ``split-proof=half``."""
        return f"{self.id}={self.kind}" if self.kind else self.id

    @property
    def costly(self) -> bool:
        """Whether one violation takes thousands of outcomes: then shrinking asks for few."""
        return False

    @property
    def least(self) -> int:
        """How many outcomes the smallest probe asks for."""
        return 8

    @property
    def aside(self) -> str:
        """What the check leaves aside, for whoever reads that the property holds; "" if nothing."""
        return ""

    def bound(self, tried: int, probes: int) -> str | None:
        """Return what a search without a find says, where it is no share of profiles; else None."""
        return None

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Say why the property does not apply to this mechanism, or None."""
        return None

    def draw(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Cases:
        """Draw about ``count`` alternatives: ``ways`` names how profiles and how reports are drawn (`sampling`)."""
        raise NotImplementedError  # pragma: no cover - every property has its own

    def probe(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Probe:
        """Look at about ``count`` alternatives and return the worst case among them."""
        cases = self.draw(mechanism, rng, ways, count)
        found = self.violation(mechanism, cases)
        worst, sized = (
            tuple(int(x) for x in np.unravel_index(int(np.argmax(by)), found.shape))
            for by in (found, found / size(cases))
        )
        return Probe(cases.one(*worst), float(found[worst]), found.size, len(found), cases.one(*sized))

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return by how much each case breaks the property, ``[P, R]``; at most 0: not at all."""
        raise NotImplementedError  # pragma: no cover - every property has its own

    def check(self, mechanism: DirectMechanism, cases: Cases) -> Check:
        """Measure given cases, each against its own tolerance: no large case hides what breaks a small one.

        `InvalidMechanismError` if there is no case: nothing would have been looked at.
        """
        found = self.violation(mechanism, cases)
        if found.size == 0:
            raise InvalidMechanismError(f"no case to check {self.name} on; expected one profile at least")
        worst: Check | None = None
        for place in np.argsort(-found, axis=None, kind="stable"):
            amount = float(found.flat[place])
            # none from here on is above its tolerance, or further above it: tolerances are MONEY at least
            if worst is not None and (amount <= MONEY or amount / MONEY <= worst.violation / worst.tolerance):
                break
            profile, alternative = (int(x) for x in np.unravel_index(place, found.shape))
            together = cases.after is not None and cases.after.shape[1] > found.shape[1]  # one cycle through all
            case = cases.rows(np.array([profile])) if together else cases.one(profile, alternative)
            numbers = self.numbers(mechanism, case)
            tolerance = self.tolerance(numbers)
            if worst is None or amount / tolerance > worst.violation / worst.tolerance:
                tell = partial(self.sentence, mechanism, case, numbers)
                worst = Check(self.name, case, amount, tolerance, (profile, alternative), found.size, tell)
        assert worst is not None
        return worst

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Return what one case gives, by name: utilities before and after (what a witness shows)."""
        before = answer(mechanism, case.before)
        found = {"utility_before": utilities(mechanism, case.types, before)[0].tolist()}
        found["payment_before"] = payments(mechanism, case.before, before)[0].tolist()
        if case.after is not None:
            after = answer(mechanism, case.after[:, 0])
            found["utility_after"] = utilities(mechanism, case.types, after)[0].tolist()
            found["payment_after"] = payments(mechanism, case.after[:, 0], after)[0].tolist()
        return found

    def tolerance(self, numbers: dict[str, list[float]]) -> float:
        """Return `MONEY` times the scale of the case: max(1, largest amount in it)."""
        return MONEY * max(1.0, *(abs(x) for row in numbers.values() for x in row))

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Return the case in words."""
        raise NotImplementedError  # pragma: no cover - every property has its own

    @property
    def blamed(self) -> str:
        """Whose answers vary where a violation is not found again."""
        return "the mechanism"

    @property
    def variant(self) -> dict[str, Any]:
        """The property's parameters, for the witness."""
        return {}


MOST_TOLD = 8
"""Agents, and numbers of one agent, that a sentence tells of."""


def row_words(mechanism: DirectMechanism, agent: int, row: Floats, only: NDArray[np.bool_] | None = None) -> str:
    """Write a type or report of an agent: "value 0.5", or several numbers by name; of many those furthest from 0."""
    space = mechanism.space
    keep = np.arange(space.k) if only is None else np.flatnonzero(only)
    told = np.sort(keep[np.argsort(-np.abs(row[keep]), kind="stable")[:MOST_TOLD]])
    words = [f"{space.number(agent, int(c))} {number(float(row[c]))}" for c in told]
    more = [f"{len(keep) - len(told)} more numbers"] if len(told) < len(keep) else []
    return ", ".join(words + more) or "the truth"


def profile_words(
    mechanism: DirectMechanism,
    row: Floats,
    numbers: Mapping[str, list[float]] | None = None,
    named: Iterable[int] = (),
    said: NDArray[np.bool_] | None = None,
    head: str = "",
) -> str:
    """Write the numbers of a profile in brackets, agent by agent, less those ``said`` before (bool ``[n, k]``).

    Of more than eight agents those are told whom the sentence has ``named``, then those who matter most (`_matter`),
    and how many others there are. Then comes what is public of these agents and of those said before, where it could be
    another number and is not 0, up to eight numbers; what kind of public numbers is left out. "" where nothing is left,
    or where the mechanism says that its profiles are too long to be listed.
    """
    if not getattr(mechanism, "lists_profiles", True):
        return ""
    space = mechanism.space
    left = space.private if said is None else space.private & ~said
    agents = np.flatnonzero(left.any(axis=1))
    told = agents
    if len(agents) > MOST_TOLD:
        matter = _matter(np.where(space.private, row, 0.0), numbers or {})
        matter[list(named)] = np.inf
        matter = matter[agents]
        first = np.argsort(-matter, kind="stable")[:MOST_TOLD]
        told = np.sort(agents[first[matter[first] > MONEY]])
    parts = [_agent_words(mechanism, int(a), row, left) for a in told]
    if len(told) < len(agents):
        parts.append(f"{len(agents) - len(told)} {'others' if parts else 'agents'} not listed")
    parts[:1] = [head + part for part in parts[:1]]
    public = ~space.private & (space.low < space.high) & (row != 0.0)
    meant = np.isin(np.arange(space.agents), told) | (False if said is None else said.any(axis=1))
    known = public & meant[:, None]
    if 0 < known.sum() <= MOST_TOLD:
        those = (_agent_words(mechanism, int(a), row, known) for a in np.flatnonzero(known.any(axis=1)))
        parts.append(f"public: {'; '.join(those)}")
        public &= ~known
    names = dict.fromkeys(space.names[c].rstrip("0123456789").rstrip("_") for c in np.flatnonzero(public.any(axis=0)))
    parts += [f"public numbers left out: {', '.join(names)}"] if names else []
    return f" ({'; '.join(parts)})" if parts else ""


def _agent_words(mechanism: DirectMechanism, agent: int, row: Floats, only: NDArray[np.bool_]) -> str:
    """Write numbers of one agent in a list."""
    return f"{mechanism.space.short(agent)}: {row_words(mechanism, agent, row[agent], only[agent])}"


def _matter(row: Floats, numbers: Mapping[str, list[float]]) -> Floats:
    """Return by how much each agent matters to a story: what changes for it; else what it has; else what it reports."""
    rows = {name: np.asarray(of) for name, of in numbers.items() if len(of) == len(row)}
    changes = [np.abs(of - rows[after]) for n, of in rows.items() if (after := n.replace("before", "after")) in rows]
    for moves in (changes, [np.abs(of) for of in rows.values()]):
        if (total := np.sum([np.zeros(len(row)), *moves], axis=0)).max() > MONEY:
            return np.asarray(total)
    return np.asarray(np.abs(row).sum(axis=1))


@dataclass(frozen=True)
class Profiles(Property):
    """A property of single profiles, everyone truthful: no alternative reports."""

    def draw(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Cases:
        """Draw truthful profiles."""
        types = sampling.PROFILES[ways[0]](mechanism.space, rng, count)
        return truthful(types)


@dataclass(frozen=True)
class Deviations(Property):
    """A property of one agent's other reports, all else as it is."""

    def draw(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Cases:
        """Draw truthful profiles, in each an agent with private numbers, and eight other reports of it."""
        space = mechanism.space
        types = sampling.PROFILES[ways[0]](space, rng, max(1, count // 8))
        agent = rng.choice(np.flatnonzero(space.private.any(axis=1)), len(types))
        rows, everything = np.arange(len(types)), np.ones(space.k, dtype=np.bool_)
        after = np.repeat(types[:, None], 8, axis=1)
        after[rows, :, agent] = sampling.reports(space, rng, types, agent, 8, everything, ways[1])
        return Cases(types, types, after, agent[:, None] == np.arange(space.agents))


def change(mechanism: DirectMechanism, cases: Cases) -> tuple[Floats, Floats]:
    """Return utilities ``[P, 1, n]`` before and ``[P, R, n]`` after, at the true types."""
    p, r, n, k = cases.reported.shape
    before = utilities(mechanism, cases.types, answer(mechanism, cases.before))
    types = cases.types if r == 1 else np.repeat(cases.types, r, axis=0)
    after = utilities(mechanism, types, answer(mechanism, cases.reported.reshape(p * r, n, k)))
    return before[:, None, :], after.reshape(p, r, n)
