"""The search: deterministic, within its budget, and it finds what hides in corners, ties and bands."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mechanism.catalogue import direct_mechanism
from mechanism.direct import SingleParameter, Space
from proofs_checks import verify
from proofs_checks.evidence.verdict import Grade
from proofs_checks.evidence.verify import verdict
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search import sampling
from proofs_checks.search.pacing import Pace
from proofs_checks.search.searching import Search
from tests.proofs_checks.rules import made, second, winners, with_corner


def test_the_same_seed_makes_the_same_probes():
    found = []
    for _ in range(2):
        search = Search(direct_mechanism("gsp"), PROPERTY["anonymity"], seed=3)
        search.run(math.inf, probes=9)
        found.append((search.tried, search.worst, search.best.types.tolist()))
    assert found[0] == found[1]


def test_another_seed_makes_others():
    worst = []
    for seed in range(2):
        search = Search(direct_mechanism("second-price"), PROPERTY["ir"], seed=seed)
        search.step()
        worst.append(search.best.types.tolist())
    assert worst[0] != worst[1]


class Watch:
    """A clock that only a rule's answers move: ``each`` seconds a profile."""

    def __init__(self, monkeypatch, each):
        self.now, self.each = 0.0, each
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)

    def rule(self, pays):
        def rule(bids):
            self.now += self.each * len(bids)
            return winners(bids), winners(bids) * pays(bids)

        return made(rule)


@pytest.mark.parametrize(("each", "budget", "told"), [(0.05, 10, 1), (1.0, 60, 1), (1.0, 10, 0), (9.0, 10, 0)])
def test_a_slow_rule_is_refuted_or_unknown_within_its_budget(monkeypatch, each, budget, told):
    """Pay your bid, by a solver: a lie exists at almost every profile; where too few are answered nothing is said."""
    watch = Watch(monkeypatch, each)
    [verdict] = verify(watch.rule(lambda bids: bids), ["dsic"], budget=budget, grade="searched")
    assert watch.now <= max(1.5 * budget, 2 * each)
    assert verdict.holds is (False if told else None)
    assert told or "give it a larger budget" in verdict.evidence["reason"]


@pytest.mark.parametrize("each", [0.002, 0.05, 0.4])
def test_every_property_of_a_slow_rule_fits_into_the_budget(monkeypatch, each):
    watch = Watch(monkeypatch, each)
    verdicts = verify(watch.rule(second), budget=10, grade="searched")
    assert watch.now <= 15
    assert not [v.property for v in verdicts if v.property in ("ir", "dsic", "bic") and v.holds is False]
    assert all(v.evidence["tried"] >= 90 for v in verdicts if v.holds)  # less is no answer


def test_nothing_tried_is_no_answer():
    """Our own slow rules are asked for proofs, whatever the time; where none is known, nothing is searched besides."""
    slow = Pace(1.0, 1.0)
    found = verdict(direct_mechanism("first-price"), PROPERTY["bic"], 0.5, "searched", 0, pace=slow)
    assert (found.grade, found.holds) == (Grade.UNKNOWN, None)
    assert "no time was left" in found.evidence["reason"]


def test_a_first_answer_that_compiles_does_not_make_a_rule_slow(monkeypatch):
    watch = Watch(monkeypatch, 0.0)
    inner = watch.rule(second)

    def rule(bids):
        watch.now += 4.0 if watch.now == 0.0 else 0.0
        return inner.rule(bids)

    [verdict] = verify(made(rule), ["ir"], budget=10, grade="searched", probes=6)
    assert verdict.holds is True


@pytest.mark.parametrize("seed", range(3))
def test_a_corner_of_a_thousandth_is_found(seed):
    verdict = verify(with_corner(1e-3), ["dsic"], budget=20, seed=seed)[0]
    assert verdict.holds is False


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
    verdict = verify(mechanism, ["group-dsic"], budget=10, grade="searched")[0]
    assert verdict.holds is False
    assert verdict.witness.case.deviators[0].tolist() == [True, False, True]
    alone = verify(mechanism, ["group-dsic"], budget=10)[0]  # regions look at coalitions of one: a may be there anyhow
    assert (alone.holds, alone.witness.case.deviators[0].tolist()) == (False, [False, False, True])


