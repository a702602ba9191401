"""Runs in which clients come, leave and stay away, and in which some are strange: record, audit, and resuming."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis.run.records import read_market
from marketproof.running.config import load_task, overridden, resolve
from marketproof.running.execution import Place, run
from marketproof.running.finish import audit_run
from marketproof.running.populations import AWAY, usual_schedule
from mechanism import account
from mechanism.market.mechanisms import _RULES as MECHANISMS
from tests.marketproof.conftest import Killed, dying
from tests.marketproof.fake_trainer import FakeTrainer

pytestmark = pytest.mark.usefixtures("quick")

FINAL = ("accuracy_best", "accuracy_final", "utility_total", "utility_mean", "welfare")


class Untrue(FakeTrainer):
    """A fake in which who is away keeps its row and enters nobody's average."""

    def differences(self):
        self.rows += 1e-9 * (self.rows == 0)  # who has never been there has no direction
        return super().differences()

    def implied_imports(self, sizes=None):
        graph = super().implied_imports(sizes)
        return None if graph is None else graph & self.present[:, None] & self.present[None, :]

    def aggregate(self, imports, sizes=None):
        assert not imports[~self.present].any()
        assert not imports[:, ~self.present].any()
        return super().aggregate(imports, sizes)


def config(population, **options):
    given = {
        "seed": 0,
        "seeds": 1,
        "methods": ["fedavg", "ipfl/ipfl-exact"],
        "mechanism": "ipfl-exact",
        "scale": "smoke",
    }
    extra = {"population": population, "rounds": 5, "clients": 4}
    return resolve("digits-niid", load_task("digits-niid"), {**given, **extra, **options})


def with_values(made, section, **changes):
    values = made.model_dump()
    return overridden({**values, section: {**values[section], **changes}}, {})


def start(folder, made, make=Untrue, *, resume=False):
    return run(made, folder, Place("rows"), resume=resume, quiet=True, make=make)


def bits(folder: Path) -> dict[str, bytes]:
    """Everything but times: a summary's and a manifest's seconds are left out."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = str(path.relative_to(folder))
        if name == "progress.json":
            continue
        if name in ("summary.json", "manifest.json"):
            told = json.loads(path.read_bytes())
            told.pop("timings", None)
            told.get("digests", {}).pop("summary.json", None)
            for figures in told.get("methods", {}) if name == "summary.json" else ():
                told["methods"][figures].pop("seconds")
                told["methods"][figures].pop("seconds_std", None)
            found[name] = json.dumps(told).encode()
        else:
            found[name] = path.read_bytes()
    return found


@pytest.mark.parametrize("population", ["arrivals", "dropout-strict", "dropout-probabilistic"])
def test_a_killed_run_of_fakes_goes_on_to_the_same_bits(population, tmp_path):
    """Between rounds (a state is saved, and not yet told) and in the middle of one."""
    made = with_values(config(population), "market", gain=8000.0)
    start(tmp_path / "whole", made)
    whole = bits(tmp_path / "whole")
    record = read_market(tmp_path / "whole" / "markets" / "fedavg-0.safetensors")
    assert not record.present.all()
    for moment in ("train", "evaluate", "save"):
        for fatal in (2, 3, 4, 8):
            folder = tmp_path / f"{moment}-{fatal}"
            with pytest.MonkeyPatch.context() as patch:
                dying(patch, Untrue, moment, fatal, after=moment == "save")
                with pytest.raises(Killed):
                    start(folder, made)
            start(folder, made, resume=True)
            assert bits(folder) == whole, (moment, fatal)


@pytest.mark.parametrize("population", ["arrivals", "dropout-strict", "dropout-probabilistic"])
def test_a_killed_training_goes_on_to_the_same_bits(population, tmp_path):
    made = config(population, rounds=4, clients=5, steps=2, methods=["ipfl/ipfl-exact", "fedavg"])
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    start(whole, made, None)
    record = read_market(whole / "markets" / "fedavg-0.safetensors")
    assert not record.present.all()
    from learning.trainer import Trainer

    with pytest.MonkeyPatch.context() as patch:
        dying(patch, Trainer, "evaluate", 3, 7)  # in the third round of the first method, and again in the second
        for again in (False, True):
            with pytest.raises(Killed):
                start(folder, made, None, resume=again)
        start(folder, made, None, resume=True)
    assert bits(folder) == bits(whole)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Real training, two seeds, with arrivals and departures in the usual places."""
    folder = tmp_path_factory.mktemp("arrivals") / "run"
    made = config("arrivals", rounds=6, clients=6, steps=3, seeds=2, methods=["local", "fedavg", "ipfl/ipfl-exact"])
    finished = start(folder, made, None)
    return folder, finished


