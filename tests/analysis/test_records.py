"""A run folder is read whole or refused in one line that names the file and what is wrong with it."""

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

from analysis.run import files, records
from analysis.run.files import RecordError
from analysis.run.ledger import ledger_table, rounds_table
from analysis.run.market import TENSORS, encode, stack
from analysis.run.records import MarketFile, Run, read_market, read_run
from mechanism import account, market_mechanism
from mechanism.errors import MarketProofError
from mechanism.market.mechanisms import MARKET_ENTRIES
from tests.analysis.synthetic import change_json, edit_market, forget_digests, renew_digests, write_run

MARKET = "markets/ipfl__ipfl-0.safetensors"
TABLES = ("rounds.parquet", "ledger.parquet")
NAMES = ("manifest.json", "summary.json", "audit.json", "config.toml", *TABLES, MARKET)


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
    outcome = market_mechanism("ipfl-exact").clear(record.types.truthful(), record.market)
    np.testing.assert_array_equal(outcome.imports, record.imports)
    np.testing.assert_allclose(outcome.prices, record.prices, atol=1e-12)
    np.testing.assert_allclose(account(record.types, outcome).utility, run.traces["ipfl/ipfl-exact"].utility[1, 1])


def test_the_tables_are_those_of_the_markets(folder: Path, run: Run) -> None:
    assert pl.read_parquet(folder / "rounds.parquet").equals(rounds_table(run.traces, run.seeds))
    assert pl.read_parquet(folder / "ledger.parquet").equals(ledger_table(run.ledger, run.seeds))


