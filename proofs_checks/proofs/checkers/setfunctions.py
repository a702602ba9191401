"""Buyers' rationality under marginal payments for *any* gain, few sellers: which axioms carry it, which it needs.

The gain g is any function of the sets of n sellers. Claim: the marginal contributions g(N) - g(N-j) sum to at most
g(N), so that a buyer who pays them loses nothing.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction

from mechanism.design.system import Row, System, check_infeasible, check_point

AXIOMS: dict[str, str] = {
    "normalised": "g(∅) >= 0: no models, no loss",
    "monotone": "g(S+j) >= g(S): a further model does no harm",
    "submodular": "g(S+j) - g(S) >= g(S+k+j) - g(S+k): the more is held, the less a further model adds",
}
"""What may be assumed of a gain, by name."""

MOST_SELLERS = 5


@dataclass(frozen=True)
class Needed:
    """Without ``axiom`` the claim fails: a gain with all other axioms, as (set, value), that breaks it."""

    axiom: str
    gain: tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True)
class SetFunctionProof:
    """The claim for ``sellers`` sellers from ``axioms``, as multipliers by row; and which axioms cannot be dropped.

    The rows of the axioms and the denial of the claim add up, with ``multipliers``, to a contradiction (Farkas).
    ``needed`` refutes the claim for each axiom left out that is not implied.
    """

    sellers: int
    axioms: tuple[str, ...]
    multipliers: tuple[tuple[str, Fraction], ...]
    needed: tuple[Needed, ...]


def check_set_function(proof: SetFunctionProof) -> list[str]:
    """Add the rows up, and put every counterexample into its rows, in fractions; return what is wrong."""
    n, axioms = proof.sellers, proof.axioms
    if not 1 <= n <= MOST_SELLERS or not set(axioms) <= set(AXIOMS) or len(set(axioms)) < len(axioms):
        return [f"expected 1 to {MOST_SELLERS} sellers and axioms among {', '.join(AXIOMS)}, each once"]
    multipliers = dict(proof.multipliers)
    wrong = ["a row is given twice"] if len(multipliers) < len(proof.multipliers) else []
    wrong += check_infeasible((*axiom_rows(n, axioms), denial(n)), multipliers)
    for needed in proof.needed:
        gain = dict(needed.gain)
        rest = tuple(a for a in AXIOMS if a != needed.axiom)
        if needed.axiom not in axioms or not set(gain) <= set(_sets(n)):
            return [*wrong, f"a counterexample is given for {needed.axiom[:40]!r}, which is not assumed or not on {n}"]
        wrong += [f"without {needed.axiom}: {e}" for e in check_point((*axiom_rows(n, rest), denial(n)), gain)]
    if len({needed.axiom for needed in proof.needed}) < len(proof.needed):
        wrong.append("an axiom is shown to be needed twice")
    return wrong


def _name(members: frozenset[int]) -> str:
    return "g{" + ",".join(str(j) for j in sorted(members)) + "}"


def _sets(n: int) -> dict[str, frozenset[int]]:
    subsets = (frozenset(c) for k in range(n + 1) for c in itertools.combinations(range(n), k))
    return {_name(s): s for s in subsets}


def axiom_rows(n: int, axioms: tuple[str, ...]) -> System:
    """Return the instances of the axioms on n sellers; unknowns are the values g{…}."""
    one, zero = Fraction(1), Fraction(0)
    rows: list[Row] = []
    if "normalised" in axioms:
        rows.append(Row("normalised", {"g{}": one}, ">=", zero))
    for s in _sets(n).values():
        out = sorted(set(range(n)) - s)
        if "monotone" in axioms:
            rows += [Row(f"monotone {_name(s)}+{j}", {_name(s | {j}): one, _name(s): -one}, ">=", zero) for j in out]
        if "submodular" in axioms:
            for j, k in itertools.combinations(out, 2):
                terms = {_name(s | {j}): one, _name(s | {k}): one, _name(s | {j, k}): -one, _name(s): -one}
                rows.append(Row(f"submodular {_name(s)}+{j}+{k}", terms, ">=", zero))
    return tuple(rows)


def denial(n: int) -> Row:
    """Return the denial of the claim, scaled: Σ_j [g(N) - g(N-j)] - g(N) >= 1."""
    everything = frozenset(range(n))
    terms = {_name(everything): Fraction(n - 1)}
    for j in range(n):
        name = _name(everything - {j})
        terms[name] = terms.get(name, Fraction(0)) - 1
    return Row("denial", terms, ">=", Fraction(1))
