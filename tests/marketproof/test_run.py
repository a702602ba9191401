"""End to end: real training, real markets, and what the other commands make of the record."""

import json
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis.run.records import read_market
from mechanism import account
from tests.marketproof.conftest import command

METHODS = ["local", "fedavg", "ipfl/ipfl", "ipfl/ipfl-exact", "ipfl-effective/clock-price"]
ROUNDS, SEEDS, CLIENTS = 2, 2, 10
RUN = ["run", "digits-niid", "--scale", "smoke", "--seeds", SEEDS]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[Path, str]:
    """A run of the default task and methods under two seeds, and what it showed."""
    folder = tmp_path_factory.mktemp("runs") / "smoke"
    answer = command(*RUN, "--backend", "rows", "--out", folder, "--json", folder.parent / "run.json")
    assert answer.status == 0, answer.err
    return folder, answer.out


def read(folder: Path, name: str):
    return json.loads((folder / name).read_text())


def test_the_folder_holds_what_the_contract_names(finished):
    folder, _ = finished
    assert sorted(path.name for path in folder.iterdir()) == [
        "audit.json", "config.toml", "ledger.parquet", "manifest.json", "markets", "models", "progress.json",
        "report.html", "rounds.parquet", "summary.json",
    ]  # fmt: skip
    units = {f"{method.replace('/', '__')}-{seed}.safetensors" for method in METHODS for seed in (0, 1)}
    assert {path.name for path in (folder / "models").iterdir()} == units
    assert {path.name for path in (folder / "markets").iterdir()} == units


def test_rounds_have_a_row_per_client_and_true_accounts(finished):
    folder, _ = finished
    rounds = pl.read_parquet(folder / "rounds.parquet")
    assert rounds.columns == [
        "method", "seed", "round", "client", "accuracy", "loss", "gain", "cost", "paid", "received", "utility",
        "imports", "exports", "accuracy_trained", "loss_trained", "accuracy_aggregated", "loss_aggregated",
        "present", "role",
    ]  # fmt: skip
    assert rounds.height == len(METHODS) * SEEDS * ROUNDS * CLIENTS
    assert rounds["method"].unique(maintain_order=True).to_list() == METHODS
    keys = rounds.select("seed", "round", "client").rows()
    assert keys[: SEEDS * ROUNDS * CLIENTS] == sorted(keys[: SEEDS * ROUNDS * CLIENTS])
    assert set(rounds["round"]) == {1, 2}
    identity = rounds["gain"] - rounds["cost"] - rounds["paid"] + rounds["received"]
    assert np.allclose(rounds["utility"], identity, atol=1e-12)
    assert rounds["accuracy"].is_between(0, 1).all()
    record = read_market(folder / "markets" / "ipfl__ipfl-1.safetensors")
    mine = rounds.filter((pl.col("method") == "ipfl/ipfl") & (pl.col("seed") == 1))
    accounts = account(record.types, record.outcome)
    assert np.array_equal(mine["utility"].to_numpy().reshape(ROUNDS, CLIENTS), accounts.utility)
    assert np.array_equal(mine["accuracy"].to_numpy().reshape(ROUNDS, CLIENTS), record.accuracy)


def test_ledger_sums_to_the_rounds(finished):
    folder, _ = finished
    ledger, rounds = pl.read_parquet(folder / "ledger.parquet"), pl.read_parquet(folder / "rounds.parquet")
    assert ledger.columns == [
        "method", "seed", "round", "importer", "exporter", "payment", "cost", "difference", "penalty",
    ]  # fmt: skip
    keys = ["method", "seed", "round"]
    for role, money, count in (("importer", "paid", "imports"), ("exporter", "received", "exports")):
        sums = ledger.group_by(*keys, role).agg(pl.col("payment").sum(), pl.len().alias("n")).rename({role: "client"})
        joined = rounds.join(sums, on=[*keys, "client"], how="left").fill_null(0)
        assert np.allclose(joined[money], joined["payment"], atol=1e-9)
        assert (joined[count] == joined["n"]).all()
    assert ledger.filter(pl.col("method").is_in(["local"])).height == 0
    fedavg = ledger.filter(pl.col("method") == "fedavg")
    assert fedavg.height == SEEDS * ROUNDS * CLIENTS * (CLIENTS - 1)
    assert (fedavg["payment"] == 0).all()
    assert ledger["difference"].is_between(0, 2).all()


