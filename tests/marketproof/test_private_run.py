"""Private runs: budgets that end a client's training, secret keys that come and go, and resuming to the same bits."""

import base64
import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

from analysis.run.records import read_market
from learning.privacy.accounting import epsilon
from learning.privacy.keys import KEY_BYTES
from learning.trainer import Trainer
from marketproof.running.config import load_task, resolve
from marketproof.running.execution import Place, run
from marketproof.running.privacy import Keyring
from tests.marketproof.conftest import Killed, dying

pytestmark = pytest.mark.usefixtures("quick")

TASK = """
[data]
dataset = "digits"
clients = 4
[split]
kind = "niid"
beta = 0.5
[model]
name = "mlp"
[training]
batch = 16
[market]
lam = 1.0
eta = 5.0
cost = [0.5, 1.0]
gain = 1.5e4
[scale.smoke]
rounds = 4
steps = 2
"""
SIZES = [306, 453, 255, 424]
"""Of seed 0. With noise 2 and a budget of 0.35 client 2 trains two rounds, client 0 three, and the others all four."""

BUDGET = ["--dp-epsilon", 0.35, "--dp-noise", 2]
STOPS = ["client 2 stops before round 3", "client 0 stops before round 4"]
THERE = [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 1], [0, 1, 0, 1]]
OPTIONS = {"seed": 0, "seeds": 1, "methods": ["local", "ipfl/ipfl-exact"], "mechanism": "ipfl-exact"}


