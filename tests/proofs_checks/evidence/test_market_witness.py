"""Witnesses: they say what happens, survive JSON to the bit, and replay or say which number does not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mechanism import Market, PowerGain, SqrtGain, TableGain, Types, UnknownNameError, market_mechanism
from mechanism.entry import PROPERTIES
from proofs_checks.errors import WitnessError
from proofs_checks.evidence.market_witness import Deviation, Grade, Witness, observe, replay, witness_of
from proofs_checks.search.cost_lies import best_cost_lies
from proofs_checks.search.number_lies import best_number_lies
from proofs_checks.search.random_markets import random_markets
from tests.proofs_checks import mutants

EXAMPLE = Types([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0])


def example() -> Witness:
    return observe(market_mechanism("ipfl"), EXAMPLE, Market(), (Deviation(1, "cost", 0.9),))


def test_the_example_in_words():
    assert example().sentence() == "client b costs 1.1; saying 0.9 raises its utility from 0 to 1.9"
    assert example().sentence(("hub", "first", "second")).startswith("client first costs 1.1")
    assert example().rise == pytest.approx(1.9, abs=1e-12)


def test_numbers_that_differ_late_are_written_apart():
    late = replace(example(), cost=(0.0, 1.0, 1.0), deviations=(Deviation(1, "cost", 0.99999999),))
    assert late.sentence().startswith("client b costs 1; saying 0.99999999 raises")


def test_other_coordinates_coalitions_and_losses_in_words():
    buyer = Types([100, 300], [1, 1], [3600, 0])
    lie = observe(market_mechanism("ipfl"), buyer, Market(), (Deviation(0, "gain", 900),), property="dsic-gain")
    assert lie.sentence() == "client a has gain parameter 3600; saying 900 raises its utility from 0 to 1.5"
    both = replace(lie, deviations=(Deviation(0, "gain", 900), Deviation(1, "size", 600)))
    words = both.sentence()
    assert words.startswith("client a has gain parameter 3600, client b holds 300 samples; saying gain 900 of a")
    assert "raises their utilities from 0 to 1.5" in words
    loss = observe(market_mechanism("no-payment"), buyer, Market(), (), property="ir")
    assert loss.sentence() == "client b tells the truth and is left with -1"
    assert loss.rise == 1.0
    assert replay(loss).reproduced
    crowd = replace(loss, utility_before=tuple([0.0] * 27 + [-1.0]), size=tuple([1.0] * 28))
    assert crowd.sentence().startswith("client ab ")


@pytest.mark.parametrize("law", [SqrtGain(), PowerGain(0.25), TableGain((100.0, 400.0, 900.0), (0.0, 3.0, 4.0))])
def test_witnesses_survive_json_to_the_bit_and_replay(law):
    rng = np.random.default_rng(31)
    types, market = random_markets("small", rng, 30, 4)
    market = Market(market.differences, market.lam, law)
    mechanism = market_mechanism("ipfl")
    witness = witness_of(best_cost_lies(mechanism, types, market), mechanism, types, market)
    assert witness is not None
    assert Witness.from_json(witness.to_json()) == witness
    assert Witness.from_json(witness.to_json().encode()) == witness
    assert Witness.from_json(json.loads(json.dumps(witness.to_dict()))) == witness
    again = replay(witness)
    assert again.reproduced
    assert again.bitwise
    assert again.difference is None
    assert again.witness == witness


def test_no_witness_where_nothing_is_gained():
    types, market = random_markets("small", np.random.default_rng(32), 20, 4)
    mechanism = market_mechanism("ipfl-exact")
    assert witness_of(best_cost_lies(mechanism, types, market), mechanism, types, market) is None
    lying = market_mechanism("ipfl")
    lies = best_cost_lies(lying, types, market)
    quiet = tuple(int(k) for k in np.argwhere(lies.gain == 0)[0])
    assert witness_of(lies, lying, types, market, quiet) is None


def test_the_witness_of_a_batch_is_the_witness_of_its_market():
    types, market = random_markets("small", np.random.default_rng(33), 5, 4)
    mechanism = market_mechanism("ipfl")
    lies = best_cost_lies(mechanism, types, market)
    b, j = lies.best()
    witness = witness_of(lies, mechanism, types, market)
    assert witness.size == tuple(types.size[b])
    assert witness.deviations[0].client == j
    assert witness.rise == lies.gain.max()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"utility_after": (0.0, 1.8, 0.0)}, "after: utility of 1 is 1.9, the witness says 1.8"),
        ({"cost": (0.0, 1.2, 1.0)}, "utility of 1"),
        ({"gain": (100.0, 0.0, 0.0)}, "before: client 0 imports from 2 only in the witness"),
    ],
)
def test_a_changed_witness_is_told_by_the_number_that_differs(change, said):
    again = replay(replace(example(), **change))
    assert not again.reproduced
    assert said in again.difference


def test_a_changed_price_and_a_changed_centre_are_told():
    stored = example()
    dearer = replace(stored.before, sales=((0, 2, 3.5), *stored.before.sales[1:]))
    assert "price of 2 to 0 is 3.0, the witness says 3.5" in replay(replace(stored, before=dearer)).difference
    taxed = replace(stored.after, centre=(1.0, 0.0, 0.0))
    assert "payment of 0 to the centre" in replay(replace(stored, after=taxed)).difference


def test_last_bits_do_not_decide_but_are_told():
    stored = example()
    off = replace(stored, utility_after=(0.0, 1.9 + 1e-15, 0.0))
    again = replay(off)
    assert again.reproduced
    assert not again.bitwise
    assert "utility of 1" in again.difference


def test_a_deviation_that_does_not_pay_refutes_nothing():
    idle = observe(market_mechanism("ipfl-exact"), EXAMPLE, Market(), (Deviation(1, "cost", 0.9),))
    again = replay(idle)
    assert not again.reproduced
    assert "does not pay" in again.difference


def test_replay_takes_the_mechanism_that_is_named_or_given():
    with pytest.raises(UnknownNameError):
        replay(replace(example(), mechanism="nobody"))
    assert not replay(example(), mutants.Mutant(mutants.leaks)).reproduced
    assert replay(replace(example(), mechanism="nobody"), market_mechanism("ipfl")).reproduced


@pytest.mark.parametrize(
    ("deviations", "expected"),
    [
        ([], "ir"),
        ([(0, "cost")], "dsic-cost"),
        ([(2, "gain")], "dsic-gain"),
        ([(1, "size")], "dsic-size"),
        ([(1, "size"), (1, "cost")], "dsic"),
        ([(1, "cost"), (2, "cost")], "group-dsic"),
    ],
)
def test_a_witness_is_about_the_number_that_is_lied_about(deviations, expected):
    lies = tuple(Deviation(client, coordinate, 900.0) for client, coordinate in deviations)
    witness = observe(market_mechanism("ipfl"), EXAMPLE, Market(), lies)
    assert witness.property == expected
    assert expected in PROPERTIES
    assert observe(market_mechanism("ipfl"), EXAMPLE, Market(), lies, property="dsic").property == "dsic"


def test_a_witness_with_an_older_label_replays_under_it():
    """Up to now every lie that a search found was called one about a cost."""
    buyer = Types([100, 300], [1, 1], [3600, 0])
    told = json.loads(observe(market_mechanism("ipfl"), buyer, Market(), (Deviation(0, "gain", 900),)).to_json())
    assert told["property"] == "dsic-gain"
    again = replay(Witness.from_json(told | {"property": "dsic-cost"}))
    assert (again.reproduced, again.bitwise, again.witness.property) == (True, True, "dsic-cost")


@pytest.mark.parametrize("coordinate", ["gain", "size"])
def test_a_mechanism_with_two_stages_is_settled_on_the_truth(coordinate):
    """What such a rule pays after measuring is what the lie is about; by the reports alone it would pay nothing."""
    mechanism = market_mechanism("realised-bilateral")
    types, market = random_markets("small", np.random.default_rng(4), 20, 4)
    lies = best_number_lies(mechanism, types, market, coordinate)
    witness = witness_of(lies, mechanism, types, market)
    assert witness is not None
    assert witness.property == f"dsic-{coordinate}"
    assert witness.rise == pytest.approx(float(lies.gain.max()), rel=1e-12)
    assert replay(Witness.from_json(witness.to_json())).reproduced


def test_deviations_of_nobody_are_refused():
    with pytest.raises(WitnessError, match="expected one of the market's"):
        observe(market_mechanism("ipfl"), EXAMPLE, Market(), (Deviation(3, "cost", 0.9),))


def test_grades_are_the_five_words():
    assert [str(g) for g in Grade] == ["proved", "exhausted", "searched", "refuted", "unknown"]
