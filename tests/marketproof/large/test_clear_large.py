"""`clear` of markets too large for matrices: the same numbers as with them, in files, resumable to the byte."""

import json
import signal
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from marketproof import clearing
from marketproof.clearing import clear_market
from marketproof.exits import Interrupted
from marketproof.files.market_tables import ClientTable
from marketproof.large import blocks
from marketproof.large.clear_large import clear_large_market, frame_of
from marketproof.large.sampled_audit import utility
from marketproof.large.stored import Stored
from mechanism import Types, market_mechanism
from mechanism.errors import InputError
from mechanism.market.accounting import Accounts
from mechanism.market.large.clearing import RULES, LargeClearing
from mechanism.market.large.sparse import LargeMarket

M = 60
ACCOUNT = ("gain", "cost", "paid", "received", "utility")
FILES = ("payments.parquet", "accounts.parquet", "clear.json")


def drawn(seed=0, m=M):
    rng = np.random.default_rng(seed)
    gain = np.where(np.arange(m) % 7, 5e4, 0.0)
    names = tuple(f"c{k}" for k in range(m))
    table = ClientTable(names, rng.uniform(50, 1000, m), rng.uniform(0.1, 3, m), gain)
    return table, rng.normal(size=(m, 3))


def parquet(table, path):
    columns = {"client": table.names, "size": table.size, "cost": table.cost, "gain": table.gain}
    pl.DataFrame(columns).write_parquet(path)
    return path


@pytest.fixture
def few(monkeypatch):
    """Twenty clients are many."""
    monkeypatch.setattr(clearing, "DENSE", 20)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("lam", [0.0, 0.5])
def test_a_large_clearing_is_the_one_with_matrices(rule, lam):
    table, vectors = drawn()
    market = LargeMarket(lam, vectors=vectors)
    small = clear_market(table, market.dense(M).differences, lam, market_mechanism(rule))
    large = clear_large_market(table, market, rule, block=7)
    accounts: Accounts = large.tally.accounts()
    for part in ACCOUNT:
        np.testing.assert_allclose(getattr(accounts, part), getattr(small.accounts, part), rtol=1e-12, atol=1e-9)
    np.testing.assert_array_equal(large.tally.imports, small.outcome.imports.sum(axis=1))
    for name in ("client", "buyer", "seller", "imbalance", "objective", "optimal", "gap", "scale"):
        assert getattr(large.promises, name) == pytest.approx(getattr(small.promises, name), rel=1e-12, abs=1e-8), name


def test_files_of_a_large_market_say_what_those_of_a_small_one_say(cli, tmp_path, few, monkeypatch):
    table, vectors = drawn()
    clients = parquet(table, tmp_path / "clients.parquet")
    np.save(tmp_path / "v.npy", vectors)
    given = ("clear", clients, "--vectors", tmp_path / "v.npy", "--lam", "0.5", "--quiet")
    assert cli(*given, "--out", tmp_path / "large").status == 0
    assert sorted(path.name for path in (tmp_path / "large").iterdir()) == sorted(FILES)
    monkeypatch.setattr(clearing, "DENSE", 5_000)
    assert cli(*given, "--json", tmp_path / "small.json").status == 0
    small = json.loads((tmp_path / "small.json").read_text())
    told = json.loads((tmp_path / "large" / "clear.json").read_text())
    for name in ("mechanism", "welfare", "objective", "optimal_objective"):
        assert told[name] == pytest.approx(small[name])
    assert told["number_of_clients"] == M
    assert told["audit"]["lowest_utility"] == pytest.approx(small["audit"]["lowest_utility"])
    payments = pl.read_parquet(tmp_path / "large" / "payments.parquet")
    assert list(zip(payments["from"], payments["to"], strict=True)) == [(p["from"], p["to"]) for p in small["payments"]]
    np.testing.assert_allclose(payments["amount"], [p["amount"] for p in small["payments"]], rtol=1e-12, atol=1e-12)
    size = dict(zip(table.names, table.size, strict=True))
    assert payments["samples"].to_list() == [size[name] for name in payments["to"]]
    accounts = pl.read_parquet(tmp_path / "large" / "accounts.parquet")
    assert tuple(accounts["client"]) == table.names
    for part in ACCOUNT:
        exact = [small["clients_accounts"][name][part] for name in table.names]
        np.testing.assert_allclose(accounts[part], exact, rtol=1e-12, atol=1e-9)
    assert accounts["bought"].sum() == accounts["sold"].sum() == len(payments) == told["number_of_imports"]


