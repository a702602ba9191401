"""Code proved, refuted or given up: never against what is known, and a certificate that was changed is refused."""

import json
from dataclasses import replace

import numba
import numpy as np
import pytest

from mechanism import SingleParameter, Space
from mechanism.auctions.one_item.second_price import second_price
from mechanism.catalogue import AUCTION_ENTRIES, direct_mechanism
from proofs_checks import PROPERTY, verify
from proofs_checks.evidence.verdict import Grade
from proofs_checks.evidence.witness import replay
from proofs_checks.search.cases import Cases, truthful
from proofs_checks.symbolic.prove import CodeProof, CodeRefutation, GaveUp, check_code_proof, prove_code

ASKED = ("ir", "ir-buyer", "ir-seller", "budget-balance", "weak-budget-balance", "efficiency", "monotonicity", "dsic")
LINEAR = (
    "first-price", "second-price", "second-price-reserve", "all-pay", "gsp", "vcg-positions", "myerson",
    "posted-price-single", "mcafee", "k-double-auction", "clarke-public-good", "moulin-shapley", "median-vote",
    "mean-vote",
)  # fmt: skip


@pytest.mark.parametrize("name", LINEAR)
def test_the_catalogue_is_decided_as_theory_says(name):
    entry = AUCTION_ENTRIES[name]
    for agents in {max(2, entry.fewest), max(3, entry.fewest)}:
        mechanism = entry.build(agents)
        for prop in ASKED:
            if PROPERTY[prop].missing(mechanism) is not None or prop not in entry.truths:
                continue
            found = prove_code(mechanism, prop, 60.0)
            if entry.truths[prop].startswith("yes"):
                assert isinstance(found, CodeProof), (prop, agents, found)
                assert f"n = {agents}" in found.words
                assert check_code_proof(mechanism, json.loads(json.dumps(found.certificate))) == []
            elif agents >= entry.agents:
                assert isinstance(found, CodeRefutation), (prop, agents, found)
                assert not PROPERTY[prop].check(mechanism, found.case).holds


def test_what_follows_from_dsic_is_proved_by_it_and_a_lie_of_one_refutes_the_coalition():
    assert prove_code(second_price(3), "bic", 20.0).certificate["of"] == "dsic"
    first = AUCTION_ENTRIES["first-price"].build(3)
    assert isinstance(prove_code(first, "bic", 20.0), GaveUp)
    found = prove_code(first, "group-dsic", 20.0)
    assert isinstance(found, CodeRefutation)
    assert not PROPERTY["group-dsic"].check(first, found.case).holds


def sorted_index(bids):
    wins = np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None]
    return wins, wins * np.sort(bids, axis=1)[:, 1:2]


def test_the_second_lowest_of_three_is_the_second_highest_and_of_four_it_is_not():
    three, four = SingleParameter(sorted_index, 3), SingleParameter(sorted_index, 4)
    assert isinstance(prove_code(three, "dsic", 20.0), CodeProof)
    assert isinstance(prove_code(four, "dsic", 20.0), CodeRefutation)
    assert check_code_proof(four, prove_code(three, "dsic", 20.0).certificate) != []


def cube(share, seed, agents=3, extra=0.1, who=None):
    """Return the catalogue's rule, its payment off by ``extra`` for one agent in a cube of the types' space."""
    rng, base = np.random.default_rng(seed), second_price(agents)
    side = share ** (1 / agents)
    low = rng.random(agents) * (1 - side)
    agent = int(low.argmax()) if who is None else who

    def rule(bids):
        allocation, payment = base.rule(bids)
        inside = ((bids > low) & (bids < low + side)).all(axis=-1)
        payment = payment.copy()
        payment[:, agent] += extra * inside
        return allocation, payment

    return replace(base, rule=rule)


@pytest.mark.parametrize("exponent", [3, 5, 8, 15])
def test_a_payment_that_is_off_in_a_tiny_cube_is_found(exponent):
    for seed, extra in ((0, 0.1), (1, -0.1), (2, 1e-4)):
        mechanism = cube(10.0**-exponent, seed, extra=extra)
        found = prove_code(mechanism, "dsic", 60.0)
        assert isinstance(found, CodeRefutation)
        assert not PROPERTY["dsic"].check(mechanism, found.case).holds


def test_a_loser_that_pays_in_a_tiny_cube_breaks_ir_too():
    loser = int(np.random.default_rng(3).random(3).argmin())
    for prop in ("dsic", "ir"):
        assert isinstance(prove_code(cube(1e-5, 3, who=loser), prop, 60.0), CodeRefutation)
        assert isinstance(prove_code(cube(1e-5, 3, who=loser, extra=0.0), prop, 60.0), CodeProof)


