"""No claim holds by accident: with another rule put in its place, each of these statements is refuted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.pooled_price import PooledPrice
from proofs_checks.claims import CLAIMS, Context, other_rules, paper, repair, rule


@dataclass(frozen=True)
class OwnPrice(PooledPrice):
    """A pool whose price is the cost of its last member: its report moves what all are paid."""

    def offers(self, cost):
        offers = super().offers(cost)
        inside = np.isfinite(offers)
        last = np.where(inside, cost[..., None, :], -np.inf).max(axis=-1, keepdims=True)
        return np.where(inside, last, np.inf)


@dataclass(frozen=True)
class Generous(PooledPrice):
    """A pool that pays a half more than the next cost."""

    def offers(self, cost):
        return 1.5 * super().offers(cost)


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
