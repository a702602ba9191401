"""Square linear systems in fractions: what a solver's basis says exactly."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

Terms = Mapping[str, Fraction]


def solve_exactly(equations: Sequence[tuple[Terms, Fraction]]) -> dict[str, Fraction] | None:
    """Return the unknowns of ``Σ coefficient · unknown = bound``, or None if they are not determined or contradict.

    Sparse elimination: the shortest equation is solved for its rarest unknown, which is put into all others.
    """
    rows = {k: ({u: c for u, c in terms.items() if c}, bound) for k, (terms, bound) in enumerate(equations)}
    where: dict[str, set[int]] = {}
    for k, (terms, _) in rows.items():
        for unknown in terms:
            where.setdefault(unknown, set()).add(k)
    if len(where) > len(rows):
        return None
    solved: list[tuple[str, dict[str, Fraction], Fraction]] = []
    while rows:
        k = min(rows, key=lambda k: len(rows[k][0]))
        terms, bound = rows.pop(k)
        if not terms:
            if bound:
                return None
            continue
        unknown = min(terms, key=lambda u: (len(where[u]), u))
        pivot = terms.pop(unknown)
        terms, bound = {u: c / pivot for u, c in terms.items()}, bound / pivot
        for u in (*terms, unknown):
            where[u].discard(k)
        for other in where.pop(unknown):
            left, right = rows[other]
            factor = left.pop(unknown)
            for u, c in terms.items():
                value = left.get(u, Fraction(0)) - factor * c
                if value:
                    left[u] = value
                    where[u].add(other)
                elif u in left:
                    del left[u]
                    where[u].discard(other)
            rows[other] = left, right - factor * bound
        solved.append((unknown, terms, bound))
    values: dict[str, Fraction] = {}
    for unknown, terms, bound in reversed(solved):
        if any(u not in values for u in terms):
            return None
        values[unknown] = bound - sum((c * values[u] for u, c in terms.items()), Fraction(0))
    return values