def test_an_interrupted_clearing_goes_on_to_the_same_bytes(tmp_path):
    table, vectors = drawn()
    market = LargeMarket(0.5, vectors=vectors)

    def cleared(folder, resume=False, tell=None):
        stored = Stored(folder, {"lam": 0.5}, resume=resume)
        done = clear_large_market(table, market, "ipfl", stored=stored, tell=tell, block=7)
        stored.finish(done.names, frame_of(done), b"{}\n")
        return {name: (folder / name).read_bytes() for name in FILES}

    def stop(_, done, total):
        if done >= 21:
            raise KeyboardInterrupt

    whole = cleared(tmp_path / "whole")
    with pytest.raises(Interrupted, match=r"after 21 of 60 importers; resume with the same command, --out .* --resume"):
        cleared(tmp_path / "part", tell=stop)
    assert len(list((tmp_path / "part" / ".clearing").glob("block-*.npz"))) == 3
    with pytest.raises(InputError, match="add --resume"):
        Stored(tmp_path / "part", {"lam": 0.5}, resume=False)
    with pytest.raises(InputError, match="holds a clearing with another lam"):
        Stored(tmp_path / "part", {"lam": 0.6}, resume=True)
    assert cleared(tmp_path / "part", resume=True) == whole
    assert not (tmp_path / "part" / ".clearing").exists()
    with pytest.raises(InputError, match="leave out --resume"):
        Stored(tmp_path / "part", {"lam": 0.5}, resume=True)


CHILD = """
import os, signal, sys
from marketproof.cli import main
from marketproof import clearing
from marketproof.large import clear_large, stored
clearing.DENSE = 20
clear_large.clear_large_market.__kwdefaults__["block"] = 7
if "--killed" in sys.argv:
    sys.argv.remove("--killed")
    keep = stored.Stored.keep
    def last(self, block):
        if block.outcome.first == 21:
            os.kill(os.getpid(), signal.SIGKILL)
        keep(self, block)
    stored.Stored.keep = last
main()
"""


def test_a_killed_clearing_is_resumed_from_the_command_line_to_the_same_bytes(tmp_path):
    table, _ = drawn()
    clients = parquet(table, tmp_path / "clients.parquet")

    def status(folder, *more):
        given = [sys.executable, "-c", CHILD, "clear", str(clients), "--out", str(folder), "--quiet", *more]
        return subprocess.run(given, check=False, timeout=240).returncode

    assert status(tmp_path / "whole") == 0
    assert status(tmp_path / "part", "--killed") == -signal.SIGKILL
    assert len(list((tmp_path / "part" / ".clearing").glob("block-*.npz"))) == 3
    assert status(tmp_path / "part", "--resume") == 0
    for name in FILES:
        assert (tmp_path / "part" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_more_clients_than_matrices_carry_are_cleared_from_a_table(cli, tmp_path):
    """5,200 clients of one size, three importers, no bound moved: by hand, the k cheapest at critical values.

    With k models the gain is √(K/n) − √(K/(n + k n)); a seller's critical value is what the rest is worth without it.
    """
    m, size, gain = clearing.DENSE + 200, 100.0, 3e4
    cost = np.random.default_rng(3).permutation(np.linspace(0.5, 60.0, m))
    importers = np.flatnonzero(np.arange(m) % 2_000 == 7)
    rows = (f"c{k},{size:g},{cost[k]:.17g},{gain if k in importers else 0:g}" for k in range(m))
    (tmp_path / "many.csv").write_text("client,size,cost,gain\n" + "\n".join(rows) + "\n")
    answer = cli("clear", tmp_path / "many.csv", "--mechanism", "ipfl-exact", "--out", tmp_path / "out")
    assert answer.status == 0, answer.err
    paid = pl.read_parquet(tmp_path / "out" / "payments.parquet")

    def worth(costs, most=40):
        data = size * np.arange(1, most + 1)
        return np.sqrt(gain / size) - np.sqrt(gain / (size + np.r_[0.0, data])) - np.r_[0.0, np.cumsum(costs[:most])]

    for i in importers:
        others = np.delete(np.arange(m), i)
        others = others[np.argsort(cost[others])]
        best = worth(cost[others])
        chosen = others[: best.argmax()]
        rest = [worth(np.delete(cost[others], k)).max() for k in range(len(chosen))]
        mine = paid.filter(pl.col("from") == f"c{i}").sort("to")
        expected = sorted((f"c{j}", cost[j] + best.max() - without) for j, without in zip(chosen, rest, strict=True))
        assert len(chosen) > 3
        assert mine["to"].to_list() == [name for name, _ in expected]
        np.testing.assert_allclose(mine["amount"], [price for _, price in expected], rtol=1e-9)
    assert set(paid["from"]) == {f"c{i}" for i in importers}


@pytest.mark.parametrize("damage", [lambda data: data[:50], lambda data: b"", lambda data: b"PK" + data[2:200]])
def test_a_damaged_block_is_told_in_one_line(tmp_path, damage):
    table, _ = drawn()
    stored = Stored(tmp_path, {}, resume=False)
    work = blocks.BlockWork.of(Types(table.size, table.cost, table.gain), LargeMarket(), market_mechanism("ipfl"))
    stored.keep(work(0, 7))
    assert stored.read(0).outcome.sellers.tolist() == work(0, 7).outcome.sellers.tolist()
    (path,) = (tmp_path / ".clearing").glob("block-*.npz")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match="is damaged; delete it, and --resume clears its importers again"):
        stored.read(0)