def test_who_is_there_is_recorded_and_is_the_schedule(played):
    rounds = pl.read_parquet(played[0] / "rounds.parquet")
    assert rounds.columns[-2:] == ["present", "role"]
    assert rounds["role"].unique().to_list() == ["honest"]
    away = {(row["round"], row["client"]) for row in rounds.filter(pl.col("present") == 0).to_dicts()}
    there = {(row["round"], row["client"]) for row in rounds.filter(pl.col("present") == 1).to_dicts()}
    assert away == {(1, 5), (2, 5), (5, 4), (6, 4), (3, 3), (4, 3)}
    assert len(there) == 30
    assert usual_schedule(6, 6) == [[5, 3, 0], [4, 1, 4], [3, 1, 2], [3, 5, 0]]


def test_who_is_away_has_no_row_in_the_ledger_no_account_and_an_unchanged_accuracy(played):
    folder, _ = played
    rounds, ledger = pl.read_parquet(folder / "rounds.parquet"), pl.read_parquet(folder / "ledger.parquet")
    gone = rounds.filter(pl.col("present") == 0)
    for name in ("gain", "cost", "paid", "received", "utility", "imports", "exports"):
        assert (gone[name] == 0).all(), name
    missing = {(row["round"], row["client"]) for row in gone.to_dicts()}
    for who in ("importer", "exporter"):
        assert not missing & set(ledger.select("round", who).rows())
    assert ledger.height > 100
    assert set(ledger["method"]) == {"fedavg", "ipfl/ipfl-exact"}
    for name in ("local", "ipfl/ipfl-exact"):
        mine = rounds.filter((pl.col("method") == name) & (pl.col("seed") == 0) & (pl.col("client") == 3))
        accuracy, loss = mine["accuracy"].to_list(), mine["loss"].to_list()
        assert loss[1] == loss[2] == loss[3] != loss[4]
        assert accuracy[1] == accuracy[2] == accuracy[3]


def test_the_audit_of_a_market_with_absences_finds_no_lie_about_a_cost(played):
    folder, finished = played
    audit = audit_run(folder).as_json()
    assert audit == json.loads((folder / "audit.json").read_text()) == finished.audit.as_json()
    told = audit["methods"]["ipfl/ipfl-exact"]
    assert told["reproduced"] is True
    assert told["lowest_utility"]["client"] >= -1e-9
    assert told["best_lie"]["cost"]["gain"] <= 1e-9
    assert "no other report could do better" in told["best_lie"]["cost"]["sentence"]
    assert told["optimality_gap"] <= 1e-9
    assert told["budget_imbalance"] == 0.0
    assert abs(told["objective"]) < 1e4  # the cost at which the absent stand enters no sum


def test_a_lie_is_still_found_where_one_pays(tmp_path):
    """The cost at which the absent are recorded is no scale: the paper's rule has its lies in such rounds too."""
    start(tmp_path / "run", config("arrivals", rounds=3, clients=10, steps=5, methods=["ipfl/ipfl"]), None)
    told = audit_run(tmp_path / "run").as_json()["methods"]["ipfl/ipfl"]
    record = read_market(tmp_path / "run" / "markets" / "ipfl__ipfl-0.safetensors")
    assert (record.types.cost[~record.present] == AWAY).all()
    lie = told["best_lie"]["cost"]
    assert 0.01 < lie["gain"] < 100
    assert lie["witness"] is not None
    assert record.present[lie["round"] - 1, lie["client"]]


