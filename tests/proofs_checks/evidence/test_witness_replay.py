"""A witness survives JSON, replays to the bit, and an edited one is told from the original."""

from __future__ import annotations

import copy
import json
import time
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mechanism.catalogue import direct_mechanism
from mechanism.errors import MarketProofError
from proofs_checks.evidence.verify import make_witness
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.evidence_errors import WitnessError
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.searching import Search
from tests.proofs_checks.properties.test_violations import BREAKS
from tests.proofs_checks.rules import auction, moved, pay_bid, pay_second, rows

CATALOGUE = (
    ("first-price", "dsic"), ("first-price", "bic"), ("second-price", "non-bossiness"), ("second-price", "group-dsic"),
    ("all-pay", "ir"), ("all-pay", "interim-ir"), ("ipfl", "dsic-cost"), ("ipfl-exact", "dsic-gain"),
    ("ipfl-exact", "core"), ("vcg-combinatorial", "split-proof"), ("serial-dictatorship", "anonymity"),
    ("vcg-two-sided", "budget-balance"), ("ipfl", "efficiency"),
)  # fmt: skip


@cache
def written(name: str, prop: str) -> str:
    """Return the JSON text of a witness; ``name``: of the catalogue, or "by hand"."""
    mechanism = subject(name, prop)
    search = Search(mechanism, PROPERTY[prop])
    search.run(time.perf_counter() + 20, probes=40)
    assert search.found is not None
    return json.dumps(make_witness(mechanism, search.prop, search.found, seconds=1.0).to_dict())


def subject(name: str, prop: str) -> Any:
    return BREAKS[prop][0] if name == "by hand" else direct_mechanism(name)


BY_HAND = [("by hand", prop) for prop in BREAKS]


@pytest.mark.parametrize(("name", "prop"), [*BY_HAND, *CATALOGUE])
def test_a_witness_survives_json_and_replays_to_the_bit(name, prop):
    text = written(name, prop)
    witness = Witness.from_dict(json.loads(text))
    assert json.dumps(witness.to_dict()) == text
    assert witness.built == subject(name, prop).space.agents >= witness.agents
    again = replay(witness, subject(name, prop))
    assert again.difference is None
    assert again.reproduces
    assert again.bitwise
    assert again.violation == witness.violation > 0
    assert again.sentence == witness.sentence


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where the numbers of a JSON document are."""
    if isinstance(data, dict | list):
        items = data.items() if isinstance(data, dict) else enumerate(data)
        return [place for key, value in items for place in places(value, (*path, key))]
    return [path] if isinstance(data, int | float) and not isinstance(data, bool) else []


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    other = copy.deepcopy(data)
    inner = other
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return other


def refused(data: Any, name: str, prop: str) -> bool:
    try:
        return not replay(Witness.from_dict(data), subject(name, prop)).reproduces
    except MarketProofError:
        return True


AMOUNTS = st.floats(2e-6, 0.5) | st.floats(-0.5, -2e-6)
EDITED = (
    ("first-price", "dsic"), ("second-price", "non-bossiness"), ("all-pay", "ir"), ("ipfl", "dsic-cost"),
    ("ipfl-exact", "core"), ("vcg-combinatorial", "split-proof"), ("ipfl", "efficiency"), ("first-price", "bic"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "prop"), EDITED)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_changed_result_is_refused(name, prop, data):
    """Utilities, payments, the violation: whatever was computed."""
    original = json.loads(written(name, prop))
    path = data.draw(st.sampled_from([p for p in places(original) if p[0] in ("numbers", "violation")]))
    old = original
    for key in path:
        old = old[key]
    value = old + data.draw(AMOUNTS) * max(1.0, abs(old))
    assert refused(changed(original, path, value), name, prop)


def unnoticed(name: str, prop: str) -> list[tuple[Any, ...]]:
    """Return which types and reports can be changed by a little or a lot so that the replay still agrees."""
    original = json.loads(written(name, prop))
    found = []
    for path in (p for p in places(original) if p[0] in ("types", "before", "after")):
        old = original[path[0]][path[1]][path[2]]
        for step in (2e-6, -2e-6, 0.5, -0.5):
            value = old + step * max(1.0, abs(old))
            if not refused(changed(original, path, value), name, prop):
                found.append((*path, step))
    return found


@pytest.mark.parametrize(("name", "prop"), EDITED)
def test_a_changed_type_or_report_is_refused(name, prop):
    assert unnoticed(name, prop) == []


def test_a_changed_number_of_the_story_itself_is_refused():
    """Who bids 3/4 against 1/2 and says 5/8: its truth, its lie and the other's report all show in the numbers."""
    witness = make_witness(auction(pay_bid), PROPERTY["dsic"], moved(rows(0.75, 0.5), 0, 0.625), seconds=1e-9)
    original = witness.to_dict()
    for part, agent in (("types", 0), ("before", 0), ("after", 0)):
        for step in (2e-6, -2e-6, 0.1, -0.1):
            data = changed(original, (part, agent, 0), original[part][agent][0] + step)
            assert not replay(Witness.from_dict(data), auction(pay_bid)).reproduces


@pytest.mark.parametrize(("name", "prop"), EDITED)
def test_another_sentence_mechanism_or_property_is_refused(name, prop):
    original = json.loads(written(name, prop))
    assert refused(changed(original, ("sentence",), original["sentence"] + "."), name, prop)
    other = "weak-budget-balance"  # holds there, or is broken otherwise
    assert refused(changed(original, ("property",), other), name, prop)
    assert refused(changed(original, ("property",), "no such"), name, prop)


def test_a_witness_of_one_rule_is_none_of_another():
    case = moved(rows(0.75, 0.5), 0, 0.625)
    witness = make_witness(auction(pay_bid), PROPERTY["dsic"], case)
    again = replay(witness, auction(pay_second))
    assert not again.reproduces
    assert again.difference is not None
    with pytest.raises(WitnessError, match=r"the witness has value; the mechanism has A, B, AB"):
        replay(witness, direct_mechanism("vcg-combinatorial", 2))


def test_a_number_outside_the_domain_is_refused():
    data = json.loads(written("all-pay", "ir"))
    data["types"][0][0] = data["before"][0][0] = 1.5
    with pytest.raises(WitnessError, match="outside the mechanism's bounds"):
        replay(Witness.from_dict(data), direct_mechanism("all-pay"))