def test_sound_rules_with_awkward_numbers_are_not_accused():
    def shifted(bids):  # second price with the payment added up in another order, on a large scale
        bids = np.asarray(bids)
        paid = bids.sum(axis=1, keepdims=True) - bids.max(axis=1, keepdims=True) - (bids.sum(axis=1, keepdims=True) - (
            bids.max(axis=1, keepdims=True) + second(bids)))  # fmt: skip
        return winners(bids), winners(bids) * paid

    mechanism = made(shifted, low=0.0, high=1e6)
    verdicts = verify(mechanism, ["dsic", "ir", "monotonicity", "cyclic-monotonicity", "bic"], budget=6)
    assert [v.holds for v in verdicts] == [True] * 5


WAYS = (*sampling.REPORTS, "breaks")


@st.composite
def spaces(draw, *, dyadic: bool = True) -> Space:
    """Spaces of 1 to 4 agents and 1 to 3 coordinates; ``dyadic``: bounds with which sums are exact."""
    agents, k = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    integer = draw(st.lists(st.booleans(), min_size=k, max_size=k))

    def numbers(low: int, high: int, unit: float) -> np.ndarray:
        cells = st.integers(low, high) if dyadic else st.floats(low, high, allow_subnormal=False)
        found = draw(st.lists(cells, min_size=agents * k, max_size=agents * k))
        values = np.array(found, dtype=np.float64).reshape(agents, k) * unit
        return np.where(integer, np.rint(values), values)

    low = numbers(-40, 40, 0.25)
    high = low + numbers(0, 40, 0.25)
    private = np.array(draw(st.lists(st.booleans(), min_size=agents * k, max_size=agents * k))).reshape(agents, k)
    return Space(agents, tuple("abc"[:k]), low, high, private, np.array(integer))


def inside(space: Space, values: np.ndarray, agent: np.ndarray | None = None) -> bool:
    low, high = (space.low, space.high) if agent is None else (b[agent][:, None] for b in (space.low, space.high))
    return bool(((values >= low) & (values <= high)).all())


