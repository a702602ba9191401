"""Absence in a round: for a mechanism, who is not there does not exist."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from marketproof.running.loop import play_round
from marketproof.running.methods import Method
from marketproof.running.recorder import Unit
from mechanism import (
    Market,
    MarketMechanism,
    Reports,
    SqrtGain,
    TableGain,
    Types,
    account,
    fixed_outcome,
    market_mechanism,
    objective,
    optimal_objective,
)
from mechanism.market.mechanisms import _RULES as MECHANISMS
from mechanism.market.settling import TwoStage, clear_and_settle, objectives
from proofs_checks import Witness, replay
from proofs_checks.search.lies import COORDINATES, best_lie
from tests.marketproof.fake_trainer import FakeTrainer

LAWS = (SqrtGain(), TableGain((50.0, 400.0, 1500.0, 6000.0), (0.0, 0.5, 0.8, 0.9)))


def drawn(rng, *shape, law=LAWS[0], lam=0.0, shared=False):
    """Return true types and reports ``[*shape]``, some of them false, and their market."""
    m = shape[-1]
    worth = (1e3, 6e4) if isinstance(law, SqrtGain) else (5.0, 60.0)
    parts = [rng.uniform(*bounds, shape) for bounds in ((50, 900), (0.2, 2.0), worth)]
    lies = [part * rng.choice([1.0, 1.0, 1.5], shape) for part in parts]
    d = rng.uniform(0, 1, (m, m) if shared else (*shape, m)) * ~np.eye(m, dtype=bool)
    return Types(*parts), Reports(*lies), Market(d, lam, law)


def alone(name, reports, types, market, where, present):
    """Return what the present clients of one clearing decide in a market built for them only."""
    few = np.flatnonzero(present)
    said, true = (
        kind(*(np.array(array)[where][few] for array in (part.size, part.cost, part.gain)))
        for kind, part in ((Reports, reports), (Types, types))
    )
    d = np.broadcast_to(market.differences, (*types.batch, types.clients, types.clients))[where]
    own = Market(d[np.ix_(few, few)], market.lam, market.law)
    mechanism = market_mechanism(name)
    outcome = mechanism.clear(said, own)
    return mechanism.settle(outcome, true) if isinstance(mechanism, TwoStage) else outcome, true, own


def assert_of_the_present(name, found, where, parts, present, squares=("prices", "error")):
    """Fail unless one clearing of an outcome is that of the present clients, and nothing for the others."""
    expected, true, own = alone(name, *parts, where, present)
    among = np.ix_(present, present)
    assert np.array_equal(found.imports[where][among], expected.imports)
    rest = ~(present[:, None] & present[None, :])
    assert not found.imports[where][rest].any()
    for array in squares:
        if hasattr(expected, array):
            np.testing.assert_allclose(getattr(found, array)[where][among], getattr(expected, array), rtol=1e-12)
            assert not getattr(found, array)[where][rest].any()
    for row in ("centre", "gap", "sales"):
        if hasattr(expected, row):
            mine = getattr(found, row)[where]
            np.testing.assert_allclose(mine[present], getattr(expected, row), rtol=1e-12, atol=1e-12)
            assert not mine[~present].any()
    types = parts[1]
    one = Types(types.size[where], types.cost[where], types.gain[where])
    books = account(one, replace(found, **{k: v[where] for k, v in vars(found).items()}), own)
    assert not books.utility[~present].any()
    utility = account(true, expected, own).utility
    np.testing.assert_allclose(books.utility[present], utility, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
@pytest.mark.parametrize("name", list(MECHANISMS))
def test_the_outcome_of_the_present_is_that_of_the_market_without_the_absent(name, law):
    rng = np.random.default_rng([1, len(name)])
    traded = False
    for case in range(12):
        m = int(rng.integers(2, 8))
        parts = drawn(rng, m, law=law, lam=[0.0, 0.4][case % 2])
        present = rng.random(m) < 0.6
        found = clear_and_settle(market_mechanism(name), *parts, present)
        assert found.imports.shape == (m, m)
        assert found.centre.shape == found.gap.shape == (m,)
        if present.sum() >= 2:
            assert_of_the_present(name, found, (), parts, present)
        else:
            assert not found.imports.any()
            assert not found.prices.any()
            assert not found.centre.any()
        traded |= found.imports.any() and not present.all()
    assert traded


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", list(MECHANISMS))
def test_a_batch_is_cleared_row_by_row_by_who_is_there(name, shared):
    """A pattern that returns, everybody, two who meet, a single client, nobody; with and without settling."""
    rng = np.random.default_rng(5)
    parts = drawn(rng, 7, 6, lam=0.2, shared=shared)
    present = np.array([[1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 0, 1], [0, 0, 1, 0, 0, 0], [1, 0, 1, 1, 0, 1],
                        [0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 1, 0], [1, 1, 1, 1, 1, 0]], dtype=bool)  # fmt: skip
    found = clear_and_settle(market_mechanism(name), *parts, present)
    for row, there in enumerate(present):
        if there.sum() >= 2:
            assert_of_the_present(name, found, (row,), parts, there)
        else:
            assert not found.imports[row].any()
            assert not found.prices[row].any()
            assert not found.centre[row].any()
    same = clear_and_settle(market_mechanism(name), *parts, present[1])
    assert np.array_equal(same.imports[1], found.imports[1])
    assert np.array_equal(same.imports[3], found.imports[3])
    assert same.prices.shape == (7, 6, 6)


def test_every_axis_of_a_batch_is_kept():
    parts = drawn(np.random.default_rng(6), 2, 3, 5, lam=0.1)
    present = np.array([True, False, True, True, True])
    found = clear_and_settle(market_mechanism("vcg-two-sided"), *parts, present)
    assert found.imports.shape == (2, 3, 5, 5)
    assert found.sales.shape == (2, 3, 5)
    assert_of_the_present("vcg-two-sided", found, (1, 2), parts, present)


def test_a_price_set_by_who_does_not_trade_is_not_set_by_who_is_not_there():
    """Five clients share a pool of two, four a pool of one: pricing the fifth out would leave the larger pool."""
    types = Types([100] * 5, [0.1, 0.2, 0.3, 0.4, 0.05], [3.6e4] * 5)
    present = np.array([True, True, True, True, False])
    found = clear_and_settle(market_mechanism("pooled-price"), types.truthful(), types, Market(), present)
    assert found.imports[3].tolist() == [True, False, False, False, False]
    assert found.prices[3, 0] == pytest.approx(0.2)
    priced_out = Types(types.size, [0.1, 0.2, 0.3, 0.4, 1e11], [3.6e4] * 4 + [0.0])
    assert market_mechanism("pooled-price").clear(priced_out.truthful(), Market()).prices[3, 0] == pytest.approx(0.3)


@dataclass(frozen=True)
class Bounty:
    """The centre gives 1 to whom it sees, and takes a fee that rises with the number of clients."""

    id: str = "bounty"
    allocation: str = ""
    payment: str = ""

    def clear(self, reports, market):
        nothing = fixed_outcome(np.zeros((*reports.batch, reports.clients, reports.clients), dtype=bool))
        return replace(nothing, centre=np.full((*reports.batch, reports.clients), reports.clients - 1.0))


def test_no_centre_pays_or_charges_who_is_not_there_or_because_of_them():
    types = Types([[100] * 4] * 3, [[1] * 4] * 3, [[1] * 4] * 3)
    present = np.array([[True, True, False, True], [True] * 4, [False, False, True, False]])
    found = clear_and_settle(Bounty(), types.truthful(), types, Market(), present)
    assert found.centre.tolist() == [[2, 2, 0, 2], [3, 3, 3, 3], [0, 0, 0, 0]]


def test_objectives_are_those_of_the_present():
    types, reports, market = drawn(np.random.default_rng(3), 6, lam=0.3)
    present = np.array([True, False, True, True, True, False])
    outcome = clear_and_settle(market_mechanism("ipfl"), reports, types, market, present)
    reached, optimal, gap = objectives(reports, outcome.imports, market, present)
    few = np.flatnonzero(present)
    own = Reports(reports.size[few], reports.cost[few], reports.gain[few])
    among = Market(market.differences[np.ix_(few, few)], market.lam)
    assert reached == pytest.approx(objective(own, outcome.imports[np.ix_(few, few)], among), rel=1e-12)
    assert (optimal, gap) == pytest.approx([float(x) for x in optimal_objective(own, among)], rel=1e-12)
    assert optimal < float(optimal_objective(reports, market)[0]) - 1e-3
    for there in ([0] * 6, [0, 0, 1, 0, 0, 0]):
        assert objectives(reports, np.zeros((6, 6), bool), market, np.array(there, bool)) == (0.0, 0.0, 0.0)


TRUTHFUL = (("pooled-price", "cost"), ("pooled-price", "gain"), ("realised-bilateral", "cost"))
"""No lie pays here (`mechanism.market.rules.realised`: others truthful)."""


@pytest.mark.parametrize("coordinate", COORDINATES)
@pytest.mark.parametrize("name", ["ipfl", "pooled-price", "shapley-split", "realised-bilateral"])
def test_lies_are_looked_for_among_those_who_are_there(name, coordinate):
    """The best of several clearings is the best of each clearing's own market, told by the numbers of all clients."""
    mechanism, rng = market_mechanism(name), np.random.default_rng(8)
    types, _, market = drawn(rng, 4, 6, lam=0.5)
    present = np.array([[0, 1, 1, 1, 0, 1], [0, 0, 0, 0, 1, 0], [1, 1, 0, 0, 1, 1], [0, 1, 1, 1, 0, 1]], dtype=bool)
    found = best_lie(mechanism, types, market, coordinate, present)
    each = {}
    for row in (0, 2, 3):
        few = np.flatnonzero(present[row])
        own = Types(types.size[row, few], types.cost[row, few], types.gain[row, few])
        among = Market(market.differences[row][np.ix_(few, few)], market.lam)
        each[row] = (best_lie(mechanism, own, among, coordinate), own, few)
    assert found.deviations >= sum(lie.deviations for lie, _, _ in each.values())
    best = max(lie.gain for lie, _, _ in each.values())
    assert found.gain == pytest.approx(best, rel=1e-9, abs=1e-12)
    assert present[(*found.where, found.client)]
    assert found.truth == getattr(types, coordinate)[(*found.where, found.client)]
    if not found.pays:
        assert (name, coordinate) in TRUTHFUL
        return
    assert (name, coordinate) not in TRUTHFUL
    lie, own, few = each[found.where[0]]
    assert (few[lie.client], lie.report, lie.exact) == (found.client, found.report, found.exact)
    one, single, teller = found.among(types, market, present)
    told = Witness.of_lie(mechanism, one, single, teller, coordinate, found.report)
    witness = Witness.from_dict(told.to_dict())
    assert witness.property == f"dsic-{coordinate}"
    assert witness.case.types[0, :, 0].tolist() == own.size.tolist()
    assert witness.violation == pytest.approx(found.gain)
    assert replay(witness).reproduces


