"""Certificates of clearings against brute force over all sets: what they prove is true, false claims are refused."""

import itertools

import numpy as np
import pytest

from mechanism import Market, PowerGain, Reports, TableGain, market_mechanism
from mechanism.errors import InvalidMarketError
from mechanism.market.allocation.certifying import certify
from mechanism.market.allocation.optimality import Certificate, prove
from mechanism.market.allocation.purchases import Purchases

LAWS = [None, PowerGain(0.3), PowerGain(1.0), TableGain((100, 700, 900, 2500), (0.0, 3.0, 3.5, 4.2))]


def draw(rng, m):
    """One market: integers that tie, zeros, equal clients, prices proportional to sizes, effective sizes, any law."""
    size = rng.choice([rng.integers(1, 9, m) * 100.0, np.full(m, 200.0), rng.uniform(50, 900, m)])
    cost = rng.choice([rng.integers(0, 4, m) / 4.0, rng.uniform(0, 2, m), size / 400, np.zeros(m)])
    gain = rng.choice([rng.uniform(0, 2e4, m), rng.integers(0, 3, m) * 1600.0])
    law = LAWS[rng.integers(len(LAWS))]
    if isinstance(law, TableGain):
        gain = gain / 1e4
    d = rng.uniform(0, 1, (m, m)) * rng.integers(0, 2, (m, m))
    e = rng.integers(0, 5, (m, m)) * 100.0 if rng.random() < 0.3 else None
    np.fill_diagonal(d, 0)
    terms = {} if law is None else {"law": law}
    return Reports(size, cost, gain), Market(d, float(rng.choice([0, 0.3])), effective=e, **terms)


def worth(purchases, i, chosen):
    """The gain of one set less its prices, with the law's own formula."""
    data = purchases.own[i] + purchases.size[i, list(chosen)].sum()
    gain = purchases.law.value(purchases.gain[i], purchases.own[i], data)
    return float(gain - purchases.price[i, list(chosen)].sum())


def best(purchases, i, without=()):
    """The largest over all sets."""
    pool = [j for j in range(purchases.clients) if j != i and j not in without]
    return max(worth(purchases, i, s) for r in range(len(pool) + 1) for s in itertools.combinations(pool, r))


def hold_true(purchases, imports, proved, slack=1e-11):
    """Whatever was proved is so."""
    m = purchases.clients
    for i in range(m):
        bought = np.flatnonzero(imports[i])
        top, room = best(purchases, i), slack + 1e-13 * proved.tolerance[i] / 1e-9
        assert top - worth(purchases, i, bought) <= proved.gap[i] + room
        for j in bought if not np.isnan(proved.low[i]).all() else ():
            critical = purchases.cost[j] + top - best(purchases, i, (j,))
            assert proved.low[i, j] - room <= critical <= proved.high[i, j] + room


def test_a_certificate_made_in_pieces_is_the_same(monkeypatch):
    """Large ones are made on several threads, importers apart."""
    rng = np.random.default_rng(3)
    for reports, market in (draw(rng, 23) for _ in range(5)):
        imports = market_mechanism("ipfl-exact").clear(reports, market).imports
        purchases = Purchases.of(reports, market)
        whole = certify(purchases, imports, critical=True, mode="compiled")
        with monkeypatch.context() as patch:
            patch.setattr("mechanism.market.allocation.selection.PLAIN_WORK", 1)
            pieces = certify(purchases, imports, critical=True, mode="compiled")
        assert np.array_equal(pieces.nodes, whole.nodes)
        assert np.array_equal(pieces.slopes, whole.slopes)
        assert pieces.others == whole.others


