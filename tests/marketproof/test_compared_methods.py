"""The methods that the paper compares with, from the command line to the record."""

import json

import numpy as np
import polars as pl
import pytest

from analysis.run.records import read_market
from learning.algorithms import ALGORITHMS
from tests.marketproof.conftest import command

METHODS = ["fedprox", "ditto", "fedamp", "cfl", "fedfomo", "pfedgraph"]
ROUNDS, CLIENTS = 2, 10


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared") / "run"
    answer = command(
        "run", "digits-niid", "--scale", "smoke", "--methods", ",".join(METHODS), "--backend", "rows", "--out", folder
    )
    assert answer.status == 0, answer.err
    return folder


def test_losses_are_finite_and_nobody_pays(finished):
    rounds = pl.read_parquet(finished / "rounds.parquet")
    assert rounds["method"].unique(maintain_order=True).to_list() == METHODS
    assert rounds.height == len(METHODS) * ROUNDS * CLIENTS
    assert np.isfinite(rounds["loss"].to_numpy()).all()
    assert rounds["accuracy"].is_between(0, 1).all()
    assert (rounds["paid"] == 0).all()
    assert (rounds["received"] == 0).all()
    assert np.allclose(rounds["utility"], rounds["gain"] - rounds["cost"], atol=1e-12)
    audit = json.loads((finished / "audit.json").read_text())
    assert all(audit["methods"][name]["budget_imbalance"] == 0.0 for name in METHODS)


def test_the_ledger_balances_with_the_graph_of_every_round(finished):
    rounds, ledger = pl.read_parquet(finished / "rounds.parquet"), pl.read_parquet(finished / "ledger.parquet")
    edges = {}
    for name in METHODS:
        graph = read_market(finished / "markets" / f"{name}-0.safetensors").outcome.imports
        mine = rounds.filter(pl.col("method") == name)
        lines = ledger.filter(pl.col("method") == name)
        assert lines.height == graph.sum() == mine["imports"].sum() == mine["exports"].sum()
        assert (lines["payment"] == 0).all()
        assert lines["cost"].sum() == pytest.approx(mine["cost"].sum())
        edges[name] = graph.sum(axis=(1, 2)).tolist()
    for name in ("fedprox", "ditto", "fedamp"):
        assert edges[name] == [CLIENTS * (CLIENTS - 1)] * ROUNDS
    assert all(count <= CLIENTS * 6 for count in edges["fedfomo"])
    assert all(0 < count < CLIENTS * (CLIENTS - 1) for count in edges["pfedgraph"])


def test_they_are_listed_and_have_no_market(cli):
    listed = cli("list", "methods")
    assert listed.status == 0
    for name in METHODS:
        assert name in listed.out
        assert ALGORITHMS[name].implied(3) is not None
    assert "has no market to clear" in cli("run", "--methods", "ditto/ipfl").line()