def rules(seed):
    """Draw a rule out of comparisons and linear payments; most are not truthful."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 4))
    weight, shift = np.ones(n), np.zeros(n)
    if rng.random() < 0.5:
        weight, shift = rng.uniform(0.5, 2, n).round(2), rng.uniform(-0.3, 0.3, n).round(2)
    reserve = float(rng.choice([0.0, 0.25, 0.4]))
    pay = int(rng.integers(5))
    k, slope = int(rng.integers(n)), float(rng.choice([0.25, 1 / 3, 1.0]))

    def rule(bids):
        scores = weight * bids + shift
        order = np.argsort(-scores, axis=1, kind="stable")
        rows = np.arange(len(bids))
        first, second = order[:, 0], order[:, 1]
        sold = (scores[rows, first] >= reserve) & (bids[rows, first] > 0.0)
        allocation, payment = np.zeros(bids.shape), np.zeros(bids.shape)
        allocation[rows, first] = sold
        critical = np.maximum((np.maximum(scores[rows, second], reserve) - shift[first]) / weight[first], 0.0)
        price = (
            critical,
            bids[rows, first],
            slope * bids.sum(axis=1),
            bids[:, k],
            np.where(bids[:, k] > 0.5, critical, 0.5),
        )
        payment[rows, first] = sold * price[pay]
        return allocation, payment

    return SingleParameter(rule, n, name=f"rule {seed}")


@pytest.mark.parametrize("seeds", [range(24), pytest.param(range(24, 350), marks=pytest.mark.slow)])
def test_random_rules_are_never_judged_against_a_grid(seeds):
    """Every truth and lie of a grid, by the rule's floats: what is proved holds on it; what is refuted replays."""
    proved = 0
    for seed in seeds:
        mechanism = rules(seed)
        n = mechanism.agents
        levels = np.array([0.0, 0.1, 0.25, 0.4, 0.5, 0.55, 0.75, 0.9, 1.0])
        types = np.stack(np.meshgrid(*[levels] * n, indexing="ij"), -1).reshape(-1, n, 1)
        for prop in ("dsic", "ir", "monotonicity"):
            found = prove_code(mechanism, prop, 60.0)
            assert not isinstance(found, GaveUp), (seed, prop, found)
            if isinstance(found, CodeRefutation):
                assert not PROPERTY[prop].check(mechanism, found.case).holds
                continue
            proved += 1
            if prop == "ir":
                assert PROPERTY[prop].violation(mechanism, truthful(types)).max() <= 1e-8
                continue
            for agent in range(n):
                after = np.repeat(types[:, None], len(levels), axis=1)
                after[:, :, agent, 0] = levels
                who = np.zeros((len(types), n), dtype=bool)
                who[:, agent] = True
                assert PROPERTY[prop].violation(mechanism, Cases(types, types, after, who)).max() <= 1e-8, (seed, prop)
    assert proved > len(seeds) / 2


def made(rule, agents=2, **more):
    return SingleParameter(
        lambda bids: (wins := bids == bids.max(axis=1, keepdims=True), rule(bids, wins)), agents, **more
    )


RNG = np.random.default_rng(0)


class Counter:
    calls = 0

    def __call__(self, bids, wins):
        Counter.calls += 1
        return wins * (bids if Counter.calls % 2 else np.where(bids > 0.25, bids, 0.0))


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (lambda bids, wins: wins * bids * bids, "not linear"),
        (lambda bids, wins: wins * np.sqrt(bids), "sqrt"),
        (lambda bids, wins: wins * bids / bids.sum(axis=1, keepdims=True), "divides"),
        (lambda bids, wins: wins * float(bids[0, 0]), "plain number"),
        (lambda bids, wins: wins * np.floor(bids * 10), "plain number"),
        (lambda bids, wins: wins * int(bids[0, 1] * 10), "plain number"),
        (lambda bids, wins: wins * hash(bids[0, 0]), "plain number"),
        (lambda bids, wins: wins * bids.astype(np.float32), "plain number"),
        (lambda bids, wins: wins * bids * RNG.random(), "floats give something else"),
        (Counter(), "repeat"),
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_given_up_and_said(rule, why):
    found = prove_code(made(rule), "ir", 20.0)
    assert isinstance(found, GaveUp), found
    assert why in found.reason


