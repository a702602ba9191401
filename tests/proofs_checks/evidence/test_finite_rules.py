"""Rules on finitely many types: every property against loops in whole numbers and fractions, from its definition."""

from fractions import Fraction
from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mechanism import Space
from proofs_checks import verify
from proofs_checks.evidence.exhaustive import exhaust
from proofs_checks.evidence.verdict import Grade
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.properties.registry import properties
from proofs_checks.search.grids import Grid, whole_grid
from tests.proofs_checks.finite import Table, evenly, tables


def changed(profile, who):
    return (*profile[: who[0]], who[1], *profile[who[0] + 1 :])


def coalitions(rule, strong):
    n = len(rule.counts)
    for team in (t for size in range(1, n + 1) for t in combinations(range(n), size)):
        for p, said in product(rule.profiles(), rule.profiles()):
            if all(said[j] == p[j] for j in range(n) if j not in team):
                gains = [rule.exact(i, p[i], said) - rule.exact(i, p[i], p) for i in team]
                yield min(gains) >= 0 and max(gains) > 0 if strong else min(gains) > 0


def deviations(rule):
    for p in rule.profiles():
        for i, count in enumerate(rule.counts):
            for r in range(count):
                yield i, p, changed(p, (i, r))


def lists(rule, p):
    return rule.got[p].tolist(), rule.paid[p].tolist()


def relabelled(rule, p, order):
    """Tell whether utilities, or payments, of the agents of some type are others when all are listed in that order."""
    moved = tuple(p[a] for a in order)
    return any(
        sorted(row[a] for a in range(len(p)) if p[a] == t) != sorted(now[a] for a in range(len(p)) if moved[a] == t)
        for row, now in zip(books(rule, p), books(rule, moved), strict=True) for t in set(p)
    )  # fmt: skip


def books(rule, p):
    return [rule.exact(i, p[i], p) for i in range(len(p))], rule.paid[p].tolist()


BROKEN = {
    "dsic": lambda m: any(m.exact(i, p[i], r) > m.exact(i, p[i], p) for i, p, r in deviations(m)),
    "ir": lambda m: any(m.exact(i, p[i], p) < 0 for i, p, _ in deviations(m)),
    "budget-balance": lambda m: any(m.paid[p].sum() != 0 for p in m.profiles()),
    "weak-budget-balance": lambda m: any(m.paid[p].sum() < 0 for p in m.profiles()),
    "monotonicity": lambda m: any(r[i] > p[i] and m.got[r][i] < m.got[p][i] for i, p, r in deviations(m)),
    "cyclic-monotonicity": lambda m: any(  # of one number: pairs say it all
        (p[i] - r[i]) * (m.got[p][i] - m.got[r][i]) < 0 for i, p, r in deviations(m)
    ),
    "non-bossiness": lambda m: any(
        (m.got[p][i], m.paid[p][i]) == (m.got[r][i], m.paid[r][i]) and lists(m, p) != lists(m, r)
        for i, p, r in deviations(m)
    ),
    "group-dsic": lambda m: any(coalitions(m, strong=True)),
    "group-dsic=weak": lambda m: any(coalitions(m, strong=False)),
    "bic": lambda m: m.best_lie(evenly(m.counts)) > 0,
    "interim-ir": lambda m: any(
        m.expected(i, t, t, evenly(m.counts)) < 0 for i, n in enumerate(m.counts) for t in range(n)
    ),
}


@given(tables())
@settings(max_examples=60, deadline=None)
def test_every_property_is_what_its_definition_says(rule):
    rule.paid -= 0.0
    grid = whole_grid(rule.space, np.nan, 1 << 10)
    for name, broken in BROKEN.items():
        prop = properties([name])[0]
        if prop.missing(rule) is not None:
            continue
        found = exhaust(rule, grid, prop)
        assert found.whole
        assert found.holds is not broken(rule), name
        if not found.holds:
            witness = Witness.of(rule, prop, found.case)
            assert replay(Witness.from_dict(witness.to_dict()), rule).reproduces, name


@given(st.integers(2, 3), st.integers(2, 4), st.integers(0, 2**32), st.booleans())
@settings(max_examples=40, deadline=None)
def test_anonymity_by_every_relabelling_of_every_profile(n, types, seed, symmetric):
    rng = np.random.default_rng(seed)
    rule = Table(*rng.integers(0, 2, (2, *(types,) * n, n)))
    if symmetric:
        for p in rule.profiles():
            low = tuple(sorted(p))
            rank = np.argsort(np.argsort(p, kind="stable"), kind="stable")
            rule.got[p], rule.paid[p] = rule.got[low].copy()[rank], rule.paid[low].copy()[rank]
        if rng.random() < 0.5:
            rule.paid[tuple(rng.integers(0, types, n))][0] += 1.0
    broken = any(relabelled(rule, p, order) for p in rule.profiles() for order in permutations(range(n)))
    assert exhaust(rule, whole_grid(rule.space, np.nan, 1 << 10), "anonymity").holds is not broken


