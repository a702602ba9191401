"""Whatever a file holds, reading and replaying it ends in an answer or in a `WitnessError`, soon."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mechanism.errors import MarketProofError
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.evidence_errors import WitnessError
from tests.proofs_checks.evidence.test_witness_replay import subject, written

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


def everywhere(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to everything inside a JSON document."""
    if not isinstance(data, dict | list):
        return [path] if path else []
    items = data.items() if isinstance(data, dict) else enumerate(data)
    return ([path] if path else []) + [p for key, value in items for p in everywhere(value, (*path, key))]


def parent(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        data = data[key]
    return data


@st.composite
def mutants(draw: Any, original: Any) -> Any:
    """One to three changes: another value, a part left out, wrapped in a list, doubled, or a part too many."""
    data = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(everywhere(data)))
        inner, key = parent(data, path), path[-1]
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
        witness = Witness.from_dict(data)
    except WitnessError as error:
        message = str(error)
    else:
        message = answered(witness, name, prop)
    assert "\n" not in message


def answered(witness: Witness, name: str, prop: str) -> str:
    """Replay, and return what was wrong with it."""
    try:
        again = replay(witness, subject(name, prop))
    except MarketProofError as error:
        return str(error)
    assert again.reproduces == (again.difference is None)
    return again.difference or ""


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


LISTS = ([1.0, 2.0], [1.0], [], [[1.0]])
KEYS = ("violation", "types", "after", "numbers", "extra", "variant", "deviators", "built")
WRONG = [("violation", value) for value in (*LISTS, "1", None, True, {}, 10**400, float("nan"))]
WRONG += [(key, value) for key in KEYS[1:] for value in (*LISTS, "1", None, True, {}, 10**400, float("nan"))]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_every_part_of_the_wrong_kind(key, value):
    data = json.loads(written("by hand", "dsic"))
    data[key] = value
    tried(data, "by hand", "dsic")


@pytest.mark.parametrize(
    "draws",
    [
        [], [7.0], [7.0, 0.0], [7.0, -5.0], [-1.0, 512.0], [1e300, 512.0],
        5.0, [7.0, 1.0], [7.0, 1e12],
    ],
)  # fmt: skip
def test_samples_that_are_none(draws):
    data = json.loads(written("first-price", "bic"))
    data["extra"]["draws"] = draws
    tried(data, "first-price", "bic")


@pytest.mark.parametrize(
    "extra",
    [
        {"agent": 99},
        {"agent": -7},
        {"agent": 0.5},
        {"agent": [0, 1]},
        {},
        {"first": 1.0},
        {"agent": 2.0**63},
    ],
)
def test_names_that_are_none(extra):
    data = json.loads(written("vcg-combinatorial", "split-proof"))
    data["extra"] = {**data["extra"], **extra} if extra else {}
    tried(data, "vcg-combinatorial", "split-proof")


def test_an_order_of_too_few():
    data = json.loads(written("serial-dictatorship", "anonymity"))
    assert len(data["types"]) == 3
    data["extra"]["order"] = [0, 1]
    tried(data, "serial-dictatorship", "anonymity")
