"""Who is left with what: individual rationality, budgets, efficiency, and the core."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.errors import InvalidMechanismError
from mechanism.wording import listed, number
from proofs_checks.properties.property import Profiles, profile_words
from proofs_checks.search.cases import Cases, answer, part, payments, utilities


@dataclass(frozen=True)
class OfOutcomes(Profiles):
    """A property of types and outcomes: it need not ask again for an outcome that is known."""

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return by how much each case breaks the property ``[P, 1]``."""
        return self.lack(mechanism, cases.types, answer(mechanism, cases.types))

    def lack(self, mechanism: DirectMechanism, types: Floats, outcome: Any) -> Floats:
        """Return the violation ``[P, 1]`` at an outcome."""
        raise NotImplementedError  # pragma: no cover - every property has its own


@dataclass(frozen=True)
class Rational(OfOutcomes):
    """U_i(θ) >= 0; ``part`` "buyer" or "seller" looks at that part of each utility only."""

    part: str | None = None

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Staying out must be possible; roles need `parts`."""
        if not getattr(mechanism, "voluntary", True):
            return "there is no staying out of this mechanism"
        if self.part is None or hasattr(mechanism, "parts"):
            return None
        return f"the mechanism does not say which part of a utility is a {self.part}'s"

    def _utility(self, mechanism: DirectMechanism, types: Floats, outcome: Any) -> Floats:
        if self.part is not None and hasattr(mechanism, "parts"):
            return part(mechanism, "parts", types, types, outcome, entry=self.part)
        return utilities(mechanism, types, outcome)

    def lack(self, mechanism: DirectMechanism, types: Floats, outcome: Any) -> Floats:
        """Return minus the lowest utility ``[P, 1]``."""
        return np.asarray(-self._utility(mechanism, types, outcome).min(axis=1, keepdims=True))

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Utilities (of the part) and payments."""
        outcome = answer(mechanism, case.before)
        return {
            "utility": self._utility(mechanism, case.types, outcome)[0].tolist(),
            "payment": payments(mechanism, case.before, outcome)[0].tolist(),
        }

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Who is left with less than nothing."""
        worst = int(np.argmin(numbers["utility"]))
        role = f" as a {self.part}" if self.part else ""
        return (
            f"{mechanism.space.who(worst)} tells the truth and is left with {number(numbers['utility'][worst])}{role}"
            f"{profile_words(mechanism, case.before[0], numbers, [worst])}"
        )


@dataclass(frozen=True)
class Balanced(OfOutcomes):
    """Payments sum to zero, or (``weak``) to at least zero."""

    weak: bool = False

    def lack(self, mechanism: DirectMechanism, types: Floats, outcome: Any) -> Floats:
        """Return the imbalance, or the centre's loss, ``[P, 1]``."""
        total = payments(mechanism, types, outcome).sum(axis=1, keepdims=True)
        return np.asarray(-total if self.weak else np.abs(total))

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Payments."""
        return {"payment": payments(mechanism, case.before, answer(mechanism, case.before))[0].tolist()}

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Return what the centre is left with."""
        return (
            f"payments sum to {number(float(np.sum(numbers['payment'])))}"
            f"{profile_words(mechanism, case.before[0], numbers)}"
        )


_ABOVE = 1e-6  # share of the optimum that a welfare may be above it: rounding


@dataclass(frozen=True)
class Efficient(Profiles):
    """The outcome's welfare is the largest feasible one at the reported types."""

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Needs welfare and a declared optimum."""
        if not (hasattr(mechanism, "welfare") and hasattr(mechanism, "optimal_welfare")):
            return "no welfare or optimum is declared"
        if getattr(mechanism, "optimum", True) is None:
            return "the mechanism declares no optimum (pass optimum= to say what is feasible)"
        return None

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return the optimum less the welfare reached ``[P, 1]``.

        `InvalidMechanismError` if more is reached than the mechanism says that can be: then one of the two is wrong.
        """
        best, reached = self._optimum(mechanism, cases.types), self._reached(mechanism, cases.types)
        above = reached - best > _ABOVE * np.maximum(1.0, np.abs(best))
        if above.any():
            row = int(above.argmax())
            more, most = number(float(reached[row])), number(float(best[row]))
            raise InvalidMechanismError(
                f"a welfare of {more} is above the declared optimum of {most} at the profile "
                f"{np.round(cases.types[row], 12).tolist()}; expected the largest welfare that is feasible"
            )
        return np.asarray((best - reached)[:, None])

    def _reached(self, mechanism: DirectMechanism, types: Floats) -> Floats:
        return part(mechanism, "welfare", types, types, answer(mechanism, types), shape=types.shape[:1])

    def _optimum(self, mechanism: DirectMechanism, types: Floats) -> Floats:
        return part(mechanism, "optimal_welfare", types, types, shape=types.shape[:1])

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Welfare reached and reachable."""
        return {
            "welfare": self._reached(mechanism, case.types).tolist(),
            "optimum": self._optimum(mechanism, case.types).tolist(),
        }

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Welfare reached and reachable."""
        return (
            f"welfare {number(numbers['welfare'][0])} where {number(numbers['optimum'][0])} is feasible"
            f"{profile_words(mechanism, case.before[0], numbers)}"
        )


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
        payoffs = self._payoffs(mechanism, types)
        teams = coalitions(mechanism.space.agents)
        return np.stack([self._value(mechanism, types, team) - payoffs[:, list(team)].sum(axis=1) for team in teams])

    def _payoffs(self, mechanism: DirectMechanism, types: Floats) -> Floats:
        return part(mechanism, "payoffs", types, types, answer(mechanism, types))

    def _value(self, mechanism: DirectMechanism, types: Floats, team: tuple[int, ...]) -> Floats:
        return part(mechanism, "coalition_value", types, types, team, shape=types.shape[:1])

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Payoffs, the blocking coalition (members from 0) and what it can have."""
        excess = self._excess(mechanism, case.types)[:, 0]
        team = coalitions(mechanism.space.agents)[int(np.argmax(excess))]
        payoffs, value = self._payoffs(mechanism, case.types)[0], self._value(mechanism, case.types, team)
        return {"payoff": payoffs.tolist(), "members": [float(a) for a in team], "value": value.tolist()}

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Who blocks."""
        team = [int(a) for a in numbers["members"]]
        names = listed(mechanism.space.who(a) for a in team)
        return (
            f"{names} have {number(sum(numbers['payoff'][a] for a in team))} and could have "
            f"{number(numbers['value'][0])} on their own{profile_words(mechanism, case.before[0], numbers, team)}"
        )


def coalitions(agents: int) -> list[tuple[int, ...]]:
    """Return all coalitions of two or more agents, small ones first."""
    return [t for size in range(2, agents + 1) for t in combinations(range(agents), size)]


FAMILY = (
    Rational.stated("ir", "U_i(θ) >= 0 for all θ, i"),
    Rational.stated("ir-buyer", "the buyer's part of U_i(θ) >= 0", part="buyer"),
    Rational.stated("ir-seller", "the seller's part of U_i(θ) >= 0", part="seller"),
    Balanced.stated("budget-balance", "sum_i t_i = 0"),
    Balanced.stated("weak-budget-balance", "sum_i t_i >= 0", follows=("budget-balance",), weak=True),
    Efficient.stated("efficiency", "W(f(θ), θ) = max_x W(x, θ)"),
    Core.stated("core", "sum_{i in T} U_i >= v(T) for every coalition T"),
)