def test_where_no_two_clients_ever_meet_no_lie_is_looked_for():
    types, _, market = drawn(np.random.default_rng(2), 2, 3)
    found = best_lie(market_mechanism("ipfl"), types, market, "cost", np.eye(3, dtype=bool)[:2])
    assert (found.gain, found.deviations, found.pays) == (0.0, 0, False)
    assert found.sentence() == "No lie was searched for: no two clients ever met."


def test_in_a_large_market_a_sample_is_searched_and_what_it_finds_is_true():
    rng = np.random.default_rng(4)
    there = np.ones((3, 101), dtype=bool)
    there[1, 5:], there[2, 7] = False, False  # in the second clearing everybody is searched
    types = Types(rng.uniform(50, 500, (3, 101)), rng.uniform(0, 3, (3, 101)), rng.uniform(1e3, 1e5, (3, 101)))
    free = MarketMechanism("free", "exact", "none")  # whoever sells loses its cost
    found = best_lie(free, types, Market(), "cost", there)
    assert found.pays
    assert ", those of 5 of up to 101 clients drawn)." in found.sentence()
    one, single, me = found.among(types, Market(), there)
    lies = np.array(one.cost)
    lies[me] = found.report
    before, after = (
        account(one, free.clear(said, single), single).utility[me] for said in (one.truthful(), one.report(cost=lies))
    )
    assert found.gain == pytest.approx(after - before)
    none = best_lie(market_mechanism("ipfl-exact"), types, Market(), "cost")
    assert not none.pays
    assert not none.exact
    assert "those of 5 of up to 101 clients drawn in 2 of 3 clearings; a search, no proof" in none.sentence()


@pytest.mark.parametrize("name", list(MECHANISMS))
def test_a_round_is_that_of_those_who_train(name):
    absent = np.array([True, False, True, True])

    class Some(FakeTrainer):
        def train(self, round_index, present=None):
            return super().train(round_index, absent)

        def differences(self):
            self.rows += 1e-9 * (self.rows == 0)
            return super().differences()

    types = Types([100, 300, 300, 50], [0.2, 0.1, 0.3, 0.25], [3.6e4] * 4)
    record = play_round(Some(Unit(Method("ipfl", "ipfl", name), 0)), types, 0.1, name, 1)
    parts = (record.reports, record.types, record.market)
    assert_of_the_present(name, record.outcome, (), parts, absent, ["prices"])  # no record holds the error of a share
    assert record.outcome.imports.any()
    _, true, own = alone(name, *parts, (), absent)
    assert record.optimal_objective == pytest.approx(float(optimal_objective(true.truthful(), own)[0]))
    graph = play_round(Some(Unit(Method("fedavg", "fedavg", None), 0)), types, 0.1, None, 1).outcome.imports
    assert graph.sum() == 6  # though this trainer's graph names everybody
    assert not graph[1].any()
    assert not graph[:, 1].any()