@pytest.mark.parametrize("mechanism", list(MECHANISMS))
def test_every_mechanism_clears_a_round_with_absences(mechanism, tmp_path):
    made = config("arrivals", rounds=3, clients=4, methods=[f"ipfl/{mechanism}"])
    start(tmp_path / "run", made)
    record = read_market(tmp_path / "run" / "markets" / f"ipfl__{mechanism}-0.safetensors")
    assert not record.present.all()
    accounts = account(record.types, record.outcome)
    assert not accounts.utility[~record.present].any()
    assert np.abs(accounts.utility).max() < 1e6
    for array in (record.outcome.centre, record.outcome.sales, record.outcome.gap):
        assert not array[~record.present].any()
    assert audit_run(tmp_path / "run").as_json()["methods"][f"ipfl/{mechanism}"]["reproduced"] is True


@pytest.mark.parametrize("make", [Untrue, None])
def test_a_round_with_nobody_is_a_round(make, tmp_path):
    schedule = [[client, 1, 1] for client in range(4)] + [[client, 3, 0] for client in range(3)]
    made = config("benign", rounds=3, steps=2, methods=["local", "fedavg", "ipfl/ipfl-exact"])
    made = with_values(made, "population", schedule=schedule)
    finished = start(tmp_path / "run", made, make)
    for name in ("local", "fedavg", "ipfl__ipfl-exact"):
        record = read_market(tmp_path / "run" / "markets" / f"{name}-0.safetensors")
        assert record.present.sum(1).tolist() == [4, 0, 3]
        assert not record.outcome.imports[1].any()
        assert np.array_equal(record.accuracy[0], record.accuracy[1]) or name == "fedavg"
    assert all(np.isfinite(figures[key]) for figures in finished.summary.methods.values() for key in FINAL)


def test_who_loses_leaves_after_the_round_and_the_record_says_so(tmp_path):
    made = with_values(config("dropout-strict", methods=["fedavg"]), "market", gain=8000.0)
    start(tmp_path / "run", made)
    path = tmp_path / "run" / "markets" / "fedavg-0.safetensors"
    record = read_market(path)
    utility, leaving = account(record.types, record.outcome).utility, record.leaving
    assert leaving.any()
    here = np.ones(4, dtype=bool)
    for number in range(5):
        assert np.array_equal(record.present[number], here)
        assert np.array_equal(leaving[number], here & (utility[number] < -1e-9))
        here &= ~leaving[number]


def test_everybody_stays_where_nobody_can_lose(tmp_path):
    start(tmp_path / "run", config("dropout-strict", methods=["local", "ipfl/ipfl-exact"]))
    rounds = pl.read_parquet(tmp_path / "run" / "rounds.parquet")
    assert (rounds["present"] == 1).all()


@pytest.mark.parametrize("population", ["attackers-flip", "free-riders-noise", "liars-cost", "inclusive-attacked"])
def test_the_figures_are_those_of_the_benign_and_the_strange_stand_beside_them(population, tmp_path):
    made = config(population, rounds=2, clients=6, steps=2, methods=["fedavg", "ipfl/ipfl-exact"])
    finished = start(tmp_path / "run", made, None)
    rounds = pl.read_parquet(tmp_path / "run" / "rounds.parquet")
    strange = pl.col("role").is_in(["attacker", "free-rider"])
    roles = rounds.group_by("client").agg(pl.col("role").unique())
    assert all(len(found) == 1 for found in roles["role"])
    for name, told in finished.summary.methods.items():
        mine = rounds.filter(pl.col("method") == name)
        benign, others = mine.filter(~strange), mine.filter(strange)
        assert told["utility_mean"] == pytest.approx(benign["utility"].mean())
        assert told["utility_total"] == pytest.approx(benign["utility"].sum())
        assert told["welfare"] == pytest.approx(mine["utility"].sum())
        best = benign.group_by("client").agg(pl.col("accuracy").max())["accuracy"].mean()
        assert told["accuracy_best"] == pytest.approx(best)
        if population == "liars-cost":
            assert others.height == 0
            assert "utility_others" not in told
            assert "liar" in set(rounds["role"])
        else:
            assert others.height > 0
            assert told["utility_others"] == pytest.approx(others["utility"].mean())
            best = others.group_by("client").agg(pl.col("accuracy").max())["accuracy"].mean()
            assert told["accuracy_others"] == pytest.approx(best)


