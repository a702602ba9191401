"""Points in regions: well inside, and where a violation is large. None is relied on: the code itself is asked there."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from proofs_checks.symbolic.affine import AT_LEAST, EQUAL, Exact, Terms, size
from proofs_checks.symbolic.farkas import Constraint
from proofs_checks.symbolic.simplex import Simplex

Point = dict[int, Exact]
_MARGIN = 10**9


def farthest(path: Sequence[Constraint], terms: Terms) -> Point | None:
    """Return a point of the closed polyhedron at which the form is largest, None if it is empty."""
    system = Simplex()
    for position, constraint in enumerate(path):
        relation = constraint.relation if constraint.relation == EQUAL else AT_LEAST
        if system.add(Constraint(constraint.terms, constraint.constant, relation), position) is not None:
            return None
    system.maximise(terms)
    return {name: value[0] for name, value in system.point().items()}


def centre(path: Sequence[Constraint]) -> Point | None:
    """Return a point as far as can be from all that bounds the polyhedron, None if it is empty."""
    margin = {_MARGIN: 1}
    shifted = [Constraint(margin, 0, AT_LEAST)]
    for c in path:
        width = sum(size(factor) for factor in c.terms.values())
        kept = c.relation == EQUAL or width == 0
        shifted.append(c if kept else Constraint({**c.terms, _MARGIN: -width}, c.constant, AT_LEAST))
    point = farthest(shifted, margin)
    if point is not None:
        del point[_MARGIN]
    return point


def breaking(path: Sequence[Constraint], broken: Constraint) -> Iterator[Point]:
    """Yield points of a region where a form is above 0: where it is large, where it counts less, where all is small."""
    top = farthest(path, broken.terms)
    if top is None:
        return
    best = broken.at(top)
    for part in (Fraction(1, 2), Fraction(1, 100)):
        level = [*path, Constraint(broken.terms, broken.constant - part * best, AT_LEAST)]
        total: Terms = dict.fromkeys(top, -1)
        least = farthest(level, total)
        near = [] if least is None else [Constraint(total, 2 * sum(least.values()) + size(best), AT_LEAST)]
        for found in (centre(level), centre([*level, *near]), least):
            if found is not None:
                yield found
    yield top
