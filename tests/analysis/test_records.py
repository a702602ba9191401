"""A run folder is read whole or refused in one line that names the file and what is wrong with it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from analysis.run import agreement, files
from analysis.run.files import RecordError
from analysis.run.records import Run, market_file, read_run
from mechanism import Market, Types, account, market_mechanism
from mechanism.errors import MarketProofError
from mechanism.market.mechanisms import MARKET_ENTRIES
from tests.analysis.synthetic import write_run

MARKET = "markets/ipfl__ipfl-0.safetensors"


def test_reads_what_was_recorded(run: Run) -> None:
    assert run.methods == ("local", "fedavg", "ipfl/ipfl", "ipfl/ipfl-exact")
    assert run.markets == ("ipfl/ipfl", "ipfl/ipfl-exact")
    assert (run.clients, run.rounds, run.seeds, run.task) == (6, 3, (0, 1), "digits-niid")
    trace = run.traces["ipfl/ipfl-exact"]
    assert trace.utility.shape == (2, 3, 6)
    np.testing.assert_allclose(trace.utility, trace.gain - trace.cost - trace.paid + trace.received, atol=1e-12)


def test_recorded_clearings_reproduce(run: Run) -> None:
    """The recorded round, cleared again, gives the recorded imports, prices and utilities."""
    record = run.market_round("ipfl/ipfl-exact", 1, 2)
    types = Types(record.size, record.cost, record.gain)
    outcome = market_mechanism("ipfl-exact").clear(types.truthful(), Market(record.differences, record.lam))
    np.testing.assert_array_equal(outcome.imports, record.imports)
    np.testing.assert_allclose(outcome.prices, record.prices, atol=1e-12)
    np.testing.assert_allclose(account(types, outcome).utility, run.traces["ipfl/ipfl-exact"].utility[1, 1])


def test_row_order_does_not_matter(copy: Path, run: Run) -> None:
    path = copy / "rounds.parquet"
    pl.read_parquet(path).sample(fraction=1.0, shuffle=True, seed=3).write_parquet(path)
    np.testing.assert_array_equal(read_run(copy).traces["fedavg"].utility, run.traces["fedavg"].utility)


def test_a_diverged_loss_is_no_error(copy: Path) -> None:
    path = copy / "rounds.parquet"
    pl.read_parquet(path).with_columns(loss=pl.lit(float("inf"))).write_parquet(path)
    assert np.isinf(read_run(copy).traces["local"].loss).all()


def _json(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        value = json.loads((folder / name).read_text())
        change(value)
        (folder / name).write_text(json.dumps(value))

    return damage


def _table(name: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[Path], None]:
    return lambda folder: change(pl.read_parquet(folder / name)).write_parquet(folder / name)


def _bytes(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes())) and None


def _tensors(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        arrays = dict(load_file(folder / MARKET))
        change(arrays)
        save_file(arrays, folder / MARKET)

    return damage


def _lie(key: str, value: object) -> Callable[[Path], None]:
    return _json("audit.json", lambda a: a["methods"]["ipfl/ipfl"]["best_lie"]["cost"].update({key: value}))


NAMES = ("manifest.json", "summary.json", "audit.json", "config.toml", "rounds.parquet", "ledger.parquet", MARKET)
DAMAGES: dict[str, tuple[str, str, Callable[[Path], None]]] = {
    **{f"missing {n}": (n, "no such file", lambda f, n=n: (f / n).unlink()) for n in NAMES},
    **{f"empty {n}": (n, "empty", _bytes(n, lambda b: b"")) for n in NAMES},
    **{f"half of {n}": (n, "not readable", _bytes(n, lambda b: b[: len(b) // 2])) for n in NAMES if "toml" not in n},
    **{f"noise in {n}": (n, "not readable", _bytes(n, lambda b: b"\x80\x04\x95" + b)) for n in NAMES},
    "nested json": ("audit.json", "not readable", lambda f: (f / "audit.json").write_text("[" * 200_000) and None),
    "nan in json": ("audit.json", "NaN", _lie("gain", float("nan"))),
    "list for object": ("summary.json", "expected a JSON object", _bytes("summary.json", lambda b: b"[]")),
    "no methods": ("manifest.json", "methods", _json("manifest.json", lambda m: m.pop("methods"))),
    "method twice": ("manifest.json", "twice", _json("manifest.json", lambda m: m["methods"].append("local"))),
    "clients is text": ("manifest.json", "clients", _json("manifest.json", lambda m: m.update(clients="6"))),
    "clients is true": ("manifest.json", "clients", _json("manifest.json", lambda m: m.update(clients=True))),
    "seeds are text": ("manifest.json", "seeds", _json("manifest.json", lambda m: m.update(seeds=["0"]))),
    "rule is a number": (
        "manifest.json",
        "mechanisms",
        _json("manifest.json", lambda m: m["mechanisms"].update(local=1)),
    ),
    "more clients": ("rounds.parquet", "incomplete", _json("manifest.json", lambda m: m.update(clients=7))),
    "fewer clients": ("rounds.parquet", "outside 0 to 4", _json("manifest.json", lambda m: m.update(clients=5))),
    "other summary": ("summary.json", "differ", _json("summary.json", lambda s: s["methods"].pop("local"))),
    "audit of less": ("audit.json", "'local' is missing", _json("audit.json", lambda a: a["methods"].pop("local"))),
    "other rule": (
        "audit.json",
        "mechanism",
        _json("audit.json", lambda a: a["methods"]["local"].update(mechanism="x")),
    ),
    "lie of nobody": ("audit.json", "client is 6", _lie("client", 6)),
    "lie in round 0": ("audit.json", "round is 0", _lie("round", 0)),
    "lie of seed 9": ("audit.json", "seed is 9", _lie("seed", 9)),
    "gain is huge": ("audit.json", "not finite", _lie("gain", 10**400)),
    "words are numbers": (
        "audit.json",
        "words",
        _json("audit.json", lambda a: a["methods"]["local"].update(words=[1])),
    ),
    "column missing": ("rounds.parquet", "'utility' is missing", _table("rounds.parquet", lambda t: t.drop("utility"))),
    "text for number": (
        "rounds.parquet",
        "'gain' holds String",
        _table("rounds.parquet", lambda t: t.cast({"gain": pl.String})),
    ),
    "null": (
        "rounds.parquet",
        "missing values",
        _table("rounds.parquet", lambda t: t.with_columns(paid=pl.when(pl.col("client") == 0).then(pl.col("paid")))),
    ),
    "round gone": ("rounds.parquet", "incomplete", _table("rounds.parquet", lambda t: t.head(t.height - 6))),
    "row twice": (
        "rounds.parquet",
        "recorded twice",
        _table("rounds.parquet", lambda t: pl.concat([t.head(t.height - 1), t.head(1)])),
    ),
    "no rows": ("rounds.parquet", "no rows", _table("rounds.parquet", lambda t: t.clear())),
    "unknown method": (
        "rounds.parquet",
        "not in manifest.json",
        _table("rounds.parquet", lambda t: t.with_columns(method=pl.lit("?"))),
    ),
    "infinite money": (
        "rounds.parquet",
        "not finite",
        _table("rounds.parquet", lambda t: t.with_columns(gain=pl.lit(float("inf")))),
    ),
    "accuracy above 1": (
        "rounds.parquet",
        "leaves 0 to 1",
        _table("rounds.parquet", lambda t: t.with_columns(accuracy=pl.lit(1.5))),
    ),
    "money lost": (
        "ledger.parquet",
        "do not add up",
        _table("ledger.parquet", lambda t: t.with_columns(payment=pl.col("payment") * 1.01)),
    ),
    "sells to itself": (
        "ledger.parquet",
        "its own model",
        _table("ledger.parquet", lambda t: t.with_columns(importer=pl.col("exporter"))),
    ),
    "round of another run": (
        "ledger.parquet",
        "outside 1 to 3",
        _table("ledger.parquet", lambda t: t.with_columns(round=pl.col("round") + 1)),
    ),
    "tensor missing": (MARKET, "'prices' is missing", _tensors(lambda t: t.pop("prices"))),
    "tensor of another run": (
        MARKET,
        "[3, 6, 6]",
        _tensors(lambda t: t.update(imports=np.zeros((3, 5, 5), np.uint8))),
    ),
}


def _swapped(folder: Path) -> None:
    """Let two importers pay one another's exporters: what each client pays and receives stays the same."""
    table = pl.read_parquet(folder / "ledger.parquet")
    here = (pl.col("method") == "fedavg") & (pl.col("seed") == 1) & (pl.col("round") == 2)
    more, less = (((0, 2), (1, 3)), ((0, 3), (1, 2)))
    steps = [
        pl.when(here & (pl.col("importer") == i) & (pl.col("exporter") == j)).then(step).otherwise(0.0)
        for pairs, step in ((more, 0.25), (less, -0.25))
        for i, j in pairs
    ]
    table.with_columns(payment=pl.sum_horizontal("payment", *steps)).write_parquet(folder / "ledger.parquet")


