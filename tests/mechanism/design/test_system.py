"""The small checks on which designs and impossibilities rest, and exact elimination."""

import random
from fractions import Fraction

import pytest

from mechanism import SolverError
from mechanism.design.elimination import solve_exactly
from mechanism.design.solve import Infeasible, contradiction, maximise
from mechanism.design.system import Row, check_bound, check_infeasible, check_point

ONE = Fraction(1)
BOX = (
    Row("x at most 3", {"x": -ONE}, ">=", Fraction(-3)),
    Row("y is 1", {"y": ONE}, "=", ONE),
    Row("x at least y", {"x": ONE, "y": -ONE}, ">=", Fraction(0)),
)


def test_points():
    assert check_point(BOX, {"x": Fraction(2), "y": ONE}) == []
    assert check_point(BOX, {"x": Fraction(2)}) == ["y is 1: off by -1"]
    assert len(check_point(BOX, {"x": Fraction(7, 2), "y": Fraction(4)})) == 3


def test_bounds():
    objective = {"x": ONE}
    assert check_bound(BOX, objective, Fraction(3), {"x at most 3": ONE}) == []
    assert check_bound(BOX, objective, Fraction(4), {"x at most 3": ONE}) == []
    assert check_bound(BOX, objective, Fraction(29, 10), {"x at most 3": ONE})
    assert check_bound(BOX, objective, Fraction(3), {"x at most 3": Fraction(2)})
    assert check_bound(BOX, objective, Fraction(3), {"x at least y": -ONE, "y is 1": -ONE})
    assert check_bound(BOX, objective, Fraction(3), {"x at most 3": ONE, "nobody": ONE})


def test_contradictions():
    system = (*BOX, Row("x at least 4", {"x": ONE}, ">=", Fraction(4)))
    assert check_infeasible(system, {"x at most 3": ONE, "x at least 4": ONE}) == []
    assert check_infeasible(system, {"x at most 3": ONE})
    assert check_infeasible(system, {"x at most 3": -ONE, "x at least 4": -ONE})
    assert check_infeasible(BOX, {})
    found = maximise(system, {})
    assert isinstance(found, Infeasible)
    assert check_infeasible(system, found.multipliers) == []


def test_a_solver_that_finds_no_contradiction_says_so():
    with pytest.raises(SolverError, match="no exact contradiction"):
        contradiction(BOX)


def test_optima_are_verified_in_fractions():
    best = maximise(BOX, {"x": Fraction(2), "y": ONE})
    assert (best.value, best.exact) == (7, True)
    assert best.multipliers["x at most 3"] == 2


@pytest.mark.parametrize("seed", range(5))
def test_elimination_solves_random_systems(seed):
    rng = random.Random(seed)
    names = [f"u{k}" for k in range(8)]
    truth = {name: Fraction(rng.randint(-9, 9), rng.randint(1, 7)) for name in names}
    rows = []
    for k in range(8):
        terms = {n: Fraction(rng.randint(-3, 3)) for n in rng.sample(names, 4)} | {names[k]: Fraction(20)}
        rows.append((terms, sum(c * truth[n] for n, c in terms.items())))
    assert solve_exactly(rows) == truth


def test_elimination_knows_when_there_is_no_answer():
    assert solve_exactly([({"a": ONE}, ONE), ({"a": ONE}, Fraction(2))]) is None
    assert solve_exactly([({"a": ONE, "b": ONE}, ONE)]) is None
    assert solve_exactly([({"a": ONE, "b": ONE}, ONE), ({"a": ONE, "b": ONE}, ONE)]) is None
    assert solve_exactly([({"a": ONE}, ONE), ({"a": Fraction(2)}, Fraction(2))]) == {"a": ONE}
