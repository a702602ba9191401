"""Messages come back as they were; whatever else comes is refused in one line."""

import contextlib
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.federation.messages import (
    KINDS,
    MAGIC,
    SLACK,
    Bill,
    Done,
    Hello,
    MessageError,
    Refused,
    Start,
    Work,
    decode,
    encode,
    expect,
)

EVERY = (
    Start("r", 1, 2, "ann", "ipfl", 7, {"lr": 0.1}),
    Hello("r", 1, 40, 4, 10, "abc", (1, 8, 8), 10, 0.5, -1.0, 2.5, 1e4),
    Work("r", 3, 9, 1, "train", {"steps": 2, "then": {"steps": 1}}),
    Done("r", 3, 9, 1, (0.1, -1e-300), ((0, 0.25, "plain"),), 1.5),
    Refused("r", 3, 9, 1, "no more rounds", (1.0, 2.0)),
    Bill("r", 3, 10, 1, "ann", (("bob", 1.25),), (), 0.0, 3.0, 1.0, 0.75, ("nobody loses",)),
)


def packed(header, raw=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return MAGIC + struct.pack("<I", len(text)) + text + raw


@pytest.mark.parametrize("message", EVERY, ids=lambda message: type(message).__name__)
def test_every_kind_of_message_comes_back_to_the_bit(message):
    arrays = {"rows": np.array([[1.5, -0.0], [1e-40, 3e38]], dtype=np.float32), "": np.array([0.1, 1e300])}
    found, parts = decode(encode(message, arrays), SLACK + 100, type(message))
    assert found == message
    assert {name: part.tobytes() for name, part in parts.items()} == {n: a.tobytes() for n, a in arrays.items()}
    assert not parts["rows"].flags.writeable


HEAD = {"kind": "done", "fields": {"run": "r", "round": 1, "serial": 1, "client": 0}, "arrays": []}

HOSTILE = {
    "nothing": b"",
    "another protocol": b"\x80\x04pickle" * 3,
    "a header longer than the message": MAGIC + struct.pack("<I", 2**31) + b"{}",
    "no JSON": packed(b"{'kind'"),
    "NaN": packed(json.dumps({**HEAD, "fields": {**HEAD["fields"], "numbers": [float("nan")]}}).encode()),
    "nested deeply": packed(b"[" * 100_000),
    "a field twice": packed(b'{"kind": "done", "kind": "done", "fields": {}, "arrays": []}'),
    "no object": packed([1]),
    "a field too many": packed({**HEAD, "code": "x"}),
    "an unknown kind": packed({**HEAD, "kind": "__class__"}),
    "a kind that is no text": packed({**HEAD, "kind": ["done"]}),
    "another kind": packed({**HEAD, "kind": "bill"}),
    "a missing field": packed({**HEAD, "fields": {"run": "r"}}),
    "an unknown field": packed({**HEAD, "fields": {**HEAD["fields"], "path": "/etc"}}),
    "a flag for a number": packed({**HEAD, "fields": {**HEAD["fields"], "round": True}}),
    "a number below 0": packed({**HEAD, "fields": {**HEAD["fields"], "client": -1}}),
    "an infinite number": packed(json.dumps({**HEAD, "fields": {**HEAD["fields"], "epsilon": 1}})[:-1].encode()),
    "far too many numbers": packed({**HEAD, "fields": {**HEAD["fields"], "numbers": [0.0] * 30_000}}),
    "arrays that are no list": packed({**HEAD, "arrays": {"a": 1}}),
    "objects as an array": packed({**HEAD, "arrays": [["a", "object", [1]]]}, b"12345678"),
    "a type that is a list": packed({**HEAD, "arrays": [["a", ["float32"], [1]]]}, b"1234"),
    "an array that is not there": packed({**HEAD, "arrays": [["a", "float32", [2**39]]]}),
    "no numbers, but axes beyond all memory": packed({**HEAD, "arrays": [["a", "float32", [0, 2**39, 2**39]]]}),
    "a negative axis": packed({**HEAD, "arrays": [["a", "float32", [-1, -1]]]}, b"1234"),
    "one array twice": packed({**HEAD, "arrays": [["a", "float32", [1]], ["a", "float32", [1]]]}, b"12345678"),
    "too many arrays": packed({**HEAD, "arrays": [[str(k), "float32", [0]] for k in range(65)]}),
    "bytes after the end": packed(HEAD, b"more"),
    "too long": packed(HEAD, b"x" * 2_000_000),
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_message_is_refused_in_one_line(payload):
    with pytest.raises(MessageError) as refused:
        decode(payload, SLACK, Done)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


@given(st.binary(max_size=60), st.integers(0, 200))
def test_no_damage_to_a_message_does_more_than_be_refused(noise, at):
    good = encode(EVERY[3], {"rows": np.zeros((2, 3), dtype=np.float32)})
    damaged = good[:at] + noise + good[at + len(noise) :]
    with contextlib.suppress(MessageError):  # anything else would be raised
        decode(damaged, SLACK + 100, *KINDS.values())


def test_arrays_other_than_those_expected_are_refused():
    row = np.zeros(3, dtype=np.float32)
    expect({"a": row}, {"a": (3,)})
    for arrays in ({}, {"a": row, "b": row}, {"a": row[:2]}, {"a": row.astype(float)}, {"a": row + np.inf}):
        with pytest.raises(MessageError, match="array"):
            expect(arrays, {"a": (3,)})
