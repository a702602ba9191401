"""Gain laws: value, derivative, concavity, and the form that the kernels read agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mechanism import InvalidMarketError, PowerGain, SqrtGain, TableGain
from mechanism.market.allocation import kernels

LAWS = [SqrtGain(), PowerGain(0.3), PowerGain(1.0), TableGain((100, 200, 400, 800), (0.0, 1.0, 1.6, 1.9))]


def test_sqrt_gain_is_the_papers_formula():
    assert SqrtGain().value(3600, 100, 400) == pytest.approx(6 - 3)
    assert SqrtGain().derivative(3600, 100, 400) == pytest.approx(0.5 * 60 * 400**-1.5)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.name}")
@given(k=st.floats(0, 1e6), n=st.floats(50, 1000), more=st.floats(0, 5000), step=st.floats(1, 500))
def test_gain_is_zero_at_home_rising_and_concave(law, k, n, more, step):
    x = n + more
    tolerance = 1e-9 * max(1.0, float(np.abs(law.value(k, n, 1e6))))
    assert law.value(k, n, n) == 0
    first, second = (
        law.value(k, n, x + step) - law.value(k, n, x),
        law.value(k, n, x + 2 * step) - law.value(k, n, x + step),
    )
    assert first >= -tolerance
    assert second <= first + tolerance
    slope = law.derivative(k, n, x)
    assert first <= slope * step + tolerance  # below its tangent


@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.name}")
@given(k=st.floats(1e-3, 1e6), x=st.floats(50, 2000), step=st.floats(1, 500))
def test_the_kernels_read_the_same_law(law, k, x, step):
    form = law.kernel_form()
    ours = kernels.level(form, k, x + step) - kernels.level(form, k, x)
    assert ours == pytest.approx(float(law.value(k, x, x + step)), rel=1e-9, abs=1e-9 * k)
    assert kernels.slope_at(form, k, x) == pytest.approx(float(law.derivative(k, x, x)), rel=1e-12)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.name}")
@given(k=st.floats(1e-2, 1e6), price=st.floats(1e-8, 10), low=st.floats(50, 500), width=st.floats(1, 1000))
def test_peak_beats_every_other_total(law, k, price, low, width):
    form = law.kernel_form()
    best = kernels.peak(form, k, price, low, low + width)
    assert low <= best <= low + width

    def surplus(x):
        return kernels.level(form, k, x) - price * x

    grid = np.linspace(low, low + width, 41)
    worth = max(surplus(float(x)) for x in grid)
    assert surplus(best) >= worth - 1e-9 * max(1.0, abs(worth), price * (low + width))


def test_a_measured_curve_becomes_its_concave_hull_and_tells_its_defect():
    law = TableGain((100, 200, 300, 400, 500), (0.0, 0.5, 2.0, 2.5, 2.4))
    assert law.knots[0].tolist() == [100, 300, 400]
    assert law.concavity_defect == pytest.approx(0.5)  # at 200 the hull is 1.0
    assert law.value(1.0, 100, 200) == pytest.approx(1.0)
    assert law.value(1.0, 400, 10_000) == 0


def test_a_measured_curve_that_never_rises_is_worth_nothing():
    assert TableGain((1, 2, 3), (3.0, 2.0, 1.0)).value(5.0, 1, 3) == 0


@pytest.mark.parametrize("samples", [(2, 1), (0, 1), (1, np.nan), (1,)])
def test_measured_curves_that_are_none_are_refused(samples):
    with pytest.raises(InvalidMarketError):
        TableGain(samples, tuple(range(len(samples))))


@pytest.mark.parametrize("exponent", [0.0, -1.0, 1.5, np.nan])
def test_exponents_outside_the_concave_range_are_refused(exponent):
    with pytest.raises(InvalidMarketError, match="exponent"):
        PowerGain(exponent)


def test_certificates_say_why():
    assert "(s-t)²(2s+t)" in SqrtGain().certificate()
    assert "concave" in PowerGain(0.3).certificate()
    assert ">=" in LAWS[-1].certificate()
