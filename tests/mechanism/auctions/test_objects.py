"""Objects without money: serial dictatorship and deferred acceptance."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mechanism import InvalidMechanismError
from mechanism.auctions.without_money.deferred_acceptance import deferred_acceptance
from mechanism.auctions.without_money.objects import best_matching, preferences
from mechanism.auctions.without_money.serial_dictatorship import serial_dictatorship

STRICT = st.lists(st.permutations(range(3)), min_size=3, max_size=3).map(lambda rows: (np.array(rows) + 1) / 4)
ASSIGNMENTS = list(itertools.permutations(range(3)))


def _assign(mechanism, *values):
    return mechanism.outcome(np.array([values], dtype=float))[0].tolist()


def _stable(assignment, values, lines):
    """No agent prefers an object whose holder comes later in its line."""
    for i, k in itertools.product(range(3), range(3)):
        holder = assignment.index(k)
        if values[i, k] > values[i, assignment[i]] and list(lines[k]).index(i) < list(lines[k]).index(holder):
            return False
    return True


def test_dictators_choose_in_turn():
    assert _assign(serial_dictatorship(3), [0.6, 0.5, 0.1], [0.9, 0.2, 0.1], [0.8, 0.7, 0.6]) == [0, 1, 2]
    assert _assign(serial_dictatorship(2), [0.5, 0.5], [0.9, 0.1]) == [0, 1]  # equal values: the lowest object


def test_who_comes_too_late_gets_nothing_and_more_objects_than_agents_are_fine():
    late = serial_dictatorship(3, objects=2)
    assert _assign(late, [0.1, 0.9], [0.2, 0.8], [1.0, 1.0]) == [1, 0, -1]
    types = np.array([[[0.1, 0.9], [0.2, 0.8], [1.0, 1.0]]])
    assert late.utility(types, late.outcome(types)).tolist() == [[0.9, 0.2, 0.0]]
    assert _assign(serial_dictatorship(1, objects=3), [0.1, 0.9, 0.2]) == [1]
    assert _assign(deferred_acceptance(3, objects=2), [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]) == [0, 1, -1]
    assert _assign(deferred_acceptance(2, objects=3), [0.1, 0.2, 0.9], [0.1, 0.2, 0.9]) == [2, 1]
    assert serial_dictatorship(2).resized(3).outcome(np.full((1, 3, 2), 0.5)).tolist() == [[0, 1, -1]]


def test_gale_and_shapley_by_hand_with_given_priorities():
    """Both want object 0, which prefers agent 1: it rejects agent 0, who gets object 1."""
    assert _assign(deferred_acceptance(2, priorities=[[1, 0], [0, 1]]), [0.9, 0.1], [0.8, 0.3]) == [1, 0]


@given(STRICT, st.lists(st.permutations(range(3)), min_size=3, max_size=3))
@settings(max_examples=200)
def test_deferred_acceptance_is_the_stable_assignment_that_every_agent_likes_best(values, lines):
    """Gale, Shapley 1962, theorem 2, against all six assignments."""
    reached = tuple(_assign(deferred_acceptance(3, priorities=lines), *values))
    stable = [a for a in ASSIGNMENTS if _stable(a, values, lines)]
    assert reached in stable
    for other in stable:
        assert all(values[i, reached[i]] >= values[i, other[i]] for i in range(3))


@given(STRICT)
def test_serial_dictatorship_is_pareto_efficient_for_strict_values(values):
    reached = _assign(serial_dictatorship(3), *values)
    for other in ASSIGNMENTS:
        change = [values[i, other[i]] - values[i, reached[i]] for i in range(3)]
        assert min(change) < 0 or max(change) == 0


def test_an_agent_that_withdraws_a_vain_proposal_helps_the_others():
    """Ergin 2002: agent 2 gets object 2 in any case; asking for it at once gives 0 and 1 their first choices."""
    mechanism = deferred_acceptance(3)
    first, second = [0.2, 0.9, 0.1], [0.8, 0.3, 0.2]
    assert _assign(mechanism, first, second, [0.9, 0.5, 0.1]) == [0, 1, 2]
    assert _assign(mechanism, first, second, [0.5, 0.1, 0.9]) == [1, 0, 2]


def test_an_indifferent_dictator_can_help_another():
    """Why the catalogue leaves group-dsic of the serial dictatorship open: it fails, but only through indifference."""
    mechanism = serial_dictatorship(2)
    types = np.array([[[0.5, 0.5], [0.9, 0.1]]])
    lie = np.array([[[0.1, 0.5], [0.9, 0.1]]])
    assert mechanism.utility(types, mechanism.outcome(types)).tolist() == [[0.5, 0.1]]
    assert mechanism.utility(types, mechanism.outcome(lie)).tolist() == [[0.5, 0.9]]


@given(arrays(np.float64, (3, 3, 4), elements=st.floats(0, 1)))
@settings(max_examples=50)
def test_the_best_total_value_is_that_of_brute_force(values):
    best = np.max([values[:, range(3), list(p)].sum(axis=1) for p in itertools.permutations(range(4), 3)], axis=0)
    np.testing.assert_allclose(best_matching(values), best, atol=1e-12)
    fewer = values.swapaxes(1, 2)  # four agents, three objects
    np.testing.assert_allclose(best_matching(fewer), best, atol=1e-12)


def test_equal_values_are_preferred_by_the_lowest_object():
    assert preferences(np.array([0.5, 0.9, 0.5])).tolist() == [1, 0, 2]


@pytest.mark.parametrize("bad", [[[0, 1]], [[0, 0], [0, 1]], [[0, 1, 2], [0, 1, 2]]])
def test_priorities_must_list_every_agent_once(bad):
    with pytest.raises(InvalidMechanismError, match="priorities must have 2 rows"):
        deferred_acceptance(2, priorities=bad)
