"""The search: deterministic, within its budget, and it finds what hides in corners, ties and bands."""

from __future__ import annotations

import time

import numpy as np
import pytest

from mechanism.catalogue import direct_mechanism
from proofs_checks import verify
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.searching import Search
from tests.proofs_checks.hidden import made, second, winners, with_corner


def test_the_same_seed_makes_the_same_probes():
    found = []
    for _ in range(2):
        search = Search(direct_mechanism("gsp"), PROPERTY["anonymity"], seed=3)
        search.run(time.perf_counter() + 60, probes=9)
        found.append((search.tried, search.worst, search.best.types.tolist()))
    assert found[0] == found[1]


def test_another_seed_makes_others():
    worst = []
    for seed in range(2):
        search = Search(direct_mechanism("second-price"), PROPERTY["ir"], seed=seed)
        search.step()
        worst.append(search.best.types.tolist())
    assert worst[0] != worst[1]


def test_a_slow_mechanism_is_left_in_time():
    def rule(bids):
        time.sleep(0.05)
        return winners(bids), winners(bids) * second(bids)

    started = time.perf_counter()
    verdicts = verify(made(rule), ["dsic", "ir", "monotonicity"], budget=1.5)
    assert time.perf_counter() - started < 4.0
    assert [v.holds for v in verdicts] == [True] * 3


@pytest.mark.parametrize("seed", range(3))
def test_a_corner_of_a_thousandth_is_found(seed):
    verdict = verify(with_corner(1e-3), ["dsic"], budget=20, seed=seed)[0]
    assert verdict.holds is False
    assert verdict.seconds < 10


@pytest.mark.parametrize(
    ("name", "prop", "payment"),
    [
        ("exact tie", "dsic", lambda b: second(b) * (1 - 0.5 * (b[:, :1] == b[:, 1:2]))),
        ("a little", "dsic", lambda b: second(b) + 1e-5 * (b - second(b)) * (np.arange(3) == 1)),
        ("in a corner below zero", "ir", lambda b: second(b) + 0.05 * (b > 0.97)),
    ],
)
def test_other_hiding_places(name, prop, payment):
    def rule(bids):
        return winners(bids), winners(bids) * payment(bids)

    assert verify(made(rule, name=name), [prop], budget=10)[0].holds is False


def test_a_coalition_alone_is_found_and_named():
    def rule(bids):
        both = (bids[:, 0] > 0.2) & (bids[:, 0] < 0.3) & (bids[:, 2] > 0.6) & (bids[:, 2] < 0.66)
        wins = bids >= 0.5
        return wins, 0.5 * wins - 0.05 * both[:, None] * (np.arange(3) == 2)

    mechanism = made(rule)
    verdict = verify(mechanism, ["group-dsic"], budget=10)[0]
    assert verdict.holds is False
    assert verdict.witness.case.deviators[0].tolist() == [True, False, True]


def test_sound_rules_with_awkward_numbers_are_not_accused():
    def shifted(bids):  # second price with the payment added up in another order, on a large scale
        bids = np.asarray(bids)
        paid = bids.sum(axis=1, keepdims=True) - bids.max(axis=1, keepdims=True) - (bids.sum(axis=1, keepdims=True) - (
            bids.max(axis=1, keepdims=True) + second(bids)))  # fmt: skip
        return winners(bids), winners(bids) * paid

    mechanism = made(shifted, low=0.0, high=1e6)
    verdicts = verify(mechanism, ["dsic", "ir", "monotonicity", "cyclic-monotonicity", "bic"], budget=6)
    assert [v.holds for v in verdicts] == [True] * 5
