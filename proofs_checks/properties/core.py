"""The core: no coalition of agents could do better on its own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.wording import letters, listed, number
from proofs_checks.properties.property import Profiles, profile_words
from proofs_checks.search.cases import Cases, answer

_MOST_AGENTS = 10


@dataclass(frozen=True)
class Core(Profiles):
    """sum of payoffs in T >= v(T) for every coalition T (all 2^n - n - 1 of two or more agents are asked)."""

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Needs payoffs and the value of coalitions, and few agents."""
        if not (hasattr(mechanism, "payoffs") and hasattr(mechanism, "coalition_value")):
            return "the mechanism does not say what coalitions could have on their own"
        if mechanism.space.agents > _MOST_AGENTS:
            return f"{mechanism.space.agents} agents have too many coalitions; expected at most {_MOST_AGENTS}"
        return None

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return the largest v(T) less the payoffs of T ``[P, 1]``."""
        return self._excess(mechanism, cases.types).max(axis=0)[:, None]

    def _excess(self, mechanism: DirectMechanism, types: Floats) -> Floats:
        payoffs = np.asarray(mechanism.payoffs(types, answer(mechanism, types)))  # type: ignore[attr-defined]
        values = [
            np.asarray(mechanism.coalition_value(types, t)) - payoffs[:, list(t)].sum(axis=1)  # type: ignore[attr-defined]
            for t in coalitions(mechanism.space.agents)
        ]
        return np.stack(values)

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Payoffs, the blocking coalition (members from 0) and what it can have."""
        excess = self._excess(mechanism, case.types)[:, 0]
        team = coalitions(mechanism.space.agents)[int(np.argmax(excess))]
        payoffs = np.asarray(mechanism.payoffs(case.types, answer(mechanism, case.types)))[0]  # type: ignore[attr-defined]
        value = np.asarray(mechanism.coalition_value(case.types, team))  # type: ignore[attr-defined]
        return {"payoff": payoffs.tolist(), "members": [float(a) for a in team], "value": value.tolist()}

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Who blocks."""
        team = [int(a) for a in numbers["members"]]
        names = listed(letters(a) for a in team)
        return (
            f"{names} have {number(sum(numbers['payoff'][a] for a in team))} and could have "
            f"{number(numbers['value'][0])} on their own{profile_words(mechanism, case.before[0])}"
        )


def coalitions(agents: int) -> list[tuple[int, ...]]:
    """Return all coalitions of two or more agents, small ones first."""
    return [t for size in range(2, agents + 1) for t in combinations(range(agents), size)]


FAMILY = (Core.stated("core", "sum_{i in T} U_i >= v(T) for every coalition T"),)
