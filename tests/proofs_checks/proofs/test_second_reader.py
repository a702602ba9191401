"""What solvers found, against known answers; and the trusted base read by a sceptic: what was made to be wrong."""

from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pytest

from mechanism import Market, MarketMechanism, TableGain, Types, account, market_mechanism
from mechanism.auctions.one_item.second_price import second_price
from mechanism.catalogue import CATALOGUE
from mechanism.design.system import check_point
from mechanism.market.direct import MarketDirect
from mechanism.market.gains import PowerGain
from proofs_checks.proofs import THEOREMS, Certificate, CertificateError, check, prove, prove_mechanism
from proofs_checks.proofs.kernel_record import CELLS, DELIVERED, LAWS
from proofs_checks.proofs.proving import trade_certificate
from proofs_checks.proofs.proving import trade_certificate as trade
from proofs_checks.proofs.theorems import claim_of
from proofs_checks.proofs.trade import TradeProof, check_trade, trade_system


def test_myerson_satterthwaite_on_the_grid_15_04():
    """Multipliers as by hand: 1 on rationality, 1/2 on incentives, 1 on balance."""
    certificate = trade([1, 5], [0, 4])
    assert certificate.statement.startswith("no rule has")
    numbers = dict(certificate.parts[0].numbers)
    assert numbers["IR buyer 1"] == numbers["IR seller 4"] == numbers["balance"] == 1
    assert numbers["IC buyer 5 not saying 1"] == numbers["IC seller 0 not saying 4"] == Fraction(1, 2)
    assert len(numbers) == 5


@pytest.mark.parametrize(
    ("values", "costs", "kinds", "possible"),
    [
        ((1, 3), (0, 2), ("bic", "ex-post", "ex-post"), True),
        ((1, 3), (0, 2), ("dsic", "ex-post", "ex-post"), False),
        ((1, 3, 5), (0, 2, 4), ("bic", "interim", "ex-ante"), False),
        ((1, 5), (0, 4), ("dsic", "ex-post", "ex-post"), False),
        ((2, 3), (0, 1), ("dsic", "ex-post", "ex-post"), True),  # always trade: a fixed price between
    ],
)
def test_trade_on_grids(values, costs, kinds, possible):
    certificate = trade(values, costs, incentive=kinds[0], rationality=kinds[1], balance=kinds[2])
    assert check(certificate) == []
    assert certificate.parts[0].answer == ("possible" if possible else "impossible")


def test_a_possible_rule_is_no_proof_of_impossibility_and_the_other_way():
    for values, costs in (((1, 5), (0, 4)), ((1, 3), (0, 2))):
        part = trade(values, costs).parts[0]
        other = "possible" if part.answer == "impossible" else "impossible"
        assert check_trade(replace(part, answer=other))
        assert check_trade(replace(part, costs=(Fraction(0), Fraction(1))))
        assert check_trade(replace(part, values=part.values[:1] * 2))


def test_ties_in_the_grid_are_refused():
    with pytest.raises(CertificateError, match="stands twice"):
        trade([1, 4], [0, 4])


def test_rows_of_the_grid_say_what_they_demand():
    names = [row.name for row in trade_system((Fraction(1),), (Fraction(0),), "dsic", "ex-post", "ex-post")]
    assert names == ["IR buyer 1", "IR seller 0", "balance 1 0"]


# --- certificates ---


def alone(part):
    return Certificate(*claim_of(part), parts=(part,))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 0.5, 1, None, True])
def test_a_part_made_in_python_of_anything_but_fractions_is_refused(number):
    """NaN would pass every comparison, and floats would round."""
    trade = trade_certificate([1, 5], [0, 4]).parts[0]
    assert check(alone(replace(trade, numbers=tuple((name, number) for name, _ in trade.numbers))))
    for field in ("values", "costs"):
        assert check(alone(replace(trade, **{field: (number,) * 2})))


