"""Concave gain laws: tangent inequalities as polynomial identities, and diminishing returns from tangents."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[int, int]
"""(i, j) stands for the total data x + i·a + j·d, with a, d >= 0."""


@dataclass(frozen=True)
class TangentGap:
    """-(K/x)^(p/q) lies below its tangents, for every K >= 0 and all x, y > 0.

    With s = x^(-1/q) and t = y^(-1/q) the tangent at y less the law at x is K^(p/q)/(q s^q) times
    q s^(p+q) - (p+q) t^p s^q + p t^(p+q). ``quotient``: that polynomial divided by (s-t)², as terms (coefficient, power
    of s, power of t); none of its coefficients is negative, so that the gap is >= 0. p/q = 1/2 gives (s-t)²(2s+t).
    """

    p: int
    q: int
    quotient: tuple[tuple[int, int, int], ...]


def check_tangent_gap(proof: TangentGap) -> list[str]:
    """Multiply out, in integers; return what is wrong."""
    p, q = proof.p, proof.q
    if not 1 <= p <= q <= 1000:
        return [f"exponent {p}/{q} is outside (0, 1] or has a denominator above 1000"]
    if any(c < 0 or i < 0 or j < 0 for c, i, j in proof.quotient):
        return ["the quotient has a negative coefficient or power"]
    left: dict[Point, int] = {}
    for c, i, j in proof.quotient:
        for square, (di, dj) in ((1, (2, 0)), (-2, (1, 1)), (1, (0, 2))):
            left[i + di, j + dj] = left.get((i + di, j + dj), 0) + square * c
    for c, power in ((-q, (p + q, 0)), (p + q, (q, p)), (-p, (0, p + q))):
        left[power] = left.get(power, 0) + c
    wrong = [f"s^{i} t^{j} is left over" for (i, j), c in sorted(left.items()) if c]
    return wrong[:3]


@dataclass(frozen=True)
class Tangent:
    """(a_weight·a + d_weight·d) times the tangent inequality f(at) + f'(at)·(seen - at) - f(seen) >= 0."""

    at: Point
    seen: Point
    a_weight: int
    d_weight: int


@dataclass(frozen=True)
class FallingReturns:
    """f(x+d) - f(x) >= f(x+a+d) - f(x+a) for x > 0 and a, d >= 0, from tangents of a concave f.

    (a+d) times that statement is a sum of weighted tangent inequalities in which every slope cancels; for a = d = 0
    it is an equality. A set function f(n_i + data of S) is submodular by it, sizes being >= 0.
    """

    rows: tuple[Tangent, ...]


def check_falling_returns(proof: FallingReturns) -> list[str]:
    """Add the weighted rows in integers; return what is wrong."""
    values: dict[Point, list[int]] = {}
    slopes: dict[Point, list[int]] = {}
    for row in proof.rows:
        if row.a_weight < 0 or row.d_weight < 0 or not {*row.at, *row.seen} <= {0, 1}:
            return ["a row has a negative weight or an unknown point"]
        for point, sign in ((row.at, 1), (row.seen, -1)):
            entry = values.setdefault(point, [0, 0])
            entry[0] += sign * row.a_weight
            entry[1] += sign * row.d_weight
        da, dd = row.seen[0] - row.at[0], row.seen[1] - row.at[1]
        slope = slopes.setdefault(row.at, [0, 0, 0])  # coefficients of a², ad, d²
        slope[0] += row.a_weight * da
        slope[1] += row.a_weight * dd + row.d_weight * da
        slope[2] += row.d_weight * dd
    target = {(0, 1): [1, 1], (1, 0): [1, 1], (0, 0): [-1, -1], (1, 1): [-1, -1]}
    wrong = [f"the slope at {point} does not cancel" for point, slope in slopes.items() if any(slope)]
    if {point: v for point, v in values.items() if any(v)} != target:
        wrong.append("the values do not add up to (a+d)·[f(x+d) + f(x+a) - f(x) - f(x+a+d)]")
    return wrong
