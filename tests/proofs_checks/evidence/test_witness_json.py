"""Hostile JSON: every wrong part is told in one line, and nothing else is raised."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mechanism import Market, MarketProofError, Types, market_mechanism
from proofs_checks.errors import WitnessError
from proofs_checks.evidence.market_witness import Deviation, Witness, observe

GOOD = observe(
    market_mechanism("ipfl"),
    Types([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0]),
    Market(),
    (Deviation(1, "cost", 0.9),),
).to_dict()


def put(path: tuple, value: object) -> dict:
    """The good witness with one part replaced (or added)."""
    data = copy.deepcopy(GOOD)
    target = data
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return data


WRONG = [
    (("format",), "other", "format"),
    (("extra",), 1, "unknown field 'extra'"),
    (("size",), [], "size"),
    (("size",), [1.0] * 1001, "size"),
    (("size",), "abc", "size"),
    (("size", 0), 0, "no market"),
    (("size", 0), True, "size"),
    (("size", 0), 10**400, "size"),
    (("cost",), [1.0], "cost"),
    (("cost", 0), -1, "no market"),
    (("gain", 0), None, "gain"),
    (("differences",), [[0, 1, 1], [1, 0, 1]], "differences"),
    (("differences",), [[0, 3, 1], [1, 0, 1], [1, 1, 0]], "no market"),
    (("lam",), -1, "lam"),
    (("lam",), {}, "lam"),
    (("law",), "sqrt", "law"),
    (("law",), {"name": "cube"}, "law"),
    (("law",), {"name": "sqrt", "more": 1}, "law"),
    (("law",), {"name": "power", "exponent": 2}, "exponent"),
    (("law",), {"name": "power", "exponent": 0}, "exponent"),
    (("law",), {"name": "table", "samples": [2, 1], "values": [0, 1]}, "no gain law"),
    (("law",), {"name": ["sqrt"]}, "law"),
    (("deviations",), [{}] * 10, "deviations"),
    (("deviations", 0), [], "a deviation"),
    (("deviations", 0, "client"), 3, "client 3"),
    (("deviations", 0, "client"), 1.0, "integer"),
    (("deviations", 0, "client"), True, "integer"),
    (("deviations", 0, "coordinate"), "mood", "mood"),
    (("deviations", 0, "coordinate"), [], "expected cost, gain or size"),
    (("deviations", 0, "report"), -0.5, "a report"),
    (("deviations",), GOOD["deviations"] * 2, "twice"),
    (("deviations", 0), {"client": 1, "coordinate": "size", "report": 0}, "size 0"),
    (("utility_before",), [0, 0], "utility_before"),
    (("utility_after", 0), 1e31, "utility_after"),
    (("before", "sales", 0), [0, 0, 1.0], "itself"),
    (("before", "sales", 0), [0, 1], "a sale"),
    (("before", "sales", 0), [0, 9, 1.0], "client 9"),
    (("before", "sales"), [[0, 2, 3.0], [0, 2, 3.0]], "twice"),
    (("after", "centre"), [0, 0], "centre"),
    (("mechanism",), "", "mechanism"),
    (("mechanism",), "a\nb", "mechanism"),
    (("property",), "x" * 101, "property"),
]


@pytest.mark.parametrize(
    ("path", "value", "said"), WRONG, ids=[f"{k}-{'.'.join(map(str, w[0]))}" for k, w in enumerate(WRONG)]
)
def test_each_wrong_part_is_named_in_one_line(path, value, said):
    with pytest.raises(WitnessError) as caught:
        Witness.from_json(put(path, value))
    message = str(caught.value)
    assert said in message
    assert "\n" not in message
    assert len(message) < 300


@pytest.mark.parametrize("field", sorted(GOOD))
def test_each_missing_field_is_named(field):
    data = {k: v for k, v in GOOD.items() if k != field}
    with pytest.raises(WitnessError, match=f"lacks '{field}'"):
        Witness.from_json(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"format": 1, "format": 2}',
        json.dumps(GOOD).replace("3600.0", "NaN"),
        json.dumps(GOOD).replace("3600.0", "Infinity"),
        json.dumps(GOOD).replace("3600.0", "1e999"),
        json.dumps(GOOD).replace("3600.0", "9" * 5000),
        " " * (16 * 2**20 + 1),
        b"\xff\xfe\x00",
        b"\x80abc",
    ],
    ids=range(14),
)
def test_what_is_no_json_object_is_refused_in_one_line(text):
    with pytest.raises(WitnessError) as caught:
        Witness.from_json(text)
    assert "\n" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
PATHS = st.sampled_from([w[0] for w in WRONG if w[0][0] in GOOD])


@given(PATHS, JSON)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_value_anywhere_gives_a_witness_or_one_error(path, value):
    said = ""
    witness = None
    try:
        witness = Witness.from_json(put(path, value))
    except MarketProofError as error:
        said = str(error)
    assert "\n" not in said
    assert (witness is None) == bool(said)
    assert witness is None or Witness.from_json(witness.to_json()) == witness
