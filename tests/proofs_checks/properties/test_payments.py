"""Rochet's criterion: payments that make a table truthful, or a negative cycle that says why there are none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_checks.properties.monotone import arcs, implementing_payments, negative_cycle, shortest

SIZES = st.integers(2, 9)


def truthful(table: np.ndarray, payments: np.ndarray) -> bool:
    """Tell whether each truth (row) likes its own report best."""
    paid = table - payments[None, :]
    scale = max(1.0, float(np.abs(table).max()))
    return bool((np.diag(paid)[:, None] >= paid - 1e-12 * scale).all())


@given(r=SIZES, seed=st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_a_monotone_rule_is_implemented(r, seed):
    """U(t, r) = t x(r) - anything paid at r, with x rising: the truth can always be made best."""
    rng = np.random.default_rng(seed)
    values, shares = np.sort(rng.random(r)), np.sort(rng.integers(0, 5, r) / 4)
    table = values[:, None] * shares[None, :] - rng.normal(size=r)[None, :]
    payments = implementing_payments(table)
    assert payments is not None
    assert abs(payments[0]) <= 1e-12
    assert truthful(table, payments)


@given(r=SIZES, seed=st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_any_table_is_implemented_or_holds_a_negative_cycle(r, seed):
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(r, r)) + np.eye(r) * rng.uniform(0, 4)
    payments = implementing_payments(table)
    if payments is not None:
        assert truthful(table, payments)
        return
    length = arcs(table[None])[0]
    cycle = negative_cycle(length)
    assert len(set(cycle)) == len(cycle) >= 2
    assert sum(length[a, b] for a, b in zip(cycle, [*cycle[1:], cycle[0]], strict=True)) < 0


@given(r=SIZES, seed=st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_a_rule_that_falls_somewhere_is_not(r, seed):
    rng = np.random.default_rng(seed)
    values, shares = np.sort(rng.random(r)), np.sort(rng.random(r))
    values, shares = values + np.arange(r), shares + np.arange(r)
    k = int(rng.integers(r - 1))
    shares[[k, k + 1]] = shares[[k + 1, k]]
    table = values[:, None] * shares[None, :]
    assert implementing_payments(table) is None
    length = arcs(table[None])[0]
    cycle = negative_cycle(length)
    assert sum(length[a, b] for a, b in zip(cycle, [*cycle[1:], cycle[0]], strict=True)) < 0


def test_a_cycle_of_three_without_a_bad_pair():
    table = np.array([[0.0, 1.0, -2.0], [-2.0, 0.0, 1.0], [1.0, -2.0, 0.0]])
    length = arcs(table[None])[0]
    assert (length + length.T).min() >= 0.0
    assert implementing_payments(table) is None
    assert negative_cycle(length) in ([0, 1, 2], [1, 2, 0], [2, 0, 1])
    table[2, 0] = -3.0
    payments = implementing_payments(table)
    assert payments is not None
    assert truthful(table, payments)


def test_shortest_walks_agree_with_networkx():
    import networkx as nx

    rng = np.random.default_rng(0)
    length = rng.uniform(0.1, 1.0, (6, 6))
    np.fill_diagonal(length, 0.0)
    graph = nx.from_numpy_array(length, create_using=nx.DiGraph)
    expected = dict(nx.all_pairs_dijkstra_path_length(graph))
    found = shortest(length[None])[0]
    for a in range(6):
        for b in range(6):
            assert found[a, b] == pytest.approx(expected[a][b], abs=1e-12)


def test_the_second_price_is_what_the_criterion_gives():
    """Against a bid of 1/2: reports below it pay nothing, reports above it 1/2 more, up to the grid."""
    levels = np.linspace(0.0, 1.0, 9)
    wins = levels > 0.5
    payments = implementing_payments(levels[:, None] * wins[None, :])
    assert payments is not None
    assert set(payments[~wins]) == {0.0}
    assert len(set(payments[wins])) == 1
    assert 0.5 <= payments[wins][0] <= 0.625
