"""A client's own file: what is read from it, what is refused in a line, and what a server may not make it open."""

from dataclasses import replace

import numpy as np
import pytest

from learning.errors import DataError, LearningError
from learning.federation.client import Client
from learning.federation.loading import own_file, own_part
from learning.federation.messages import Hello, Refused, Start, bytes_of, decode, encode
from learning.plan import LearningPlan

PLAN = LearningPlan(dataset="own", split="owners", clients=2, model="mlp", steps=2, batch=8)
START = Start("r", 1, 2, "bob", "ipfl", 0, PLAN.to_dict())


@pytest.fixture
def samples(tmp_path):
    def write(**changed):
        y = np.arange(40) % 3
        whole = {"x": np.ones((40, 5)) * y[:, None], "y": y, "classes": 3} | changed
        np.savez(tmp_path / "mine.npz", **{name: value for name, value in whole.items() if value is not None})
        return tmp_path / "mine.npz"

    return write


def greeted(load, start=START):
    return decode(Client(load, cost=0.5, gain=7.0).answer(encode(start)), bytes_of({}), Hello, Refused)[0]


def test_a_file_is_divided_into_training_and_test_and_said_by_its_size_only(samples):
    hello = greeted(own_file(samples()))
    assert (hello.samples, hello.shape, hello.classes, hello.held) == (31, (5,), 3, 0)
    assert (hello.cost, hello.gain) == (0.5, 7.0)


def test_test_samples_of_ones_own_are_taken(samples):
    path = samples(test_x=np.ones((3, 5)), test_y=np.arange(3))
    share = own_file(path)(START)
    assert len(share.bench.tensors["train_y"]) == 40
    assert share.class_sizes.tolist() == [1, 1, 1]
    assert share.weights == pytest.approx([14 / 40, 13 / 40, 13 / 40])


def test_a_method_that_measures_holds_half_out(samples):
    assert greeted(own_file(samples()), replace(START, method="ipfl-effective")).held == 15


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"x": None}, "holds no samples"),
        ({"classes": np.array([1, 2])}, "classes is no whole number"),
        ({"classes": 2}, "labels"),
        ({"x": np.full((40, 5), np.nan)}, "not finite"),
        ({"x": np.ones(40)}, "expected x"),
        ({"x": np.ones((39, 5))}, "39 samples in x, 40 classes in y"),
        ({"y": np.arange(40.0)}, "expected x"),
        ({"y": np.arange(40) - 1}, "classes in y"),
        ({"test_x": np.ones((3, 5))}, "holds no samples"),
    ],
)
def test_a_wrong_file_is_refused_in_a_line(samples, changed, line):
    with pytest.raises(DataError, match=line) as refused:
        own_file(samples(**changed))
    assert "\n" not in str(refused.value)


def test_what_is_no_file_of_numbers_is_refused(tmp_path):
    for content in (b"", b"PK\x03\x04 broken", b"\x80\x04."):
        (tmp_path / "mine.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"mine\.npz"):
            own_file(tmp_path / "mine.npz")
    with pytest.raises(DataError, match="cannot read"):
        own_file(tmp_path / "nothing.npz")


def test_a_server_cannot_make_a_client_open_a_file_or_run_code(samples, tmp_path):
    (tmp_path / "evil.py").write_text("raise SystemExit\n")
    plan = PLAN.to_dict() | {"model": f"{tmp_path}/evil.py:NET"}
    told = {"file": "/etc/passwd", "owner": "a", "target": "b", "ignored": []}
    for start in (replace(START, plan=plan), replace(START, plan=PLAN.to_dict() | {"own": told})):
        for load in (own_file(samples()), own_part()):
            reply = greeted(load, start)
            assert isinstance(reply, Refused)
            assert "names a file of this machine" in reply.reason


def test_a_private_run_has_its_key_on_the_clients_machine(samples, tmp_path, monkeypatch):
    monkeypatch.setenv("MARKETPROOF_KEYS", str(tmp_path / "keys"))
    plan = replace(PLAN, dp_epsilon=8.0, dp_noise=1.0, rounds=2)
    load = own_file(samples())
    first, again = (load(replace(START, plan=plan.to_dict())).guard(1e-5) for _ in range(2))
    assert first.keys == again.keys
    assert len(first.keys[0]) == 32
    with pytest.raises(LearningError, match="names a file"):
        load(replace(START, plan=plan.to_dict() | {"own": {"file": "x", "owner": "a", "target": "b", "ignored": []}}))
