"""``run --backend federated``: the record of the plain loop, and who is away is in it with the reason."""

import numpy as np
import pytest

from analysis.run.records import read_market
from learning.errors import LearningError
from learning.federation.in_process import InProcess
from learning.federation.messages import KINDS, Work, decode
from learning.federation.transport import Absence
from mechanism.market.accounting import MONEY
from tests.marketproof.conftest import command
from tests.marketproof.test_run import read, same_record

FEW = ["run", "digits-skew", "--scale", "smoke", "--clients", "4", "--rounds", "3", "--quiet", "--methods"]


def test_the_record_is_that_of_the_plain_loop(tmp_path):
    for backend in ("rows", "federated"):
        words = [*FEW, "fedavg,ditto,ipfl/ipfl-exact,ipfl-effective/clock-price", "--population", "free-riders-ones"]
        answer = command(*words, "--backend", backend, "--out", tmp_path / backend)
        assert (answer.status, answer.out, answer.err) == (0, "", "")
    assert read(tmp_path / "federated", "manifest.json")["backend"] == "federated"
    same_record(tmp_path / "rows", tmp_path / "federated")


@pytest.fixture
def late(monkeypatch):
    """Client 2 does not answer in round 2."""
    plain = InProcess.exchange

    def exchange(self, requests):
        asked = [decode(request.payload, 2**30, *KINDS.values())[0] for request in requests]
        gone = [isinstance(one, Work) and (one.client, one.round) == (2, 2) for one in asked]
        replies = plain(self, requests)
        return [Absence("no answer within 60 s") if away else reply for away, reply in zip(gone, replies, strict=True)]

    monkeypatch.setattr(InProcess, "exchange", exchange)


def test_who_is_late_is_recorded_as_away_with_the_reason(tmp_path, late):
    answer = command(*FEW, "ipfl,fedavg", "--backend", "federated", "--out", tmp_path / "run")
    assert (answer.status, answer.err) == (0, "")
    line = "client 2 is away in round 2, asked to train: no answer within 60 s"
    assert read(tmp_path / "run", "manifest.json")["notices"] == [f"ipfl, seed 0: {line}", f"fedavg, seed 0: {line}"]
    assert line in (tmp_path / "run" / "report.html").read_text()
    for name in ("ipfl", "fedavg"):
        (path,) = (tmp_path / "run" / "markets").glob(f"{name}*")
        record = read_market(path)
        assert np.array_equal(np.argwhere(~record.present), [[1, 2]])
        assert not record.imports[1, 2].any()
        assert not record.imports[1, :, 2].any()
        paid = record.accounts.paid.sum(axis=-1)
        assert np.abs(paid - record.accounts.received.sum(axis=-1)).max() <= MONEY


def test_a_run_cut_short_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    words = [*FEW, "ditto,ipfl", "--backend", "federated"]
    assert command(*words, "--out", tmp_path / "whole").status == 0
    plain, count = InProcess.exchange, [0]

    def dying(self, requests):
        count[0] += 1
        if count[0] == 23:
            raise LearningError("the machine stops")
        return plain(self, requests)

    monkeypatch.setattr(InProcess, "exchange", dying)
    assert command(*words, "--out", tmp_path / "cut").status == 2
    monkeypatch.undo()
    assert list(read(tmp_path / "cut", "progress.json")["rounds"].values()) == [2]
    assert command("run", "--resume", "--out", tmp_path / "cut", "--quiet").status == 0
    assert read(tmp_path / "cut", "manifest.json")["backend"] == "federated"
    same_record(tmp_path / "whole", tmp_path / "cut")


def test_a_private_run_stops_the_same_clients(tmp_path):
    for backend in ("rows", "federated"):
        words = [*FEW, "ipfl", "--dp-epsilon", "3", "--dp-noise", "0.8", "--backend", backend]
        assert command(*words, "--out", tmp_path / backend).status == 0
    one, other = (read(tmp_path / backend, "manifest.json") for backend in ("rows", "federated"))
    assert one["notices"] == other["notices"] != []
    told = [read(tmp_path / backend, "summary.json")["privacy"] for backend in ("rows", "federated")]
    assert told[0] == told[1]