def _column(**columns: pl.Expr) -> Callable[[Path], None]:
    return _table("rounds.parquet", lambda t: t.with_columns(**columns))


def _audit(key: str, value: object) -> Callable[[Path], None]:
    return _json("audit.json", lambda a: a["methods"]["ipfl/ipfl"].update({key: value}))


def _forged(folder: Path) -> None:
    """Win more by the lie, in all three of its numbers."""

    def change(audit: dict[str, Any]) -> None:
        lie = audit["methods"]["ipfl/ipfl"]["best_lie"]["cost"]
        lie.update(utility_lying=lie["utility_truthful"] + 1000.0, gain=1000.0)

    _json("audit.json", change)(folder)


first = (pl.col("method") == "local") & (pl.col("seed") == 1) & (pl.col("round") == 2) & (pl.col("client") == 4)
EDITS: dict[str, tuple[str, tuple[str, ...], Callable[[Path], None]]] = {
    "utility": (
        "rounds.parquet",
        ("utility of client 0 in round 1 (local, seed 0) is 1; gain - cost - paid", "makes it 0"),
        _column(utility=pl.col("utility") + 1),
    ),
    "one utility": (
        "rounds.parquet",
        ("utility of client 4 in round 2 (local, seed 1) is 1e-06",),
        _column(utility=pl.when(first).then(1e-6).otherwise("utility")),
    ),
    "gain and utility": (
        "rounds.parquet",
        ("gain of client 0 in round 1 (local, seed 0) is 5; the clearing in local-0.safetensors makes it 0",),
        _column(utility=pl.col("utility") + 5, gain=pl.col("gain") + 5),
    ),
    "imports": ("rounds.parquet", ("imports of client 0",), _column(imports=pl.lit(0))),
    "who was there": ("rounds.parquet", ("present of client 4 in round 2 (local, seed 1) is 0",), _column(
        present=pl.when(first).then(0).otherwise(1))),
    "prices": (MARKET, (), _tensors(lambda t: t["prices"].__imul__(2.0))),
    "centre": (MARKET, (), _tensors(lambda t: t["centre"].__iadd__(1.0))),
    "who paid whom": (
        "ledger.parquet",
        ("payment for client 0 importing from client 2 in round 2 (fedavg, seed 1) is 0.25",),
        _swapped,
    ),
    "gain of a lie": ("audit.json", ("gain is 1234567; utility_lying - utility_truthful",), _lie("gain", 1234567)),
    "a whole lie": ("audit.json", ("the lie about a cost of client", "has utility_lying", "cleared again"), _forged),
    "truth of a lie": ("audit.json", ("has truth 99",), _lie("truth", 99.0)),
    "what was said": ("audit.json", ("has utility_lying",), _lie("report", 1e6)),
    "said below zero": ("audit.json", ("cannot be cleared again",), _lie("report", -1.0)),
    "a lie about nothing": ("audit.json", ("'colour'; expected cost, gain, size",), _audit("best_lie", {"colour": {}})),
    "a lie without a market": (
        "audit.json",
        ("nobody reports anything",),
        _json("audit.json", lambda a: a["methods"]["local"].update(best_lie={"cost": {}})),
    ),
    "lowest utility": (
        "audit.json",
        ("lowest_utility.client of 'fedavg' is 0; the recorded clearings make it -",),
        _json("audit.json", lambda a: a["methods"]["fedavg"]["lowest_utility"].update(client=0.0)),
    ),
    "balance": ("audit.json", ("budget_imbalance of 'ipfl/ipfl' is 3",), _audit("budget_imbalance", 3.0)),
    "objective": ("audit.json", ("objective of 'ipfl/ipfl' is 0;",), _audit("objective", 0)),
    "gap": ("audit.json", ("optimality_gap of 'ipfl/ipfl' is 9;",), _audit("optimality_gap", 9)),
    "tolerance": ("audit.json", ("tolerance is 1e+03; expected 0 to 1e-06",), _json(
        "audit.json", lambda a: a.update(tolerance=1000.0))),
}  # fmt: skip