@st.composite
def weighted(draw):
    """A rule, and chances of its profiles: correlated, some of them 0."""
    rule = draw(tables())
    count = len(rule.profiles())
    weights = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count).filter(any))
    total = sum(weights)
    return rule, {p: Fraction(w, total) for p, w in zip(rule.profiles(), weights, strict=True)}


@given(weighted())
@settings(max_examples=60, deadline=None)
def test_expectations_take_the_given_chances(drawn):
    rule, chances = drawn
    grid = Grid(whole_grid(rule.space, np.nan, 1 << 10).types, np.array([float(chances[p]) for p in rule.profiles()]))
    for name, worst in (
        ("bic", rule.best_lie(chances)),
        ("interim-ir", max(-x for i, n in enumerate(rule.counts) for t in range(n)
                           if (x := rule.expected(i, t, t, chances)) is not None)),
    ):  # fmt: skip
        found = exhaust(rule, grid, name)
        assert found.worst == pytest.approx(float(worst), abs=1e-12)
        assert found.holds is (worst <= 0)
        if not found.holds:
            witness = Witness.of(rule, properties([name])[0], found.case)
            assert 0.0 < witness.violation <= float(worst) + 1e-12
            assert replay(Witness.from_dict(witness.to_dict()), rule).bitwise


def test_a_rule_on_whole_numbers_is_exhausted_without_being_asked_to():
    rule = Table(np.ones((3, 4, 2)), np.zeros((3, 4, 2)))
    for verdict in verify(rule, budget=5):
        if verdict.property != "anonymity":  # other numbers of types
            assert (verdict.grade, verdict.holds) == (Grade.EXHAUSTED, True), verdict.property
            assert "these are all types" in verdict.bound
            assert verdict.evidence["fixed"] == []


class OddSeven(Table):
    """Five agents and 24 whole numbers: reporting 7 pays one, whatever is true."""

    def __init__(self):
        super().__init__(np.zeros((24,) * 1 + (1,)), np.zeros((24, 1)))
        from mechanism import Space

        self.space = Space(5, ("rank",), 0, 23, integer=True)

    def outcome(self, reports):
        return np.zeros(reports.shape[:2]), -(np.rint(reports[..., 0]) == 7).astype(float)


def test_what_is_too_large_is_not_called_exhausted():
    [verdict] = verify(OddSeven(), ["dsic"], grade="exhausted", budget=5)
    assert (verdict.grade, verdict.holds) == (Grade.REFUTED, False)
    [verdict] = verify(OddSeven(), ["ir"], grade="exhausted", budget=1)
    assert (verdict.grade, verdict.holds) == (Grade.UNKNOWN, None)
    assert "7.96 million profiles" in verdict.evidence["reason"]


class Voters(Table):
    """Whole numbers; all get what one of them says, nobody pays."""

    def __init__(self, agents, choose):
        kinds = (2,) * agents
        said = np.indices(kinds).reshape(agents, -1).T
        got = np.array([np.full(agents, choose(row)) for row in said], dtype=np.float64).reshape(*kinds, agents)
        super().__init__(got, np.zeros_like(got))


@pytest.mark.parametrize("grade", ["auto", "exhausted"])
def test_more_voters_than_answers_are_told_apart_by_what_those_of_one_answer_have(grade):
    """Of five who say yes or no two always say the same: ties that hid a dictator."""
    for choose, anonymous in ((lambda row: row[1], False), (lambda row: row.sum() >= 3, True)):
        verdict = verify(Voters(5, choose), ["anonymity"], budget=5, grade=grade)[0]
        assert verdict.grade is (Grade.EXHAUSTED if anonymous else Grade.REFUTED)
        if verdict.witness is not None:
            assert replay(Witness.from_dict(verdict.witness.to_dict()), Voters(5, choose)).reproduces


def test_whoever_is_first_may_win_a_tie_and_not_more():
    bids = np.stack(np.indices((4, 4, 4)), axis=-1)
    first = np.arange(3) == bids.argmax(axis=-1)[..., None]
    second = np.sort(bids, axis=-1)[..., 1:2]
    charged = first & (bids[..., [1]] == bids[..., [2]]) & (np.arange(3) == 0) & (bids[..., [0]] > bids[..., [1]])
    assert verify(Table(first, first * second), ["anonymity"], budget=5)[0].grade is Grade.EXHAUSTED
    assert verify(Table(first, first * second + charged), ["anonymity"], budget=5)[0].holds is False


@pytest.mark.parametrize("whole", [True, False])
def test_a_single_profile_is_all_there_is(whole):
    rule = Table(np.ones((1, 1, 2)), np.ones((1, 1, 2)))
    rule.space = Space(2, ("value",), 0.0, 0.0, integer=whole)
    found = {v.property: v for v in verify(rule, ["dsic", "bic", "group-dsic", "ir"], budget=5)}
    assert {(found[p].grade, found[p].holds) for p in ("dsic", "bic", "group-dsic")} == {(Grade.EXHAUSTED, True)}
    assert found["ir"].holds is False
