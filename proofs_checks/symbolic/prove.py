"""Properties of code, proved for the declared number of agents or refuted: every region of a rule in exact arithmetic.

The proof is of the code in exact arithmetic: its floats round, up to the last bits. Reports are asked one profile at a
time; the code's own floats, many profiles at once, are compared in the middle of every region.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.errors import MarketProofError
from proofs_checks.properties.property import Property
from proofs_checks.properties.registry import PROPERTY, properties
from proofs_checks.search.cases import Cases, DependsOnBatch, answer, truthful
from proofs_checks.search.sampling import uniform
from proofs_checks.symbolic.affine import AT_LEAST, GREATER, Affine, Exact, GivesUp
from proofs_checks.symbolic.farkas import Constraint, Multipliers, read
from proofs_checks.symbolic.points import breaking, centre
from proofs_checks.symbolic.questions import Profiles, difference, question, shared
from proofs_checks.symbolic.regions import (
    Box,
    Checking,
    Explorer,
    Fork,
    Proving,
    Reasoner,
    Region,
    entered,
    leave,
    leaves,
    region_at,
    walls,
    within,
)

FORMAT = "marketproof-code-proof-1"
TOLERANCE = Fraction(1, 10**9)
"""What a violation may amount to in a proof: the tolerance of money of the smallest scale."""

MOST_REGIONS = 20_000
_MISFITS = 30
_COMPARED = 200
_NEAR = 1e-9
Tree = Fork[list[Affine]] | Region[list[Affine]]


@dataclass(frozen=True, eq=False)
class CodeProof:
    """A property of the code, proved for so many agents on the declared bounds."""

    property: str
    agents: int
    regions: int
    pairs: int
    words: str
    certificate: dict[str, Any]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> CodeProof:
        """Return what a certificate proves, where `check_code_proof` accepts it."""
        over = f"{told['regions']} regions" + (f", {told['pairs']} pairs of truth and lie" if told["pairs"] else "")
        words = (
            f"proved (code, n = {told['agents']}): in exact arithmetic on the declared bounds, no violation above 1e-9 "
            f"in any of {over}; the code's own rounding aside"
        )
        return cls(told["property"], told["agents"], told["regions"], told["pairs"], words, dict(told))

    def to_dict(self) -> dict[str, Any]:
        """Return what a verdict says."""
        return {
            "grade": "proved", "agents": self.agents, "regions": self.regions, "pairs": self.pairs,
            "words": self.words, "certificate": self.certificate,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class CodeRefutation:
    """A case, found in a region, in which the code's own floats break the property."""

    property: str
    case: Cases
    violation: float


@dataclass(frozen=True)
class GaveUp:
    """Neither: why. ``broken``: the property it would follow from, where that was found not to hold."""

    property: str
    reason: str
    broken: str | None = None


def prove_code(mechanism: DirectMechanism, property_name: str, seconds: float) -> CodeProof | CodeRefutation | GaveUp:
    """Decide a property of a rule made of comparisons and linear payments."""
    prop = properties([property_name], mechanism.space.names)[0]
    if (reason := prop.missing(mechanism)) is not None:
        return GaveUp(property_name, f"does not apply: {reason}")
    of = next((name for name in (property_name, *prop.follows) if question(mechanism, name) is not None), None)
    of = "dsic" if property_name == "group-dsic" else of
    if of is None:
        return GaveUp(property_name, "not a property that regions decide")
    deadline, record = time.perf_counter() + seconds, list[Multipliers | None]()
    attempt = _Attempt(mechanism, PROPERTY[of], lambda box: Proving(box, deadline, record))
    try:
        found = attempt.refutation()
    except DependsOnBatch:
        raise
    except (GivesUp, MarketProofError) as why:
        return GaveUp(property_name, str(why))
    if found is not None:
        if prop.id in (of, "group-dsic"):
            return CodeRefutation(property_name, found, float(prop.violation(mechanism, found).max()))
        return GaveUp(property_name, f"{of}, from which it would follow, does not hold", of)
    if property_name == "group-dsic":
        return GaveUp(property_name, "no agent alone gains by a lie; coalitions of several are not decided by regions")
    certificate = {
        "format": FORMAT, **_about(mechanism, property_name, of), "regions": attempt.regions, "pairs": attempt.pairs,
        "refutations": [None if m is None else " ".join(f"{k}:{v}" for k, v in m.items()) for m in record],
    }  # fmt: skip
    return CodeProof.of(certificate)


