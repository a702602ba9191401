"""Solutions, multipliers and contradictions of a linear system: HiGHS finds them, fractions make them exact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mechanism.design.elimination import solve_exactly
from mechanism.design.system import System, check_bound, check_infeasible, check_point
from mechanism.errors import SolverError
from mechanism.solver import exact_solver

_DENOMINATORS = (64, 4096, 10**6)
_LARGEST_BASIS = 2000


@dataclass(frozen=True, eq=False)
class Optimum:
    """A solved programme ``max objective``; ``exact`` if both sides were verified in fractions.

    ``point`` by unknown. ``multipliers`` by row: what one unit less demanded (a smaller bound) adds to the objective;
    >= 0 on inequalities, zeros left out. ``errors``: what the fractions do not confirm, empty if exact.
    """

    value: Fraction
    point: dict[str, Fraction]
    multipliers: dict[str, Fraction]
    errors: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether optimality is proved by weak duality in fractions."""
        return not self.errors


@dataclass(frozen=True)
class Infeasible:
    """No point satisfies the system: Farkas multipliers by row, in fractions, verified."""

    multipliers: dict[str, Fraction]


def maximise(system: System, objective: Mapping[str, Fraction]) -> Optimum | Infeasible:
    """Solve ``max objective`` over a system of rows, or show that no point satisfies it.

    `SolverError` if the objective has no upper bound, the solver stops without an answer, or a claimed infeasibility
    cannot be confirmed in fractions.
    """
    import pulp

    problem, unknowns, constraints = _programme(system, objective, pulp.LpMaximize)
    status = problem.solve(exact_solver())
    if status == pulp.LpStatusInfeasible or status == pulp.LpStatusUndefined:
        return Infeasible(contradiction(system))
    if status == pulp.LpStatusUnbounded:
        raise SolverError("the objective has no upper bound: payments are not held by any constraint; add rationality")
    if problem.sol_status != pulp.LpSolutionOptimal:
        raise SolverError(f"HiGHS stopped with status {pulp.LpStatus[status]}; expected an optimum")
    values = {u: float(v.value() or 0.0) for u, v in unknowns.items()}
    duals = {name: float(c.pi or 0.0) for name, c in constraints.items()}
    answers = [(_rounded(values, limit), _rounded(duals, limit)) for limit in _DENOMINATORS]
    best = _verified(system, objective, *answers[0])
    for point, multipliers in answers[1:]:
        if best.exact:
            return best
        best = _verified(system, objective, point, multipliers)
    if not best.exact and (vertex := _vertex(system, objective, problem, list(unknowns))) is not None:
        exact = _verified(system, objective, *vertex)
        return exact if exact.exact else best
    return best


def _verified(
    system: System, objective: Mapping[str, Fraction], point: dict[str, Fraction], multipliers: dict[str, Fraction]
) -> Optimum:
    value = sum((c * point.get(u, Fraction(0)) for u, c in objective.items()), Fraction(0))
    errors = check_point(system, point) + check_bound(system, objective, value, multipliers)
    return Optimum(value, point, multipliers, tuple(errors))


def _vertex(
    system: System, objective: Mapping[str, Fraction], problem: Any, names: list[str]
) -> tuple[dict[str, Fraction], dict[str, Fraction]] | None:
    """Return the vertex and multipliers of the solver's last basis in fractions, None where it has none to solve."""
    import highspy

    basis = problem.solverModel.getBasis()
    basic = highspy.HighsBasisStatus.kBasic
    if not basis.valid or len(basis.row_status) != len(system):
        return None
    tight = [row for row, status in zip(system, basis.row_status, strict=True) if status != basic]
    free = {name for name, status in zip(names, basis.col_status, strict=True) if status == basic}
    if len(tight) != len(free) or len(tight) > _LARGEST_BASIS:
        return None
    point = solve_exactly([({u: c for u, c in row.terms.items() if u in free}, row.bound) for row in tight])
    columns: dict[str, dict[str, Fraction]] = {name: {} for name in sorted(free)}
    for row in tight:
        for u, c in row.terms.items():
            if u in free:
                columns[u][row.name] = c
    multipliers = solve_exactly([(terms, -objective.get(u, Fraction(0))) for u, terms in columns.items()])
    if point is None or multipliers is None:
        return None
    return {u: v for u, v in point.items() if v}, {name: y for name, y in multipliers.items() if y}


