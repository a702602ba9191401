"""Over the network: nobody ends or stalls a run at its greeting, and clients come while it goes on."""

import json
import threading

import pytest

pytest.importorskip("cryptography")
pytest.importorskip("uvicorn")

from safetensors.numpy import load_file

from learning.federation.client import Client
from learning.federation.messages import Start
from marketproof.federation import https_server
from marketproof.federation.keys import Register, make_identity
from marketproof.federation.serve import Site, joined, serve
from marketproof.running.config import load_task, resolve
from mechanism.errors import InputError
from tests.marketproof.federation.crew import PATIENT, Crew
from tests.marketproof.federation.test_faults_on_the_way import PAUSE, SHORT
from tests.marketproof.federation.test_federation import TASK


@pytest.fixture(autouse=True)
def hasty(monkeypatch, quick):
    """Who is silent is held to be gone soon."""
    monkeypatch.setattr(https_server, "SILENT", 2.0)
    monkeypatch.setattr(https_server, "POLL", 0.2)
    monkeypatch.setattr("marketproof.federation.https_client.SIGN", 0.3)


def played(crew, **options):
    """Return the market and the manifest of three rounds."""
    run = crew.serve(SHORT, **options)
    manifest = json.loads((run / "manifest.json").read_text())
    return load_file(run / "markets/ipfl__ipfl-exact-0.safetensors"), manifest


class Greeted(Crew):
    """Bob answers with ``fault`` in the place of its greeting, until ``mended`` hears that."""

    def __init__(self, folder, fault, mended):
        super().__init__(folder, ("alice", "bob", "carol"), self.greet, self.look)
        self.fault, self.mended, self.over = fault, mended, threading.Event()

    def greet(self, name, message, client, payload, most):
        if name == "bob" and isinstance(message, Start) and self.fault is not None:
            return self.fault(self, client, payload, most)
        return client.answer(payload)

    def look(self, line):
        if self.mended in line:
            self.fault = None
            self.over.set()


class Later(Crew):
    """Alice and bob begin; carol's key is registered after round 1, and she joins."""

    def __init__(self, folder):
        super().__init__(folder, ("alice", "bob"), heard=self.look)
        make_identity(folder, "carol")

    def look(self, line):
        if "round 1:" not in line:
            return
        Register(self.folder / "federation").add(self.folder / "carol.crt")
        self.opened._look()
        self.join("carol")
        while "carol" not in self.opened.online():
            threading.Event().wait(PAUSE)


def stalls(crew, client, payload, most):
    crew.over.wait(PATIENT)
    return client.answer(payload)


@pytest.mark.parametrize(
    ("fault", "deadline", "reason", "comes"),
    [
        (lambda crew, client, payload, most: b"\x00" * 100, PATIENT, "no message of this protocol", True),
        (lambda crew, client, payload, most: b"\x00" * (most + 1), PATIENT, "longer than", True),
        (stalls, 3.0, "no answer within 3 s", False),  # late twice: round 3 does not wait for it
    ],
    ids=["nonsense", "too much", "stalls"],
)
def test_who_does_not_say_what_it_is_is_away_and_the_run_goes_on(tmp_path, fault, deadline, reason, comes):
    crew = Greeted(tmp_path, fault, "round 2:")
    market, manifest = played(crew, deadline=deadline)
    assert market["present"][:, [0, 2]].all()
    assert market["present"][:, 1].tolist() == [0, 0, comes]
    assert [line for line in crew.told if "client 1 (bob) is away in round 1, asked what it is" in line]
    assert [line for line in manifest["notices"] if "bob" in line and reason in line]


def test_a_client_that_never_connects_does_not_keep_the_others_waiting(tmp_path):
    crew = Crew(tmp_path, ("alice", "bob", "carol"))
    join = crew.join
    crew.join = lambda name: None if name == "bob" else join(name)
    market, _ = played(crew, wait=0.5)
    assert market["present"].tolist() == [[1, 0, 1]] * 3
    assert "waiting for bob" in crew.told
    assert "beginning without bob, who may come later" in crew.told


def test_a_key_that_is_registered_while_a_run_goes_on_takes_part_from_the_next_round(tmp_path, monkeypatch):
    crew, real = Later(tmp_path), https_server.HttpsTransport.__init__

    def opened(self, *given):
        real(self, *given)
        crew.opened = self

    monkeypatch.setattr(https_server.HttpsTransport, "__init__", opened)
    market, manifest = played(crew, expected=["carol"])
    assert market["present"].tolist() == [[1, 1, 0], [1, 1, 1], [1, 1, 1]]
    assert manifest["names"] == ["alice", "bob", "carol"]
    assert [line for line in manifest["notices"] if "carol" in line and "no key is registered under its name" in line]
    assert market["reported_gain"][:, 2].tolist() == [0.0, 1e6, 1e6]
    assert market["imports"][0][:, 2].sum() == market["imports"][0][2].sum() == 0
    assert market["size"][1, 2] > 1


def test_too_few_that_agree_are_waited_for(tmp_path, monkeypatch):
    """The first greeting of two is refused; the server says who and why, and begins when that is mended."""
    monkeypatch.setattr("marketproof.federation.serve._AGAIN", 0.2)

    def broken(crew, client, payload, most):
        return Client(lambda start: (_ for _ in ()).throw(InputError("its file is damaged"))).answer(payload)

    crew = Greeted(tmp_path, broken, "2 of 3 clients take part; expected 3 at least")
    market, _ = played(crew, least=3)
    assert market["present"].all()
    assert [line for line in crew.told if "client 1 (bob) takes no part: its file is damaged" in line]


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
