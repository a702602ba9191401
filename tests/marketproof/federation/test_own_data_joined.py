"""Over the network: clients with tables of their own, read as the task says, and the page on which rounds are seen."""

import http.client
import json
import re

import numpy as np
import pytest

pytest.importorskip("cryptography")
pytest.importorskip("uvicorn")

from safetensors.numpy import load_file

from learning.federation.loading import own_file
from marketproof.federation import https_server
from tests.marketproof.federation.crew import PATIENT, Crew

OURS = """
[data]
dataset = "own"
target = "bought"
classes = ["no", "yes"]
columns = [["age", 0, 100], ["sex", "f", "m"]]
[split]
kind = "owners"
[model]
name = "mlp"
[training]
batch = 16
lr = 0.1
[market]
lam = 1.0
eta = 5.0
cost = 0.0
gain = 0.0
[scale.smoke]
rounds = 3
steps = 5
"""


class Tables(Crew):
    """Three owners of tables; what the page shows after every round is kept."""

    def __init__(self, folder):
        super().__init__(folder, ("alice", "bob", "carol"), heard=self.look)
        self.seen, self.page = [], 0
        for k, name in enumerate(self.names):
            draw = np.random.default_rng(k)
            rows = [f"secret{k},{draw.integers(18, 90)},{'fm'[i % 2]},{('no', 'yes')[i % 3 == 0]}" for i in range(60)]
            (folder / f"{name}.csv").write_text("\n".join(["name,age,sex,bought", *rows]))

    def load(self, name):
        return own_file(self.folder / f"{name}.csv")

    def look(self, line):
        if found := re.search(r"http://127.0.0.1:([0-9]+)/", line):
            self.page = int(found[1])
        if " round " in line and self.page:
            connection = http.client.HTTPConnection("127.0.0.1", self.page, timeout=PATIENT)
            connection.request("GET", "/state.json")
            self.seen.append(json.loads(connection.getresponse().read()))
            connection.close()


def test_tables_of_ones_own_are_trained_on_and_rounds_are_seen_on_the_page(tmp_path, monkeypatch, quick):
    monkeypatch.setattr(https_server, "POLL", 0.2)
    crew = Tables(tmp_path)
    run = crew.serve(OURS, page=("127.0.0.1", 0))
    market = load_file(run / "markets/ipfl__ipfl-exact-0.safetensors")
    assert market["present"].all()
    assert market["imports"].any()
    assert market["size"][0].tolist() == [48, 48, 48]
    assert [told["rounds"][-1]["round"] for told in crew.seen] == [1, 2, 3]
    last = crew.seen[-1]
    assert [one["now"] for one in last["clients"]] == ["in"] * 3
    assert last["rounds"][-1]["moved"] == pytest.approx(market["prices"][2].sum())
    assert sum(one["bought"] for one in last["clients"]) == market["imports"].sum()
    recorded = b"".join(path.read_bytes() for path in run.rglob("*") if path.is_file())
    assert b"secret" not in recorded  # nor any cell of a column that was not agreed on
