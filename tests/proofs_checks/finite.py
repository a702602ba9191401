"""Rules on finitely many types, given by tables of small whole numbers, and what is expected of them in fractions."""

from fractions import Fraction
from itertools import product

import numpy as np
from hypothesis import strategies as st

from mechanism import Space


class Table:
    """Types are the whole numbers 0 .. count - 1; what is got and paid stands in tables by profile."""

    role, own = "buyer", "value"

    def __init__(self, got, paid):
        self.got, self.paid = np.asarray(got, dtype=np.float64), np.asarray(paid, dtype=np.float64)
        self.counts = self.got.shape[:-1]
        high = np.array(self.counts, dtype=np.float64)[:, None] - 1.0
        self.space = Space(len(self.counts), ("value",), 0.0, high, integer=True)

    def outcome(self, reports):
        at = tuple(np.rint(reports[..., 0]).astype(int).T)
        return self.got[at], self.paid[at]

    def utility(self, types, outcome):
        return types[..., 0] * outcome[0] - outcome[1]

    def payments(self, outcome):
        return outcome[1]

    def allocation(self, outcome):
        return outcome[0]

    def consequences(self, outcome):
        return np.stack(outcome, axis=-1)

    def profiles(self):
        """All profiles of types."""
        return list(product(*map(range, self.counts)))

    def exact(self, i, true, said):
        """U_i in whole numbers."""
        return true * int(self.got[said][i]) - int(self.paid[said][i])

    def expected(self, i, true, report, chances):
        """E[U_i] in fractions over the others' types, ``chances`` by profile."""
        total = mass = Fraction(0)
        for p in self.profiles():
            if p[i] == true:
                mass += chances[p]
                total += chances[p] * self.exact(i, true, (*p[:i], report, *p[i + 1 :]))
        return total / mass if mass else None

    def best_lie(self, chances):
        """Return the largest expected gain of a lie in fractions."""
        reports = [(i, t, r) for i, n in enumerate(self.counts) for t in range(n) for r in range(n)]
        truth = {(i, t): self.expected(i, t, t, chances) for i, t, _ in reports}
        return max(self.expected(i, t, r, chances) - truth[i, t] for i, t, r in reports if truth[i, t] is not None)


def evenly(counts):
    """Return equal chances of all profiles."""
    return dict.fromkeys(product(*map(range, counts)), Fraction(1, int(np.prod(counts))))


@st.composite
def tables(draw, agents=(2, 3), types=(1, 3)):
    """Draw a rule; small payments make truthful ones no rarity."""
    counts = tuple(draw(st.lists(st.integers(*types), min_size=agents[0], max_size=agents[1])))
    size = int(np.prod(counts)) * len(counts)
    rows = [draw(st.lists(st.integers(0, top), min_size=size, max_size=size)) for top in (1, 1)]
    return Table(*(np.reshape(row, (*counts, len(counts))) for row in rows))