def test_summary_is_what_the_rounds_say(finished):
    folder, _ = finished
    summary, rounds = read(folder, "summary.json"), pl.read_parquet(folder / "rounds.parquet")
    assert (summary["task"], summary["seeds"], list(summary["methods"])) == ("digits-niid", [0, 1], METHODS)
    for name, told in summary["methods"].items():
        mine = rounds.filter(pl.col("method") == name)
        best = (
            mine.group_by("seed", "client")
            .agg(pl.col("accuracy").max())
            .group_by("seed")
            .agg(pl.col("accuracy").mean())
        )
        assert told["accuracy_best"] == pytest.approx(best["accuracy"].mean())
        assert told["accuracy_best_std"] == pytest.approx(best["accuracy"].std())
        assert told["accuracy_final"] == pytest.approx(mine.filter(pl.col("round") == ROUNDS)["accuracy"].mean())
        assert told["utility_total"] == pytest.approx(mine["utility"].sum() / SEEDS)
        assert told["utility_mean"] == pytest.approx(mine["utility"].mean())
        assert told["welfare"] == pytest.approx((mine["gain"] - mine["cost"]).sum() / SEEDS)
        assert told["seconds"] > 0


def test_audit_keeps_the_promises_apart(finished):
    folder, _ = finished
    audit = read(folder, "audit.json")
    assert list(audit["methods"]) == METHODS
    assert "one clearing" in audit["scope"]
    for name in ("ipfl/ipfl", "ipfl/ipfl-exact"):
        told = audit["methods"][name]
        assert told["lowest_utility"]["client"] >= -1e-9
        assert told["budget_imbalance"] == 0.0
        assert told["reproduced"] is True
    assert audit["methods"]["ipfl/ipfl"]["best_lie"]["cost"]["gain"] > 0.01
    assert audit["methods"]["ipfl/ipfl-exact"]["best_lie"]["cost"]["gain"] <= 1e-9
    assert audit["methods"]["ipfl/ipfl-exact"]["optimality_gap"] <= 1e-9
    assert audit["methods"]["local"]["best_lie"] == {"cost": None, "gain": None, "size": None}
    assert audit["methods"]["fedavg"]["lowest_utility"]["seller"] < 0


def test_manifest_and_config_say_what_was_run(finished):
    folder, _ = finished
    manifest = read(folder, "manifest.json")
    assert manifest["seeds"] == [0, 1]
    assert manifest["methods"] == METHODS
    assert manifest["mechanisms"] == {
        "local": None, "fedavg": None, "ipfl/ipfl": "ipfl", "ipfl/ipfl-exact": "ipfl-exact",
        "ipfl-effective/clock-price": "clock-price",
    }  # fmt: skip
    assert (manifest["backend"], manifest["device"], manifest["clients"]) == ("rows", "cpu", CLIENTS)
    units = {f"{method.replace('/', '__')}-{seed}" for method in METHODS for seed in (0, 1)}
    assert manifest["backend_used"] == dict.fromkeys(units, "rows")
    assert manifest["backend_reason"] == dict.fromkeys(units, "rows: asked for")
    assert manifest["versions"]["torch"]
    assert manifest["privacy"] is None
    assert "privacy" not in read(folder, "summary.json")
    config = tomllib.loads((folder / "config.toml").read_text())
    assert (config["rounds"], config["steps"], config["methods"]) == (2, 5, METHODS)


def test_people_see_every_method_the_scope_and_the_report(finished):
    folder, shown = finished
    for text in (*METHODS, "best accuracy", "best lie", "Paid for their models", "Scope:", "report.html", "A lie pays"):
        assert text in shown
    assert "<html" in (folder / "report.html").read_text()
    told = json.loads((folder.parent / "run.json").read_text())
    assert told["methods"] == read(folder, "summary.json")["methods"]
    assert told["audit"] == read(folder, "audit.json")


