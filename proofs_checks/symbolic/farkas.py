"""Why a system of linear inequalities has no solution: multipliers that anyone can add up (Farkas 1902)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proofs_checks.proofs.certificate import decode
from proofs_checks.symbolic.affine import AT_LEAST, EQUAL, GREATER, Exact, Terms, added


@dataclass(frozen=True, eq=False)
class Constraint:
    """terms · x + constant > 0, >= 0 or = 0, as ``relation`` says."""

    terms: Terms
    constant: Exact
    relation: str

    def at(self, point: Mapping[int, Exact]) -> Exact:
        """Return terms · x + constant at a point."""
        return self.constant + sum(coefficient * point[name] for name, coefficient in self.terms.items())

    def holds(self, point: Mapping[int, Exact]) -> bool:
        """Tell whether it holds at a point."""
        value = self.at(point)
        return value == 0 if self.relation == EQUAL else value > 0 or (value == 0 and self.relation == AT_LEAST)


def answers(terms: Terms, constant: Exact, question: str) -> list[tuple[bool, Constraint]]:
    """Return the answers to a question about a form, each with what it means; together they cover all, none overlap."""
    minus = {name: -coefficient for name, coefficient in terms.items()}
    above, below = Constraint(terms, constant, GREATER), Constraint(minus, -constant, GREATER)
    if question == EQUAL:
        return [(False, above), (False, below), (True, Constraint(terms, constant, EQUAL))]
    if question == GREATER:
        return [(True, above), (False, Constraint(minus, -constant, AT_LEAST))]
    assert question == AT_LEAST
    return [(True, Constraint(terms, constant, AT_LEAST)), (False, below)]


Multipliers = Mapping[int, Exact]
"""By position of the constraint."""


def refutes(system: Sequence[Constraint], multipliers: Multipliers) -> bool:
    """Tell whether the multipliers show that no point meets all constraints of the system.

    The sum of multiplier times (terms · x + constant) must have no x left. Each inequality's multiplier is at least 0,
    so at a solution the sum would be at least 0, and above it where a strict one takes part: a constant below 0, or 0
    with a strict one, is impossible.
    """
    terms: Terms = {}
    constant: Exact = 0
    strict = False
    for position, multiplier in multipliers.items():
        if not 0 <= position < len(system):
            return False
        constraint = system[position]
        if multiplier < 0 and constraint.relation != EQUAL:
            return False
        strict = strict or (multiplier > 0 and constraint.relation == GREATER)
        terms = added(terms, constraint.terms, multiplier) if multiplier else terms
        constant += multiplier * constraint.constant
    return not terms and (constant < 0 or (constant == 0 and strict))


def read(text: str) -> dict[int, Fraction]:
    """Read multipliers as certificates write them, "position:multiplier …"."""
    parts = [part.split(":") for part in text.split()]
    return {int(position): decode(Fraction, multiplier, "a multiplier") for position, multiplier in parts}