def test_what_a_sample_of_all_importers_earns_a_client_is_its_utility():
    table, vectors = drawn(3)
    types, market = Types(table.size, table.cost, table.gain), LargeMarket(0.5, vectors=vectors)
    clearing = LargeClearing(types.truthful(), market, market_mechanism("ipfl-exact"))
    exact = clear_large_market(table, market, "ipfl-exact").tally.accounts().utility
    everybody = [(0, 25), (25, M)]
    np.testing.assert_allclose([utility(clearing, types, k, everybody) for k in range(M)], exact, atol=1e-9)
    some = utility(clearing, types, 50, [(0, 25)])  # sales to those, and what it buys itself
    outcome = clear_large_market(table, market, "ipfl-exact").tally
    assert some <= exact[50] + 1e-9
    assert some >= outcome.gain[50] - outcome.paid[50] - 1e-9


def test_the_audit_of_a_large_market_says_what_it_looked_at(few, cli, tmp_path):
    table, _ = drawn()
    answer = cli("clear", parquet(table, tmp_path / "clients.parquet"), "--mechanism", "ipfl")
    words = " ".join(answer.out.split())
    assert "reports tried, those of 2 clients in their dealings with 60 of 60 importers" in words
    assert "--out DIR keeps every client's account and every import" in words


def test_two_workers_of_dask_clear_what_one_machine_clears(tmp_path):
    pytest.importorskip("distributed")
    table, vectors = drawn()
    market = LargeMarket(0.5, vectors=vectors)
    one = clear_large_market(table, market, "ipfl", block=16)
    two = clear_large_market(table, market, "ipfl", block=16, cluster="local:2")
    for part in ACCOUNT:
        np.testing.assert_array_equal(getattr(two.tally.accounts(), part), getattr(one.tally.accounts(), part))
    assert two.promises == one.promises


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--pool", "3", "--mechanism", "pooled-price"), "--pool is for markets of at most 20 clients, here are 60"),
        (("--mechanism", "realised"), "does not clear large markets; expected ipfl-exact, ipfl, exact-marginal"),
        (("--certificate", "c.json"), "--certificate is for markets of at most"),
        (("--resume",), "--resume needs --out DIR"),
        (("--cluster", "nonsense"), "--cluster"),
    ],
)
def test_what_large_markets_do_not_have_is_refused(few, cli, tmp_path, options, words):
    table, _ = drawn()
    assert words in cli("clear", parquet(table, tmp_path / "clients.parquet"), *options).line()


def test_a_table_of_everyone_against_everyone_is_refused_for_many(few, cli, tmp_path):
    table, _ = drawn()
    (tmp_path / "d.csv").write_text("client,c0\nc0,0\n")
    answer = cli("clear", parquet(table, tmp_path / "clients.parquet"), "--differences", tmp_path / "d.csv")
    assert "list pairs, importer,exporter,difference, or give --vectors" in answer.line()


def test_a_small_market_has_no_cluster(cli, tmp_path):
    table, _ = drawn()
    answer = cli("clear", parquet(table, tmp_path / "clients.parquet"), "--cluster", "local:2")
    assert "--cluster and --resume are for markets of more than 5000 clients" in answer.line()