def test_an_error_that_the_code_swallows_is_still_known():
    def careful(bids, wins):
        try:
            return wins * float(bids[0, 0])
        except Exception:
            return wins * 0.0

    assert isinstance(prove_code(made(careful), "ir", 20.0), GaveUp)


class Whole:
    name = "whole numbers"
    space = Space(2, ("rank",), 0, 5, integer=True)

    def outcome(self, reports):
        return reports[..., 0]

    def utility(self, types, outcome):
        return types[..., 0] - outcome

    def payments(self, outcome):
        return outcome


def test_code_that_asks_for_the_kind_of_its_numbers_is_given_up():
    def suspicious(bids, wins):
        return wins * (bids if bids.dtype == float else bids * 0) + np.zeros(bids.shape, bids.dtype)

    assert "of which kind" in prove_code(made(suspicious), "dsic", 20.0).reason


def test_compiled_code_is_given_up_whoever_compiled_it():
    """Told that symbols were floats it would read addresses; the market's kernels are compiled for many profiles."""

    @numba.njit
    def best(bids):
        return bids == bids.max()

    def compiled(bids, wins):
        return wins * best(bids)

    assert "of which kind" in prove_code(made(compiled), "dsic", 20.0).reason
    market = direct_mechanism("ipfl-exact")
    verify(market, ["ir"], grade="searched", budget=60.0, probes=2)
    assert isinstance(prove_code(market, "ir", 20.0), GaveUp)


@pytest.mark.parametrize("take", [lambda b: np.frombuffer(b.tobytes()), lambda b: np.array(memoryview(b.data))])
def test_code_that_takes_its_numbers_as_bytes_is_given_up(take):
    def elsewhere(bids, wins):
        return wins * np.reshape(take(np.ascontiguousarray(bids)), bids.shape)

    assert isinstance(prove_code(made(elsewhere), "dsic", 20.0), GaveUp)


@pytest.mark.parametrize("exponent", [3, 8])
def test_verify_refutes_a_cube_and_proves_nothing_that_rests_on_what_is_false(exponent):
    mechanism = cube(10.0**-exponent, 0)
    verdicts = {v.property: v for v in verify(mechanism, ["bic", "dsic", "monotonicity"], budget=60.0, probes=2)}
    assert (verdicts["dsic"].grade, verdicts["dsic"].evidence["method"]) == (Grade.REFUTED, "regions of the code")
    assert replay(verdicts["dsic"].witness, mechanism).bitwise
    assert verdicts["bic"].grade is not Grade.PROVED
    assert verdicts["monotonicity"].evidence["code"]["words"].startswith("proved (code, n = 3)")


def test_whole_numbers_and_other_properties_are_given_up():
    assert "whole numbers" in prove_code(Whole(), "ir", 5.0).reason
    assert "regions decide" in prove_code(second_price(2), "anonymity", 5.0).reason
    assert "time" in prove_code(second_price(6), "dsic", 0.2).reason


def test_a_certificate_that_was_changed_is_refused():
    mechanism = second_price(3)
    kept = prove_code(mechanism, "dsic", 20.0).certificate
    assert check_code_proof(mechanism, kept) == []
    assert check_code_proof(second_price(4), kept) != []
    assert check_code_proof(AUCTION_ENTRIES["first-price"].build(3), kept) != []
    assert check_code_proof(AUCTION_ENTRIES["first-price"].build(3), kept | {"mechanism": "first-price"}) != []
    for change in ({"property": "budget-balance"}, {"of": "ir"}, {"tolerance": "1"}, {"regions": 5}, {"format": "x"}):
        assert check_code_proof(mechanism, kept | change) != []
    rng = np.random.default_rng(0)
    entries = kept["refutations"]
    for _ in range(60):
        at = int(rng.integers(len(entries)))
        other = list(entries)
        if entries[at] is None or rng.random() < 0.3:
            other[at] = "0:1" if entries[at] is None else None
        else:
            parts = entries[at].split()
            which = int(rng.integers(len(parts)))
            parts[which] = parts[which].split(":")[0] + ":-7"
            other[at] = " ".join(parts)
        assert check_code_proof(mechanism, kept | {"refutations": other}) != [], (at, entries[at], other[at])
    assert check_code_proof(mechanism, kept | {"refutations": entries[:-1]}) != []
    assert check_code_proof(mechanism, kept | {"refutations": [*entries, None]}) != []
    assert check_code_proof(mechanism, kept | {"refutations": "none"}) != []
    assert check_code_proof(mechanism, kept | {"refutations": ["1:1e999999999", *entries[1:]]}) != []
    assert check_code_proof(mechanism, {}) != []