def test_many_rounds_are_read_a_few_at_a_time(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_PAIRS", 6 * 6 * 2)
    assert [part.rounds for part in MarketFile(folder / MARKET).parts()] == [2, 1]
    for name, trace in read_run(folder).traces.items():
        for column, values in vars(trace).items():
            np.testing.assert_array_equal(values, getattr(run.traces[name], column))


def test_a_record_is_written_as_it_was_read(folder: Path) -> None:
    file = MarketFile(folder / MARKET)
    assert encode(stack([file.round(k) for k in (1, 2, 3)])) == encode(file.read()) == (folder / MARKET).read_bytes()
    assert set(load_file(folder / MARKET)) == set(TENSORS)


def test_a_record_of_an_older_version_has_everybody_there_honest_and_not_private(copy: Path, run: Run) -> None:
    """Tensors that came later may be missing, and nothing vouches for the files."""
    for path in (copy / "markets").iterdir():
        arrays = load_file(path)
        for name in ("present", "roles", "leaving", "epsilon", "sales", "optimal_gap", "unmoved"):
            del arrays[name]
        save_file(arrays, path)
    for name, trace in read_run(forget_digests(copy)).traces.items():
        assert trace.present.all()
        np.testing.assert_array_equal(trace.utility, run.traces[name].utility)
        assert set(trace.roles.ravel()) == {"honest"}
        assert not trace.epsilon.any()


def test_a_diverged_loss_is_no_error(copy: Path) -> None:
    edit_market(copy, "local", 0, loss=np.full((3, 6), np.inf))
    assert np.isinf(read_run(copy).traces["local"].loss[0]).all()


def _json(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    return lambda folder: change_json(folder / name, change)


def _manifest(**entries: Any) -> Callable[[Path], None]:
    return _json("manifest.json", lambda told: told.update(entries))


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


def _audit(key: str, value: object) -> Callable[[Path], None]:
    return _json("audit.json", lambda a: a["methods"]["ipfl/ipfl"].update({key: value}))


READ = tuple(name for name in NAMES if name not in TABLES)
KINDS = {".toml": "is no TOML", ".json": "is no JSON", ".safetensors": "not readable"}
DAMAGES: dict[str, tuple[str, str, Callable[[Path], None]]] = {
    **{f"missing {n}": (n, "no such file", lambda f, n=n: (f / n).unlink()) for n in NAMES},
    **{f"empty {n}": (n, "empty", _bytes(n, lambda b: b"")) for n in NAMES},
    **{
        f"half of {n}": (n, KINDS[Path(n).suffix], _bytes(n, lambda b: b[: len(b) // 2]))
        for n in READ
        if "toml" not in n
    },
    **{f"noise in {n}": (n, KINDS[Path(n).suffix], _bytes(n, lambda b: b"\x80\x04\x95" + b)) for n in READ},
    "nested json": ("audit.json", "is no JSON", lambda f: (f / "audit.json").write_text("[" * 200_000) and None),
    "nan in json": ("audit.json", "NaN", _lie("gain", float("nan"))),
    "list for object": ("summary.json", "expected a JSON object", _bytes("summary.json", lambda b: b"[]")),
    "no methods": ("manifest.json", "methods", _json("manifest.json", lambda m: m.pop("methods"))),
    "method twice": ("manifest.json", "twice", _json("manifest.json", lambda m: m["methods"].append("local"))),
    "clients is text": ("manifest.json", "clients", _manifest(clients="6")),
    "clients is true": ("manifest.json", "clients", _manifest(clients=True)),
    "seeds are text": ("manifest.json", "seeds", _manifest(seeds=["0"])),
    "rule is a number": (
        "manifest.json",
        "mechanisms",
        _json("manifest.json", lambda m: m["mechanisms"].update(local=1)),
    ),
    "more clients": ("markets/local-0.safetensors", "is of 6 clients; manifest.json lists 7", _manifest(clients=7)),
    "fewer clients": ("markets/local-0.safetensors", "is of 6 clients; manifest.json lists 5", _manifest(clients=5)),
    "a seed more": ("markets/local-7.safetensors", "no such file", _manifest(seeds=[0, 1, 7])),
    "other summary": ("summary.json", "differ", _json("summary.json", lambda s: s["methods"].pop("local"))),
    "text in summary": (
        "summary.json",
        "welfare",
        _json("summary.json", lambda s: s["methods"]["fedavg"].update(welfare="12")),
    ),
    "audit of less": ("audit.json", "not those of manifest", _json("audit.json", lambda a: a["methods"].pop("local"))),
    "other rule": (
        "audit.json",
        "mechanisms",
        _json("audit.json", lambda a: a["methods"]["local"].update(mechanism="x")),
    ),
    "lie of nobody": ("audit.json", "client 6, which the run does not have", _lie("client", 6)),
    "lie in round 0": ("audit.json", "round is 0", _lie("round", 0)),
    "lie of seed 9": ("audit.json", "seed 9", _lie("seed", 9)),
    "gain is huge": ("audit.json", "gain is 1000", _lie("gain", 10**400)),
    "a lie about nothing": ("audit.json", "expected 'cost', 'gain' or 'size'", _audit("best_lie", {"colour": None})),
    "tolerance": ("audit.json", "tolerance is 1000.0", _json("audit.json", lambda a: a.update(tolerance=1000.0))),
    "words are numbers": (
        "audit.json",
        "words",
        _json("audit.json", lambda a: a["methods"]["local"].update(words=[1])),
    ),
    "accuracy above 1": (MARKET, "leaves 0 to 1", _tensors(lambda t: t["accuracy"].fill(1.5))),
    "infinite money": (
        MARKET,
        "'prices' holds a number",
        _tensors(lambda t: t["prices"].fill(np.inf)),
    ),
    "no samples": (MARKET, "holds no market", _tensors(lambda t: t["size"].fill(0.0))),
    "not finite": (MARKET, "tensor 'objective'", _tensors(lambda t: t["objective"].fill(np.nan))),
    "tensor missing": (MARKET, "'prices' is missing", _tensors(lambda t: t.pop("prices"))),
    "tensor of another run": (
        MARKET,
        "[3, 6, 6]",
        _tensors(lambda t: t.update(imports=np.zeros((3, 5, 5), np.uint8))),
    ),
}
EDITS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a utility": (
        "rounds.parquet",
        _table("rounds.parquet", lambda t: t.with_columns(pl.col("utility") + 1e-6)),
    ),
    "order of rows": ("rounds.parquet", _table("rounds.parquet", lambda t: t.reverse())),
    "a payment": (
        "ledger.parquet",
        _table("ledger.parquet", lambda t: t.with_columns(pl.col("payment") * 1.01)),
    ),
    "prices": (MARKET, _tensors(lambda t: t["prices"].__imul__(2.0))),
    "centre": (MARKET, _tensors(lambda t: t["centre"].__iadd__(1.0))),
    "gain of a lie": ("audit.json", _lie("gain", 1234567)),
    "balance": ("audit.json", _audit("budget_imbalance", 3.0)),
    "objective": ("audit.json", _audit("objective", 0)),
    "a sentence": ("audit.json", _audit("words", ["All is well."])),
    "welfare": ("summary.json", _json("summary.json", lambda s: s["methods"]["fedavg"].update(welfare=1e6))),
    "a setting": ("config.toml", _bytes("config.toml", lambda b: b.replace(b"0.4", b"0.5"))),
}
EDITS |= {
    case: (name, damage)
    for case, (name, _, damage) in DAMAGES.items()
    if name in READ and name != "manifest.json" and not case.startswith(("missing", "empty"))
}


def _refused(folder: Path) -> str:
    with pytest.raises(MarketProofError) as caught:
        read_run(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 600
    return message


@pytest.mark.parametrize("case", DAMAGES)
def test_damage_is_named_in_one_line(copy: Path, case: str) -> None:
    """Also where nothing vouches for the files."""
    name, fragment, damage = DAMAGES[case]
    damage(forget_digests(copy))
    message = _refused(copy)
    assert str(copy / name) in message
    assert fragment in message


@pytest.mark.parametrize("case", EDITS)
def test_a_file_that_was_changed_is_refused(copy: Path, case: str) -> None:
    """Whatever is in it: a digest tells."""
    name, edit = EDITS[case]
    edit(copy)
    assert _refused(copy).startswith(f"{copy / name}: was changed since the run wrote it; put back what manifest.json")


def test_a_record_that_was_changed_by_its_owner_is_one(copy: Path) -> None:
    _audit("words", ["All is well."])(copy)
    assert read_run(renew_digests(copy)).audit.methods["ipfl/ipfl"].words == ["All is well."]


@pytest.mark.parametrize("rule", sorted(MARKET_ENTRIES))
def test_every_rule_of_the_catalogue_reads(tmp_path: Path, rule: str) -> None:
    run = read_run(write_run(tmp_path / "run", clients=4, rounds=2, seeds=(3,), methods={f"ipfl/{rule}": rule}))
    assert run.markets == (f"ipfl/{rule}",)


@pytest.mark.parametrize(("limit", "name"), [("LARGEST_TEXT", "manifest.json"), ("LARGEST_FILE", "config.toml")])
def test_large_files_are_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch, limit: str, name: str) -> None:
    monkeypatch.setattr(files, limit, 16)
    with pytest.raises(RecordError, match=name):
        read_run(folder)


def test_a_pickle_is_refused_not_loaded(copy: Path, tmp_path: Path) -> None:
    """A file that would run code if it were unpickled."""
    mark = tmp_path / "ran"
    (copy / MARKET).write_bytes(f"cos\nsystem\n(S'touch {mark}'\ntR.".encode())
    with pytest.raises(RecordError, match="not readable as safetensors"):
        read_market(copy / MARKET)
    with pytest.raises(RecordError, match="was changed"):
        read_run(copy)
    assert not mark.exists()


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such folder"):
        read_run(tmp_path / "nothing")
    with pytest.raises(RecordError, match=r"manifest\.json: no such file"):
        read_run(tmp_path)


def test_a_method_never_names_a_file_outside_the_run(tmp_path: Path) -> None:
    assert files.market_file(tmp_path, "../../x", 0).parent == tmp_path / "markets"


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
