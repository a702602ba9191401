"""The worked examples of theory.md, number by number; and with another rule in its place each statement is refuted."""

from dataclasses import dataclass

import numpy as np
import pytest

from mechanism import Market, Types
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.pooled_price import PooledPrice
from mechanism.market.rules.rule import MarketMechanism
from proofs_checks.claims import CLAIMS, Context, other_rules, paper, repair, rule
from proofs_checks.claims.claim import Number, worked
from proofs_checks.claims.shares import Floored, overstating
from proofs_checks.claims.sweeps import searched, sweep
from proofs_checks.search.lies import best_reports


def test_worked_examples_are_computed_on_what_they_name(results):
    """Their numbers are the statement's, each compared in `worked`, and asked of the rules in `test_market_numbers`."""
    numbers = {name: r.verdict.evidence.get("numbers") for name, r in results.items()}
    assert sum(map(len, filter(None, numbers.values()))) > 45
    for name in filter(numbers.get, numbers):
        told, words = numbers[name], results[name].verdict.words
        assert words.startswith(("computed on this one profile: ", "computed for ", "both bounds", "the largest")), name
        assert all(abs(n["found"] - n["stated"]) <= 0.05 for n in told.values()), name


def test_a_number_that_is_off_is_said_to_be():
    verdict = worked({"price": Number(3.002, 3.0)})
    assert verdict.holds is False
    assert verdict.words.endswith("not as stated: price (stated 3)")
    assert worked({"price": Number(3.0009, 3.0)}).holds


def test_the_split_that_pays_at_a_penalty(results):
    for name in ("no-split-ipfl", "no-split-exact-marginal"):
        evidence = results[name].verdict.evidence
        assert evidence["utility_as_one"] == pytest.approx(4.636, abs=5e-4)
        assert evidence["utility_as_two"] == pytest.approx(7.970, abs=5e-4)
        assert results[f"{name}-free"].verdict.holds


def test_the_truthful_buyer_of_data_that_is_not_there_loses(results):
    for name in ("posted-price", "pooled-price", "vcg-two-sided"):
        verdict = results[f"gain-needs-sizes-{name}"].verdict
        assert verdict.evidence["loss"] == pytest.approx(0.72, abs=1e-3)
        assert results[f"table-{name}-dsic-gain-sizes"].verdict.holds


def test_the_share_of_markets_with_a_cost_lie_depends_on_their_distribution(results):
    table = results["rule-cost-share"].verdict.evidence["by_distribution"]
    shares = [row["share"] for row in table.values()]
    assert len(shares) == 24
    assert min(shares) < 0.1
    assert max(shares) > 0.8
    outside = [row for row in table.values() if row["low"] > 1 / 5 or row["high"] < 1 / 7]
    assert len(outside) >= 10


def test_the_payment_is_three_where_the_critical_value_is_the_rivals_cost(results):
    evidence = results["rule-critical-value"].verdict.evidence
    assert evidence["paid"] == pytest.approx(3.0, abs=1e-9)
    assert evidence["critical"] == pytest.approx(1.1, abs=1e-6)


def test_expectations_of_the_first_seller(results):
    expected = results["bic-ipfl"].verdict.evidence["expected"]
    assert expected == {"1.0": pytest.approx(1.9), "1.1": pytest.approx(0.95)}


def test_the_centre_ends_with_either_sign(results):
    evidence = results["two-sided-either-sign"].verdict.evidence
    assert evidence["surplus"] > 0.0
    assert evidence["deficit"] > 0.0


def test_overstating_is_looked_for_above_the_truth_only_and_found_where_it_pays():
    types, market = Types([100.0, 300.0, 300.0], [0.0, 1.1, 1.0], [3600.0, 0.0, 0.0]), Market()
    rule = market_mechanism("ipfl")
    assert best_reports(rule, types, market).gain[1] == pytest.approx(1.9)
    assert best_reports(Floored(rule, types.cost), types, market).gain.max() <= 1e-12
    verdict = overstating(market_mechanism("shapley-split"), Context(0.1, probes=2), "test")
    assert verdict.holds is False
    assert verdict.witness is not None
    assert verdict.witness["value"] > 1e-3