def same_record(one: Path, other: Path) -> None:
    names = [path.relative_to(one) for folder in ("models", "markets") for path in sorted((one / folder).iterdir())]
    for name in [*names, "rounds.parquet", "ledger.parquet"]:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_worker_processes_change_no_bit_and_quiet_is_silent(tmp_path):
    few = ["run", "digits-niid", "--scale", "smoke", "--methods", ",".join(METHODS[-2:]), "--quiet"]
    for backend in ("rows", "pool"):
        answer = command(*few, "--backend", backend, "--out", tmp_path / backend)
        assert (answer.status, answer.out, answer.err) == (0, "", "")
        assert read(tmp_path / backend, "manifest.json")["backend"] == backend
    same_record(tmp_path / "rows", tmp_path / "pool")


def test_a_killed_training_is_resumed_to_the_same_bits(finished, tmp_path):
    """SIGKILL to a real run in its own process, at some moment after its first complete round."""
    folder = tmp_path / "run"
    words = [sys.executable, "-W", "ignore", "-m", "marketproof", *map(str, RUN), "--backend", "rows", "--quiet"]
    process = subprocess.Popen([*words, "--out", str(folder)])
    deadline = time.monotonic() + 120
    while not (folder / "progress.json").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait(120) == -signal.SIGKILL
    answer = command("run", "--resume", "--out", folder, "--quiet")
    assert (answer.status, answer.err) == (0, "")
    same_record(finished[0], folder)


def test_replay_reproduces_the_lie_and_notices_a_changed_one(finished, tmp_path):
    folder, _ = finished
    answer = command("replay", folder / "audit.json", "--json", tmp_path / "replay.json")
    assert answer.status == 0
    assert "reproduced to the bit" in answer.out
    assert json.loads((tmp_path / "replay.json").read_text())["reproduced"] is True
    witness = read(folder, "audit.json")["methods"]["ipfl/ipfl"]["best_lie"]["cost"]["witness"]
    (tmp_path / "lie.json").write_text(json.dumps(witness))
    assert command("replay", tmp_path / "lie.json").status == 0
    witness["numbers"]["utility_after"][witness["deviators"][0]] += 0.5
    (tmp_path / "forged.json").write_text(json.dumps(witness))
    answer = command("replay", tmp_path / "forged.json", "--quiet")
    assert answer.status == 1
    assert "not reproduced" in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"methods": {}}', b"\xff\xfe", b"[" * 100_000, b'{"format": 1}']
)
def test_replay_of_what_is_no_witness(tmp_path, content):
    path = tmp_path / "witness.json"
    path.write_bytes(content)
    command("replay", path).line()


def test_report_of_recorded_runs(finished, tmp_path):
    folder, _ = finished
    answer = command("report", folder, "--out", tmp_path / "page.html", "--json", tmp_path / "report.json")
    assert answer.status == 0, answer.err
    assert "page.html" in answer.out
    assert "ipfl/ipfl-exact" in (tmp_path / "page.html").read_text()
    assert json.loads((tmp_path / "report.json").read_text())["runs"] == [str(folder)]


def test_report_of_what_is_no_run(tmp_path):
    assert "run folder" in command("report", tmp_path, "--out", tmp_path / "page.html").line()
    assert "is a folder" in command("report", tmp_path, "--out", tmp_path).line()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["mechanisms", "methods", "tasks", "properties", "populations"])
def test_lists(tmp_path, kind):
    answer = command("list", kind, "--json", tmp_path / "list.json")
    assert (answer.status, answer.err) == (0, "")
    rows = json.loads((tmp_path / "list.json").read_text())[kind]
    expected = {"mechanisms": "ipfl-exact", "methods": "ipfl", "tasks": "fashion-skew", "properties": "dsic-cost"}
    assert expected.get(kind, "benign") in [row["id"] for row in rows]
    assert expected.get(kind, "benign") in answer.out
