"""Randomised rules: estimated on average over their draws, refuted beyond a bound only."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mechanism import SingleParameter, single_parameter
from mechanism.errors import InvalidMechanismError
from proofs_checks import verify
from proofs_checks.evidence.verdict import Grade
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.cases import deviating
from proofs_checks.search.sampled import Averaged, amounts, estimate


def coin(share):
    """The highest bidder wins and pays the second price, with chance ``share`` its own bid."""

    def rule(bids):
        wins = np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None]
        order = np.sort(bids, axis=1)
        own = np.random.random((len(bids), 1)) < share  # noqa: NPY002 - as somebody would write it
        return wins, wins * np.where(own, order[:, -1:], order[:, -2:-1])

    return SingleParameter(rule, 3, name="coin")


def generator(share):
    """The same with a generator that nobody else can set."""
    rng = np.random.default_rng(7)

    def rule(bids):
        wins = np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None]
        order = np.sort(bids, axis=1)
        own = rng.random((len(bids), 1)) < share
        return wins, wins * np.where(own, order[:, -1:], order[:, -2:-1])

    return SingleParameter(rule, 3, name="generator")


def test_without_the_option_it_is_refused_with_the_option_named():
    with pytest.raises(InvalidMechanismError, match="--randomised"):
        verify(coin(0.5), ["dsic"], budget=1)


@pytest.mark.parametrize("make", [coin, generator])
def test_a_lie_that_pays_on_average_is_refuted_and_replays(make):
    [verdict] = verify(make(0.5), ["dsic"], budget=20, probes=2, randomised=True)
    assert (verdict.grade, verdict.holds) == (Grade.REFUTED, False)
    told = json.loads(json.dumps(verdict.witness.to_dict()))
    assert "on average over" in told["sentence"]
    assert f"seed {verdict.evidence['seed']}" in told["sentence"]
    again = replay(Witness.from_dict(told), make(0.5))
    assert again.reproduces, again.difference
    assert again.bitwise == (make is coin)
    assert not replay(Witness.from_dict(told), make(0.0)).reproduces


def test_what_holds_on_average_is_searched_never_more():
    """A random dictator at price 0 is truthful and rational; a fair bet of a fee and its refund balances on average."""

    def rule(bids):
        chosen = np.random.randint(bids.shape[1], size=len(bids))  # noqa: NPY002
        bet = np.random.random((len(bids), 1)) < 0.5  # noqa: NPY002
        return np.arange(bids.shape[1]) == chosen[:, None], np.where(bet, 0.5, -0.5) + 0 * bids

    lottery = SingleParameter(rule, 2, name="lottery")
    object.__setattr__(lottery, "amounts", (-2.0, 2.0))
    found = verify(lottery, ["dsic", "budget-balance"], probes=1, randomised=True)
    for verdict in found:
        assert (verdict.grade, verdict.holds) == (Grade.SEARCHED, True)
        assert "confidence 0.99" in verdict.bound
    [verdict] = verify(coin(0.5), ["bic"], budget=1, probes=1, randomised=True)
    assert verdict.grade is Grade.UNKNOWN


@given(st.integers(0, 2**31 - 1), st.integers(0, 10))
@settings(max_examples=20, deadline=None)
def test_the_radius_covers_what_is_true(seed, tenths):
    """Bidding 1/2 instead of 1 against 1/4 gains share · 1/2 on average."""
    mechanism = coin(tenths / 10)
    case = deviating(np.array([[[1.0], [0.25], [0.0]]]), np.array([0]), 0, np.array([0.5]))
    mean, radius = estimate(PROPERTY["dsic"], Averaged(mechanism, 64, 16, seed), case, 1e-9)
    assert abs(mean - tenths / 20) <= radius
    assert estimate(PROPERTY["dsic"], Averaged(mechanism, 64, 16, seed), case, 1e-9) == (mean, radius)


def test_amounts_bound_what_is_drawn():
    def rule(bids):
        return 0 * bids, 3 * np.random.random(bids.shape)  # noqa: NPY002

    mechanism = single_parameter(agents=2)(rule)
    assert amounts(mechanism) == (-1.0, 1.0)
    with pytest.raises(InvalidMechanismError, match="amounts=\\(low, high\\)"):
        verify(mechanism, ["ir"], budget=2, probes=1, randomised=True)
    mechanism = single_parameter(agents=2, amounts=(-3.0, 3.0))(rule)
    [verdict] = verify(mechanism, ["ir"], budget=5, probes=1, randomised=True)
    assert verdict.holds is False
    object.__setattr__(mechanism, "amounts", (1.0, -1.0))
    with pytest.raises(InvalidMechanismError, match="expected finite numbers"):
        verify(mechanism, ["ir"], budget=2, probes=1, randomised=True)


def test_generators_are_left_as_they_were():
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    Averaged(coin(0.5), 3, 2, 5).outcome(np.zeros((1, 3, 1)))
    assert np.random.random() == expected  # noqa: NPY002


def test_it_is_neither_proved_nor_exhausted():
    for grade in ("proved", "exhausted"):
        with pytest.raises(InvalidMechanismError, match="searched only"):
            verify(coin(0.5), ["dsic"], grade=grade, randomised=True)