def test_overstating_under_the_reference_rule_was_an_exact_search(results):
    for name in ("rule-overstating", "rule-overstating-skip"):
        evidence = results[name].verdict.evidence
        assert evidence["method"] == "exact best overstatement of every client"
        assert evidence["tried"] > 100_000
        assert evidence["worst"] <= 1e-9


def test_gaps_were_there_to_be_tested(results):
    assert results["repair-gap"].verdict.evidence["largest_gap"] > 1e-3
    assert results["repair-gap-ir"].verdict.evidence["largest_gap"] > 1e-3


def test_a_sweep_finds_an_exception_and_shows_its_market():
    seen = sweep(
        Context(0.1, probes=1), "test", lambda types, market, rng: types.cost - 2.0, kinds=("small",), clients=(3,)
    )
    verdict = searched(seen, 0.0, "cost above 2")
    assert verdict.holds is False
    assert max(verdict.witness["cost"]) - 2.0 == pytest.approx(verdict.witness["value"])
    assert seen.kinds == ("small",)
    rough = MarketMechanism("ipfl-exact", "exact", "clarke", node_limit=1)
    assert rough.id == "ipfl-exact"


@dataclass(frozen=True)
class OwnPrice(PooledPrice):
    """A pool whose price is the cost of its last member: its report moves what all are paid."""

    def offers(self, cost, useful=None):
        offers = super().offers(cost, useful)
        inside = np.isfinite(offers)
        last = np.where(inside, cost[..., None, :], -np.inf).max(axis=-1, keepdims=True)
        return np.where(inside, last, np.inf)


@dataclass(frozen=True)
class Generous(PooledPrice):
    """A pool that pays a half more than the next cost."""

    def offers(self, cost, useful=None):
        return 1.5 * super().offers(cost, useful)


def becomes(name):
    return lambda _: market_mechanism(name)


MUTANTS = (
    ("pooled-inside", other_rules, "PooledPrice", OwnPrice),
    ("pooled-entering", other_rules, "PooledPrice", Generous),
    ("pooled-none", other_rules, "PooledPrice", lambda pool: PooledPrice(1)),
    ("two-sided-utility", other_rules, "market_mechanism", becomes("ipfl-exact")),
    ("realised-utility", other_rules, "market_mechanism", becomes("realised-bilateral")),
    ("shapley-value", other_rules, "market_mechanism", becomes("ipfl-exact")),
    ("shapley-half", other_rules, "market_mechanism", becomes("ipfl-exact")),
    ("repair-below-marginal", repair, "market_mechanism", becomes("shapley-split")),
    ("rule-equal-sizes", rule, "market_mechanism", becomes("no-payment")),
    ("rule-last-threshold", rule, "market_mechanism", becomes("no-payment")),
    ("prefix-price", rule, "market_mechanism", becomes("shapley-split")),
    ("prefix-threshold", rule, "thresholds", lambda reports, market: reports.cost[..., None, :] + 0.0 * reports.cost),
    ("rule-above-size", rule, "thresholds", lambda reports, market: np.broadcast_to(
        reports.size[..., None, :], (*reports.size.shape, reports.clients))),
    ("paper-welfare", paper, "market_mechanism", becomes("vcg-two-sided")),
    ("paper-threshold", paper, "thresholds", lambda reports, market: np.broadcast_to(
        2.0 * reports.size[..., None, :], (*reports.size.shape, reports.clients))),
)  # fmt: skip


@pytest.mark.parametrize(("name", "module", "attribute", "mutant"), MUTANTS, ids=[row[0] for row in MUTANTS])
def test_a_changed_rule_is_noticed(monkeypatch, name, module, attribute, mutant):
    monkeypatch.setattr(module, attribute, mutant)
    verdict = CLAIMS[name].check(Context(0.2, probes=4))
    assert verdict.holds is False, verdict.words