@pytest.mark.parametrize("case", EDITS)
def test_an_edited_number_is_told_and_where(copy: Path, case: str) -> None:
    name, words, edit = EDITS[case]
    table = pl.read_parquet(copy / "rounds.parquet").with_columns(present=pl.lit(1))
    table.write_parquet(copy / "rounds.parquet")
    arrays = dict(load_file(copy / "markets/local-1.safetensors"))
    save_file(arrays | {"present": np.ones((3, 6), np.uint8)}, copy / "markets/local-1.safetensors")
    read_run(copy)  # honest so far
    edit(copy)
    with pytest.raises(RecordError) as caught:
        read_run(copy)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert str(copy / name) in message or name == MARKET  # told of the accounts that the market no longer makes
    assert "\n" not in message
    assert len(message) < 500


def _summary(folder: Path) -> dict[str, Any]:
    """Return what `marketproof run` says of each method, by hand: all clients honest and always there, two seeds."""
    table, told = pl.read_parquet(folder / "rounds.parquet"), {}
    for (method,), rows in table.group_by("method"):
        each = [rows.filter(pl.col("seed") == seed) for seed in (0, 1)]
        figures = {
            "accuracy_best": [one.group_by("client").agg(pl.col("accuracy").max())["accuracy"].mean() for one in each],
            "accuracy_final": [one.filter(pl.col("round") == 3)["accuracy"].mean() for one in each],
            "utility_total": [one["utility"].sum() for one in each],
            "utility_mean": [one["utility"].mean() for one in each],
            "welfare": [one["utility"].sum() for one in each],
        }
        told[method] = {key: float(np.mean(values)) for key, values in figures.items()}
        told[method] |= {f"{key}_std": float(np.std(values, ddof=1)) for key, values in figures.items()}
    return {"task": "digits-niid", "seeds": [0, 1], "methods": told}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("accuracy_best", 0.999, "accuracy_best of 'fedavg' is 0.999; rounds.parquet makes it"),
        ("accuracy_final", 1, "accuracy_final"),
        ("utility_total", 0.0, "utility_total"),
        ("utility_mean", "12", "utility_mean of 'fedavg' is '12'"),
        ("welfare", 1e6, "welfare of 'fedavg' is 1000000.0; rounds.parquet makes it"),
        ("welfare_std", 0, "welfare_std"),
        ("welfare", 10**400, "welfare"),
        ("welfare", True, "welfare of 'fedavg' is True"),
        ("utility_others", 1.0, "utility_others of 'fedavg' is 1.0; rounds.parquet makes it 0"),
        ("welfare_std", None, "welfare_std of 'fedavg' is missing"),
    ],
)
def test_the_summary_is_that_of_the_rounds(copy: Path, key: str, value: object, words: str) -> None:
    summary = _summary(copy)
    (copy / "summary.json").write_text(json.dumps(summary))
    read_run(copy)
    summary["methods"]["fedavg"][key] = value
    if value is None:
        del summary["methods"]["fedavg"][key]
    (copy / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(RecordError) as caught:
        read_run(copy)
    assert str(caught.value).startswith(f"{copy / 'summary.json'}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_many_rounds_are_read_a_few_at_a_time(folder: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "_PAIRS", 6 * 6 * 2)
    read_run(folder)
    last = pl.col("round") == 3
    _column(utility=pl.col("utility") + last, gain=pl.col("gain") + last)(copy)
    with pytest.raises(RecordError, match="gain of client 0 in round 3"):
        read_run(copy)


@pytest.mark.parametrize("rule", sorted(MARKET_ENTRIES))
def test_every_rule_of_the_catalogue_reads(tmp_path: Path, rule: str) -> None:
    run = read_run(write_run(tmp_path / "run", clients=4, rounds=2, seeds=(3,), methods={f"ipfl/{rule}": rule}))
    assert run.markets == (f"ipfl/{rule}",)


@pytest.mark.parametrize("case", DAMAGES)
def test_damage_is_named_in_one_line(copy: Path, case: str) -> None:
    name, fragment, damage = DAMAGES[case]
    damage(copy)
    with pytest.raises(MarketProofError) as caught:
        read_run(copy)
    message = str(caught.value)
    assert str(copy / name) in message
    assert fragment in message
    assert "\n" not in message
    assert len(message) < 600


def test_a_number_that_is_not_finite_is_met_when_it_is_read(copy: Path) -> None:
    _tensors(lambda t: t["objective"].fill(np.nan))(copy)
    with pytest.raises(RecordError, match=r"ipfl__ipfl-0\.safetensors: tensor 'objective'"):
        read_run(copy).objectives("ipfl/ipfl", 0)


@pytest.mark.parametrize(
    ("limit", "name"),
    [("LARGEST_TEXT", "manifest.json"), ("LARGEST_TABLE", "rounds.parquet"), ("LARGEST_TENSORS", "safetensors")],
)
def test_large_files_are_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch, limit: str, name: str) -> None:
    monkeypatch.setattr(files, limit, 16)
    with pytest.raises(RecordError, match=name):
        read_run(folder)


def test_many_rows_are_not_expanded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST_ROWS", 10)
    with pytest.raises(RecordError, match="144 rows, more than the 10"):
        read_run(folder)


def test_a_pickle_is_refused_not_loaded(copy: Path, tmp_path: Path) -> None:
    """A file that would run code if it were unpickled."""
    mark = tmp_path / "ran"
    (copy / MARKET).write_bytes(f"cos\nsystem\n(S'touch {mark}'\ntR.".encode())
    with pytest.raises(RecordError, match="not readable as safetensors"):
        read_run(copy)
    assert not mark.exists()


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such folder"):
        read_run(tmp_path / "nothing")
    with pytest.raises(RecordError, match=r"manifest\.json: no such file"):
        read_run(tmp_path)


def test_a_method_never_names_a_file_outside_the_run(tmp_path: Path) -> None:
    assert market_file(tmp_path, "../../x", 0).parent == tmp_path / "markets"


def test_importing_analysis_is_cheap() -> None:
    heavy = {"torch", "polars", "matplotlib", "numba", "jinja2"}
    code = f"import sys, analysis; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_records_hold_no_file_open(copy: Path) -> None:
    record = read_run(copy)
    shutil.rmtree(copy)
    with pytest.raises(RecordError, match="safetensors"):
        record.objectives("local", 0)
