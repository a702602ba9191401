"""Exact selection by mixed-integer programming: an independent check of the branch and bound.

The concave gain is replaced by the minimum of its tangents (outer approximation); each solution adds the tangent at
its own total, until the programme's value and the true one agree. Solved by HiGHS with its relative gap set to zero
(the default is not zero) and a fresh model every time. Slow, and meant to be.
"""

import math

import numpy as np
from numpy.typing import NDArray

from mechanism.errors import SolverError
from mechanism.market.clients import Market, Reports
from mechanism.market.gains import GainLaw
from mechanism.solver import exact_solver

_TANGENTS = 12
_ROUNDS = 60


def select(reports: Reports, market: Market, *, tolerance: float = 1e-10) -> NDArray[np.bool_]:
    """Return the maximising imports, bool ``[..., m, m]``; value within ``tolerance`` (relative) of the optimum.

    `SolverError` if HiGHS does not report an optimum or the tangents do not close the gap.
    """
    m = reports.clients
    price = reports.cost[..., None, :] + market.penalties(reports.size)
    price = np.broadcast_to(price, np.broadcast_shapes(price.shape, market.counted(reports.size).shape))
    batch = price.shape[:-2]
    size, gain = (np.broadcast_to(a, (*batch, m)).reshape(-1, m) for a in (reports.size, reports.gain))
    counted = np.broadcast_to(market.counted(reports.size), price.shape).reshape(-1, m, m)
    flat = price.reshape(-1, m, m)
    imports = np.zeros(flat.shape, dtype=np.bool_)
    for b in range(flat.shape[0]):
        for i in range(m):
            others = np.flatnonzero((np.arange(m) != i) & (counted[b, i] > 0.0))
            chosen = _importer(market.law, gain[b, i], size[b, i], counted[b, i, others], flat[b, i, others], tolerance)
            imports[b, i, others[chosen]] = True
    return imports.reshape(*batch, m, m)


def _importer(
    law: GainLaw, gain: float, own: float, size: NDArray[np.float64], price: NDArray[np.float64], tolerance: float
) -> NDArray[np.int64]:
    import pulp

    gain, own = float(gain), float(own)
    if size.size == 0 or gain <= 0.0:
        return np.empty(0, dtype=np.int64)
    problem = pulp.LpProblem("selection", pulp.LpMaximize)
    take = [problem.add_variable(f"take_{j}", cat="Binary") for j in range(size.size)]
    worth = problem.add_variable("worth", lowBound=0.0)
    # data in units of the importer's own keeps the coefficients near 1
    data = pulp.lpSum(float(n / own) * t for n, t in zip(size, take, strict=True))
    problem += worth - pulp.lpSum(float(w) * t for w, t in zip(price, take, strict=True))

    def add_tangent(total: float) -> None:
        value, slope = float(law.value(gain, own, total)), float(law.derivative(gain, own, total))
        problem.addConstraint(worth - slope * own * data <= value - slope * (total - own))

    whole = own + float(size.sum())
    for total in np.geomspace(own, whole, _TANGENTS):
        add_tangent(float(total))
    solver = exact_solver(mip_feasibility_tolerance=1e-9)
    for _ in range(_ROUNDS):
        problem.solve(solver)
        if problem.sol_status != pulp.LpSolutionOptimal:
            raise SolverError(f"HiGHS stopped with status {pulp.LpSolution[problem.sol_status]}; expected an optimum")
        chosen = np.flatnonzero([(t.value() or 0.0) > 0.5 for t in take])
        total = own + math.fsum(size[chosen])
        true = float(law.value(gain, own, total))
        if worth.value() - true <= tolerance * max(1.0, abs(true)):
            return chosen
        add_tangent(total)
    raise SolverError(f"the tangents did not close the gap in {_ROUNDS} rounds; raise the tolerance")
