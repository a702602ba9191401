"""Exact confidence bounds against the binomial distribution that defines them."""

from __future__ import annotations

import pytest
from scipy.stats import binom

from proofs_checks.evidence.statistics import SampleError, share_interval, upper_share


@pytest.mark.parametrize(("found", "samples"), [(0, 1), (0, 10_000), (3, 20), (19, 20)])
@pytest.mark.parametrize("confidence", [0.9, 0.99])
def test_the_upper_bound_is_where_the_binomial_tail_is_the_error(found, samples, confidence):
    """Clopper-Pearson: P(at most `found` | share = bound) = 1 - confidence."""
    bound = upper_share(samples, confidence, found=found)
    assert binom.cdf(found, samples, bound) == pytest.approx(1 - confidence, rel=1e-9)


@pytest.mark.parametrize(("found", "samples"), [(1, 7), (50, 100), (6, 7)])
def test_both_ends_of_the_interval_leave_half_the_error(found, samples):
    low, high = share_interval(found, samples, 0.95)
    assert low < found / samples < high
    assert binom.sf(found - 1, samples, low) == pytest.approx(0.025, rel=1e-9)
    assert binom.cdf(found, samples, high) == pytest.approx(0.025, rel=1e-9)


def test_the_ends_that_nothing_bounds():
    assert share_interval(0, 5)[0] == 0.0
    assert share_interval(5, 5)[1] == 1.0
    assert upper_share(5, found=5) == 1.0


def test_ten_thousand_without_a_find():
    """The figure printed in the docs: with confidence 99 % at most 0.046 % of markets."""
    assert upper_share(10_000, 0.99) == pytest.approx(4.6041e-4, rel=1e-4)


@pytest.mark.parametrize(
    "wrong", [(-1, 5, 0.9), (6, 5, 0.9), (0, 0, 0.9), (0, 5, 1.0), (0, 5, 0.0), (0, 5, float("nan"))]
)
def test_what_is_no_sample_is_refused(wrong):
    found, samples, confidence = wrong
    with pytest.raises(SampleError):
        upper_share(samples, confidence, found=found)
    with pytest.raises(SampleError):
        share_interval(found, samples, confidence)
