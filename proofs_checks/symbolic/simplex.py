"""Linear inequalities in exact arithmetic: feasible or why not, added and withdrawn one by one; and optima.

The simplex method with bounds of Dutertre and de Moura, A fast linear-arithmetic solver for DPLL(T), 2006. Each linear
form is a variable with bounds; a strict bound is one moved by an infinitesimal δ, so values are pairs c + k·δ.
Nothing here is trusted: what is infeasible comes with multipliers that `farkas.refutes` adds up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from proofs_checks.symbolic.affine import EQUAL, GREATER, Exact, Terms, added, divided, simplest, size
from proofs_checks.symbolic.farkas import Constraint

Value = tuple[Exact, Exact]


@dataclass(frozen=True, eq=False)
class _Bound:
    """A bound of a variable: its value, the constraint that it comes from, and that one's multiplier per unit."""

    value: Value
    position: int
    multiplier: Exact


class Simplex:
    """A system of constraints over variables that are numbers; those added last are withdrawn first."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[int, Exact]] = {}  # a basic variable in terms of the others
        self.value: dict[int, Value] = {}
        self.low: dict[int, _Bound | None] = {}
        self.high: dict[int, _Bound | None] = {}
        self._forms: dict[tuple[tuple[int, Exact], ...], int] = {}
        self._trail: list[list[tuple[dict[int, _Bound | None], int, _Bound | None]]] = []
        self._sound: dict[int, Value] = {}
        self._last = 0

    def push(self) -> None:
        """Remember the constraints as they are."""
        self._trail.append([])

    def pop(self) -> None:
        """Withdraw what was added since the last `push`."""
        for table, name, bound in reversed(self._trail.pop()):
            table[name] = bound
        if not self._forms or len(self.rows) < 40:
            return
        for name in [n for n in self.rows if n < 0 and self.low[n] is None and self.high[n] is None]:
            self._forget(name)

    def add(self, constraint: Constraint, position: int) -> dict[int, Exact] | None:
        """Add a constraint; return multipliers by position if the system has no solution any more, else None."""
        if not constraint.terms:
            return None if constraint.holds({}) else {position: -1 if constraint.constant > 0 else 1}
        name, scale = self._variable(constraint.terms)
        limit = divided(-constraint.constant, scale)
        strict = 1 if constraint.relation == GREATER else 0
        below = scale > 0
        for lower in (True, False) if constraint.relation == EQUAL else (below,):
            value = (limit, strict if lower else -strict)
            unit = divided(1, scale if lower else -scale)
            if (conflict := self._bound(name, _Bound(value, position, unit), lower)) is not None:
                return self._restored(conflict)
        return self._restored(self._check())

    def point(self) -> dict[int, Value]:
        """Return the values (c, k) of the variables at the solution found last."""
        return {name: value for name, value in self.value.items() if name >= 0}

    def maximise(self, terms: Terms) -> None:
        """Go from the solution found last to one that makes the form largest; every variable must be bounded."""
        while True:
            row: Terms = {}
            for x, coefficient in terms.items():
                row = added(row, self.rows.get(x, {x: 1}), coefficient)
            step = next((x for x in sorted(row) if self._room(x, row[x] > 0)), None)
            if step is None:
                self._sound = dict(self.value)
                return
            self._advance(step, row[step] > 0)

    def _variable(self, terms: Terms) -> tuple[int, Exact]:
        """Return the variable that stands for a form, and the factor between them."""
        names = sorted(terms)
        scale = terms[names[0]]
        for x in names:
            if x not in self.value:
                self.value[x] = (0, 0)
                self.low[x] = self.high[x] = None
                self._sound[x] = (0, 0)
        if len(names) == 1:
            return names[0], scale
        key = tuple((x, divided(terms[x], scale)) for x in names)
        if key not in self._forms:
            self._last -= 1
            row: Mapping[int, Exact] = {}
            for x, coefficient in key:
                row = added(row, self.rows.get(x, {x: 1}), coefficient)
            self.rows[self._last] = dict(row)
            self.value[self._last] = self._sum(row)
            self._sound[self._last] = self.value[self._last]
            self.low[self._last] = self.high[self._last] = None
            self._forms[key] = self._last
        return self._forms[key], scale

    def _forget(self, name: int) -> None:
        del self.rows[name], self.value[name], self.low[name], self.high[name], self._sound[name]
        self._forms = {key: x for key, x in self._forms.items() if x != name}

    def _sum(self, row: Terms) -> Value:
        c: Exact = 0
        k: Exact = 0
        for x, coefficient in row.items():
            at = self.value[x]
            c += coefficient * at[0]
            k += coefficient * at[1]
        return simplest(c), simplest(k)

    def _bound(self, name: int, bound: _Bound, lower: bool) -> dict[int, Exact] | None:
        table, other = (self.low, self.high) if lower else (self.high, self.low)
        old, facing = table[name], other[name]
        if old is not None and (bound.value <= old.value if lower else bound.value >= old.value):
            return None
        if facing is not None and (bound.value > facing.value if lower else bound.value < facing.value):
            return _conflict([(bound, 1), (facing, 1)])
        if self._trail:
            self._trail[-1].append((table, name, old))
        table[name] = bound
        if name not in self.rows and (self.value[name] < bound.value if lower else self.value[name] > bound.value):
            self._move(name, bound.value)
        return None

    def _move(self, name: int, to: Value) -> None:
        at = self.value[name]
        c, k = to[0] - at[0], to[1] - at[1]
        self.value[name] = to
        for basic, row in self.rows.items():
            if coefficient := row.get(name):
                old = self.value[basic]
                self.value[basic] = (simplest(old[0] + coefficient * c), simplest(old[1] + coefficient * k))

    def _check(self) -> dict[int, Exact] | None:
        while True:
            wrong = min((x for x in self.rows if self._outside(x)), default=None)
            if wrong is None:
                self._sound = dict(self.value)
                return None
            low = self.low[wrong]
            rising = low is not None and self.value[wrong] < low.value
            row = self.rows[wrong]
            entering = min((x for x, a in row.items() if self._room(x, (a > 0) == rising)), default=None)
            bound = low if rising else self.high[wrong]
            assert bound is not None
            if entering is None:
                parts: list[tuple[_Bound, Exact]] = [(bound, 1)]
                for x, a in row.items():
                    facing = self.high[x] if (a > 0) == rising else self.low[x]
                    assert facing is not None
                    parts.append((facing, size(a)))
                return _conflict(parts)
            self._pivot(wrong, entering)
            self._move(wrong, bound.value)

    def _outside(self, name: int) -> bool:
        low, high, value = self.low[name], self.high[name], self.value[name]
        return (low is not None and value < low.value) or (high is not None and value > high.value)

    def _room(self, name: int, up: bool) -> bool:
        bound = self.high[name] if up else self.low[name]
        return bound is None or (self.value[name] < bound.value if up else self.value[name] > bound.value)

    def _pivot(self, leaving: int, entering: int) -> None:
        row = self.rows.pop(leaving)
        a = row.pop(entering)
        new = {x: divided(-coefficient, a) for x, coefficient in row.items()}
        new[leaving] = divided(1, a)
        for other in self.rows.values():
            if coefficient := other.pop(entering, 0):
                for x, c in new.items():
                    total = other.get(x, 0) + coefficient * c
                    if total == 0:
                        del other[x]
                    else:
                        other[x] = simplest(total)
        self.rows[entering] = new

    def _advance(self, name: int, up: bool) -> None:
        """Move one variable as far as all bounds allow, and pivot with the one that stops it."""
        steps = []
        for basic, coefficient in [(name, 1), *((x, row.get(name, 0)) for x, row in self.rows.items())]:
            way = (coefficient > 0) == up
            bound = self.high[basic] if way else self.low[basic]
            if coefficient != 0 and bound is not None:
                value, pace = self.value[basic], size(coefficient) if way else -size(coefficient)
                c, k = bound.value[0] - value[0], bound.value[1] - value[1]
                steps.append(((divided(c, pace), divided(k, pace)), basic))
        (c, k), stop = min(steps)
        at, sign = self.value[name], 1 if up else -1
        self._move(name, (at[0] + sign * c, at[1] + sign * k))
        if stop != name:
            self._pivot(stop, name)

    def _restored(self, conflict: dict[int, Exact] | None) -> dict[int, Exact] | None:
        if conflict is not None:
            self.value = dict(self._sound)
        return conflict


def _conflict(parts: list[tuple[_Bound, Exact]]) -> dict[int, Exact]:
    total: dict[int, Exact] = {}
    for bound, factor in parts:
        total[bound.position] = total.get(bound.position, 0) + factor * bound.multiplier
    return {position: simplest(value) for position, value in total.items() if value != 0}
