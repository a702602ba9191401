"""Nobody trains beyond the budget, noise is just enough for the rounds planned, and a resumed guard knows as much."""

import json

import numpy as np
import pytest

from learning.plan import LearningPlan
from learning.privacy import accounting
from learning.privacy.accounting import epsilon
from learning.privacy.guard import Guard, large_delta, stops
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


SHAKESPEARE = [27_686, 200, 3_000]


def test_delta_follows_from_the_largest_client_unless_it_is_given():
    """At 1e-5 a method that publishes a tenth of a sample of 27,686 would pass."""
    plan = LearningPlan(**(PLAN.to_dict() | {"dp_delta": 0.0, "dp_noise": 2.0}))
    keys = seeded_keys(0, 3)
    assert Guard(plan, [200, 400, 200], 5, keys).delta == 1e-5
    one = Guard(plan, SHAKESPEARE, 5, keys)
    assert one.delta == 1 / 276_860
    assert Guard(plan, [20, 20, 20], 5, keys, SHAKESPEARE).delta == 1 / 276_860  # most are held out
    one.admit(ALL, 1)
    one.record([1])
    assert one.notices == []
    assert one.epsilon[1] == epsilon(((16 / 200, 2.0, 5),), 1 / 276_860)


def test_a_delta_given_that_is_too_large_is_told_once():
    plan = LearningPlan(**(PLAN.to_dict() | {"dp_noise": 2.0}))
    one = Guard(plan, SHAKESPEARE, 5, seeded_keys(0, 3))
    assert one.delta == 1e-5
    one.admit(ALL, 1)
    one.admit(ALL, 2)
    (line,) = one.notices
    assert "delta is 1e-05, above 3.61e-06" in line
    assert "\n" not in line
    assert large_delta(3e-6, 3.6e-6) == ""


def test_who_stopped_is_read_from_what_was_told():
    one = guard(dp_noise=2.0, dp_epsilon=0.9)
    play(one, 30)
    assert one.notices
    told = stops([f"ipfl/ipfl-exact, seed 3: {line}" for line in one.notices] + ["ipfl, seed 3: something else"])
    assert len(told) == len(one.notices) == 3
    assert {unit for unit, _, _ in told} == {"ipfl/ipfl-exact, seed 3"}
    assert sorted(client for _, client, _ in told) == [0, 1, 2]
    assert all(f"client {client} stops before round {number}:" in " ".join(one.notices) for _, client, number in told)


def test_a_run_that_fits_composes_once_for_each_rate(monkeypatch):

    one = guard()
    asked = []
    real = accounting.epsilon
    monkeypatch.setattr(accounting, "epsilon", lambda rows, delta: asked.append(rows) or real(rows, delta))
    play(one, 4)
    assert asked == []