@pytest.fixture
def keys(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MARKETPROOF_KEYS", str(tmp_path / "keys"))
    return tmp_path / "keys"


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("task") / "private.toml"
    path.write_text(TASK)
    return path


@pytest.fixture
def private(cli, task):
    def start(folder, *more, methods="local,ipfl/ipfl-exact", budget=BUDGET):
        return cli("run", task, "--methods", methods, *budget, "--backend", "rows", "--out", folder, *more)

    return start


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_who_has_spent_its_budget_stops_and_the_run_goes_on(private, keys, tmp_path):
    folder = tmp_path / "run"
    answer = private(folder, "--json", tmp_path / "run.json")
    assert answer.status == 0
    told = answer.err.splitlines()
    expected = [f"{method}, seed 0: {stop}" for method in ("local", "ipfl/ipfl-exact") for stop in STOPS]
    assert [line.split(":")[0] + ":" + line.split(":")[1] for line in told] == expected
    assert all("above the budget of 0.35; its model and its record are kept" in line for line in told)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["notices"] == told
    assert manifest["privacy"]["noise_keys"] == "secret"
    assert manifest["privacy"]["epsilon"] == 0.35
    assert manifest["privacy"]["delta"] == 1e-5
    summary = json.loads((folder / "summary.json").read_text())
    for method in ("local", "ipfl__ipfl-exact"):
        record = read_market(folder / "markets" / f"{method}-0.safetensors")
        assert record.types.size[0].tolist() == SIZES
        assert record.present.astype(int).tolist() == THERE
        spent = [epsilon(((16 / SIZES[k], 2.0, 2 * n),), 1e-5) for k, n in enumerate([3, 4, 2, 4])]
        assert record.epsilon.tolist() == spent
        assert max(spent) <= 0.35
        figures = summary["methods"][method.replace("__", "/")]
        assert figures["epsilon"] == max(spent)
    private_part = summary["privacy"]
    assert private_part["delta"] == 1e-5
    for method in ("local", "ipfl/ipfl-exact"):
        assert private_part["methods"][method] == {
            "epsilon": [min(spent), max(spent)],
            "stopped": [
                {"seed": 0, "client": 2, "before_round": 3},
                {"seed": 0, "client": 0, "before_round": 4},
            ],
        }
    assert private_part["together"] == {"epsilon": pytest.approx(2 * max(spent)), "delta": 2e-5, "trainings": 2}
    out = " ".join(answer.out.split())
    assert (
        f"Privacy: epsilon {min(spent):.4g} to {max(spent):.4g} of the budget of 0.35 (over clients) at delta 1e-05 "
        "after 4 rounds, of one training sample of one client, added or removed, in the models of one method under one "
        "seed; stopped early: client 2 of local before round 3, client 0 of local before round 4, client 2 of "
    ) in out
    assert "Not covered: clients' sizes" in out
    assert f"adds up to epsilon {2 * max(spent):.4g} at delta 2e-05" in out
    rounds = pl.read_parquet(folder / "rounds.parquet").filter(pl.col("client") == 2)
    for _, mine in rounds.group_by("method"):
        assert mine["present"].to_list() == [1, 1, 0, 0]
        assert mine["loss"][1] == mine["loss"][2] == mine["loss"][3]
    audit = json.loads((folder / "audit.json").read_text())["methods"]["ipfl/ipfl-exact"]
    assert audit["reproduced"] is True
    assert audit["best_lie"]["cost"]["gain"] <= 1e-9
    assert list(keys.iterdir()) == []  # nothing needs them any more
    assert private(folder, "--resume").status == 0
    assert list(keys.iterdir()) == []


def test_an_interrupted_run_keeps_its_keys_out_of_its_folder_until_it_is_complete(private, keys, tmp_path, monkeypatch):
    """Stopped after client 2 was told to stop: who goes on does not say so again."""
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        dying(patch, Trainer, "evaluate", 4, error=KeyboardInterrupt)
        answer = private(folder)
    assert answer.status == 130
    assert answer.err.splitlines()[-1].startswith(
        "marketproof: interrupted after round 3 of 4 of local, seed 0; resume"
    )
    (kept,) = keys.iterdir()
    secrets = [path.read_bytes() for path in sorted(kept.iterdir())]
    assert [len(secret) for secret in secrets] == [KEY_BYTES] * 4
    assert kept.stat().st_mode & 0o777 == 0o700
    recorded = b"".join(files(folder).values())
    for secret in secrets:
        for form in (secret, secret.hex().encode(), base64.b64encode(secret), repr(secret).encode()):
            assert form not in recorded
        for derived in Keyring(resolve(*settings(tmp_path)), kept.name, seeded=False).keys("local-0"):
            assert derived not in recorded
            assert derived.hex().encode() not in recorded
    assert kept.name in (folder / "progress.json").read_text()
    answer = private(folder, "--resume")
    assert answer.status == 0
    assert [STOPS[k] in line for k, line in zip([1, 0, 1], answer.err.splitlines(), strict=True)] == [True] * 3
    manifest = json.loads((folder / "manifest.json").read_text())
    assert len(manifest["notices"]) == 4 == len(set(manifest["notices"]))
    record = read_market(folder / "markets" / "local-0.safetensors")
    assert record.present.astype(int).tolist() == THERE
    assert list(keys.iterdir()) == []
    assert all(secret not in b"".join(files(folder).values()) for secret in secrets)


def settings(tmp_path):
    path = tmp_path / "private.toml"
    path.write_text(TASK)
    return str(path), load_task(str(path)), {**OPTIONS, "dp_epsilon": 0.35, "dp_noise": 2.0}


def test_a_run_stopped_in_its_first_round_finds_its_keys_again(private, keys, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        dying(patch, Trainer, "evaluate", 1, error=KeyboardInterrupt)
        assert private(folder).status == 130
    (kept,) = keys.iterdir()
    seen = []
    with monkeypatch.context() as patch:
        real = Keyring.keys
        patch.setattr(Keyring, "keys", lambda self, unit: seen.append(self.run) or real(self, unit))
        assert private(folder, "--resume").status == 0
    assert set(seen) == {kept.name}
    assert list(keys.iterdir()) == []


def test_lost_keys_are_told_and_nothing_else_is_lost(private, keys, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        dying(patch, Trainer, "evaluate", 2, error=KeyboardInterrupt)
        assert private(folder).status == 130
    before = files(folder)
    shutil.move(keys, tmp_path / "elsewhere")
    line = private(folder, "--resume").line()
    assert "noise key of client 0 is not at" in line
    assert "put the key back" in line
    assert files(folder) == before
    (kept,) = (tmp_path / "elsewhere").iterdir()
    (kept / "client-00001.key").chmod(0o644)
    shutil.copytree(tmp_path / "elsewhere", keys)
    assert "can be read by others" in private(folder, "--resume").line()
    assert files(folder) == before
    next(keys.iterdir()).joinpath("client-00001.key").chmod(0o600)
    assert private(folder, "--resume").status == 0


def test_a_run_in_which_all_stop_ends_with_nobody(private, keys, tmp_path):
    answer = private(tmp_path / "run", methods="ipfl/ipfl-exact", budget=["--dp-epsilon", 0.2, "--dp-noise", 2])
    assert answer.status == 0
    assert answer.err.count("stops before round") == 4
    record = read_market(tmp_path / "run" / "markets" / "ipfl__ipfl-exact-0.safetensors")
    assert record.present.astype(int).tolist() == [[0, 1, 0, 1], [0, 1, 0, 0], [0] * 4, [0] * 4]
    assert record.epsilon[[0, 2]].tolist() == [0.0, 0.0]
    assert not record.outcome.imports[2:].any()
    assert (record.loss[2:] == record.loss[2]).all()


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """The settings of a run with seeded noise, and what it gives when nothing stops it."""
    given = settings(tmp_path_factory.mktemp("seeded"))
    config, folder = resolve(*given), tmp_path_factory.mktemp("seeded") / "run"
    run(config, folder, PLACE, resume=False, quiet=True)
    return config, folder


PLACE = Place("rows", seeded_noise=True)


def recorded(folder: Path) -> dict[str, object]:
    told = json.loads((folder / "manifest.json").read_text())
    tables = {name: (folder / name).read_bytes() for name in ("rounds.parquet", "ledger.parquet", "config.toml")}
    return files(folder / "models") | files(folder / "markets") | tables | {k: told[k] for k in ("notices", "privacy")}


def test_seeded_noise_is_marked_and_makes_no_keys(seeded, keys):
    told = json.loads((seeded[1] / "manifest.json").read_text())["privacy"]["noise_keys"]
    assert "gives no privacy" in told
    assert not keys.exists()


@pytest.mark.parametrize("fatal", [1, 3, 4, 6])
def test_a_killed_private_run_goes_on_to_the_same_bits(seeded, keys, tmp_path, monkeypatch, fatal):
    config, whole = seeded
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        dying(patch, Trainer, "evaluate", fatal)
        with pytest.raises(Killed):
            run(config, folder, PLACE, resume=False, quiet=True)
    run(config, folder, PLACE, resume=True, quiet=True)
    assert recorded(folder) == recorded(whole)


def test_no_two_trainings_of_a_run_share_their_noise(seeded, keys, tmp_path):
    """The difference of two releases with one noise would be bare gradients: here everybody starts from one model."""
    differences = [load_file(path)["differences"][0] for path in sorted((seeded[1] / "markets").iterdir())]
    assert len(differences) == 2
    off = ~np.eye(4, dtype=bool)
    assert (np.abs(differences[0] - differences[1])[off] > 1e-6).all()
    keyring = Keyring(seeded[0], "", seeded=True)
    made = [key for unit in ("local-0", "local-1", "fedavg-0") for key in keyring.keys(unit)]
    assert len(set(made)) == 12
    assert made[:4] == keyring.keys("local-0")


def test_keys_that_cannot_be_written_are_told(private, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MARKETPROOF_KEYS", str(tmp_path / "file"))
    assert "MARKETPROOF_KEYS" in private(tmp_path / "run").line()
    assert not (tmp_path / "run").exists()


def test_a_run_recorded_when_delta_was_always_1e_minus_5_goes_on_with_it(private, keys, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        dying(patch, Trainer, "evaluate", 2, error=KeyboardInterrupt)
        assert private(folder, methods="local").status == 130
    path = folder / "config.toml"
    assert "delta = 0.0" in path.read_text()
    path.write_text(path.read_text().replace("delta = 0.0", "delta = 2e-5"))
    state = next((folder / ".rounds").rglob("state-*.safetensors"))
    state.write_bytes(state.read_bytes().replace(b'\\"dp_delta\\": 0.0', b'\\"dp_delta\\":2e-5'))
    assert private(folder, "--resume", methods="local").status == 0
    summary = json.loads((folder / "summary.json").read_text())["privacy"]
    assert (summary["delta"], summary["usual_delta"]) == (2e-5, 1e-5)
    assert "delta is 2e-05, above 1e-05" in summary["warning"]
    record = read_market(folder / "markets" / "local-0.safetensors")
    assert record.epsilon.max() in [epsilon(((16 / n, 2.0, 2 * k),), 2e-5) for n in SIZES for k in (2, 3, 4)]


def test_what_learning_does_before_the_first_round_is_shown():
    import logging

    from marketproof.terminal.run_view import Bar

    shown = []
    log = logging.getLogger("learning.privacy.noise")
    bar = Bar(1, 1, 0, quiet=True)
    bar.stage = shown.append
    with bar:
        log.info("choosing the noise, %d of %d", 1, 2)
    log.info("unheard")
    assert shown == ["choosing the noise, 1 of 2"]
