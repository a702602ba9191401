"""The theorems of the market as tests, one each, on generated markets; and the failures, with their witnesses."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mechanism import Market, PowerGain, SqrtGain, TableGain, Types, account, market_mechanism
from mechanism.market.accounting import SEARCH
from proofs_checks import Witness, replay
from proofs_checks.evidence.statistics import share_interval, upper_share
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.cases import truthful
from proofs_checks.search.given_markets import GivenMarkets
from proofs_checks.search.lies import best_reports
from proofs_checks.search.random_markets import KINDS, random_markets
from tests.proofs_checks.rules import cost_steps, each_lie, relabelled_as

PAYING = ["ipfl", "exact-marginal", "ipfl-exact"]
ALL = [*PAYING, "no-payment"]
EXACT = ["ipfl-exact", "exact-marginal"]
LAWS = [SqrtGain(), PowerGain(0.3), TableGain((20.0, 200.0, 1000.0, 5000.0), (0.0, 2.0, 3.0, 3.5))]

run = settings(max_examples=60, derandomize=True)


@st.composite
def markets(draw, laws=LAWS[:1], least=2, most=5):
    """Any market of 2-5 clients: round and crooked numbers, zeros and ties included, as hypothesis shrinks them."""
    m = draw(st.integers(least, most))
    law = draw(st.sampled_from(laws))
    size = draw(st.lists(st.integers(1, 40).map(lambda n: 50.0 * n) | st.floats(1.0, 5000.0), min_size=m, max_size=m))
    cost = draw(st.lists(st.integers(0, 40).map(lambda c: c / 10) | st.floats(1e-9, 5.0), min_size=m, max_size=m))
    reach = 40.0 if law.name == "table" else 1e6
    gain = draw(st.lists(st.just(0.0) | st.just(3600.0 % reach) | st.floats(1e-9, reach), min_size=m, max_size=m))
    lam = draw(st.sampled_from([0.0, 0.1, 1.0]))
    d = draw(st.lists(st.integers(0, 20).map(lambda x: x / 10), min_size=m * m, max_size=m * m))
    differences = np.array(d).reshape(m, m)
    np.fill_diagonal(differences, 0.0)
    return Types(size, cost, gain), Market(differences, lam, law)


def brute_force(types: Types, market: Market) -> float:
    """Max V_lambda over every allocation, from the formulas, importer by importer, subset by subset."""
    m, best = types.clients, 0.0
    for i in range(m):
        own, k = float(types.size[i]), float(types.gain[i])
        others = [j for j in range(m) if j != i]
        values = []
        for chosen in itertools.chain.from_iterable(itertools.combinations(others, r) for r in range(m)):
            held = own + math.fsum(types.size[j] for j in chosen)
            worth = float(market.law.value(k, own, held))
            pen = [market.lam * market.differences[i, j] * types.size[j] / own for j in chosen]
            values.append(worth - math.fsum(types.cost[j] for j in chosen) - math.fsum(pen))
        best += max(values)
    return best


class Enumerated(GivenMarkets):
    """Markets with the optimum by brute force."""

    def optimal_welfare(self, types):
        return np.array([brute_force(self.types(t), Market(t[:, 3:], self.lam, self.law)) for t in types])


def checked(prop, name, types, market, *, cases=truthful, kind=GivenMarkets):
    """Measure a property on given markets: what the search measures, in the cases made of their profiles."""
    rule, profiles = kind.of(market_mechanism(name), types, market)
    return PROPERTY[prop].check(rule, cases(profiles))


def promised(prop, name, types, market, **how):
    """Assert that a property holds there."""
    check = checked(prop, name, types, market, **how)
    assert check.holds, check.sentence


@pytest.mark.parametrize("name", PAYING)
@given(market=markets(laws=LAWS))
@run
def test_theorem_individual_rationality_of_client_buyer_and_seller(name, market):
    """Whoever tells the truth does not lose, in no role (buyers by concavity, sellers by price >= cost)."""
    for prop in ("ir", "ir-buyer", "ir-seller"):
        promised(prop, name, *market)


@given(market=markets(laws=LAWS))
@run
def test_theorem_truthfulness_in_cost_of_the_repair(market):
    """No report of its cost, above or below the truth, at a break point or between, serves a client better."""
    lies = best_reports(market_mechanism("ipfl-exact"), *market)
    assert lies.exact
    promised("dsic-cost", "ipfl-exact", *market, cases=lambda profiles: each_lie(profiles, lies))


@pytest.mark.parametrize("name", ["ipfl-exact"])
@given(market=markets(), factor=st.floats(0.0, 3.0), others=st.floats(0.0, 3.0))
@run
def test_theorem_truthfulness_in_cost_is_dominant(name, market, factor, others):
    """It holds against lying others too: only their reports enter, as if they were their types."""
    types, public = market
    mechanism = market_mechanism(name)
    for j in range(types.clients):
        theirs = types.cost * others
        honest, lying = theirs.copy(), theirs.copy()
        honest[j], lying[j] = types.cost[j], types.cost[j] * factor + (factor if types.cost[j] == 0 else 0.0)
        told, lied = (account(types, mechanism.clear(types.report(cost=c), public)).utility[j] for c in (honest, lying))
        assert lied <= told + 1e-9 * max(1.0, abs(float(told)))


@pytest.mark.parametrize("name", ALL)
@given(market=markets(laws=LAWS))
@run
def test_theorem_budget_balance(name, market):
    """Payments are bilateral: antisymmetric, their sum zero."""
    types, public = market
    outcome = market_mechanism(name).clear(types.truthful(), public)
    np.testing.assert_array_equal(outcome.payments, -np.swapaxes(outcome.payments, -1, -2))
    assert abs(outcome.payments.sum() + outcome.centre.sum()) <= 1e-9
    promised("budget-balance", name, *market)


@pytest.mark.parametrize("name", EXACT)
@given(market=markets(laws=LAWS))
@run
def test_theorem_efficiency_of_exact_selection(name, market):
    """V_lambda of the outcome is the largest over all allocations, by brute force over subsets."""
    promised("efficiency", name, *market, kind=Enumerated)


@pytest.mark.parametrize("name", ["ipfl", "exact-marginal"])
@given(market=markets())
@run
def test_lemma_only_understating_pays_under_marginal_payments(name, market):
    """The prefix lemma for the reference rule: overstating never pays; nor under exact selection."""
    lies = best_reports(market_mechanism(name), *market)
    paying = lies.gain > 1e-9
    assert (lies.report[paying] < market[0].cost[paying]).all()


@pytest.mark.parametrize("name", ALL)
@given(seed=st.integers(0, 2**32 - 1), m=st.integers(2, 6))
@run
def test_theorem_anonymity_relabelling_clients_relabels_the_outcome(name, seed, m):
    """Generic real numbers, so that nothing ties: every import and price goes along, and so does what all are left."""
    rng = np.random.default_rng(seed)
    d = rng.uniform(0.0, 2.0, (8, m, m))
    d[:, np.arange(m), np.arange(m)] = 0.0
    types = Types(rng.uniform(50, 5000, (8, m)), rng.uniform(0, 2, (8, m)), rng.uniform(0, 1e6, (8, m)))
    order = rng.permutation(m)
    promised("anonymity", name, types, Market(d, 0.3), cases=lambda p: relabelled_as(p, order))
    there = Types(*(a[:, order] for a in (types.size, types.cost, types.gain)))
    pairs = np.ix_(range(8), order, order)
    rule = market_mechanism(name)
    here, moved = rule.clear(types.truthful(), Market(d, 0.3)), rule.clear(there.truthful(), Market(d[pairs], 0.3))
    np.testing.assert_array_equal(moved.imports, here.imports[pairs])
    np.testing.assert_allclose(moved.prices, here.prices[pairs], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(moved.centre, here.centre[:, order], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ALL)
@given(market=markets(laws=LAWS))
@run
def test_theorem_monotonicity_a_dearer_seller_sells_no_more(name, market):
    promised("monotonicity", name, *market, cases=lambda profiles: cost_steps(profiles, 12))


# --- worked examples: buyers are client 0 or as said; sellers want nothing (K = 0) ---

TWO_SELLERS = Types([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0])


def test_refutation_truthfulness_in_cost_of_the_reference_rule():
    """K = 3600, n = 100, sellers of 300 at 1.1 and 1.0: saying 0.9 instead of 1.1 gains 1.9."""
    witness = Witness.of_lie(market_mechanism("ipfl"), TWO_SELLERS, Market(), 1, "cost", 0.9)
    numbers = witness.numbers
    assert numbers["utility_before"][1] == 0.0
    assert numbers["utility_after"][1] == pytest.approx(1.9, abs=1e-12)
    assert (numbers["imports_before"][:2], numbers["imports_after"][:2]) == ([0, 2], [0, 1])
    assert [i for i in (*numbers["imports_before"][2::2], *numbers["imports_after"][2::2]) if i == 0] == []
    assert numbers["prices_before"][0] == pytest.approx(3.0, abs=1e-12)
    assert replay(witness).bitwise
    lies = best_reports(market_mechanism("ipfl"), TWO_SELLERS, Market())
    assert lies.gain.max() == pytest.approx(1.9, abs=1e-12)


def test_the_same_market_repaired_pays_the_critical_price():
    """The second seller is paid 1.1, the buyer keeps 1.9 instead of 0, and no lie pays."""
    repaired, reference = market_mechanism("ipfl-exact"), market_mechanism("ipfl")
    outcome, former = (rule.clear(TWO_SELLERS.truthful(), Market()) for rule in (repaired, reference))
    assert outcome.prices[0] == pytest.approx([0, 0, 1.1], abs=1e-12)
    assert account(TWO_SELLERS, outcome).buyer[0] == pytest.approx(1.9, abs=1e-12)
    assert account(TWO_SELLERS, former).buyer[0] == pytest.approx(0.0, abs=1e-12)
    assert best_reports(repaired, TWO_SELLERS, Market()).gain.max() == 0.0


def test_both_halves_of_the_repair_are_needed():
    """The exact set with marginal payments still invites the lie."""
    lies = best_reports(market_mechanism("exact-marginal"), TWO_SELLERS, Market())
    assert lies.gain[1] == pytest.approx(1.9, abs=1e-9)


def test_refutation_truthfulness_in_gain_of_the_reference_rule():
    """K = 3600, n = 100 and 300, c = 1: the truth leaves the buyer 0, saying 900 leaves it 1.5."""
    types = Types([100, 300], [1, 1], [3600, 0])
    for name in ("ipfl", "exact-marginal"):
        witness = Witness.of_lie(market_mechanism(name), types, Market(), 0, "gain", 900)
        assert witness.numbers["utility_before"][0] == pytest.approx(0.0, abs=1e-12)
        assert witness.numbers["utility_after"][0] == pytest.approx(1.5, abs=1e-12)


def test_refutation_efficiency_of_the_reference_rule_empty_handed():
    """Sellers (10000 at 7) and (300 at 1): the big one heads the list and fails, the search stops; the optimum is 2."""
    types = Types([100, 10_000, 300], [0, 7, 1], [3600, 0, 0])
    reference = market_mechanism("ipfl").clear(types.truthful(), Market())
    assert not reference.imports[0].any()
    check = checked("efficiency", "ipfl", types, Market(), kind=Enumerated)
    assert not check.holds
    assert check.violation == pytest.approx(2.0, abs=1e-12)
    assert brute_force(types, Market(np.zeros((3, 3)))) == pytest.approx(2.0, abs=1e-12)
    assert market_mechanism("ipfl-exact").clear(types.truthful(), Market()).imports[0].tolist() == [False, False, True]


@pytest.mark.parametrize("kind", ["equal-sizes", "ties"])
def test_theorem_with_equal_sizes_and_no_penalties_the_reference_rule_is_efficient(kind):
    types, market = random_markets(kind, np.random.default_rng(51), 300, 5)
    promised("efficiency", "ipfl", types, Market(None, 0.0, market.law))


# --- many markets ---

PER_KIND, CLIENTS = 640, (3, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_sampled_ten_thousand_markets_hold_no_cost_lie_under_the_repair(kind):
    """640 markets of 3 and of 5 clients from each of eight distributions: 10,240 in all, best responses exact.

    No lie gains more than 1e-9 of the market's scale; in money the selection's own tolerance bounds it. No role's part
    is below -1e-9, payments sum to zero to 1e-9. Under the reference rule no lie in any of these markets overstates.
    """
    rng = np.random.default_rng([61, list(KINDS).index(kind)])
    repaired = market_mechanism("ipfl-exact")
    for m in CLIENTS:
        types, market = random_markets(kind, rng, PER_KIND, m)
        lies = best_reports(repaired, types, market)
        assert lies.exact
        promised("dsic-cost", "ipfl-exact", types, market, cases=lambda p, lies=lies: each_lie(p, lies))
        promised("budget-balance", "ipfl-exact", types, market)
        widest = np.sqrt(types.gain / types.size).max()
        assert lies.gain.max() <= m * SEARCH * max(1.0, widest) + 1e-11
        outcome = repaired.clear(types.truthful(), market)
        accounts = account(types, outcome)
        assert min(a.min() for a in (accounts.utility, accounts.buyer, accounts.seller)) >= -1e-9
        np.testing.assert_array_equal(outcome.payments, -np.swapaxes(outcome.payments, -1, -2))
        assert np.abs(outcome.payments.sum(axis=(-1, -2)) + outcome.centre.sum(axis=-1)).max() <= 1e-9

        reference = best_reports(market_mechanism("ipfl"), types, market)
        assert reference.exact
        pays = reference.gain > 1e-8
        assert (reference.report[pays] < types.cost[pays]).all()
    assert upper_share(len(KINDS) * len(CLIENTS) * PER_KIND, 0.99) < 4.6e-4  # what the sample as a whole says


def test_sampled_markets_hold_cost_lies_under_the_reference_rule_in_more_than_a_tenth():
    """With confidence 99.9 % more than a tenth of the mixture of all eight distributions (4 clients) holds a lie."""
    found, each = 0, 150
    for number, kind in enumerate(KINDS):
        types, market = random_markets(kind, np.random.default_rng([62, number]), each, 4)
        lies = best_reports(market_mechanism("ipfl"), types, market)
        found += int((lies.gain > 1e-6).any(axis=-1).sum())
    assert share_interval(found, each * len(KINDS), 0.999)[0] > 0.1
