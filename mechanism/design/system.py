"""Linear systems in fractions, and the two small checks on which everything here rests.

A system is a list of rows ``Σ coefficient · unknown >= bound`` or ``= bound``. A point is shown to satisfy it by
putting it in; that no point does, by Farkas: multipliers (>= 0 on inequalities) under which the rows add up to
``0 >= something positive``. Solvers find points and multipliers, these functions do not trust them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Row:
    """``Σ terms >= bound`` (``relation`` ">=") or ``= bound`` ("="); ``name`` says in words what it demands."""

    name: str
    terms: Mapping[str, Fraction]
    relation: str
    bound: Fraction


System = tuple[Row, ...]
"""Rows with distinct names; unknowns are free unless a row bounds them."""


def check_point(system: System, point: Mapping[str, Fraction]) -> list[str]:
    """Return which rows a point violates, by how much; empty if it satisfies all. Missing unknowns are 0."""
    wrong = []
    for row in system:
        slack = sum((c * point.get(u, Fraction(0)) for u, c in row.terms.items()), -row.bound)
        if slack < 0 or (row.relation == "=" and slack != 0):
            wrong.append(f"{row.name}: off by {slack}")
    return wrong


def _added(system: System, multipliers: Mapping[str, Fraction]) -> tuple[list[str], dict[str, Fraction], Fraction]:
    """Add rows times multipliers: what is wrong with the multipliers, the left side, the bound."""
    rows = {row.name: row for row in system}
    wrong = [f"no row is named {name[:60]!r}" for name in multipliers if name not in rows]
    total: dict[str, Fraction] = {}
    bound = Fraction(0)
    for name, y in multipliers.items():
        if name in rows:
            if y < 0 and rows[name].relation == ">=":
                wrong.append(f"{name}: negative multiplier {y} of an inequality")
            for unknown, c in rows[name].terms.items():
                total[unknown] = total.get(unknown, Fraction(0)) + y * c
            bound += y * rows[name].bound
    return wrong, total, bound


def check_infeasible(system: System, multipliers: Mapping[str, Fraction]) -> list[str]:
    """Return why multipliers (by row name) do not refute a system; empty if no point satisfies it (Farkas)."""
    wrong, total, bound = _added(system, multipliers)
    wrong += [f"{unknown} is left over with coefficient {c}" for unknown, c in total.items() if c]
    if bound <= 0:
        wrong.append(f"the rows add up to 0 >= {bound}, which is no contradiction")
    return wrong


def check_bound(
    system: System, objective: Mapping[str, Fraction], value: Fraction, multipliers: Mapping[str, Fraction]
) -> list[str]:
    """Return why multipliers do not show ``objective <= value`` on every point of a system; empty if they do.

    Weak duality: the rows times their multipliers must add up to ``-objective >= -value`` or more.
    """
    wrong, total, bound = _added(system, multipliers)
    for unknown, c in objective.items():
        total[unknown] = total.get(unknown, Fraction(0)) + c
    wrong += [f"{unknown} is left over with coefficient {c}" for unknown, c in total.items() if c]
    if bound < -value:
        wrong.append(f"the multipliers bound the objective by {-bound}, not by {value}")
    return wrong