def check_code_proof(mechanism: DirectMechanism, certificate: Mapping[str, Any]) -> list[str]:
    """Run the code through all regions again, add up every refutation, and return what is wrong ([]: proved)."""
    try:
        about = _about(mechanism, str(certificate["property"]), str(certificate["of"]))
        if certificate["format"] != FORMAT or any(certificate[name] != value for name, value in about.items()):
            return ["the certificate is about another mechanism, number of agents, bounds or property"]
        prop, of = properties([about["property"]], mechanism.space.names)[0], about["of"]
        if of not in (prop.id, *prop.follows):
            return [f"{prop.id} does not follow from {of}"]
        record = [None if m is None else read(m) for m in certificate["refutations"]]
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        return [f"the certificate is incomplete: {type(error).__name__}: {str(error)[:80]}"]
    entries = iter(record)
    attempt = _Attempt(mechanism, PROPERTY[of], lambda box: Checking(box, entries))
    try:
        if any(True for _ in attempt.open()):
            return ["the certificate leaves a region open"]
        attempt.compare()
    except GivesUp as why:
        return [str(why)]
    if next(entries, record) is not record:
        return ["the certificate goes on after the proof"]
    if (attempt.regions, attempt.pairs) != (certificate["regions"], certificate["pairs"]):
        return ["the certificate counts other regions"]
    return []


def _about(mechanism: DirectMechanism, name: str, of: str) -> dict[str, Any]:
    space = mechanism.space
    return {
        "mechanism": str(getattr(mechanism, "name", type(mechanism).__name__)), "property": name, "of": of,
        "agents": space.agents, "names": list(space.names), "low": space.low.tolist(), "high": space.high.tolist(),
        "tolerance": str(TOLERANCE),
    }  # fmt: skip


