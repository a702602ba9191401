"""A federation between two hosts: network namespaces of their own, joined by one wire.

The server and bob are on one, alice and carol on the other, and so are those who have no business there. In the middle
of a round, while there is work to be fetched, carol's key is revoked, and everybody tries.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cryptography")
pytest.importorskip("uvicorn")

from safetensors.numpy import load_file

from marketproof.federation.keys import Register, make_identity
from tests.marketproof.federation.federation import PATIENT, Federation, free_port
from tests.marketproof.federation.test_federation import LINKS, TASK, linked

SERVER, OTHER = "10.77.0.1", "10.77.0.2"
TEXT = TASK.replace("clients = 2", "clients = 3").replace("rounds = 3", "rounds = 4")
UNKNOWN = "the server does not know this key"


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def hosts():
    """Two hosts on one wire; return what to write before a command that runs on the one, and on the other."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("hosts are network namespaces: they need root, and ip of iproute2")
    here, there = (f"mp{os.getpid()}{end}" for end in "ab")
    try:
        for name in (here, there):
            if (made := ip("netns", "add", name)).returncode:
                pytest.skip(f"no network namespace can be made here: {made.stderr.strip()}")
        wire = ip("link", "add", "wire", "netns", here, "type", "veth", "peer", "name", "wire", "netns", there)
        if wire.returncode:
            pytest.skip(f"no wire can be made here: {wire.stderr.strip()}")
        for name, address in ((here, SERVER), (there, OTHER)):
            assert not ip("-n", name, "addr", "add", f"{address}/24", "dev", "wire").returncode
            for link in ("lo", "wire"):
                assert not ip("-n", name, "link", "set", link, "up").returncode
        yield [("ip", "netns", "exec", name) for name in (here, there)]
    finally:
        for name in (here, there):
            ip("netns", "del", name)


def said(folder, host, module, *words):
    """Return what a script on a host prints, as JSON."""
    command = [*host, sys.executable, "-m", f"tests.marketproof.federation.{module}", str(folder), *map(str, words)]
    found = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}  # the package of tests
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENT, check=False, env=found)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module", params=LINKS)
def held(tmp_path_factory, hosts, request):
    """Return the federation, and by host what strangers on it were told."""
    link, (here, there) = linked(request.param), hosts
    folder = tmp_path_factory.mktemp("hosts")
    made = Federation(folder, ("alice", "bob", "carol", "dave"), TEXT, link, SERVER)
    make_identity(folder, "stranger")
    register, port = Register(folder / "federation"), free_port()
    register.revoke("dave")
    made.hosts = dict.fromkeys(("server", "bob"), here) | dict.fromkeys(("alice", "carol", "stranger"), there)
    try:
        server = made.serve(port, "task.toml", "--methods", "ipfl/ipfl-exact", "--scale", "smoke")
        alice, bob, carol, stranger = (made.join(name, port) for name in ("alice", "bob", "carol", "stranger"))
        made.catch("alice", alice, server)
        register.revoke("carol")
        if link == "flower":  # nobody tells carol, and who is silent for long is lost
            alice.send_signal(signal.SIGCONT)
            answers = said(folder, there, "flower_scene", SERVER, port)
        else:
            assert carol.wait(PATIENT) == 2
            answers = said(folder, there, "stranger", SERVER, port, "-", "stranger", "dave", "carol")
            alice.send_signal(signal.SIGCONT)
        assert server.wait(PATIENT) == 0, made.told()
        assert [client.wait(PATIENT) for client in (alice, bob, stranger)] == [0, 0, 2], made.told()
        yield made, answers
    finally:
        made.end()


def test_two_hosts_train_and_trade(held, quick):
    federation, _ = held
    market = load_file(federation.folder / "run/markets/ipfl__ipfl-exact-0.safetensors")
    assert market["present"][:, :2].all()
    assert market["imports"][0].any()
    assert market["present"][0].all()


def test_a_key_that_is_not_registered_joins_nothing(held):
    federation, _ = held
    log = (federation.folder / "stranger.log").read_text()
    assert UNKNOWN in log
    assert "round" not in log
    assert not (federation.folder / "stranger.json").exists()
    assert federation.begun("stranger") == 0
    manifest = json.loads((federation.folder / "run/manifest.json").read_text())
    assert manifest["names"] == ["alice", "bob", "carol"]
    assert sorted(Register(federation.folder / "federation").names().values()) == ["alice", "bob"]


def test_who_is_revoked_in_mid_run_is_away_from_then_on_and_told_nothing_more(held):
    federation, _ = held
    market = load_file(federation.folder / "run/markets/ipfl__ipfl-exact-0.safetensors")
    assert not market["present"][-1, 2]
    assert not market["imports"][-1, 2].any()
    assert not market["imports"][-1, :, 2].any()
    notices = json.loads((federation.folder / "run/manifest.json").read_text())["notices"]
    assert [line for line in notices if "client 2 (carol) is away in round 4" in line and "was revoked" in line], (
        notices
    )
    assert "round 4:" not in (federation.folder / "carol.log").read_text()


def test_strangers_register_nothing_submit_nothing_and_take_no_work(held):
    federation, answers = held
    if federation.via == "flower":
        assert answers == ["404", "404", "404", "refused"]
        return
    calls = len(answers["-"]["calls"])
    assert answers["-"] == {"plain": ["refused"] * calls, "calls": ["refused"] * calls}
    for name in ("stranger", "dave", "carol"):
        ((text, asked), got) = answers[name]["work"], answers[name]["calls"]
        assert (UNKNOWN in text, asked) == (True, 0)
        assert got == ["403" if name == "carol" else "refused"] * calls  # the handshake still knows a key revoked late
