"""Marginal contributions of a submodular function sum to at most its total: an integer identity, for every n."""

from __future__ import annotations

from dataclasses import dataclass


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