def test_a_fraction_that_lies_about_its_order_is_read_as_a_fraction():
    class Small(Fraction):
        def __ge__(self, other):
            return False

        def __lt__(self, other):
            return False

        def __mul__(self, other):
            return self

    trade = trade_certificate([1, 5], [0, 4]).parts[0]
    lying = tuple((name, Small(1) if name == "balance" else Small(0)) for name, _ in trade.numbers)
    assert check(alone(replace(trade, numbers=lying)))


def test_parts_of_no_kind_and_no_parts_are_refused():
    class Mine(TradeProof):
        pass

    good = trade_certificate([1, 5], [0, 4]).parts[0]
    mine = Mine(*(getattr(good, field.name) for field in fields(good)))
    assert "expected one of" in check(alone(mine))[0]
    assert check(replace(prove("ipfl", "ir"), parts=()))


def test_numbers_too_long_to_be_written_are_refused_in_one_line():
    values, costs = (tuple(Fraction(2 * k + odd) for k in range(8)) for odd in (1, 0))
    rows = trade_system(values, costs, "dsic", "ex-post", "ex-post")
    numbers = tuple((row.name, Fraction(1, 10**500 + 2 * k + 1)) for k, row in enumerate(rows))
    part = TradeProof(values, costs, "dsic", "ex-post", "ex-post", "impossible", numbers)
    (wrong,) = check(Certificate.from_json(alone(part).to_json()))
    assert "cannot be checked" in wrong
    assert "\n" not in wrong


def test_no_certificate_passes_under_the_name_of_another_theorem():
    kept = {key: prove(*key) for key in THEOREMS}
    for key, certificate in kept.items():
        for other, theirs in kept.items():
            if key != other:
                assert check(replace(certificate, mechanism=other[0], property=other[1])), (key, other)
                assert check(replace(theirs, parts=certificate.parts)) or certificate.parts == theirs.parts


def test_what_rests_on_the_law_is_said_of_laws_that_are_known():
    for exponent in (0.25, float(np.nextafter(0.5, 1.0)), 1e-9, 1.0):
        assert prove("ipfl", "ir", law=PowerGain(exponent)) is not None
        assert prove("ipfl", "monotonicity", law=PowerGain(exponent)) is None  # thresholds: the paper's law

    class Other(PowerGain):
        def value(self, gain, own, total):
            return 2.0 * super().value(gain, own, total)

    assert prove("ipfl", "ir", law=Other(0.5)) is None
    assert prove("posted-price", "ir", law=Other(0.5)) is None
    assert prove("ipfl-exact", "dsic-cost", law=Other(0.5)) is not None


# --- the rows behind impossibility, against their definitions ---


@pytest.mark.parametrize("incentive", ["dsic", "bic"])
@pytest.mark.parametrize("rationality", ["ex-post", "interim"])
@pytest.mark.parametrize("balance", ["ex-post", "ex-ante"])
def test_the_rows_of_a_grid_are_the_definitions(incentive, rationality, balance):
    rng = np.random.default_rng(1)
    values, costs = (Fraction(1), Fraction(3)), (Fraction(0), Fraction(2))
    system, answers = trade_system(values, costs, incentive, rationality, balance), set()
    for _ in range(400):
        pay = {(v, c): Fraction(int(rng.integers(0, 7)), 2) * (v > c) for v in values for c in costs}
        shift = Fraction(int(rng.integers(0, 2)), 2) if rng.random() < 0.3 else Fraction(0)
        get = {key: p - shift * (balance == "ex-ante" and p > 0) for key, p in pay.items()}

        def buyer(true, said, c, pay=pay):
            return true * (said > c) - pay[said, c]

        def seller(true, said, v, get=get):
            return get[v, said] - true * (v > said)

        def fine(utility, own, other):
            def all_of(gains, mode):
                return min(gains) >= 0 if mode else sum(gains) >= 0

            ir = (all_of([utility(t, t, o) for o in other], rationality == "ex-post") for t in own)
            ic = (
                all_of([utility(t, t, o) - utility(t, s, o) for o in other], incentive == "dsic")
                for t in own for s in own
            )  # fmt: skip
            return all(ir) and all(ic)

        due = sum(pay.values()) >= sum(get.values()) if balance == "ex-ante" else pay == get
        expected = due and fine(buyer, values, costs) and fine(seller, costs, values)
        point = {f"pay {v} {c}": p for (v, c), p in pay.items()} | {f"get {v} {c}": g for (v, c), g in get.items()}
        assert (not check_point(system, point)) == expected
        answers.add(expected)
    assert False in answers