def contradiction(system: System) -> dict[str, Fraction]:
    """Return Farkas multipliers of a system without solution, verified.

    `SolverError` if none are found: the system may have a solution, or its numbers are too uneven for the solver.
    """
    import pulp

    problem = pulp.LpProblem("farkas", pulp.LpMaximize)
    multipliers = [
        problem.add_variable(f"y{k}", lowBound=0 if row.relation == ">=" else -1, upBound=1)
        for k, row in enumerate(system)
    ]
    problem += pulp.lpSum(float(row.bound) * y for row, y in zip(system, multipliers, strict=True))
    columns: dict[str, list[Any]] = {}
    for row, y in zip(system, multipliers, strict=True):
        for unknown, c in row.terms.items():
            columns.setdefault(unknown, []).append(float(c) * y)
    for terms in columns.values():
        problem.addConstraint(pulp.lpSum(terms) == 0)
    problem.solve(exact_solver())
    if problem.sol_status != pulp.LpSolutionOptimal:
        raise SolverError("HiGHS found no multipliers for the contradiction; expected an optimum")
    found = {row.name: float(y.value() or 0.0) for row, y in zip(system, multipliers, strict=True)}
    support = [row for row in system if abs(found[row.name]) > 1e-7]
    candidates: list[dict[str, Fraction]] = [_rounded(found, limit) for limit in _DENOMINATORS]
    candidates += _null_vectors(tuple(support))
    for candidate in candidates:
        if candidate and not check_infeasible(system, candidate):
            return candidate
    raise SolverError("no exact contradiction was found; the system may have a solution, or needs smaller numbers")


def _programme(system: System, objective: Mapping[str, Fraction], sense: int) -> tuple[Any, dict[str, Any], Any]:
    import pulp

    problem = pulp.LpProblem("design", sense)
    names = list(dict.fromkeys([*(u for row in system for u in row.terms), *objective]))
    # pulp hands columns over in the order of their names
    unknowns = {u: problem.add_variable(f"x{k:09d}") for k, u in enumerate(names)}
    problem += pulp.lpSum(float(c) * unknowns[u] for u, c in objective.items())
    constraints: dict[str, Any] = {}
    for row in system:
        left = pulp.lpSum(float(c) * unknowns[u] for u, c in row.terms.items())
        limited = left >= float(row.bound) if row.relation == ">=" else left == float(row.bound)
        problem.addConstraint(limited, f"r{len(constraints)}")
        constraints[row.name] = limited
    return problem, unknowns, constraints


def _rounded(values: Mapping[str, float], limit: int) -> dict[str, Fraction]:
    rounded = {name: Fraction(v).limit_denominator(limit) for name, v in values.items()}
    return {name: v for name, v in rounded.items() if v}


def _null_vectors(rows: System) -> Iterable[dict[str, Fraction]]:
    """Yield the one vector, up to scale, under which these rows' left sides add to nothing, if there is only one."""
    for one in rows:
        columns: dict[str, dict[str, Fraction]] = {u: {} for row in rows for u in row.terms}
        for row in rows:
            for u, c in row.terms.items():
                columns[u][row.name] = c
        vector = solve_exactly([(terms, -terms.pop(one.name, Fraction(0))) for terms in columns.values()])
        if vector is not None:
            yield {one.name: Fraction(1)} | {name: y for name, y in vector.items() if y}
            yield {one.name: Fraction(-1)} | {name: -y for name, y in vector.items() if y}
            return