@pytest.mark.parametrize("m", [1, 2, 4, 6])
def test_clearings_are_proved_as_brute_force_finds_them(m):
    rng = np.random.default_rng(m)
    for _ in range(60):
        reports, market = draw(rng, m)
        outcome = market_mechanism("ipfl-exact").clear(reports, market)
        purchases = Purchases.of(reports, market)
        certificate = certify(purchases, outcome.imports, critical=True)
        proved = prove(purchases, outcome.imports, certificate, critical=True)
        assert (proved.gap <= proved.tolerance).all()
        assert (proved.spread(outcome.prices) <= 2 * proved.tolerance[:, None]).all()
        hold_true(purchases, outcome.imports, proved)
        compiled = certify(purchases, outcome.imports, critical=True, mode="compiled")
        assert (prove(purchases, outcome.imports, compiled, critical=True).gap <= proved.tolerance).all()


def test_what_is_proved_is_true_whatever_the_certificate_says():
    """1,500 certificates with something changed, of right and of wrong purchases: refused, or what they prove is so."""
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(1500):
        reports, market = draw(rng, 4)
        imports = market_mechanism("ipfl-exact").clear(reports, market).imports.copy()
        purchases = Purchases.of(reports, market)
        whole = certify(purchases, imports, critical=True)
        nodes, slopes, others = whole.nodes.copy(), whole.slopes.copy(), list(whole.others)
        kind = rng.integers(6)
        if kind == 0:
            nodes[rng.integers(len(nodes))] = rng.integers(-2, 5)
        elif kind == 1:
            at = rng.integers(len(slopes))
            slopes[at] = rng.choice([slopes[at] * rng.choice([0.0, 0.5, 0.999, 1.001, 3.0, -1.0]), np.nan, np.inf])
        elif kind == 2 and others:
            others[rng.integers(len(others))] = tuple(rng.integers(-1, 5, rng.integers(0, 3)).tolist())
        elif kind == 3:
            nodes = np.delete(nodes, rng.integers(len(nodes)))
        elif kind == 4:
            slopes = slopes[:-1]
        i, j = rng.choice(4, 2, replace=False)
        if kind == 5:
            imports[i, j] ^= True
        try:
            proved = prove(purchases, imports, Certificate(nodes, slopes, tuple(others)), critical=True)
        except InvalidMarketError:
            refused += 1
            continue
        hold_true(purchases, imports, proved)
    assert refused > 400


def test_wrong_purchases_and_prices_are_not_proved():
    """Each purchase and each price of 60 markets, changed beyond the tolerance; with certificates made for them."""
    rng = np.random.default_rng(2)
    for _ in range(60):
        reports, market = draw(rng, 4)
        outcome = market_mechanism("ipfl-exact").clear(reports, market)
        purchases = Purchases.of(reports, market)
        for i, j in itertools.permutations(range(4), 2):
            imports, prices = outcome.imports.copy(), outcome.prices.copy()
            imports[i, j] ^= True
            lost = best(purchases, i) - worth(purchases, i, np.flatnonzero(imports[i]))
            proved = prove(purchases, imports, certify(purchases, imports, critical=True), critical=True)
            assert (proved.gap[i] > proved.tolerance[i]) == (lost > proved.tolerance[i])
            if outcome.imports[i, j]:
                prices[i, j] += rng.choice([-1, 1]) * 10 ** rng.uniform(-6, 2) * max(1.0, proved.tolerance[i] / 1e-9)
                certificate = certify(purchases, outcome.imports, critical=True)
                proved = prove(purchases, outcome.imports, certificate, critical=True)
                assert proved.spread(prices)[i, j] > 2 * proved.tolerance[i]


def test_a_limit_leaves_a_gap_that_is_told():
    """Prices proportional to sizes are hard: with few nodes the certificate proves less, and says how much less."""
    rng = np.random.default_rng(3)
    size = rng.integers(100, 200, 12).astype(float)
    reports, market = Reports(size, size / 97, np.full(12, 2e4)), Market()
    outcome = market_mechanism("ipfl-exact").clear(reports, market)
    purchases = Purchases.of(reports, market)
    bought = outcome.imports
    certificates = [certify(purchases, bought, critical=False, limit=limit) for limit in (3, 10_000)]
    short, long = (prove(purchases, bought, made, critical=False) for made in certificates)
    assert short.gap.max() > 1e-6
    assert (long.gap <= long.tolerance).all()
    hold_true(purchases, bought, short)
