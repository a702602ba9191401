"""Witnesses about cleared markets: they say what happens, survive JSON to the bit, and replay or say what does not."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mechanism import (
    Market,
    MarketProofError,
    PowerGain,
    SqrtGain,
    TableGain,
    Types,
    UnknownNameError,
    market_mechanism,
)
from proofs_checks import Witness, replay
from proofs_checks.evidence.verdict import Grade
from proofs_checks.evidence_errors import WitnessError
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.cases import truthful
from proofs_checks.search.given_markets import GivenMarkets
from proofs_checks.search.lies import best_reports
from proofs_checks.search.random_markets import random_markets
from tests.proofs_checks import mutants

EXAMPLE = Types([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0])


def example() -> Witness:
    return Witness.of_lie(market_mechanism("ipfl"), EXAMPLE, Market(), 1, "cost", 0.9)


def put(path: tuple, value: object) -> dict:
    """The example with one part replaced (or added), and no digest that tells."""
    data = copy.deepcopy(example().to_dict()) | {"digest": ""}
    target = data
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return data


def best_of(lies, mechanism, types: Types, market: Market) -> Witness:
    """The witness of the best lie of a batch of markets [B, m]."""
    b, j = lies.best()
    one = Types(types.size[b], types.cost[b], types.gain[b])
    lone = Market(market.differences[b], market.lam, market.law)
    return Witness.of_lie(mechanism, one, lone, j, lies.coordinate, float(lies.report[b, j]))


def test_the_example_in_words():
    witness = example()
    assert witness.sentence == "client b has cost 1.1; reporting cost 0.9 takes its utility from 0 to 1.9"
    assert witness.violation == pytest.approx(1.9, abs=1e-12)
    assert (witness.property, witness.mechanism) == ("dsic-cost", "ipfl")
    buyer = Types([100, 300], [1, 1], [3600, 0])
    lie = Witness.of_lie(market_mechanism("ipfl"), buyer, Market(), 0, "gain", 900)
    assert lie.sentence == "client a has gain 3600; reporting gain 900 takes its utility from 0 to 1.5"
    rule, profiles = GivenMarkets.of(market_mechanism("no-payment"), buyer, Market())
    loss = Witness.of(rule, PROPERTY["ir"], truthful(profiles))
    assert (loss.sentence, loss.violation) == ("client b tells the truth and is left with -1", 1.0)
    assert replay(loss).bitwise


@pytest.mark.parametrize("law", [SqrtGain(), PowerGain(0.25), TableGain((100.0, 400.0, 900.0), (0.0, 3.0, 4.0))])
def test_witnesses_survive_json_to_the_bit_and_replay(law):
    types, market = random_markets("small", np.random.default_rng(31), 30, 4)
    market = Market(market.differences, market.lam, law)
    mechanism = market_mechanism("ipfl")
    lies = best_reports(mechanism, types, market)
    witness = best_of(lies, mechanism, types, market)
    assert witness.violation == lies.gain.max()
    text = json.dumps(witness.to_dict())
    read = Witness.from_dict(json.loads(text))
    assert json.dumps(read.to_dict()) == text
    again = replay(read)
    assert (again.reproduces, again.bitwise, again.difference) == (True, True, None)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("numbers", "utility_after", 1), 1.8, "utility_after[1] is 1.9, the witness says 1.8"),
        (("types", 1, 1), 1.2, "utility_after[1]"),
        (("before", 0, 2), 100.0, "utility_before[2] is 0.0, the witness says 2.0"),
        (("numbers", "prices_before", 0), 3.5, "prices_before[0] is 3.0, the witness says 3.5"),
        (("numbers", "payment_after", 0), 1.0, "payment_after[0] is 0.0, the witness says 1.0"),
        (("violation",), 1.8, "the violation is 1.9"),
        (("market", "law"), {"name": "power", "exponent": 0.4}, "the witness says"),
    ],
)
def test_a_changed_witness_is_told_by_the_number_that_differs(path, value, said):
    again = replay(Witness.from_dict(put(path, value)))
    assert not again.reproduces
    assert said in again.difference


def test_last_bits_do_not_decide_but_are_told():
    again = replay(Witness.from_dict(put(("numbers", "utility_after", 1), 1.9 + 1e-15)))
    assert again.reproduces
    assert not again.bitwise


def test_a_deviation_that_does_not_pay_refutes_nothing():
    again = replay(Witness.of_lie(market_mechanism("ipfl-exact"), EXAMPLE, Market(), 1, "cost", 0.9))
    assert not again.reproduces
    assert "dsic-cost holds there" in again.difference


def test_replay_takes_the_mechanism_that_is_named_or_given():
    unknown = Witness.from_dict(put(("mechanism",), "nobody"))
    with pytest.raises(UnknownNameError):
        replay(unknown)
    assert not replay(example(), mutants.Mutant(mutants.leaks)).reproduces
    assert replay(unknown, market_mechanism("ipfl")).reproduces


@pytest.mark.parametrize("coordinate", ["gain", "size"])
def test_a_mechanism_with_two_stages_is_settled_on_the_truth(coordinate):
    """What such a rule pays after measuring is what the lie is about; by the reports alone it would pay nothing."""
    mechanism = market_mechanism("realised-bilateral")
    types, market = random_markets("small", np.random.default_rng(4), 20, 4)
    lies = best_reports(mechanism, types, market, coordinate)
    witness = best_of(lies, mechanism, types, market)
    assert witness.property == f"dsic-{coordinate}"
    assert witness.violation == pytest.approx(float(lies.gain.max()), rel=1e-12)
    assert replay(Witness.from_dict(witness.to_dict())).reproduces


WRONG = [
    (("format",), "other", "format"),
    (("format",), "marketproof-witness-1", "an earlier version"),
    (("more",), 1, "unknown key 'more'"),
    (("types",), [], "types"),
    (("types",), "abc", "types"),
    (("types", 0), [1.0], "one length"),
    (("types", 0, 0), "1", "types"),
    (("types", 0, 0), 10**400, "types"),
    (("types", 0, 1), None, "types"),
    (("before",), [[1.0] * 6], "before"),
    (("after",), [], "after"),
    (("names",), ["size", "cost"], "2 columns"),
    (("market", "lam"), -1, "lam"),
    (("market", "lam"), {}, "lam"),
    (("market", "law"), "sqrt", "law"),
    (("market", "law"), {"name": "cube"}, "law"),
    (("market", "law"), {"name": "sqrt", "more": 1}, "more"),
    (("market", "law"), {"name": "power", "exponent": 2}, "exponent"),
    (("market", "law"), {"name": "power", "exponent": 0}, "exponent"),
    (("market", "law"), {"name": "table", "samples": [2, 1], "values": [0, 1]}, "holds no case"),
    (("market", "law"), {"name": ["sqrt"]}, "law"),
    (("deviators",), [3], "agents 0 to 2"),
    (("deviators",), [1.0], "deviators[0]"),
    (("deviators",), [True], "deviators[0]"),
    (("numbers", "utility_before"), [0, "x"], "utility_before"),
    (("numbers", "utility_after", 0), float("inf"), "utility_after"),
    (("built",), 2, "3 to 1000"),
    (("violation",), float("nan"), "violation"),
    (("mechanism",), "x" * 201, "mechanism"),
    (("property",), "x" * 101, "property"),
]


@pytest.mark.parametrize(
    ("path", "value", "said"), WRONG, ids=[f"{k}-{'.'.join(map(str, w[0]))}" for k, w in enumerate(WRONG)]
)
def test_each_wrong_part_is_named_in_one_line(path, value, said):
    with pytest.raises(WitnessError) as caught:
        Witness.from_dict(put(path, value))
    message = str(caught.value)
    assert said in message
    assert "\n" not in message
    assert len(message) < 300


@pytest.mark.parametrize("field", sorted(set(example().to_dict()) - {"agents", "market"}))
def test_each_missing_field_is_named(field):
    data = {k: v for k, v in example().to_dict().items() if k != field}
    with pytest.raises(WitnessError, match=f"'{field}' is missing"):
        Witness.from_dict(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("types", 0, 0), 0.0),
        (("types", 0, 1), -1.0),
        (("after", 1, 1), 1e16),
        (("types", 0, 4), 2.5),
        (("types", 0, 3), 0.1),
        (("names", 0), "volume"),
    ],
)
def test_what_is_no_market_is_refused(path, value):
    with pytest.raises(WitnessError, match=r"outside the mechanism's bounds|the mechanism has size"):
        replay(Witness.from_dict(put(path, value)))


def test_one_client_is_no_market():
    rows = {"types": [[1.0] * 4], "before": [[1.0] * 4], "after": None, "deviators": None}
    data = example().to_dict() | rows | {"names": ["size", "cost", "gain", "pen_0"], "built": 1, "agents": []}
    with pytest.raises(WitnessError, match="one client"):
        replay(Witness.from_dict(data))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
PATHS = st.sampled_from([w[0] for w in WRONG if w[0] != ("more",)])


@given(PATHS, JSON)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_value_anywhere_gives_an_answer_or_one_error(path, value):
    said = ""
    try:
        replay(Witness.from_dict(put(path, value)))
    except MarketProofError as error:
        said = str(error)
    assert "\n" not in said


def test_grades_are_the_five_words():
    assert [str(g) for g in Grade] == ["proved", "exhausted", "searched", "refuted", "unknown"]
