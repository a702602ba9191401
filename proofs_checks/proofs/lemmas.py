"""Concave gain laws: tangent inequalities as polynomial identities, and diminishing returns from tangents.

And marginal contributions of a submodular function sum to at most its total: an integer identity, for every n.
"""

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


@dataclass(frozen=True)
class Exchange:
    """``times`` · [g(S+j) + g(S+k) - g(S+j+k) - g(S)] >= 0; ``held`` is S as a bit mask, j and k not in it."""

    j: int
    k: int
    held: int
    times: int


@dataclass(frozen=True)
class Telescoping:
    """D(n) := g(N) - g(∅) - Σ_j [g(N) - g(N-j)] >= 0 for every submodular g on N = {0..n-1}.

    ``rows``: D(n) as a sum of exchange inequalities at the ``n`` given; the pattern is S = everything before k but j,
    n(n-1)/2 rows. ``induction``: D(n) - D(n-1) for *every* n, where D(n-1) is that of N' = N without its last member:
    coefficients c0 + c1·n of the four sums that occur, g(N), g(N'), Σ_{j<last} g(N-j) and Σ_{j<last} g(N'-j). It is
    the sum over j of the exchanges of j and the last member at S = N'-j; D(0) = 0 starts it.
    """

    n: int
    rows: tuple[Exchange, ...]
    induction: tuple[tuple[str, int, int], ...]


def check_telescoping(proof: Telescoping) -> list[str]:
    """Add the rows at the given n, and the induction step for every n, in integers; return what is wrong."""
    n = proof.n
    if not 1 <= n <= 400:
        return ["n is outside 1..400"]
    total: dict[int, int] = {}
    for row in proof.rows:
        if not (0 <= row.j < n and 0 <= row.k < n and row.j != row.k and 0 <= row.held < 1 << n and row.times >= 0):
            return [f"a row is no exchange on {n} members"]
        j, k, held = 1 << row.j, 1 << row.k, row.held
        if held & (j | k):
            return ["a row exchanges a member that is already held"]
        for key, sign in ((held | j, 1), (held | k, 1), (held | j | k, -1), (held, -1)):
            total[key] = total.get(key, 0) + sign * row.times
    everything = (1 << n) - 1
    goal = [(everything, 1), (0, -1)]
    for j in range(n):
        goal += [(everything, -1), (everything & ~(1 << j), 1)]
    for key, sign in goal:
        total[key] = total.get(key, 0) - sign
    wrong = [f"the rows leave {c} times g({key:#x})" for key, c in total.items() if c][:3]
    # for every n, with q = n - 1 exchanges, each +g(N-j) +g(N') -g(N) -g(N'-j); as (constant, coefficient of n)
    exchanges = {"N": (1, -1), "N'": (-1, 1), "ΣN-j": (1, 0), "ΣN'-j": (-1, 0)}
    # D(n) = (1-n) g(N) + g(N') + Σ g(N-j) - g(∅);  D(n-1) = (2-n) g(N') + Σ g(N'-j) - g(∅)
    difference = {"N": (1, -1), "N'": (1 - 2, 0 + 1), "ΣN-j": (1, 0), "ΣN'-j": (-1, 0)}
    stated = {name: (c0, c1) for name, c0, c1 in proof.induction}
    if len(stated) != len(proof.induction) or not stated == exchanges == difference:
        wrong.append("the induction step is not the sum of the exchanges with the last member")
    return wrong
