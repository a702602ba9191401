"""What a property asks of a finite grid of types, and how much work that is."""

import math
from collections.abc import Callable, Iterator
from itertools import combinations, permutations, product
from typing import Any

import numpy as np

from mechanism.direct import Floats
from proofs_checks.evidence import comparisons
from proofs_checks.evidence.comparisons import Look, movable, worst_first
from proofs_checks.evidence.outcome_table import OutcomeTable
from proofs_checks.properties.expectation import Expected
from proofs_checks.properties.monotone import CyclicallyMonotone, Monotone
from proofs_checks.properties.property import Deviations, Profiles, Property
from proofs_checks.properties.rational import OfOutcomes
from proofs_checks.properties.split_merge import MergeProof, SplitProof
from proofs_checks.properties.symmetry import Anonymous
from proofs_checks.properties.truthful import GroupTruthful, Truthful
from proofs_checks.search.cases import Cases, truthful
from proofs_checks.search.grids import Grid
from proofs_checks.search.lines import linear

_CHUNK = 1 << 13


def looks(prop: Property, table: OutcomeTable) -> Iterator[Look]:
    """Go through all that a property asks of the grid."""
    for kind, function in _EVERY.items():
        if isinstance(prop, kind):
            return function(prop, table)
    raise TypeError(f"{prop.name} is of a kind that cannot be exhausted")  # pragma: no cover - `problem` was asked


def problem(prop: Property, mechanism: Any, grid: Grid | None = None) -> str | None:
    """Say why no grid (or not this one) can decide the property, or None."""
    if not isinstance(prop, tuple(_EVERY)):
        return f"{prop.name} cannot be exhausted on a grid"
    if isinstance(prop, SplitProof) and hasattr(mechanism, "split"):
        return "the shares in which data can be split are no finite grid"
    foreign = [name for name in getattr(mechanism, "interdependent", ()) if name in mechanism.space.names]
    arbitrary = isinstance(prop, GroupTruthful) or (isinstance(prop, Truthful) and prop.others == "arbitrary")
    if grid is not None and arbitrary:
        columns = [mechanism.space.index(name) for name in foreign]
        if any((rows[:, columns] != rows[:1, columns]).any() for rows in grid.types):
            return f"utility depends on the true {', '.join(foreign)} of others, who may lie about it; ask expost"
    relabels = hasattr(mechanism, "permuted") or not isinstance(prop, Anonymous)
    if grid is not None and not relabels and len({np.unique(rows, axis=0).tobytes() for rows in grid.types}) > 1:
        return "agents have different types on the grid: no relabelling maps it to itself"
    if grid is not None and isinstance(prop, Anonymous):
        whole = (mechanism.space.private & mechanism.space.integer).any(axis=0)
        types = np.unique(np.concatenate(grid.types), axis=0)
        different = np.unique(types[:, whole], axis=0)
        if whole.any() and len(different) < min(len(grid.counts), len(types)):
            return "two agents have the same whole numbers in every profile: there is nothing but ties"
    return None


def effort(prop: Property, counts: tuple[int, ...], mechanism: Any) -> tuple[float, float]:
    """Return how many outcomes are asked for, and how many utilities are computed or compared (in outcomes' worth)."""
    profiles, types, n = float(math.prod(counts)), float(sum(counts)), len(counts)
    if isinstance(prop, Deviations):
        return 2.0 * profiles * types, 0.0
    if isinstance(prop, Anonymous):
        return 8.0 * profiles * math.factorial(n), 0.0
    if isinstance(prop, SplitProof):
        return 2.0 * profiles * sum(c * c for c in counts), 0.0
    if isinstance(prop, MergeProof | Profiles):
        return profiles * (n * n if isinstance(prop, MergeProof) else n), 0.0
    compared = profiles * types * 1e-2
    if isinstance(prop, GroupTruthful):
        compared += profiles * math.prod(c + 1.0 for c in counts) * 1e-1
    return profiles, compared + (0.0 if linear(mechanism) else profiles * types)


def _asked(prop: Property, table: OutcomeTable, cases: Cases) -> Look:
    """Ask the property about given cases, one alternative each."""
    table.tick()
    return _worst(prop.violation(table.mechanism, cases), cases)


def _worst(found: Floats, cases: Cases) -> Look:
    return float(found.max()), worst_first(found, 0.0, cases.rows)


def _profiles(grid: Grid) -> Iterator[Floats]:
    for start in range(0, grid.profiles, _CHUNK):
        yield grid.rows(start, min(start + _CHUNK, grid.profiles))


def _every_profile(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    if isinstance(prop, OfOutcomes) and linear(table.mechanism):  # whether they are exact is asked of these
        for rows, outcome in table.chunks:
            yield _worst(prop.lack(table.mechanism, rows, outcome), truthful(rows))
        return
    for rows in _profiles(table.grid):
        yield _asked(prop, table, truthful(rows))


def _every_other_report(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    allowed, grid = movable(prop, table.mechanism), table.grid
    for i, count in enumerate(grid.counts):
        groups = grid.groups(i, allowed[i])
        for start in range(0, grid.profiles, _CHUNK):
            which = np.arange(start, min(start + _CHUNK, grid.profiles))
            rows, own = grid.rows(start, start + len(which)), np.unravel_index(which, grid.counts)[i]
            for shift in range(1, count):
                said = (own + shift) % count
                keep = groups[said] == groups[own]
                if keep.any():
                    after = rows[keep].copy()
                    after[:, i] = grid.types[i][said[keep]]
                    who = np.broadcast_to(np.arange(len(grid.counts)) == i, after.shape[:2])
                    yield _asked(prop, table, Cases(rows[keep], rows[keep], after[:, None], who))


def _every_relabelling(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    n = len(table.grid.counts)
    for rows in _profiles(table.grid):
        for order in list(permutations(range(n)))[1:]:
            yield _asked(prop, table, Cases(rows, rows, extra=(("order", np.broadcast_to(order, (len(rows), n))),)))


def _every_pair_of_names(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    allowed = movable(prop, table.mechanism)
    for i, types in enumerate(table.grid.types):
        groups = table.grid.groups(i, allowed[i])
        for first, second in product(range(len(types)), repeat=2):
            if groups[first] != groups[second]:
                continue
            for rows in _profiles(table.grid):
                true = rows[(rows[:, i] == types[first])[:, ~allowed[i]].all(axis=1)]
                names = (("first", types[first]), ("second", types[second]))
                extra = (
                    ("agent", np.full(len(true), i)),
                    *((w, np.repeat(r[None], len(true), axis=0)) for w, r in names),
                )
                if len(true):
                    yield _asked(prop, table, Cases(true, true, extra=extra))


def _every_merger(prop: Any, table: OutcomeTable) -> Iterator[Look]:
    for pair in combinations(range(len(table.grid.counts)), 2):
        for rows in _profiles(table.grid):
            yield _asked(prop, table, Cases(rows, rows, extra=(("pair", np.broadcast_to(pair, (len(rows), 2))),)))


_EVERY: dict[type[Property], Callable[[Any, OutcomeTable], Iterator[Look]]] = {
    Truthful: comparisons.reports,
    GroupTruthful: comparisons.coalitions,
    Expected: comparisons.expectations,
    Monotone: comparisons.steps,
    CyclicallyMonotone: comparisons.cycles,
    Deviations: _every_other_report,
    Anonymous: _every_relabelling,
    SplitProof: _every_pair_of_names,
    MergeProof: _every_merger,
    Profiles: _every_profile,
}
