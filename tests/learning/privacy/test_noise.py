"""The noise chosen spends the budget and hardly less, for any budget that is allowed, without many compositions."""

import logging
import math

import pytest

from learning.errors import LearningError
from learning.privacy import LARGEST_EPSILON, noise
from learning.privacy.accounting import epsilon
from learning.privacy.noise import noises_for


@pytest.mark.parametrize(
    ("target", "rate", "steps"),
    [(1.0, 0.02, 200), (4.0, 0.05, 20), (3.0, 1.0, 10), (0.05, 0.1, 40), (30.0, 0.25, 10), (LARGEST_EPSILON, 0.25, 10)],
)
def test_noise_for_spends_the_target_and_a_little_less_would_not(target, rate, steps):
    found = noises_for(target, 1e-5, [rate], steps)[rate]
    assert epsilon(((rate, found, steps),), 1e-5) <= target < epsilon(((rate, found * 0.998, steps),), 1e-5)


def test_the_noise_of_many_is_that_of_each_and_rises_with_the_rate(monkeypatch):
    looks = []
    real = noise.composed
    monkeypatch.setattr(noise, "composed", lambda rows, delta, grid: looks.append(rows) or real(rows, delta, grid))
    rates = [16 / n for n in (150, 160, 180, 190, 205, 230)]
    found = noises_for(5.0, 1e-5, rates, 12)
    assert len(looks) <= 4 * len(rates)  # each starts where the two before it point
    assert found == noises_for(5.0, 1e-5, rates[::-1], 12)
    assert set(found) == set(rates)
    ordered = [found[rate] for rate in sorted(rates)]
    assert ordered == sorted(ordered)
    for rate in rates:
        assert found[rate] == pytest.approx(noises_for(5.0, 1e-5, [rate], 12)[rate], rel=2e-3)
        assert epsilon(((rate, found[rate], 12),), 1e-5) <= 5.0


def test_where_hardly_any_noise_is_needed_it_is_the_least_there_is():
    assert noises_for(LARGEST_EPSILON, 0.5, [1e-4], 1)[1e-4] == pytest.approx(math.exp(-3.0))


@pytest.mark.parametrize("target", [0.0, -1.0, math.nan, math.inf, 1e300, 1.01 * LARGEST_EPSILON])
def test_a_target_that_promises_nothing_is_refused(target):
    with pytest.raises(LearningError, match="expected an epsilon above 0 and at most 500"):
        noises_for(target, 1e-5, [0.1], 5)[0.1]


def test_a_target_out_of_reach_is_told():
    with pytest.raises(LearningError, match="take fewer steps"):
        noises_for(1e-9, 1e-5, [1.0], 1000)[1.0]


def test_who_listens_hears_how_far_it_is(caplog):
    with caplog.at_level(logging.INFO, logger="learning"):
        noises_for(2.0, 1e-5, [0.1, 0.11], 3)
    assert [record.getMessage() for record in caplog.records] == [
        "choosing the noise, 1 of 2",
        "choosing the noise, 2 of 2",
    ]
