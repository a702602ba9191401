"""A federation of processes on loopback, with TLS and keys, is the training in one process to the bit."""

import json

import pytest

pytest.importorskip("cryptography")
pytest.importorskip("uvicorn")

import numpy as np
from safetensors.numpy import load_file

from marketproof.running.execution import Place, run
from marketproof.running.recorder import recorded_config
from tests.marketproof.federation.federation import PATIENT, Federation, free_port, tensors

TASK = """
[data]
dataset = "digits"
clients = 2
test = 200
[split]
kind = "niid"
beta = 10.0
[model]
name = "mlp"
[training]
batch = 32
lr = 0.1
[market]
lam = 1.0
eta = 5.0
cost = 0.5
gain = 1e6
[scale.smoke]
rounds = 3
steps = 20
"""
METHODS = "ipfl/ipfl-exact,ipfl-effective/realised"


def alone(federation):
    """Return the folder of the same training in one process by the plain loop."""
    config = recorded_config(federation.folder / "run").model_copy(update={"federation": ""})
    run(config, federation.folder / "alone", Place("rows", "cpu"), resume=False, quiet=True)
    return federation.folder / "alone"


@pytest.fixture(scope="module")
def federation(tmp_path_factory):
    """Two clients; the server is killed after the second round and started again."""
    made = Federation(tmp_path_factory.mktemp("federation"), ("alice", "bob"), TASK)
    port = free_port()
    try:
        server = made.serve(port, "task.toml", "--methods", METHODS, "--scale", "smoke")
        clients = [made.join(name, port) for name in made.names]
        made.until(2, server)
        server.kill()
        server.wait()
        again = made.serve(port, "--resume")
        assert again.wait(PATIENT) == 0, made.told()
        assert [client.wait(PATIENT) for client in clients] == [0, 0], made.told()
        yield made
    finally:
        made.end()


def test_rounds_equal_those_of_one_process_bit_for_bit_though_the_server_was_killed(federation, quick):
    other = alone(federation)
    for kind in ("markets", "models"):
        ours, theirs = tensors(federation.folder / "run", kind), tensors(other, kind)
        assert list(ours) == list(theirs)
        for file, found in ours.items():
            assert [name for name in found if found[name] != theirs[file][name]] == [], file
    markets = [load_file(path) for path in (other / "markets").glob("*.safetensors")]
    assert all(market["imports"].any() for market in markets)  # there was something to be equal about


def test_names_run_through_the_record_and_the_audit(federation):
    manifest = json.loads((federation.folder / "run/manifest.json").read_text())
    assert manifest["names"] == ["alice", "bob"]
    assert manifest["backend"] == "federated"
    assert "0 alice, 1 bob" in (federation.folder / "server.log").read_text()


def test_each_client_has_its_own_bills_which_add_up_to_its_account(federation):
    market = load_file(federation.folder / "run/markets/ipfl__ipfl-exact-0.safetensors")
    for k, name in enumerate(federation.names):
        bills = json.loads((federation.folder / f"{name}.json").read_text())["bills"]
        mine = {bill["round"]: bill for bill in bills if "exact" in bill["run"]}
        assert {bill["name"] for bill in bills} == {name}
        for number, bill in mine.items():
            price, other = market["prices"][number - 1], 1 - k
            assert dict(bill["paid"]) == ({federation.names[other]: price[k, other]} if price[k, other] else {})
            money = bill["gain"] - bill["cost"] - bill["centre"]
            money += sum(m for _, m in bill["received"]) - sum(m for _, m in bill["paid"])
            assert np.isclose(money, bill["utility"], rtol=1e-9)


def test_the_terminal_says_who_is_in_and_what_moved(federation):
    told = (federation.folder / "server.log").read_text()
    assert "all are there: alice, bob" in told
    assert "round 3: in: alice, bob;" in told
