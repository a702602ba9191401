"""A federation of processes on loopback, with TLS and keys, is the training in one process to the bit.

Over HTTPS; and over Flower in an environment that has it: ``pytest -m slow`` there.
"""

import json
import signal

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


LINKS = ["https", pytest.param("flower", marks=pytest.mark.slow)]


def linked(link):
    """Return the link of a federation, if this environment has it."""
    if link == "flower":
        pytest.importorskip("flwr")
    return link


def assert_as_alone(federation):
    """Assert that all that was recorded is the plain loop's, bit for bit, and that there was something to compare."""
    other = alone(federation)
    for kind in ("markets", "models"):
        ours, theirs = tensors(federation.folder / "run", kind), tensors(other, kind)
        assert list(ours) == list(theirs)
        for file, found in ours.items():
            assert [name for name in found if found[name] != theirs[file][name]] == [], file
    markets = [load_file(path) for path in (other / "markets").glob("*.safetensors")]
    assert len(markets) == 2
    assert all(market["imports"].any() for market in markets)


@pytest.fixture(scope="module", params=LINKS)
def federation(tmp_path_factory, request):
    """Two clients; the server is killed in the middle of a round, and later bob in his; both are started again."""
    link = linked(request.param)
    made = Federation(tmp_path_factory.mktemp("federation"), ("alice", "bob"), TASK, link)
    port = free_port()
    try:
        server = made.serve(port, "task.toml", "--methods", METHODS, "--scale", "smoke")
        alice, bob = (made.join(name, port) for name in made.names)
        made.catch("alice", alice, server)
        server.kill()
        server.wait()
        alice.send_signal(signal.SIGCONT)
        server = made.serve(port, "--resume")
        if link == "https":  # Flower holds who was killed to be there for a minute, and refuses its key: it is away
            made.catch("bob", bob, server, rounds=3)
            bob.kill()
            bob.wait()
            bob = made.join("bob", port)
        assert server.wait(PATIENT) == 0, made.told()
        assert [client.wait(PATIENT) for client in (alice, bob)] == [0, 0], made.told()
        yield made
    finally:
        made.end()


def test_rounds_equal_those_of_one_process_bit_for_bit_though_server_and_client_were_killed(federation, quick):
    assert_as_alone(federation)


@pytest.mark.slow
@pytest.mark.parametrize("link", ["https", "flower"])
def test_ten_clients_in_ten_processes_train_and_trade_what_one_process_does(tmp_path, link, quick):
    names = tuple(f"client{k}" for k in range(10))
    made = Federation(tmp_path, names, TASK.replace("clients = 2", "clients = 10"), linked(link))
    port = free_port()
    try:
        server = made.serve(port, "task.toml", "--methods", METHODS, "--scale", "smoke")
        clients = [made.join(name, port) for name in names]
        assert server.wait(PATIENT) == 0, made.told()
        assert [client.wait(PATIENT) for client in clients] == [0] * 10, made.told()
    finally:
        made.end()
    assert json.loads((tmp_path / "run/manifest.json").read_text())["names"] == list(names)
    assert_as_alone(made)


def test_names_run_through_the_record_and_the_audit(federation):
    manifest = json.loads((federation.folder / "run/manifest.json").read_text())
    assert manifest["names"] == ["alice", "bob"]
    assert manifest["backend"] == "federated"
    assert "0 alice, 1 bob" in (federation.folder / "server.log").read_text()


def test_each_client_has_its_own_bills_which_add_up_to_its_account(federation):
    market = load_file(federation.folder / "run/markets/ipfl__ipfl-exact-0.safetensors")
    for k, name in enumerate(federation.names):
        bills = json.loads((federation.folder / f"{name}.json").read_text())["bills"]
        assert {bill["name"] for bill in bills} == {name}
        mine = {bill["round"]: bill for bill in bills if "exact" in bill["run"]}
        assert name == "bob" or {2, 3} <= set(mine)  # bob had his before he was killed
        for number, bill in mine.items():
            price, other = market["prices"][number - 1], 1 - k
            assert dict(bill["paid"]) == ({federation.names[other]: price[k, other]} if price[k, other] else {})
            money = bill["gain"] - bill["cost"] - bill["centre"]
            money += sum(m for _, m in bill["received"]) - sum(m for _, m in bill["paid"])
            assert np.isclose(money, bill["utility"], rtol=1e-9)


def test_each_client_gets_its_own_audit_and_nobody_elses_report(federation):
    """Its rows, held against the bills that it got; of the other nothing but what the clearing gave both."""
    market = load_file(federation.folder / "run/markets/ipfl__ipfl-exact-0.safetensors")
    for k, name in enumerate(federation.names):
        told = json.loads((federation.folder / f"{name}.audit.json").read_text())
        assert told["audits"] == json.loads((federation.folder / f"{name}.json").read_text())["audits"]
        exact, realised = told["audits"]
        assert (exact["method"], realised["method"]) == ("ipfl/ipfl-exact", "ipfl-effective/realised")
        assert exact["name"] == name
        assert [row["round"] for row in exact["rounds"]] == [1, 2, 3]
        assert [row["paid"] for row in exact["rounds"]] == market["prices"][:, k].sum(axis=-1).tolist()
        assert exact["lowest_utility"] == min(row["utility"] for row in exact["rounds"])
        assert exact["individually_rational"]
        assert exact["checked_here"]["adds_up"]
        assert exact["checked_here"]["agrees_with_bills"]
        bills = json.loads((federation.folder / f"{name}.json").read_text())["bills"]  # since it was started last
        assert exact["checked_here"]["bills"] == sum("exact" in bill["run"] for bill in bills)
        assert exact["reproduced"]
        assert exact["certified"]["proved"] == exact["certified"]["checked"] == 3
        assert not exact["lies"]["cost"]["pays"]
        assert not exact["lies"]["cost"].keys() & {"gain", "yours"}
        assert federation.names[1 - k] not in (federation.folder / f"{name}.audit.json").read_text()
        assert "audit of ipfl/ipfl-exact, seed 0: You were there in 3 of 3 rounds." in (
            (federation.folder / f"{name}.log").read_text()
        )


def test_the_terminal_says_who_is_in_and_what_moved(federation):
    told = (federation.folder / "server.log").read_text()
    assert "all are there: alice, bob" in told
    assert "round 3: in: alice, bob;" in told
