"""Shrinking: the story stays true, gets no longer, keeps at least two agents, and is the same for the same stream."""

import math
import time
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mechanism.catalogue import direct_mechanism
from mechanism.direct import Floats, SingleParameter
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.cases import Cases
from proofs_checks.search.searching import Search
from proofs_checks.search.shrinking import longest, shrink, without
from tests.proofs_checks.rules import Flat, auction, moved, pay_all, pay_bid, pay_second, plain, rows, winner

FOUND = (
    ("first-price", "dsic", 5), ("second-price", "non-bossiness", 5), ("second-price", "group-dsic", 5),
    ("all-pay", "ir", 5), ("gsp", "dsic", 4), ("mcafee", "budget-balance", 6), ("vcg-combinatorial", "split-proof", 4),
    ("ipfl", "dsic-cost", 5), ("ipfl", "efficiency", 5), ("ipfl-exact", "core", 5), ("ipfl-exact", "dsic-size", 4),
    ("serial-dictatorship", "anonymity", 4), ("vcg-two-sided", "budget-balance", 5),
)  # fmt: skip
"""Catalogue id, a property that it breaks, agents."""


@cache
def found(name: str, prop: str, agents: int) -> tuple[Any, Cases]:
    search = Search(direct_mechanism(name, agents), PROPERTY[prop])
    search.run(math.inf, probes=60)
    assert search.found is not None
    return search.mechanism, search.found


def arrays(case: Cases) -> list[list[float]]:
    parts = [case.types, case.before, *([] if case.after is None else [case.after])]
    return [*(p.tolist() for p in parts), *(np.asarray(a).tolist() for _, a in case.extra)]


@pytest.mark.parametrize(("name", "prop", "agents"), FOUND)
def test_what_is_left_breaks_the_property_and_is_short(name, prop, agents):
    mechanism, case = found(name, prop, agents)
    kept = arrays(case)
    smaller, small = shrink(mechanism, PROPERTY[prop], case, np.random.default_rng(0), 1e6)
    assert arrays(case) == kept
    n = small.types.shape[1]
    assert 2 <= n <= agents
    assert smaller.space.agents == n
    assert longest(small) <= min(3, longest(case))
    numbers = PROPERTY[prop].numbers(smaller, small)
    assert PROPERTY[prop].violation(smaller, small).max() > PROPERTY[prop].tolerance(numbers)
    for profiles in (small.types, small.before, small.after):
        if profiles is not None:
            assert ((profiles >= smaller.space.low) & (profiles <= smaller.space.high)).all()


@pytest.mark.parametrize(("name", "prop", "agents"), [("first-price", "dsic", 5), ("ipfl", "dsic-cost", 4)])
def test_the_same_stream_gives_the_same_story(name, prop, agents):
    mechanism, case = found(name, prop, agents)
    told = [arrays(shrink(mechanism, PROPERTY[prop], case, np.random.default_rng(4), 1e6)[1]) for _ in range(2)]
    assert told[0] == told[1]


@given(
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=4), st.floats(0.1, 1.0), st.floats(0.0, 0.99), st.integers(0, 9)
)
@settings(max_examples=40, deadline=None)
def test_any_lie_of_the_first_price_auction(others, value, share, seed):
    """Agent 0 says a share of its value, above what the others have."""
    mechanism = auction(pay_bid, 1 + len(others))
    prop = PROPERTY["dsic"]
    report = share * value
    case = moved(rows(value, *(other * report for other in others)), 0, report)
    assert prop.violation(mechanism, case).max() > 1e-6
    smaller, small = shrink(mechanism, prop, case, np.random.default_rng(seed), 1e6)
    assert small.types.shape[1] == 2
    assert longest(small) <= max(1, longest(case))
    assert prop.violation(smaller, small).max() > 1e-9