# --- what is said ---


@pytest.mark.parametrize("key", THEOREMS)
def test_the_scope_is_the_condition_that_the_catalogue_names(key):
    entries = {entry.id: entry for entry in (CATALOGUE.values() if hasattr(CATALOGUE, "values") else CATALOGUE)}
    truth = entries[key[0]].truths[key[1]]
    assert truth.startswith("yes")
    if "sizes as reported" in truth or "at truth" in truth:
        assert DELIVERED in prove(*key).scope or key[1] == "efficiency"


def test_the_gain_law_is_named_exactly_where_the_proof_rests_on_it():
    for key, cell in CELLS.items():
        assert sum(words in prove(*key).scope.split("; ") for words in LAWS.values()) == (
            "clients" in prove(*key).scope
        )
        assert (LAWS["concave"] in prove(*key).scope) == (cell.law == "concave")
    table = TableGain((100.0, 1000.0, 5000.0), (0.0, 1.0, 1.2))
    certificate = prove_mechanism(
        MarketDirect(market_mechanism("exact-marginal"), 3, law=table), "ir-seller"
    ).certificate
    assert "any gain law" in certificate.scope


def test_a_buyer_can_lose_by_data_that_is_not_there_and_no_certificate_says_otherwise():
    types = Types([100.0, 100.0], [0.0, 5.0], [90_000.0, 0.0])
    outcome = market_mechanism("ipfl-exact").clear(types.report(size=[100.0, 10_000.0]), Market())
    assert outcome.imports[0, 1]
    assert account(types, outcome).utility[0] < 0
    for name, prop in (("ipfl-exact", "ir"), ("ipfl", "ir-buyer"), ("posted-price", "dsic-gain")):
        private = MarketDirect(market_mechanism(name), 3, sizes="private")
        assert "there as reported" in prove_mechanism(private, prop).words
        assert prove_mechanism(MarketDirect(market_mechanism(name), 3), prop).certificate is not None
    private = MarketDirect(market_mechanism("ipfl-exact"), 3, sizes="private")
    for prop in ("dsic-cost", "ir-seller", "budget-balance", "efficiency"):
        assert prove_mechanism(private, prop).certificate is not None


def test_rules_of_which_only_critical_values_are_tested_say_so():
    named = replace(second_price(3), name="myerson")
    assert "as far as the proof needs it" in prove_mechanism(named, "dsic").words
    assert "as far as the proof needs it" not in prove_mechanism(second_price(3), "dsic").words


def test_a_gap_costs_no_more_than_the_scope_says():
    """Selection cut short after few nodes: a lie about the cost may pay, by at most 2ε for each importer."""
    rng = np.random.default_rng(3)
    types = Types(rng.uniform(50, 300, (60, 9)), rng.uniform(0, 3, (60, 9)), rng.uniform(0, 200_000, (60, 9)))
    assert "a gap ε of an importer may cost up to 2ε" in prove("ipfl-exact", "dsic-cost").scope
    paid = 0
    for limit in (2, 6):
        rule = MarketMechanism("ipfl-exact", "exact", "clarke", node_limit=limit)
        before = rule.clear(types.truthful(), Market())
        for j in range(9):
            for factor in (0.0, 0.7, 1.3):
                cost = types.cost.copy()
                cost[:, j] *= factor
                after = rule.clear(types.report(cost=cost), Market())
                gained = account(types, after).utility[:, j] - account(types, before).utility[:, j]
                gaps = np.maximum(before.gap, after.gap).sum(axis=1)
                assert (gained <= 2.0 * gaps + 1e-9).all()
                paid += (gained > 1e-6).sum()
    assert paid > 0  # the words are needed
