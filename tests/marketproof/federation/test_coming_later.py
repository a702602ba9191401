"""Over the network: nobody ends or stalls a run at its greeting, and clients come while it goes on."""

import json
import threading

import pytest

pytest.importorskip("cryptography")
pytest.importorskip("uvicorn")

from safetensors.numpy import load_file

from learning.federation.client import Client
from learning.federation.messages import Bill, Start, Work, decode
from marketproof.federation import https_server
from marketproof.federation.keys import Register, make_identity
from marketproof.federation.serve import Site, joined, serve
from marketproof.running.config import load_task, resolve
from mechanism.errors import InputError
from tests.marketproof.federation.test_faults_on_the_way import PATIENT, PAUSE, Party
from tests.marketproof.federation.test_federation import TASK


class Greeted(Party):
    """Three clients; ``fault`` is what bob answers in the place of its greeting."""

    def answer(self, name, client):
        def faulty(payload, most):
            message, _ = decode(payload, 2**30, Start, Work, Bill)
            if name == "bob" and isinstance(message, Start) and self.fault is not None:
                return self.fault(self, client, payload, most)
            return client.answer(payload)

        return faulty


class Later(Party):
    """Alice and bob begin; carol's key is registered after round 1, and she joins."""

    def __init__(self, folder):
        self.folder, self.fault, self.threads, self.told, self.over = folder, None, [], [], threading.Event()
        make_identity(folder / "federation", "server", ["127.0.0.1"])
        for name in ("alice", "bob"):
            Register(folder / "federation").add(make_identity(folder, name).certificate)
        make_identity(folder, "carol")

    def answer(self, name, client):
        return lambda payload, most: client.answer(payload)

    def tell(self, line):
        self.told.append(line)
        if line.startswith("listening on"):
            self.port = int(line.split()[2].rpartition(":")[2])
            self.join("alice")
            self.join("bob")
        if "round 1:" in line:
            Register(self.folder / "federation").add(self.folder / "carol.crt")
            self.opened._look()
            self.join("carol")
            waiting = threading.Event()
            while "carol" not in self.opened.online():
                waiting.wait(PAUSE)


@pytest.fixture
def played(tmp_path, monkeypatch, quick):
    """Return what serves a party three rounds; what came of it."""
    monkeypatch.setattr(https_server, "SILENT", 2.0)
    monkeypatch.setattr(https_server, "POLL", 0.2)
    monkeypatch.setattr("marketproof.federation.https_client.SIGN", 0.3)
    (tmp_path / "task.toml").write_text(TASK.replace("clients = 2", "clients = 3").replace("steps = 20", "steps = 2"))
    real = https_server.HttpsTransport.__init__

    def play(party, expected=(), **site):
        def opened(self, *given):
            real(self, *given)
            party.opened = self

        monkeypatch.setattr(https_server.HttpsTransport, "__init__", opened)
        options = {"seed": 0, "seeds": 1, "methods": ["ipfl/ipfl-exact"], "mechanism": "ipfl-exact"}
        task = resolve("task", load_task(str(tmp_path / "task.toml")), options)
        config = joined(task, tmp_path / "federation", expected)
        place = Site("127.0.0.1", 0, tmp_path / "federation", **{"deadline": PATIENT, **site})
        serve(config, tmp_path / "run", place, resume=False, quiet=True, tell=party.tell)
        for thread in party.threads:
            thread.join(PATIENT)
        manifest = json.loads((tmp_path / "run/manifest.json").read_text())
        return load_file(tmp_path / "run/markets/ipfl__ipfl-exact-0.safetensors"), manifest

    return play


def stalls(party, client, payload, most):
    party.over.wait(PATIENT)
    return client.answer(payload)


@pytest.mark.parametrize(
    ("fault", "deadline", "reason", "comes"),
    [
        (lambda party, client, payload, most: b"\x00" * 100, PATIENT, "no message of this protocol", True),
        (lambda party, client, payload, most: b"\x00" * (most + 1), PATIENT, "longer than", True),
        (stalls, 3.0, "no answer within 3 s", False),  # late twice: round 3 does not wait for it
    ],
    ids=["nonsense", "too much", "stalls"],
)
def test_who_does_not_say_what_it_is_is_away_and_the_run_goes_on(tmp_path, played, fault, deadline, reason, comes):
    party = Greeted(tmp_path, fault)
    tell = party.tell

    def told(line):
        if "round 2:" in line:
            party.fault = None  # its owner has mended it
        tell(line)

    party.tell = told
    market, manifest = played(party, deadline=deadline)
    assert market["present"][:, [0, 2]].all()
    assert market["present"][:, 1].tolist() == [0, 0, comes]
    assert [line for line in party.told if "client 1 (bob) is away in round 1, asked what it is" in line]
    assert [line for line in manifest["notices"] if "bob" in line and reason in line]


def test_a_client_that_never_connects_does_not_keep_the_others_waiting(tmp_path, played):
    party = Party(tmp_path, None)
    party.answer = lambda name, client: lambda payload, most: client.answer(payload)
    join = party.join
    party.join = lambda name: None if name == "bob" else join(name)
    market, _ = played(party, wait=0.5)
    assert market["present"].tolist() == [[1, 0, 1]] * 3
    assert "waiting for bob" in party.told
    assert "beginning without bob, who may come later" in party.told


def test_a_key_that_is_registered_while_a_run_goes_on_takes_part_from_the_next_round(tmp_path, played):
    market, manifest = played(Later(tmp_path), expected=["carol"])
    assert market["present"].tolist() == [[1, 1, 0], [1, 1, 1], [1, 1, 1]]
    assert manifest["names"] == ["alice", "bob", "carol"]
    assert [line for line in manifest["notices"] if "carol" in line and "no key is registered under its name" in line]
    assert market["reported_gain"][:, 2].tolist() == [0.0, 1e6, 1e6]
    assert market["imports"][0][:, 2].sum() == market["imports"][0][2].sum() == 0
    assert market["size"][1, 2] > 1


def test_too_few_that_agree_are_waited_for(tmp_path, monkeypatch, played):
    """The first greeting of two is refused; the server says who and why, and begins when that is mended."""
    monkeypatch.setattr("marketproof.federation.serve._AGAIN", 0.2)

    def broken(party, client, payload, most):
        return Client(lambda start: (_ for _ in ()).throw(InputError("its file is damaged"))).answer(payload)

    party = Greeted(tmp_path, broken)
    tell = party.tell

    def told(line):
        if "2 of 3 clients take part; expected 3 at least" in line:
            assert "client 1 (bob) takes no part: its file is damaged" in line
            party.fault = None
        tell(line)

    party.tell = told
    market, _ = played(party, least=3)
    assert market["present"].all()
    assert [line for line in party.told if "takes no part" in line]


def test_names_that_are_none_and_too_large_a_least_are_refused(tmp_path):
    options = {"seed": 0, "seeds": 1, "methods": ["ipfl/ipfl-exact"], "mechanism": "ipfl-exact"}
    (tmp_path / "task.toml").write_text(TASK)
    task = resolve("task", load_task(str(tmp_path / "task.toml")), options)
    with pytest.raises(InputError, match="is no name"):
        joined(task, tmp_path, ["../x", "b"])
    config = joined(task, tmp_path, ["a", "b"])
    assert config.data.names == ["a", "b"]
    with pytest.raises(InputError, match="--least is 3; expected 2 to 2"):
        serve(config, tmp_path / "run", Site("127.0.0.1", 0, tmp_path, least=3), resume=False, quiet=True)
