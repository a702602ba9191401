"""Nobody trains beyond the budget, noise is just enough for the rounds planned, and a resumed guard knows as much."""

from __future__ import annotations

import json

import numpy as np
import pytest

from learning.plan import LearningPlan
from learning.privacy.accounting import epsilon
from learning.privacy.guard import Guard
from learning.privacy.keys import seeded_keys

PLAN = LearningPlan(clients=3, batch=16, rounds=4, dp_epsilon=6.0)
SAMPLES = [200, 400, 200]
ALL = np.ones(3, dtype=bool)


def guard(**changes):
    plan = LearningPlan(**(PLAN.to_dict() | changes))
    return Guard(plan, SAMPLES, 5, seeded_keys(0, 3))


def play(one, rounds, present=ALL):
    admitted = []
    for round_index in range(1, rounds + 1):
        admitted.append(one.admit(present, round_index))
        one.record(np.flatnonzero(admitted[-1]).tolist())
    return admitted


def test_the_noise_chosen_fits_the_rounds_planned_and_not_one_more():
    one = guard()
    admitted = play(one, 6)
    assert [list(row) for row in admitted] == [[True] * 3] * 4 + [[False] * 3] * 2
    assert (one.epsilon <= 6.0).all()
    assert (one.epsilon > 5.9).all()
    assert one.noise[0] == one.noise[2] > one.noise[1]  # who is drawn less often needs less
    assert len(one.notices) == 3  # one each, though two rounds were refused
    assert one.epsilon[1] == epsilon(((16 / 400, one.noise[1], 20),), PLAN.dp_delta)


def test_a_given_noise_stops_each_client_by_its_own_ledger():
    one = guard(dp_noise=0.8)
    while one.admit(ALL, 1)[0]:
        one.record(np.flatnonzero(one.admit(ALL, 1)).tolist())
    assert one.admit(ALL, 1).tolist() == [False, True, False]
    assert one.epsilon[0] <= 6.0 < epsilon(((16 / 200, 0.8, one.rows()[0]["steps"] + 5),), PLAN.dp_delta)


def test_who_is_absent_spends_nothing_and_is_not_let_in():
    one = guard()
    admitted = play(one, 2, np.array([True, False, True]))
    assert admitted[1].tolist() == [True, False, True]
    assert one.epsilon[1] == 0.0


def test_a_resumed_guard_has_the_same_ledger_to_the_bit_and_stops_the_same():
    whole, first, second = guard(), guard(), guard()
    play(whole, 4)
    play(first, 2)
    second.restore(json.loads(json.dumps(first.rows())))
    play(second, 2)
    assert second.rows() == whole.rows()
    assert second.epsilon.tolist() == whole.epsilon.tolist()
    assert not second.admit(ALL, 5).any()


@pytest.mark.parametrize("rounds", [0, 1])
def test_a_plan_that_does_not_know_its_rounds_is_safe_for_one(rounds):
    one = guard(rounds=rounds)
    assert play(one, 2)[1].tolist() == [False] * 3