def test_accounts_of_liars_are_true_ones_and_the_market_hears_the_lie(tmp_path):
    for what in ("cost", "size", "gain"):
        start(tmp_path / what, config(f"liars-{what}", rounds=1, clients=4, methods=["fedavg", "ipfl/ipfl-exact"]))
        record = read_market(tmp_path / what / "markets" / "ipfl__ipfl-exact-0.safetensors")
        liar = record.roles[0] == 6
        assert liar.sum() == 1
        for name in ("size", "cost", "gain"):
            factor = np.where(liar & (name == what), 2.0, 1.0)
            assert np.array_equal(getattr(record.reports, name)[0], getattr(record.types, name)[0] * factor)
        rounds = pl.read_parquet(tmp_path / what / "rounds.parquet").filter(pl.col("method") == "ipfl/ipfl-exact")
        assert np.array_equal(rounds["utility"].to_numpy(), account(record.types, record.outcome).utility[0])


def test_a_lie_about_a_size_moves_the_average(tmp_path):
    """The server of fedavg weighs by what clients say, so the models of the two runs differ."""
    from safetensors.numpy import load_file

    for population in ("benign", "liars-size"):
        start(tmp_path / population, config(population, rounds=1, clients=4, steps=2, methods=["fedavg"]), None)
    one, two = (load_file(tmp_path / p / "models" / "fedavg-0.safetensors")["rows"] for p in ("benign", "liars-size"))
    assert np.abs(one - two).max() > 1e-4


def test_the_graph_recorded_is_that_of_the_sizes_said(tmp_path):
    """What pFedGraph averages depends on shares of samples: the graph asked for and the step done are the same."""
    asked, done = [], []

    class Watched(Untrue):
        def implied_imports(self, sizes=None):
            asked.append(sizes)
            return super().implied_imports(sizes)

        def aggregate(self, imports, sizes=None):
            done.append(sizes)
            return super().aggregate(imports, sizes)

    start(tmp_path / "run", config("liars-size", rounds=2), Watched)
    assert len(asked) == len(done) == 4
    for one, two in zip(asked, done, strict=True):
        np.testing.assert_array_equal(one, two)
        assert sorted((one / Untrue(None).sizes).tolist()) == [1.0, 1.0, 1.0, 2.0]


def test_the_command_says_and_records_the_population(cli, tmp_path):
    folder = tmp_path / "run"
    answer = cli(
        "run", "--scale", "smoke", "--population", "inclusive-attacked", "--methods", "ipfl/ipfl-exact", "--steps", 1,
        "--backend", "rows", "--out", folder, "--json", tmp_path / "run.json",
    )  # fmt: skip
    assert (answer.status, answer.err) == (0, "")
    told = json.loads((tmp_path / "run.json").read_text())
    assert told["methods"]["ipfl/ipfl-exact"]["utility_others"] >= 0
    rounds = pl.read_parquet(folder / "rounds.parquet")
    assert rounds.group_by("role").len().sort("role").rows() == [
        ("attacker", 6), ("buyer", 6), ("seller", 6), ("trader", 6),
    ]  # fmt: skip
    assert 'name = "inclusive-attacked"' in (folder / "config.toml").read_text()
    answer = cli("run", "--resume", "--out", folder, "--quiet")
    assert (answer.status, answer.out, answer.err) == (0, "", "")
    assert (
        "population.name: inclusive-attacked -> benign"
        in cli("run", "--resume", "--out", folder, "--population", "benign").line()
    )
