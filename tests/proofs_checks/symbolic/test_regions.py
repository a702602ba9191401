"""Regions say what NumPy says; refutations add up; the simplex method agrees with another solver."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from proofs_checks.symbolic.affine import AT_LEAST, EQUAL, GREATER, Affine
from proofs_checks.symbolic.farkas import Constraint, refutes
from proofs_checks.symbolic.points import centre
from proofs_checks.symbolic.regions import Explorer, Proving, leaves, region_at, walls
from proofs_checks.symbolic.simplex import Simplex
from proofs_checks.symbolic.traced import traced, tracing

BOX = dict.fromkeys(range(4), (0, 1))


def explored(function):
    """Return the tree of a function of four numbers ``[1, 4]`` to an array ``[1, q]``."""
    explorer = Explorer(Proving(BOX, float("inf"), []), 5000)

    def program():
        with tracing():
            row = traced(np.array([[Affine({v: 1}, 0, explorer) for v in BOX]], dtype=object))
            found = np.asarray(function(row), dtype=object).ravel()
        return [x if isinstance(x, Affine) else Affine({}, Fraction(float(x)), explorer) for x in found]

    return explorer.run(program)


def assigned(x):
    out = np.zeros(x.shape)
    out[np.arange(len(x)), x.argmax(axis=1)] = x[:, 1] / 2
    out[:, 3] += 0.25
    return out


def looped(x):
    out = np.empty_like(x)
    for k, row in enumerate(x):
        best = max(range(4), key=lambda i: row[i])
        out[k] = [min(v, row[best] / 2) if v > 0.25 else v for v in row]
    return out


def ranked(x):
    order = np.argsort(-x, axis=1, kind="stable")
    by_rank = np.take_along_axis(x, order, axis=1)
    out = np.zeros(x.shape)
    np.put_along_axis(out, order, np.cumsum(by_rank, axis=1), axis=1)
    return out


FUNCTIONS = {
    "maximum": lambda x: np.maximum(x, 0.5) - np.minimum(x, x[:, ::-1]),
    "sort": lambda x: np.sort(x, axis=1)[:, ::-1] * [1, 2, 3, 4],
    "partition": lambda x: np.partition(x, 2, axis=-1)[:, 2:3],
    "median and mean": lambda x: np.median(x, axis=1) - x.mean(axis=1),
    "where": lambda x: np.where((x > 0.3) & ~(x.sum(axis=1, keepdims=True) >= 2), x, -x),
    "assigned": assigned,
    "looped": looped,
    "ranked": ranked,
    "abs, clip": lambda x: np.abs(x - 0.5) + np.clip(x, 0.2, 0.6),
    "matrix": lambda x: x @ np.arange(16.0).reshape(4, 4) + np.dot(x, np.ones(4))[:, None],
    "stacked": lambda x: np.concatenate([x[:, :2], np.stack([x[:, 3], x[:, 0]], axis=1)], axis=1),
    "truths": lambda x: (x >= np.median(x, axis=1, keepdims=True)).astype(float) * 0.1 + (x != x[:, :1]),
    "infinite": lambda x: np.where(np.isfinite(np.where(x > 0.5, np.inf, x)), x, 1.0),
    "counted": lambda x: np.divide(x, (x > 0.5).sum(axis=1, keepdims=True), out=np.zeros(x.shape), where=x > 0.5),
    "deleted": lambda x: np.delete(x, 1, axis=1).max(axis=1, initial=0.0) - np.diff(x, axis=1).sum(axis=1),
    "asarray": lambda x: np.asarray(x, dtype=np.float64).astype(float).reshape(2, 2).max(axis=0),
    "lexsort": lambda x: x[:, np.lexsort((x[0], x[0] > 0.5))],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_regions_say_is_what_numpy_says(name):
    tree = explored(FUNCTIONS[name])
    rng = np.random.default_rng(0)
    middles = [[float(centre([*walls(BOX), *region.path])[v]) for v in BOX] for region in leaves(tree)[:40]]
    for row in [*rng.random((50, 4)), *rng.choice([0.0, 0.25, 0.5, 1.0], (50, 4)), *middles]:
        forms, nearest = region_at(tree, {v: Fraction(float(x)) for v, x in enumerate(row)})
        if 0 < nearest < 1e-9:  # pragma: no cover - rounding may decide
            continue
        expected = np.asarray(FUNCTIONS[name](np.array([row])), dtype=float).ravel()
        found = [float(f.constant + sum(c * Fraction(float(row[v])) for v, c in f.terms.items())) for f in forms]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12, err_msg=f"{name} at {row}")


def test_ties_that_play_no_part_are_not_told_apart():
    assert len(leaves(explored(lambda x: np.sort(x[:, :3], axis=1)))) == 6
    assert len(leaves(explored(lambda x: x[:, :3].argmax(axis=1) + np.partition(x[:, :3], 1)[:, 1]))) == 6
    assert len(leaves(explored(lambda x: x[:, :2] == x[:, 1:3]))) == 9


ROW = st.tuples(
    st.lists(st.integers(-3, 3), min_size=3, max_size=3),
    st.integers(-4, 4),
    st.sampled_from([GREATER, AT_LEAST, EQUAL]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(ROW, max_size=9), st.integers(0, 8))
def test_a_system_is_refuted_exactly_where_another_solver_finds_nothing(rows, kept):
    system = walls(dict.fromkeys(range(3), (0, 1)))
    solver = Simplex()
    for position, wall in enumerate(system):
        solver.add(wall, position)
    conflict = None
    for number, (factors, constant, relation) in enumerate(rows):
        constraint = Constraint({v: a for v, a in enumerate(factors) if a}, constant, relation)
        if number >= kept:  # added and withdrawn: it must leave no trace
            solver.push()
            solver.add(constraint, len(system))
            solver.pop()
            continue
        system.append(constraint)
        conflict = solver.add(constraint, len(system) - 1)
        if conflict is not None:
            break
    margin = [0, 0, 0, -1.0]
    strict = [
        [-c.terms.get(v, 0) for v in range(3)] + [1.0 if c.relation == GREATER else 0.0]
        for c in system
        if c.relation != EQUAL
    ]
    even = [[c.terms.get(v, 0) for v in range(3)] + [0.0] for c in system if c.relation == EQUAL]
    best = linprog(
        margin, strict, [c.constant for c in system if c.relation != EQUAL], even or None,
        [-c.constant for c in system if c.relation == EQUAL] or None, [(None, None)] * 3 + [(None, 1.0)],
    )  # fmt: skip
    open_ = best.status == 0 and (-best.fun > 1e-9 or not any(c.relation == GREATER for c in system))
    assert (conflict is None) == open_
    if conflict is not None:
        assert refutes(system, conflict)
        for position in conflict:
            assert not refutes(system, {k: v for k, v in conflict.items() if k != position})
    else:
        point = {v: c + Fraction(k) / 10**6 for v, (c, k) in solver.point().items()}
        assert all(c.holds({v: point.get(v, 0) for v in range(3)}) for c in system)


def test_multipliers_of_the_wrong_sign_or_place_refute_nothing():
    system = [Constraint({0: 1}, 0, AT_LEAST), Constraint({0: -1}, 1, AT_LEAST), Constraint({0: 1}, -2, GREATER)]
    assert refutes(system, {1: 1, 2: 1})
    assert not refutes(system, {1: 1})
    assert not refutes(system, {0: -1, 2: 1})
    assert not refutes(system, {1: 1, 2: 1, 7: 0})
    assert not refutes(system[:2], {0: 1, 1: 1})
