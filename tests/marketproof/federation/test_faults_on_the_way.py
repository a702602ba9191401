"""Clients that die, are late or answer nonsense over the network: the round is played without them, and they come back.

Server and clients are threads of this process, over HTTPS with keys as ever.
"""

import json
import threading

import numpy as np
import pytest

pytest.importorskip("cryptography")
pytest.importorskip("uvicorn")

from safetensors.numpy import load_file

from learning.federation.client import Client
from learning.federation.loading import own_part
from learning.federation.messages import Bill, Start, Work, decode
from marketproof.federation import https_server
from marketproof.federation.https_client import attend
from marketproof.federation.keys import Identity, Register, make_identity
from marketproof.federation.serve import Site, joined, serve
from marketproof.running.config import load_task, resolve
from tests.marketproof.federation.test_federation import TASK

NAMES = ("alice", "bob", "carol")
PATIENT = 120.0
PAUSE = 0.1


class Dead(BaseException):
    """Ends a client's thread in the middle of its work, as a kill ends its process."""


class Party:
    """Three clients; ``fault`` is what bob does in place of training in round 2."""

    def __init__(self, folder, fault):
        self.folder, self.fault, self.threads, self.told, self.over = folder, fault, [], [], threading.Event()
        make_identity(folder / "federation", "server", ["127.0.0.1"])
        for name in NAMES:
            Register(folder / "federation").add(make_identity(folder, name).certificate)
        self.port = 0

    def answer(self, name, client):
        def faulty(payload, most):
            message, _ = decode(payload, 2**30, Start, Work, Bill)
            if name == "bob" and isinstance(message, Work) and (message.round, message.task) == (2, "train"):
                return self.fault(self, client, payload, most)
            return client.answer(payload)

        return faulty

    def join(self, name):
        client = Client(own_part(), 0.5, 1e6, keep=self.folder / name)

        def work():
            try:
                key = Identity.at(self.folder / f"{name}.key")
                certificate = self.folder / "federation/server.crt"
                attend("127.0.0.1", self.port, certificate, key, self.answer(name, client), PATIENT)
            except Dead:
                self.over.set()

        self.threads.append(threading.Thread(target=work))
        self.threads[-1].start()

    def tell(self, line):
        self.told.append(line)
        if line.startswith("listening on"):
            self.port = int(line.split()[2].rpartition(":")[2])
            for name in NAMES:
                self.join(name)
        if "round 2:" in line and self.over.is_set():  # bob's process died; it is started again
            self.join("bob")
            waiting = threading.Event()
            for _ in range(600):
                if "bob" in self.opened.online():
                    break
                waiting.wait(PAUSE)
        if "round 2:" in line:
            self.over.set()


def dies(party, client, payload, most):
    raise Dead


def is_late(party, client, payload, most):
    party.over.wait(PATIENT)
    return client.answer(payload)


FAULTS = {
    "dies": (dies, "no sign of life"),
    "is late": (is_late, "no answer within"),
    "answers nonsense": (lambda party, client, payload, most: b"\x00" * 100, "no message of this protocol"),
    "sends too much": (lambda party, client, payload, most: b"\x00" * (most + 1), "longer than"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_round_is_played_without_who_fails_and_it_comes_back(tmp_path, monkeypatch, quick, fault):
    does, reason = FAULTS[fault]
    monkeypatch.setattr(https_server, "SILENT", 2.0)
    monkeypatch.setattr(https_server, "POLL", 0.2)
    monkeypatch.setattr("marketproof.federation.https_client.SIGN", 0.3)
    party = Party(tmp_path, does)
    real = https_server.HttpsTransport.__init__

    def opened(self, *given):
        real(self, *given)
        party.opened = self

    monkeypatch.setattr(https_server.HttpsTransport, "__init__", opened)
    (tmp_path / "task.toml").write_text(TASK.replace("clients = 2", "clients = 3").replace("steps = 20", "steps = 2"))
    options = {"seed": 0, "seeds": 1, "methods": ["ipfl/ipfl-exact"], "mechanism": "ipfl-exact"}
    config = joined(resolve("task", load_task(str(tmp_path / "task.toml")), options), tmp_path / "federation")
    site = Site("127.0.0.1", 0, tmp_path / "federation", "https", 4.0 if fault == "is late" else PATIENT)
    serve(config, tmp_path / "run", site, resume=False, quiet=True, tell=party.tell)
    for thread in party.threads:
        thread.join(PATIENT)
    market = load_file(tmp_path / "run/markets/ipfl__ipfl-exact-0.safetensors")
    assert market["present"].tolist() == [[1, 1, 1], [1, 0, 1], [1, 1, 1]]
    assert market["imports"][1][1].sum() == market["imports"][1][:, 1].sum() == 0
    assert np.isfinite(market["accuracy"]).all()
    notices = json.loads((tmp_path / "run/manifest.json").read_text())["notices"]
    assert [line for line in notices if "bob" in line and "away in round 2" in line and reason in line], notices
    imbalance = json.loads((tmp_path / "run/audit.json").read_text())["methods"]["ipfl/ipfl-exact"]["budget_imbalance"]
    assert abs(imbalance) < 1e-6