class _Attempt:
    """One property of one mechanism, region by region; ``reasoner`` finds refutations or reads them."""

    def __init__(self, mechanism: DirectMechanism, prop: Property, reasoner: Callable[[Box], Reasoner]) -> None:
        asked = question(mechanism, prop.id)
        assert asked is not None
        self.mechanism, self.prop, self.asked, self._reasoner = mechanism, prop, asked, reasoner
        self.profiles = Profiles(mechanism)
        self.regions = self.pairs = 0
        self.tree: Tree | None = None

    def _explored(self, liar: int | None = None, coordinates: tuple[int, ...] = ()) -> Tree:
        explorer: Explorer[list[Affine]] = Explorer(self._reasoner(self.profiles.box(liar, coordinates)), MOST_REGIONS)
        return explorer.run(lambda: self.profiles.measured(explorer, self.asked.measure, liar, coordinates))

    def truth(self) -> Tree:
        """Return the regions of truthful profiles."""
        space = self.mechanism.space
        if (space.integer & (space.low < space.high).any(axis=0)).any():
            raise GivesUp("its reports are whole numbers, its regions would be of real ones")
        if not self.profiles.box():
            raise GivesUp("there is one profile only: nothing varies")
        if self.asked.lie and getattr(self.mechanism, "interdependent", None):
            raise GivesUp("an agent's utility depends on others' types")
        self.tree = self._explored()
        self.regions = len(leaves(self.tree))
        return self.tree

    def open(self) -> Iterator[tuple[int | None, tuple[int, ...], Constraint, Reasoner]]:
        """Yield every region (or pair) in which a violation is not refuted, as long as its constraints are assumed."""
        tree = self.truth() if self.tree is None else self.tree
        if not self.asked.lie:
            reasoner = self._reasoner(self.profiles.box())
            for forms in within(tree, reasoner, known=True):
                for form in forms:
                    broken = Constraint(form.terms, form.constant - TOLERANCE, GREATER)
                    if not reasoner.refuted(broken):
                        yield None, (), broken, reasoner
            return
        # where few regions give what they give a break hides, if anywhere: those come first, for every agent
        others: dict[int, Tree] = {}
        for odd in (True, False):
            for agent in range(self.mechanism.space.agents):
                if coordinates := self.profiles.lies(agent, self.asked.upwards):
                    if odd:
                        others[agent] = self._explored(agent, coordinates)
                    yield from self._lies(tree, others[agent], agent, coordinates, odd)

    def _lies(self, tree: Tree, other: Tree, agent: int, coordinates: tuple[int, ...], odd: bool) -> Iterator[Any]:
        reasoner = self._reasoner(self.profiles.box(agent, coordinates))
        space = self.mechanism.space
        if self.asked.upwards:
            said, own = space.agents * space.k + coordinates[0], agent * space.k + coordinates[0]
            reasoner.assume(Constraint({said: 1, own: -1}, 0, GREATER))
        passes = [(shared(tree, agent, odd), other, 1), *([(shared(other, agent, odd), tree, -1)] if odd else [])]
        for region, second, sign in ((region, second, sign) for found, second, sign in passes for region in found):
            for forms in within(second, reasoner) if entered(reasoner, region.path, self.asked.upwards) else ():
                self.pairs += 1
                terms, constant = difference(forms[agent], region.result[agent], sign * self.asked.sign)
                broken = Constraint(terms, constant - TOLERANCE, GREATER)
                if not reasoner.refuted(broken):
                    yield agent, coordinates, broken, reasoner
            leave(reasoner, region.path)

    def refutation(self) -> Cases | None:
        """Return a case that breaks the property, in the code's own floats; None if every region is proved.

        `GivesUp` if neither is so.
        """
        self.truth()
        self.compare()
        misfits = 0
        for agent, coordinates, broken, reasoner in self.open():
            for point in breaking(reasoner.path, broken):
                case = self._case(point, agent, coordinates)
                if not self.prop.check(self.mechanism, case).holds:
                    return case
            misfits += 1
            if misfits == _MISFITS:
                break
        if misfits:
            raise GivesUp("in exact arithmetic it breaks, by more than 1e-9, but not where its floats were asked")
        return None

    def _floats(self, point: Mapping[int, Exact]) -> Floats:
        """Return a profile ``[n, k]`` in floats, within the bounds."""
        space = self.mechanism.space
        flat = [float(point.get(v, low)) for v, low in enumerate(space.low.ravel().tolist())]
        return np.clip(np.reshape(flat, space.low.shape), space.low, space.high)

    def _case(self, point: Mapping[int, Exact], agent: int | None, coordinates: tuple[int, ...]) -> Cases:
        space = self.mechanism.space
        types = self._floats(point)
        if agent is None:
            return truthful(types[None])
        after, who = types.copy(), np.arange(space.agents) == agent
        for c in coordinates:
            after[agent, c] = np.clip(
                float(point[space.agents * space.k + c]), space.low[agent, c], space.high[agent, c]
            )
        return Cases(types[None], types[None], after[None, None], who[None])

    def compare(self) -> None:
        """Ask the code in floats, all profiles in one batch: in the middle of every region (of 200), and anywhere.

        `GivesUp` or `DependsOnBatch` if it gives something else than its regions say, where no comparison is near a
        tie.
        """
        assert self.tree is not None
        found = leaves(self.tree)
        box, every = walls(self.profiles.box()), -(-len(found) // _COMPARED)
        middles = [self._floats(p) for region in found[::every] if (p := centre([*box, *region.path])) is not None]
        anywhere = uniform(self.mechanism.space, np.random.default_rng(0), _COMPARED)
        batch = np.concatenate([*(m[None] for m in middles), anywhere])
        seen = np.asarray(self.asked.measure(self.mechanism, batch, answer(self.mechanism, batch)), dtype=np.float64)
        for row, values in zip(batch, seen.reshape(len(batch), -1), strict=True):
            point = {v: Fraction(x) for v, x in enumerate(row.ravel().tolist())}
            forms, nearest = region_at(self.tree, point)
            expected = np.array([float(Constraint(f.terms, f.constant, AT_LEAST).at(point)) for f in forms])
            size = max(1.0, float(np.abs(row).max()))
            if nearest > _NEAR * size and not np.allclose(values, expected, rtol=_NEAR, atol=_NEAR * size):
                one = row[None]
                alone, again = (self.asked.measure(self.mechanism, one, answer(self.mechanism, one)) for _ in "ab")
                if np.array_equal(alone, again) and not np.allclose(np.ravel(alone), values, _NEAR, _NEAR * size):
                    raise DependsOnBatch(row)
                raise GivesUp(f"its floats give something else than its symbols at {np.round(row, 9).tolist()}")
