"""A witness survives JSON and replays to the bit; an edited or malformed one ends in an answer or a `WitnessError`."""

import copy
import json
import math
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
from tests.proofs_checks.changes import at, changed, places
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
    search.run(math.inf, probes=40)
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


def numbers(data: Any, *parts: str) -> list[tuple[Any, ...]]:
    """Return where the numbers of these parts of a witness are."""
    whole = ((path, at(data, path)) for part in parts for path in places(data[part], (part,)))
    return [path for path, value in whole if isinstance(value, int | float) and not isinstance(value, bool)]


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
    path = data.draw(st.sampled_from(numbers(original, "numbers", "violation")))
    old = at(original, path)
    value = old + data.draw(AMOUNTS) * max(1.0, abs(old))
    assert refused(changed(original, path, value), name, prop)


def unnoticed(name: str, prop: str) -> list[tuple[Any, ...]]:
    """Return which types and reports can be changed by a little or a lot so that the replay still agrees."""
    original = json.loads(written(name, prop))
    found = []
    for path in numbers(original, "types", "before", "after"):
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


ORIGINALS = (
    ("first-price", "dsic"), ("second-price", "group-dsic"), ("vcg-combinatorial", "split-proof"), ("all-pay", "ir"),
    ("serial-dictatorship", "anonymity"), ("ipfl-exact", "core"), ("first-price", "bic"), ("by hand", "merge-proof"),
    ("by hand", "monotonicity"),
)  # fmt: skip

LEAVES = (
    st.none() | st.booleans() | st.text(max_size=5) | st.integers() | st.floats()
    | st.sampled_from([10**400, -(2**63), 2**64, 1e308, -1e308, 5e-324, float("nan"), float("inf"), "dsic", -1, 0])
)  # fmt: skip
ANYTHING = st.recursive(
    LEAVES, lambda x: st.lists(x, max_size=4) | st.dictionaries(st.text(max_size=3), x, max_size=3), max_leaves=8
)


def everywhere(data: Any) -> list[tuple[Any, ...]]:
    """Return the paths to everything inside a JSON document."""
    return list(places(data))[1:]


@st.composite
def mutants(draw: Any, original: Any) -> Any:
    """One to three changes: another value, a part left out, wrapped in a list, doubled, or a part too many."""
    data = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(everywhere(data)))
        inner, key = at(data, path[:-1]), path[-1]
        how = draw(st.sampled_from(("replace", "replace", "delete", "wrap", "double", "add")))
        if how == "replace":
            inner[key] = draw(ANYTHING)
        elif how == "delete":
            del inner[key]
        elif how == "wrap":
            inner[key] = [inner[key]]
        elif how == "double":
            inner[key] = [inner[key], inner[key]]
        elif isinstance(inner, dict):
            inner[draw(st.text(max_size=4))] = draw(ANYTHING)
        else:
            inner.append(draw(ANYTHING))
        if not everywhere(data):
            break
    return data


def tried(data: Any, name: str, prop: str) -> None:
    """Read and replay; the errors that may come out are one line each."""
    try:
        again = replay(Witness.from_dict(data), subject(name, prop))
        said = again.difference or ""
        assert again.reproduces == (not said)
    except MarketProofError as error:
        said = str(error)
    assert "\n" not in said


@pytest.mark.parametrize(("name", "prop"), ORIGINALS)
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_mutants_are_answered_or_refused(name, prop, data):
    tried(data.draw(mutants(json.loads(written(name, prop)))), name, prop)


@given(ANYTHING)
@settings(max_examples=80, deadline=None)
def test_anything_else_is_no_witness(data):
    with pytest.raises(WitnessError):
        Witness.from_dict(data)


VALUES = ([1.0, 2.0], [1.0], [], [[1.0]], "1", None, True, {}, 10**400, float("nan"))
KEYS = ("violation", "types", "after", "numbers", "extra", "variant", "deviators", "built")
DRAWS = (
    [], [7.0], [7.0, 0.0], [7.0, -5.0], [-1.0, 512.0], [1e300, 512.0],
    5.0, [7.0, 1.0], [7.0, 1e12],
)  # fmt: skip
AGENTS = ({"agent": 99}, {"agent": -7}, {"agent": 0.5}, {"agent": [0, 1]}, {}, {"first": 1.0}, {"agent": 2.0**63})
WRONG = (
    *(("by hand", "dsic", key, value) for key in KEYS for value in VALUES),
    *(("first-price", "bic", "extra", {"draws": draws}) for draws in DRAWS),
    *(("vcg-combinatorial", "split-proof", "extra", extra) for extra in AGENTS),
    ("serial-dictatorship", "anonymity", "extra", {"order": [0, 1]}),
)


@pytest.mark.parametrize(("name", "prop", "key", "value"), WRONG)
def test_every_part_of_the_wrong_kind(name, prop, key, value):
    data = json.loads(written(name, prop))
    merged = key == "extra" and name != "by hand" and value
    data[key] = {**data[key], **value} if merged else value
    tried(data, name, prop)
