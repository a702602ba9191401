"""The decorator: what it makes of a rule, and what it says where the number of agents is missing."""

import numpy as np
import pytest

from mechanism import InvalidMechanismError, single_parameter
from mechanism.catalogue import direct_mechanism
from mechanism.errors import UnknownNameError, did_you_mean


def rule(bids):
    return bids > 0.5, 0.0 * bids


def test_it_keeps_name_role_and_bounds():
    made = single_parameter(agents=2, low=1.0, high=3.0, role="seller")(rule)
    assert (made.name, made.role, made.own, made.agents) == ("rule", "seller", "cost", 2)
    assert made.space.high.tolist() == [[3.0], [3.0]]
    assert made([0.25, 0.75])[0].tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: single_parameter(rule), "single_parameter on rule needs"),
        (lambda: single_parameter(3), "single_parameter needs"),
        (lambda: single_parameter(), "single_parameter needs"),
        (lambda: single_parameter(rule, agents=2), "single_parameter on rule needs"),
    ],
)
def test_without_parentheses_or_agents_it_says_what_to_write(make, words):
    with pytest.raises(InvalidMechanismError, match=words) as told:
        make()
    assert str(told.value).endswith("the number of agents; write @single_parameter(agents=N) above the rule")


def test_a_wrong_shape_is_told_what_a_row_is():
    with pytest.raises(InvalidMechanismError, match=r"of shape \[2\] for bids of shape \[4, 2\].*one row per profile"):
        single_parameter(agents=2)(lambda bids: (bids[0], bids)).outcome(np.zeros((4, 2, 1)))


def test_unknown_names_are_told_their_neighbours():
    assert did_you_mean("dsi", ["bic", "dsic", "ir"]) == "; did you mean 'dsic'?"
    assert did_you_mean("nothing-like-it", ["bic", "dsic"]) == ""
    with pytest.raises(
        UnknownNameError, match=r"unknown mechanism 'ipfl_exact'; did you mean 'ipfl-exact'.*\? Known: "
    ):
        direct_mechanism("ipfl_exact")
    with pytest.raises(UnknownNameError, match=r"unknown mechanism 'zzz'; known: "):
        direct_mechanism("zzz")
