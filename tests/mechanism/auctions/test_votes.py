"""Votes on a line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mechanism.auctions.without_money.mean_vote import mean_vote
from mechanism.auctions.without_money.median_vote import median_vote


def _decide(vote, *peaks):
    return vote.outcome(np.array(peaks, dtype=float).reshape(1, -1, 1)).tolist()[0]


def test_the_median_by_hand_and_the_lower_one_of_two():
    assert _decide(median_vote(5), 0.9, 0.1, 0.3, 0.8, 0.4) == 0.4
    assert _decide(median_vote(4), 0.9, 0.1, 0.3, 0.8) == 0.3
    assert _decide(mean_vote(4), 0.9, 0.1, 0.2, 0.8) == 0.5


def test_exaggerating_moves_the_mean_and_not_the_median():
    """Peaks 0.2, 0.4, 0.6: the last says 1. The mean moves from 0.4 to 0.533, nearer to it; the median stays."""
    assert _decide(mean_vote(3), 0.2, 0.4, 0.6) == pytest.approx(0.4)
    assert _decide(mean_vote(3), 0.2, 0.4, 1.0) == pytest.approx(1.6 / 3)
    assert _decide(median_vote(3), 0.2, 0.4, 1.0) == _decide(median_vote(3), 0.2, 0.4, 0.6) == 0.4


@given(arrays(np.float64, (4, 5), elements=st.floats(0, 1)))
def test_the_median_has_the_least_total_distance_on_a_fine_grid(peaks):
    vote = median_vote(5)
    types = peaks[..., None]
    reached = vote.welfare(types, vote.outcome(types))
    for x in np.linspace(0, 1, 101):
        assert (-np.abs(peaks - x).sum(axis=1) <= reached + 1e-12).all()
    np.testing.assert_allclose(vote.optimal_welfare(types), reached, atol=1e-12)


def test_two_agents_lose_nothing_by_the_mean():
    """Why the catalogue asks for three agents to call the mean inefficient."""
    vote = mean_vote(2)
    types = np.random.default_rng(0).random((500, 2, 1))
    np.testing.assert_allclose(vote.optimal_welfare(types), vote.welfare(types, vote.outcome(types)), atol=1e-12)
