"""A recorded valuation is read back whole, or refused."""

import numpy as np
import pytest

from learning.errors import LearningError
from learning.valuation import KINDS, Curve, Valuation, value
from learning.valuation.curves import BINS
from tests.checks import refused
from tests.learning.valuation.synthetic import measured

GAIN = np.array([1e4, 2e4, 0.0, 5e3])


def valued(kind, seed=0, sign=1.0) -> Valuation:
    curve = measured(lambda x: sign * (100 / x) ** 0.4, 4, seed, noise=0.05)
    return value(kind, GAIN, None if kind == "size" else curve, seed)


@pytest.mark.parametrize("sign", [1.0, -5.0])
@pytest.mark.parametrize("kind", list(KINDS))
def test_what_was_written_is_read_bit_by_bit(kind, sign):
    before = valued(kind, sign=sign)
    arrays = before.arrays()
    after = Valuation.from_arrays({**arrays, "gain": np.zeros(7), "other": np.array(["x"])})
    assert (after.kind, after.fit, after.concavity_defect) == (before.kind, before.fit, before.concavity_defect)
    assert after.flat == before.flat
    assert type(after.law) is type(before.law)
    assert after.law == before.law
    x = np.geomspace(1, 1e5, 200)
    np.testing.assert_array_equal(after.law.value(3.0, 10.0, x), before.law.value(3.0, 10.0, x))
    for name in ("gain", "worth", "over", "under"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    again = after.arrays()
    assert set(again) == set(arrays)
    for name, array in arrays.items():
        assert array.dtype == np.float64
        np.testing.assert_array_equal(again[name], array)


@pytest.mark.parametrize("kind", list(KINDS))
def test_rounds_can_be_stacked_whatever_was_measured(kind):
    shapes = [{n: a.shape for n, a in valued(kind, s, x).arrays().items()} for s, x in ((0, 1.0), (1, 1.0), (2, -5.0))]
    assert shapes[0] == shapes[1] == shapes[2]
    assert shapes[0]["valuation_knots"] == (2, BINS)


def test_knots_of_the_largest_table_fit():
    """A law on a curve of many totals has no more knots than the record has room for."""
    curve = measured(lambda x: (100 / x) ** 0.4, 80, 1)
    valuation = value("measured", np.full(80, 1e4), curve)
    assert len(valuation.law.knots[0]) <= BINS
    assert Valuation.from_arrays(valuation.arrays()).law == valuation.law


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("kind", np.array(7.0)), ("kind", np.array(np.nan)), ("kind", np.array([1.0, 2.0])),
        ("exponent", np.array(3.0)), ("exponent", np.array(0.0)), ("gain", -GAIN), ("gain", GAIN[:2]),
        ("gain", np.array(1.0)), ("over", np.array([np.inf, 0, 0, 0])), ("under", np.array([-1.0, 0, 0, 0])),
        ("concavity_defect", np.array(-1.0)), ("fit", np.zeros(2)), ("knots", np.zeros((2, 3))),
        ("own", np.zeros(4)), ("own", np.ones(9)), ("total", np.ones((4, 2))),
        ("drop", np.full((4, 9), np.nan)), ("start", np.array(["a"] * 4)), ("worth", None), ("total", None),
    ],
)  # fmt: skip
def test_a_damaged_record_is_refused_in_one_line(name, array):
    arrays = valued("fitted").arrays()
    del arrays[f"valuation_{name}"]
    if array is not None:
        arrays[f"valuation_{name}"] = array
    with refused(LearningError, "recorded valuation is damaged"):
        Valuation.from_arrays(arrays)


@pytest.mark.parametrize("knots", [np.zeros((2, BINS)), np.tile(np.arange(BINS, 0, -1.0), (2, 1)), np.ones((2, BINS))])
def test_knots_that_are_no_table_are_refused(knots):
    arrays = valued("measured").arrays() | {"valuation_knots": knots}
    with pytest.raises(LearningError, match="damaged"):
        Valuation.from_arrays(arrays)


def test_an_array_of_absurd_size_is_refused_before_it_is_copied():
    arrays = valued("fitted").arrays()
    huge = np.broadcast_to(np.float64(1.0), (10**6, 10**6))  # takes no memory until somebody copies it
    with pytest.raises(LearningError, match="far larger"):
        Valuation.from_arrays(arrays | {"valuation_drop": huge})


def test_a_curve_of_nothing_is_written_and_read():
    curve = Curve(np.ones(4), np.zeros(4), np.zeros((4, 9)), np.zeros((4, 9)))
    for kind in ("measured", "fitted"):
        valuation = value(kind, GAIN, curve)
        assert Valuation.from_arrays(valuation.arrays()).law == valuation.law
