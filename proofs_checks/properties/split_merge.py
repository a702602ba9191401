"""Identities: an agent that takes part as two, two that take part as one."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mechanism.direct import DirectMechanism, Floats, SingleParameter
from mechanism.errors import MarketProofError
from mechanism.wording import number
from proofs_checks.properties.property import Property, Rng, profile_words, row_words
from proofs_checks.search import sampling
from proofs_checks.search.cases import Cases, answer, part, utilities
from proofs_checks.search.lines import linear


def resized(mechanism: DirectMechanism, agents: int) -> DirectMechanism | None:
    """Return the same rule for another number of agents, or None if it cannot be had."""
    if not hasattr(mechanism, "resized"):
        return None
    try:
        other: DirectMechanism = mechanism.resized(agents)
        return other if other.space.agents == agents else None
    except (MarketProofError, ValueError, TypeError, AttributeError):  # None has no space
        return None


def sellers_only(mechanism: DirectMechanism, types: Floats, *agents: int) -> Floats:
    """Return profiles in which these clients want no model: only what is sold is split or merged."""
    if "gain" in mechanism.space.names:
        types = types.copy()
        types[:, list(agents), mechanism.space.index("gain")] = 0.0
    return types


def _changed(mechanism: DirectMechanism, name: str, other: DirectMechanism, profiles: Floats, *how: Any) -> Floats:
    """Return the profiles that ``split`` or ``merge`` makes of these, for the ``other`` number of agents."""
    return part(mechanism, name, profiles, profiles, *how, shape=(len(profiles), other.space.agents, other.space.k))


@dataclass(frozen=True)
class Identity(Property):
    """A property of who takes part; ``cost_rule``: what the parts of a whole cost, by default ``usual``."""

    usual: ClassVar[str]
    cost_rule: str

    @property
    def kind(self) -> str:
        """The usual cost if nothing is said."""
        return "" if self.cost_rule == self.usual else self.cost_rule

    @property
    def variant(self) -> dict[str, Any]:
        """What the parts cost."""
        return {"cost_rule": self.cost_rule}


@dataclass(frozen=True)
class SplitProof(Identity):
    """No agent gains by taking part as two.

    In a market its data are split in two parts (``share`` and the rest, same differences); ``cost_rule`` "twice": each
    part costs what the whole did, "half": half of it. Elsewhere: false names, two reports of the agent's choice.
    """

    usual = "twice"
    cost_rule: str = usual

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Needs the rule for one agent more, and what two names are worth to one agent."""
        sums = hasattr(mechanism, "joint") and (linear(mechanism) or not isinstance(mechanism, SingleParameter))
        if not (hasattr(mechanism, "split") or sums):
            return "the mechanism does not say what two names are worth to one agent"
        if self.kind and not hasattr(mechanism, "split"):
            return "a second name costs nothing here that could be halved; ask for split-proof"
        if resized(mechanism, mechanism.space.agents + 1) is None:
            return "the mechanism is not given for one agent more"
        return None

    def draw(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Cases:
        """One agent and one share per batch in a market; two drawn reports per profile elsewhere."""
        space = mechanism.space
        types = sampling.PROFILES[ways[0]](space, rng, max(1, count // 2))
        number = len(types)
        if hasattr(mechanism, "split"):
            agent = np.full(number, rng.integers(space.agents))
            types = sellers_only(mechanism, types, agent[0])
            share = np.full(number, 0.5 if rng.random() < 0.6 else float(rng.choice([0.1, 0.2, 0.25, 0.3, 0.4])))
            return Cases(types, types, extra=(("agent", agent), ("share", share)))
        agent = rng.integers(0, space.agents, number)
        everything = np.ones(space.k, dtype=np.bool_)
        first = sampling.reports(space, rng, types, agent, 1, everything, ways[1])[:, 0]
        second = sampling.reports(space, rng, types, agent, 1, everything, str(rng.choice(sampling.REPORTS)))[:, 0]
        truthful = rng.random(number) < 0.3
        first[truthful] = types[np.flatnonzero(truthful), agent[truthful]]
        if space.k > 1:  # names that ask for one thing each, nothing of the rest
            parts = rng.random((number, space.k)) < 0.5
            modest = rng.random(number) < 0.5
            first[modest] = np.where(parts, first, space.low[agent])[modest]
            second[modest] = np.where(parts, space.low[agent], second)[modest]
        return Cases(types, types, extra=(("agent", agent), ("first", first), ("second", second)))

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return what taking part as two adds ``[P, 1]``."""
        whole, parts = self._both(mechanism, cases)
        return np.asarray((parts - whole)[:, None])

    def _both(self, mechanism: DirectMechanism, cases: Cases) -> tuple[Floats, Floats]:
        agent, n = cases.more("agent"), mechanism.space.agents
        if not ((agent >= 0) & (agent < n)).all():
            raise IndexError(f"agent is none of 0 to {n - 1}")
        agent = agent.astype(np.intp)
        larger = resized(mechanism, n + 1)
        if larger is None:
            raise MarketProofError("the mechanism is not given for one agent more")
        rows = np.arange(len(agent))
        whole = utilities(mechanism, cases.types, answer(mechanism, cases.before))[rows, agent]
        parts = np.empty(len(agent))
        if hasattr(mechanism, "split"):
            share = cases.more("share")
            for a, s in {(int(a), float(s)) for a, s in zip(agent, share, strict=True)}:
                at = np.flatnonzero((agent == a) & (share == s))
                profiles = _changed(mechanism, "split", larger, cases.types[at], a, s, self.cost_rule)
                found = utilities(larger, profiles, answer(larger, profiles))
                parts[at] = found[:, a] + found[:, n]
            return whole, parts
        reports = np.concatenate([cases.before, cases.more("second")[:, None]], axis=1)
        reports[rows, agent] = cases.more("first")
        types = np.concatenate([cases.types, cases.types[rows, agent][:, None]], axis=1)
        outcome = answer(larger, reports)
        for a in np.unique(agent):
            at = agent == a
            parts[at] = part(larger, "joint", types, types, outcome, int(a), n, shape=types.shape[:1])[at]
        return whole, parts

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Utility as one and as two."""
        whole, parts = self._both(mechanism, case)
        return {"utility_as_one": whole.tolist(), "utility_as_two": parts.tolist()}

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """How it splits, and what that brings."""
        a = int(case.more("agent")[0])
        if hasattr(mechanism, "split"):
            how = f"with {number(float(case.more('share')[0]))} of its data under another name, each name at " + (
                "the whole cost" if self.cost_rule == "twice" else "half the cost"
            )
        else:
            private = mechanism.space.private[a]
            names = [row_words(mechanism, a, case.more(w)[0], private) for w in ("first", "second")]
            how = f"under two names that report {names[0]} and {names[1]}"
        return (
            f"{mechanism.space.who(a)} has {number(numbers['utility_as_one'][0])} as one and "
            f"{number(numbers['utility_as_two'][0])} as two, {how}"
            f"{profile_words(mechanism, case.before[0], numbers, [a])}"
        )


@dataclass(frozen=True)
class MergeProof(Identity):
    """No two agents gain by taking part as one; ``cost_rule``: it costs their "sum" or the "min" of them."""

    usual = "sum"
    cost_rule: str = usual

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Needs `merge` and the rule for one agent less."""
        if not hasattr(mechanism, "merge"):
            return "the mechanism does not say how two agents merge"
        if resized(mechanism, mechanism.space.agents - 1) is None:
            return "the mechanism is not given for one agent less"
        return None

    def draw(self, mechanism: DirectMechanism, rng: Rng, ways: tuple[str, str], count: int) -> Cases:
        """One pair per batch."""
        types = sampling.PROFILES[ways[0]](mechanism.space, rng, max(1, count // 2))
        pair = np.sort(rng.permutation(mechanism.space.agents)[:2])
        types = sellers_only(mechanism, types, *pair)
        return Cases(types, types, extra=(("pair", np.broadcast_to(pair, (len(types), 2))),))

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return what merging adds to the sum of the two utilities ``[P, 1]``."""
        apart, together = self._both(mechanism, cases)
        return np.asarray((together - apart)[:, None])

    def _both(self, mechanism: DirectMechanism, cases: Cases) -> tuple[Floats, Floats]:
        smaller = resized(mechanism, mechanism.space.agents - 1)
        if smaller is None:
            raise MarketProofError("the mechanism is not given for one agent less")
        pairs, n = cases.more("pair"), mechanism.space.agents
        if not ((pairs >= 0) & (pairs < n)).all():
            raise IndexError(f"a pair names an agent that is none of 0 to {n - 1}")
        pairs = pairs.astype(np.intp)
        utility = utilities(mechanism, cases.types, answer(mechanism, cases.before))
        apart = np.take_along_axis(utility, pairs, axis=1).sum(axis=1)
        together = np.empty(len(pairs))
        for a, b in {(int(a), int(b)) for a, b in pairs}:
            at = np.flatnonzero((pairs == (a, b)).all(axis=1))
            profiles = _changed(mechanism, "merge", smaller, cases.types[at], a, b, self.cost_rule)
            together[at] = utilities(smaller, profiles, answer(smaller, profiles))[:, a]
        return apart, together

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Sum of the two utilities, and the utility of the merged one."""
        apart, together = self._both(mechanism, case)
        return {"utility_apart": apart.tolist(), "utility_together": together.tolist()}

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Who merges, and what that brings."""
        pair = [int(x) for x in case.more("pair")[0]]
        a, b = (mechanism.space.who(x) for x in pair)
        cost = "the sum of their costs" if self.cost_rule == "sum" else "the lower of their costs"
        return (
            f"{a} and {b} have {number(numbers['utility_apart'][0])} in all as two and "
            f"{number(numbers['utility_together'][0])} as one at {cost}"
            f"{profile_words(mechanism, case.before[0], numbers, pair)}"
        )


FAMILY = (
    SplitProof.stated("split-proof", "U_j + U_j' as two <= U_j as one"),
    MergeProof.stated("merge-proof", "U_jk as one <= U_j + U_k as two"),
    SplitProof(
        "split-proof",
        "no client gains by selling as two, each of them at half its cost",
        "U_j + U_j' as two at c_j/2 each <= U_j as one at c_j",
        cost_rule="half",
    ),
    MergeProof(
        "merge-proof",
        "no two clients gain by selling as one at the lower of their costs",
        "U_jk as one at min(c_j, c_k) <= U_j + U_k as two",
        cost_rule="min",
    ),
)
