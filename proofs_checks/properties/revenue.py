"""What the centre receives as bidders come and go."""

from dataclasses import dataclass

import numpy as np

from mechanism.direct import DirectMechanism, Floats
from mechanism.errors import MarketProofError
from mechanism.wording import number
from proofs_checks.properties.property import Profiles, profile_words
from proofs_checks.properties.split_merge import resized
from proofs_checks.search.cases import Cases, answer, payments


@dataclass(frozen=True)
class RevenueMonotone(Profiles):
    """R(θ) >= R(θ_-j) for every bidder j: one bidder more never lowers the sum of payments.

    Rastegari, Condon and Leyton-Brown 2011, "Revenue monotonicity in deterministic, dominant-strategy combinatorial
    auctions": dropping a bidder never increases revenue.
    """

    def missing(self, mechanism: DirectMechanism) -> str | None:
        """Needs the rule for one agent less, whose domain is that of those who stay."""
        if getattr(mechanism, "role", "buyer") != "buyer" or hasattr(mechanism, "parts"):
            return "agents are no bidders who pay the centre for what it sells"
        smaller = resized(mechanism, mechanism.space.agents - 1)
        if smaller is None:
            return "the mechanism is not given for one agent less"
        space, rest = mechanism.space, smaller.space
        if rest.names != space.names:
            return "what is public depends on who takes part"
        for left, whole in ((rest.low, space.low), (rest.high, space.high), (rest.private, space.private)):
            if any((left != np.delete(whole, j, axis=0)).any() for j in range(space.agents)):
                return "agents have different domains"
        try:
            profiles = np.stack([rest.low, 0.5 * (rest.low + rest.high), rest.high])
            profiles = np.where(rest.integer, np.floor(profiles), profiles)
            payments(smaller, profiles, answer(smaller, profiles))
        except MarketProofError:
            return "the mechanism does not answer one agent less"
        return None

    def violation(self, mechanism: DirectMechanism, cases: Cases) -> Floats:
        """Return by how much the best revenue without one bidder exceeds that with all ``[P, 1]``."""
        whole, without = self._revenues(mechanism, cases.types)
        return np.asarray(without.max(axis=0) - whole)[:, None]

    def _revenues(self, mechanism: DirectMechanism, types: Floats) -> tuple[Floats, Floats]:
        """Return the revenue ``[P]`` of all bidders, and ``[n, P]`` without each of them."""
        smaller = resized(mechanism, mechanism.space.agents - 1)
        if smaller is None:
            raise MarketProofError("the mechanism is not given for one agent less")
        rest = [np.delete(types, j, axis=1) for j in range(types.shape[1])]
        without = [payments(smaller, r, answer(smaller, r)).sum(axis=1) for r in rest]
        return payments(mechanism, types, answer(mechanism, types)).sum(axis=1), np.stack(without)

    def numbers(self, mechanism: DirectMechanism, case: Cases) -> dict[str, list[float]]:
        """Revenue of all, and without each bidder."""
        whole, without = self._revenues(mechanism, case.types)
        return {"revenue": whole.tolist(), "revenue_without": without[:, 0].tolist()}

    def sentence(self, mechanism: DirectMechanism, case: Cases, numbers: dict[str, list[float]]) -> str:
        """Whose coming lowers revenue."""
        who = int(np.argmax(numbers["revenue_without"]))
        return (
            f"the centre receives {number(numbers['revenue'][0])} and, without {mechanism.space.who(who)}, "
            f"{number(numbers['revenue_without'][who])}{profile_words(mechanism, case.before[0], numbers, [who])}"
        )


FAMILY = (RevenueMonotone.stated("revenue-monotonicity", "sum_i t_i(θ) >= sum_{i ≠ j} t_i(θ_-j) for every bidder j"),)
