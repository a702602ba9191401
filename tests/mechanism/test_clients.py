"""Types, reports and public data: what is accepted, what is refused, and how."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mechanism import InvalidMarketError, Market, Reports, Types


def test_batches_broadcast_and_arrays_are_read_only():
    types = Types(size=[[1, 2], [3, 4]], cost=[0, 1], gain=[[5, 6]])
    assert types.batch == (2,)
    assert types.clients == 2
    assert types.cost.tolist() == [[0, 1], [0, 1]]
    with pytest.raises(ValueError, match="read-only"):
        types.size[0, 0] = 9


def test_truth_and_report_are_two_classes():
    types = Types(size=[1, 2], cost=[0, 1], gain=[5, 6])
    reports = types.report(cost=[0, 0.5])
    assert isinstance(reports, Reports)
    assert not isinstance(reports, Types)
    assert types.cost.tolist() == [0, 1]
    assert reports.replace(gain=[[1, 1], [2, 2]]).batch == (2,)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -1.0, 1e16])
@pytest.mark.parametrize("name", ["size", "cost", "gain"])
def test_numbers_outside_the_domain_are_refused_with_their_place(name, bad):
    numbers = {"size": [1.0, 2.0], "cost": [0.0, 1.0], "gain": [5.0, 6.0]}
    numbers[name] = [numbers[name][0], bad]
    with pytest.raises(InvalidMarketError, match=rf"{name}\[1\] is .*expected"):
        Types(**numbers)


def test_a_size_of_zero_is_refused_and_a_cost_or_gain_of_zero_is_not():
    Types(size=[1], cost=[0], gain=[0])
    with pytest.raises(InvalidMarketError, match="size"):
        Types(size=[0], cost=[0], gain=[0])


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InvalidMarketError, match="shape"):
        Types(size=[1, 2, 3], cost=[0, 1], gain=[1, 1])
    with pytest.raises(InvalidMarketError, match="single number"):
        Types(size=1, cost=[0, 1], gain=[1, 1])
    with pytest.raises(InvalidMarketError, match="same number of clients"):
        Types(size=[1, 2], cost=[0], gain=[1, 1])


@pytest.mark.parametrize(
    "matrix", [[[0, 2.1], [1, 0]], [[0.5, 1], [1, 0]], [[0, np.nan], [1, 0]], [[0, 1]], [[0, -1e-6], [1, 0]]]
)
def test_matrices_that_hold_no_differences_are_refused(matrix):
    with pytest.raises(InvalidMarketError, match="differences"):
        Market(np.array(matrix), 1.0)


def test_rounding_errors_in_differences_are_clipped():
    market = Market(np.array([[1e-12, 2 + 1e-10], [-1e-10, 0]]), 1.0)
    assert market.differences.tolist() == [[0, 2], [0, 0]]


@pytest.mark.parametrize("lam", [-1.0, np.nan, np.inf])
def test_a_lam_that_is_no_weight_is_refused(lam):
    with pytest.raises(InvalidMarketError, match="lam"):
        Market(None, lam)


@given(st.floats(1, 1e6), st.floats(1, 1e6), st.floats(0, 2), st.floats(0, 10))
def test_penalty_is_lam_times_difference_times_the_ratio_of_sizes(n_i, n_j, d, lam):
    pen = Market(np.array([[0, d], [0, 0]]), lam).penalties(np.array([n_i, n_j]))
    np.testing.assert_allclose(pen, [[0, lam * d * n_j / n_i], [0, 0]], rtol=1e-12, atol=1e-300)


def test_differences_for_another_number_of_clients_are_refused():
    with pytest.raises(InvalidMarketError, match="3 clients"):
        Market(np.zeros((3, 3)), 1.0).penalties(np.ones(2))


def test_some_of_the_clients_have_the_market_among_themselves():
    rng = np.random.default_rng(0)
    size, cost, gain = rng.uniform(1, 2, (3, 2, 5))
    d = rng.uniform(0, 1, (2, 5, 5)) * ~np.eye(5, dtype=bool)
    types, market = Types(size, cost, gain), Market(d, 0.3)
    for chosen in ([3, 0, 4], np.array([1, 0, 0, 1, 1], dtype=bool)):
        few = np.flatnonzero(chosen) if isinstance(chosen, np.ndarray) else np.array(chosen)
        some, among = types.take(chosen), market.take(chosen)
        assert isinstance(some, Types)
        assert isinstance(types.truthful().take(chosen), Reports)
        assert (some.clients, some.batch) == (3, (2,))
        for name in ("size", "cost", "gain"):
            assert np.array_equal(getattr(some, name), getattr(types, name)[:, few])
        assert np.array_equal(among.differences, d[:, few][:, :, few])
        whole = market.penalties(types.size)
        assert np.array_equal(among.penalties(some.size), whole[:, few][:, :, few])
        assert (among.lam, among.law) == (0.3, market.law)
    assert Market(None, 0.3).take([0, 1]).differences is None
    assert types.take([]).clients == types.take(np.zeros(5, dtype=bool)).clients == 0


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ([0, 3], "from 0 to 2"), ([-1], "from 0 to 2"), ([1, 1], "different numbers"),
        ([True, False], "one for each of 3 clients"), ([[0, 1]], "row of indices"),
        ([0.0, 1.0], "row of indices"), (1, "row of indices"),
    ],
)  # fmt: skip
def test_a_choice_that_names_no_clients_is_refused(chosen, expected):
    for whole in (Types([1, 2, 3], [0, 0, 0], [0, 0, 0]), Market(np.zeros((3, 3)), 1.0)):
        with pytest.raises(InvalidMarketError, match=expected):
            whole.take(chosen)