@pytest.mark.parametrize("way", sampling.PROFILES)
@given(space=spaces(), seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_profiles_stay_in_the_domain(way, space, seed):
    found = sampling.PROFILES[way](space, np.random.default_rng(seed), 24)
    assert found.shape == (24, space.agents, space.k)
    assert inside(space, found)
    whole = found[..., space.integer]
    assert (whole == np.rint(whole)).all()
    again = sampling.PROFILES[way](space, np.random.default_rng(seed), 24)
    assert np.array_equal(found, again)


@pytest.mark.parametrize("way", WAYS)
@given(space=spaces(), seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_reports_move_only_what_may_be_misreported(way, space, seed):
    rng = np.random.default_rng(seed)
    profiles = sampling.uniform(space, rng, 8)
    agent = rng.integers(0, space.agents, 8)
    movable = rng.random(space.k) < 0.7
    found = sampling.reports(space, rng, profiles, agent, 6, movable, way)
    assert found.shape == (8, 6, space.k)
    assert inside(space, found, agent)
    whole = found[..., space.integer]
    assert (whole == np.rint(whole)).all()
    own = np.broadcast_to(profiles[np.arange(8), agent][:, None], found.shape)
    fixed = np.broadcast_to(~(movable & space.private[agent])[:, None], found.shape)
    assert np.array_equal(found[fixed], own[fixed])


@pytest.mark.parametrize("way", WAYS)
def test_reports_move_something(way):
    space = Space(3, ("a", "b"), np.asarray(0.0), np.asarray(1.0))
    rng = np.random.default_rng(0)
    profiles = sampling.uniform(space, rng, 50)
    agent = rng.integers(0, 3, 50)
    for movable in ([True, False], [True, True]):
        found = sampling.reports(space, rng, profiles, agent, 8, np.array(movable), way)
        changed = (found != profiles[np.arange(50), agent][:, None]).any(axis=-1)
        assert changed.mean() > 0.5


@pytest.mark.parametrize("way", list(sampling.PROFILES))
def test_bounds_that_do_not_add_up_in_floats_are_kept(way):
    """The sum low + (high - low) may round to a number above high: such a report is outside the domain."""
    rng = np.random.default_rng(0)
    for low, reach in rng.uniform(-3, 3, (300, 2)):
        space = Space(2, ("value",), np.asarray(low), np.asarray(low + abs(reach)))
        assert inside(space, sampling.PROFILES[way](space, rng, 32))


def test_public_numbers_are_not_copied_from_others():
    """A tie in a public number would say of an agent what nobody could report."""
    space = Space(3, ("value", "side"), [0.0, 0.0], [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [True, False])
    for way in ("ties", "uniform", "lattice", "corners", "boxes"):
        found = sampling.PROFILES[way](space, np.random.default_rng(1), 400)
        assert (found[:, 0, 1] == 0.0).all()
    ties = sampling.ties(space, np.random.default_rng(2), 400)
    assert (ties[:, 1, 1] == ties[:, 2, 1]).mean() < 0.01
    assert (ties[:, 1, 0] == ties[:, 2, 0]).mean() > 0.05


def test_ties_corners_and_round_numbers_are_among_them():
    space = Space(2, ("value",), np.asarray(0.0), np.asarray(1.0))
    rng = np.random.default_rng(3)
    ties = sampling.ties(space, rng, 1000)[..., 0]
    assert (ties[:, 0] == ties[:, 1]).mean() > 0.05
    corners = sampling.corners(space, rng, 1000)[..., 0]
    assert (corners == 0.0).any(axis=1).mean() > 0.05
    assert (corners == 1.0).any(axis=1).mean() > 0.05
    lattice = sampling.lattice(space, rng, 1000)[..., 0]
    assert np.isin(lattice, [a / b for b in range(1, 13) for a in range(b + 1)]).all()
    boxes = np.concatenate([sampling.boxes(space, rng, 50)[..., 0] for _ in range(40)])
    assert (np.abs(boxes[:, 0] - boxes[:, 1]) < 0.01).mean() > 0.1


def dearer(high, least=0.0, share=0.0):
    """Second price, whose winner pays ``least`` more and, where all say less than 10, a ``share`` of its own bid."""

    def rule(bids):
        won = winners(bids)
        near = (bids < 10.0).all(axis=1, keepdims=True)
        return won, won * (second(bids) + least + near * share * bids)

    return SingleParameter(rule, 3, high=high)


@pytest.mark.parametrize("high", [1e5, 1e8, 1e11])
@pytest.mark.parametrize("seed", range(2))
def test_a_small_profile_is_not_hidden_by_the_amounts_of_large_ones(high, seed):
    """A break of a cent, or of 5 % where all numbers are below 10, in domains of up to a hundred thousand million."""
    ir, dsic = verify(dearer(high, least=0.01), ["ir", "dsic"], budget=30, probes=40, seed=seed, grade="searched")
    assert ir.holds is dsic.holds is False
    assert max(abs(x) for x in ir.witness.case.types.ravel()) < 1e6
    assert (
        verify(dearer(high, share=0.05), ["dsic"], budget=30, probes=60, seed=seed, grade="searched")[0].holds is False
    )


def test_large_amounts_alone_break_nothing():
    verdicts = verify(dearer(1e8), ["dsic", "ir", "group-dsic=weak"], budget=30, probes=24, grade="searched")
    assert [v.holds for v in verdicts] == [True] * 3


def test_a_small_welfare_and_a_small_imbalance_are_seen_in_a_large_domain():
    def loser_of_the_small(bids):
        near = bids.max(axis=1, keepdims=True) < 5.0
        return np.where(near, np.arange(3) == bids.argmin(axis=1)[:, None], winners(bids)), 0.0 * bids

    def leaks(bids):
        paid = bids[:, :1] * np.array([[1.0, -1.0]])
        return 0.0 * bids, paid + 0.01 * (bids < 3.0).all(axis=1, keepdims=True)

    wasteful = SingleParameter(loser_of_the_small, 3, high=1e9, optimum=lambda bids: bids.max(axis=1))
    leaking = SingleParameter(leaks, 2, high=1e8)
    for mechanism, name in ((wasteful, "efficiency"), (leaking, "budget-balance")):
        assert verify(mechanism, [name], budget=30, probes=40, grade="searched")[0].holds is False
