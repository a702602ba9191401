"""Rules that compute a formula to the last bit and are another rule: they get no certificate."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from mechanism import Market, Reports, Types, account, market_mechanism
from mechanism.auctions.one_item.second_price import second_price
from mechanism.auctions.public.clarke_public_good import clarke_public_good
from mechanism.auctions.units.greedy_knapsack import GreedyKnapsack
from mechanism.auctions.units.vcg_combinatorial import VcgCombinatorial
from mechanism.direct import Space
from mechanism.market.direct import MarketDirect
from mechanism.market.rules.posted_price import PostedPrice
from mechanism.market.rules.realised import Realised
from proofs_checks.proofs import prove_mechanism


def relabelled(reports, market, order):
    """Clear `ipfl-exact` or others with clients in another order: ties fall otherwise. ``order`` ``[B, m]``."""
    batch = np.arange(len(order))[:, None]
    parts = (a[batch, order] for a in (reports.size, reports.cost, reports.gain))
    d = market.differences
    rows = np.arange(len(order))[:, None, None]
    if d is not None:
        d = np.broadcast_to(d, (len(order), *d.shape[-2:]))[rows, order[:, :, None], order[:, None, :]]
    return Reports(*parts), Market(d, market.lam, market.law)


def back(outcome, order):
    inverse = np.argsort(order, axis=-1)
    rows = np.arange(len(order))[:, None, None]
    at = (rows, inverse[:, :, None], inverse[:, None, :])
    return replace(outcome, imports=outcome.imports[at], prices=outcome.prices[at])


class CheapestOfEqualsFirst(PostedPrice):
    """Ties at posted prices go to the lower reported cost: understating the cost wins them."""

    def clear(self, reports, market):
        order = np.argsort(reports.cost, axis=-1, kind="stable")
        return back(super().clear(*relabelled(reports, market, order)), order)


class OwnCostDecides:
    """Clients that report a high cost get the other one of two sets that are worth the same to the market."""

    id = "ipfl-exact"

    def clear(self, reports, market):
        inner = market_mechanism("ipfl-exact")
        one = inner.clear(reports, market)
        order = np.broadcast_to(np.arange(reports.clients)[::-1], reports.size.shape)
        other = back(inner.clear(*relabelled(reports, market, order)), order)
        dear = (reports.cost > 1.0)[..., None]
        return replace(
            one, imports=np.where(dear, other.imports, one.imports), prices=np.where(dear, other.prices, one.prices)
        )


def test_ties_that_a_report_decides_are_seen():
    rule = CheapestOfEqualsFirst()
    size, gain = [[100.0, 300.0, 300.0]], [[900.0, 0.0, 0.0]]
    types = Types(size, [[0.0, 0.5, 0.3]], gain)
    lie = types.report(cost=[[0.0, 0.2, 0.3]])
    utility = [account(types, rule.clear(r, Market())).utility[0, 1] for r in (types.truthful(), lie)]
    assert utility == [0.0, 0.5]  # it is not truthful, though every price and every set is the formula's
    assert "decides who sells" in prove_mechanism(rule, "dsic-cost").words
    assert prove_mechanism(PostedPrice(), "dsic-cost").certificate is not None


def test_own_purchases_that_the_own_cost_moves_are_seen():
    assert "another cost of its own" in prove_mechanism(OwnCostDecides(), "dsic-cost").words


@pytest.mark.parametrize("digits", [1, 3])
def test_prices_that_the_spread_of_costs_moves_are_not_posted(digits):
    class Spread(PostedPrice):
        def prices(self, reports, market):
            spread = reports.cost.max(axis=-1) - reports.cost.min(axis=-1)
            return 1.0 + 0.1 * np.round(spread, digits)[..., None, None]

    assert "moves the posted prices" in prove_mechanism(Spread(), "dsic-cost").words


def test_what_is_settled_after_the_clearing_is_another_rule():
    class Settled(Realised):
        def clear(self, reports, market):
            return market_mechanism("ipfl-exact").clear(reports, market)

    proof = prove_mechanism(MarketDirect(Settled("bilateral", id="ipfl-exact"), 3), "ir")
    assert "settles payments" in proof.words


def test_an_outcome_with_its_own_accounting_is_another_rule():
    inner = market_mechanism("ipfl-exact")

    @dataclass(frozen=True, eq=False)
    class Doubled(type(inner.clear(Reports([1.0, 2.0], [0.0, 0.0], [1.0, 1.0]), Market()))):
        @property
        def payments(self):
            return 2.0 * super().payments

    class Doubling:
        id = "ipfl-exact"

        def clear(self, reports, market):
            o = inner.clear(reports, market)
            return Doubled(o.imports, o.prices, o.centre, o.gap)

    assert "accounted otherwise" in prove_mechanism(Doubling(), "ir").words


def test_a_rule_that_is_wrong_for_many_clients_is_tested_with_many():
    class Small:
        id = "exact-marginal"

        def clear(self, reports, market):
            o = market_mechanism("exact-marginal").clear(reports, market)
            return replace(o, prices=1.1 * o.prices) if reports.clients > 5 else o

    assert prove_mechanism(MarketDirect(Small(), 5), "ir").certificate is not None
    assert prove_mechanism(MarketDirect(Small(), 7), "ir").certificate is None


def test_a_second_private_number_is_another_mechanism():
    """A bidder in the knapsack that understates its size fits; only the value is private in what is proved."""

    class PrivateSize(GreedyKnapsack):
        def __post_init__(self):
            super().__post_init__()
            space = self.space
            object.__setattr__(self, "space", Space(space.agents, space.names, space.low, space.high))

    assert prove_mechanism(GreedyKnapsack(4), "dsic").certificate is not None
    assert "'size' is private too" in prove_mechanism(PrivateSize(4), "dsic").words


@dataclass(frozen=True, eq=False)
class PaidToLie:
    """A rule whose utilities are right at the types that are reported, and better elsewhere."""

    inner: object
    name: str

    def __getattr__(self, attribute):
        return getattr(self.inner, attribute)

    def outcome(self, reports):
        outcome = self.inner.outcome(reports)
        object.__setattr__(outcome, "said", reports)
        return outcome

    def utility(self, types, outcome):
        return self.inner.utility(types, outcome) + 0.1 * (types != outcome.said).any(axis=-1)


@pytest.mark.parametrize("inner", [second_price(3), VcgCombinatorial(3), clarke_public_good(3)], ids=lambda m: m.name)
def test_utilities_are_compared_away_from_the_reports_too(inner):
    assert "utility is not" in prove_mechanism(PaidToLie(inner, inner.name), "dsic").words
