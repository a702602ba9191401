"""Known laws are found again, and nothing is made of nothing."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from learning.errors import LearningError
from learning.valuation.laws import EXPONENTS, fit_power, fit_table
from mechanism.market.clients import LARGEST
from tests.learning.valuation.synthetic import measured, one, several


@pytest.mark.parametrize("e", [0.15, 0.5, 0.85, 1.0])
def test_a_power_law_without_noise_is_found_exactly(e):
    fit = fit_power(measured(lambda x: 2 * (x / 100) ** -e), 0)
    assert fit.exponent == pytest.approx(e, abs=1e-4)
    assert fit.scale == pytest.approx(2 * 100**e, rel=1e-3)
    assert fit.unit**fit.exponent == pytest.approx(fit.scale)
    assert fit.low - 0.005 <= e <= fit.high + 0.005


@pytest.mark.parametrize("e", [0.3, 0.5, 0.8])
def test_the_interval_holds_the_true_exponent_nearly_as_often_as_it_says(e):
    """Forty curves of 20 clients whose gains differ by a fifth: 95 % is 38; fewer than 32 has chance below 1e-3."""
    held = 0
    for seed in range(40):
        fit = fit_power(measured(lambda x: (x / 100) ** -e, 20, seed, noise=0.02, spread=0.2), seed)
        assert EXPONENTS[0] <= fit.low <= fit.exponent <= fit.high <= EXPONENTS[1]
        held += fit.low <= e <= fit.high
    assert held >= 32


def test_the_fit_is_the_least_squares_one():
    """The general solver of scipy, started at the fit and elsewhere, finds no better exponent and scale."""
    curve = measured(lambda x: (x / 100) ** -0.6, noise=0.05, spread=0.3)
    fit = fit_power(curve, 0)
    root, n, x = np.sqrt(curve.weights), curve.own[:, None], np.maximum(curve.total, 1.0)

    def residual(p):
        return (root * (np.exp(p[0]) * ((n / 100) ** -p[1] - (x / 100) ** -p[1]) - curve.drop)).ravel()

    mine = float((residual([np.log(fit.scale / 100**fit.exponent), fit.exponent]) ** 2).sum())
    for start in ([0.0, 0.2], [0.0, 0.9], [1.0, 0.5]):
        found = least_squares(residual, start, bounds=([-9, 0.1], [9, 1.0]), xtol=1e-14, ftol=1e-14, gtol=1e-14)
        assert mine <= 2 * found.cost * (1 + 1e-9)


def test_the_bootstrap_is_of_its_seed():
    curve = measured(lambda x: (x / 100) ** -0.5, noise=0.05, spread=0.3)
    assert fit_power(curve, 1) == fit_power(curve, 1)
    assert fit_power(curve, 1).exponent == fit_power(curve, 2).exponent


def test_a_curve_that_rises_or_does_not_move_has_no_scale():
    for drops in ([-0.1, -0.2], [0.0, 0.0]):
        fit = fit_power(one([200, 400], drops), 0)
        assert (fit.exponent, fit.scale, fit.unit, fit.low, fit.high) == (0.5, 0.0, 0.0, *EXPONENTS)


def test_a_single_point_does_not_tell_exponents_apart():
    """Every power goes through one point: the paper's exponent is taken, and the interval is the whole range."""
    fit = fit_power(one([400], [0.3]), 0)
    assert (fit.exponent, fit.low, fit.high) == (pytest.approx(0.5), *EXPONENTS)
    assert fit.scale * (100**-0.5 - 400**-0.5) == pytest.approx(0.3)


def test_one_client_says_nothing_about_clients():
    fit = fit_power(one([200, 400, 800], 2 - 2 * np.array([2.0, 4.0, 8.0]) ** -0.7), 0)
    assert fit.exponent == pytest.approx(0.7, abs=1e-4)
    assert (fit.low, fit.high) == EXPONENTS


def test_gain_parameters_stay_within_what_a_market_takes():
    """Nearly a logarithm, and a nat is worth a thousand: the smallest exponents would need K far beyond 1e15."""
    curve = measured(lambda x: -0.3 * np.log(x))
    free, bound = fit_power(curve, 0), fit_power(curve, 0, 1000.0)
    assert free.exponent < 0.12 < bound.exponent < 0.4
    assert (1000.0 * bound.scale) ** (1 / bound.exponent) <= LARGEST
    assert bound.low >= 0.12
    with pytest.raises(LearningError, match="take smaller gains"):
        fit_power(curve, 0, 1e15)


def test_a_concave_table_goes_through_concave_points():
    table = fit_table(one([200, 400, 800], [0.4, 0.6, 0.7]))
    np.testing.assert_allclose(table.value(1.0, 100.0, [100, 200, 400, 800, 9000]), [0, 0.4, 0.6, 0.7, 0.7], atol=1e-12)
    assert table.concavity_defect == 0.0


def test_a_table_is_the_nearest_concave_one():
    """Drops 0.1 at 200 and 0.5 at 300: among lines through (100, 0), slope (0.1·1 + 0.5·2)/5 = 0.22 per 100."""
    table = fit_table(one([200, 300], [0.1, 0.5]))
    np.testing.assert_allclose(table.value(1.0, 100.0, [200, 300, 400]), [0.22, 0.44, 0.44], atol=1e-12)


def test_a_table_does_not_fall():
    """0.4 and then 0.2: level at their mean."""
    table = fit_table(one([200, 300], [0.4, 0.2]))
    np.testing.assert_allclose(table.value(1.0, 100.0, [200, 300]), [0.3, 0.3], atol=1e-12)


@pytest.mark.parametrize("totals", [[200, 300], [0, 0]])
def test_a_table_of_no_gain_is_flat(totals):
    table = fit_table(one(totals, np.where(np.array(totals) > 0, [-0.1, -0.3], 0.0)))
    assert (table.value(3.0, 100.0, np.array([1.0, 100.0, 300.0, 1e9])) == 0).all()


def test_clients_of_different_sizes_are_measured_from_their_own():
    """Exact for a concave piecewise linear truth with kinks at sizes that occur, whoever starts where."""
    totals, drops = [[200.0, 400.0], [400.0, 800.0], [800.0, 0.0]], [[1.0, 1.5], [0.5, 0.6], [0.1, 0.0]]
    table = fit_table(several([100, 200, 400], totals, drops))
    np.testing.assert_allclose(table.value(1.0, 100.0, [100, 200, 400, 800]), [0, 1.0, 1.5, 1.6], atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_no_other_concave_table_is_nearer(seed):
    """Against steps from the table to random concave non-decreasing ones: convexity makes each of them no better."""
    curve = measured(lambda x: (x / 100) ** -0.5, 4, seed, noise=0.1)  # few totals: each is a knot
    table, rng = fit_table(curve), np.random.default_rng(seed)
    n, x = curve.own[:, None], np.maximum(curve.total, curve.own[:, None])
    ends = np.linspace(50, 2500, 30)

    def squares(rise):
        return float((curve.weights * (rise(x) - rise(n) - curve.drop) ** 2).sum())

    best = squares(lambda x: table.value(1.0, 50.0, x))
    for _ in range(50):
        slopes = rng.exponential(size=30) * (rng.random(30) < 0.2) / 1000
        step = 10.0 ** rng.uniform(-4, 0)

        def other(x, slopes=slopes, step=step):
            hinges = (np.minimum(x[..., None], ends) @ slopes) if np.ndim(x) else 0.0
            return (1 - step) * table.value(1.0, 50.0, x) + step * hinges

        assert squares(other) >= best * (1 - 1e-9)