@given(st.lists(st.integers(0, 100), min_size=3, max_size=3, unique=True).map(sorted), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_short_stories_stay_short(cents, seed):
    """Two digits at the start, two at the end: the climb in between must not leave its long numbers behind."""
    prop = PROPERTY["dsic"]
    second, report, first = (c / 100 for c in cents)
    case = moved(rows(first, second), 0, report)
    assert prop.violation(auction(pay_bid), case).max() > 1e-6
    _, small = shrink(auction(pay_bid), prop, case, np.random.default_rng(seed), 1e6)
    assert longest(small) <= longest(case)


def test_the_last_two_agents_stay():
    mechanism = auction(pay_all, 4)
    smaller, small = shrink(mechanism, PROPERTY["ir"], plain(0.7, 0.6, 0.5, 0.4), np.random.default_rng(0), 1e6)
    assert small.types.shape == (1, 2, 1)
    assert smaller.space.agents == 2
    fixed = SingleParameter(pay_all, 4)  # cannot be had for fewer
    same, whole = shrink(fixed, PROPERTY["ir"], plain(0.7, 0.6, 0.5, 0.4), np.random.default_rng(0), 1e6)
    assert same is fixed
    assert whole.types.shape == (1, 4, 1)


def test_a_violation_that_needs_long_numbers_is_kept():
    """Only bids within 1e-5 of 0.123456 are charged too much: no three digits say that."""

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        near = np.abs(bids - 0.123456) < 1e-5
        return winner(bids) * 1.0, near * 0.5

    mechanism = SingleParameter(rule, 3)
    case = plain(0.1234567, 0.9, 0.8)
    _, small = shrink(mechanism, PROPERTY["ir"], case, np.random.default_rng(0), 1e6)
    assert PROPERTY["ir"].violation(mechanism, small).max() > 0.3
    assert 3 < longest(small) <= longest(case)


def test_a_slow_mechanism_is_left_in_time_with_a_story_no_longer_than_it_was(monkeypatch):
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        nonlocal now
        now += 0.02
        return winner(bids) * 1.0, winner(bids) * bids

    mechanism = SingleParameter(rule, 3)
    case = moved(rows(0.75, 0.5, 0.25), 0, 0.625)
    _, small = shrink(mechanism, PROPERTY["dsic"], case, np.random.default_rng(0), seconds=0.5)
    assert 0.1 < now < 1.0
    assert PROPERTY["dsic"].violation(mechanism, small).max() > 1e-9
    assert longest(small) <= longest(case)


def test_idle_members_are_taken_from_a_coalition():
    """The one who helps and the one who is helped are enough: the third plays no part."""
    case = moved(rows(0.75, 0.5, 0.25), 1, 0.25)
    case = Cases(case.types, case.before, case.after, np.array([[True, True, True]]))
    _, small = shrink(auction(pay_second, 3), PROPERTY["group-dsic"], case, np.random.default_rng(0), 1e6)
    assert small.deviators[0, :2].tolist() == [True, True]
    assert small.deviators.sum() == 2


def test_who_is_part_of_the_story_is_not_left_out():
    mechanism = Flat(4)
    lie = moved(rows(0.1, 0.2, 0.3, 0.4), 2, 0.9)
    assert without(mechanism, lie, 2) is None
    rest = without(mechanism, lie, 0)
    assert rest.types[0, :, 0].tolist() == [0.2, 0.3, 0.4]
    assert rest.after[0, 0, :, 0].tolist() == [0.2, 0.9, 0.4]
    assert rest.deviators.tolist() == [[False, True, False]]
    pair = plain(0.1, 0.2, 0.3, 0.4, pair=np.array([1, 3]))
    assert without(mechanism, pair, 3) is None
    assert without(mechanism, pair, 2).more("pair").tolist() == [[1, 2]]
    order = plain(0.1, 0.2, 0.3, order=np.array([1, 0, 2]))
    assert without(Flat(3), order, 2).more("order").tolist() == [[1, 0]]
    assert without(Flat(3), order, 0) is None  # what is left would be no relabelling
    assert without(Flat(1), plain(0.1), 0) is None
