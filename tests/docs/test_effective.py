"""The record of the market on effective data in training: spreads over seeds, ranks, and that less is never written."""

import importlib
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from analysis.run.market import HARMFUL, ROLES

DOCS = Path(__file__).parents[2] / "docs"
RECORD = json.loads((DOCS / "results" / "effective.json").read_text())


@pytest.fixture
def scripts():
    return [importlib.import_module(f"docs.effective.{name}") for name in ("training", "money")]


def unit(harmful, honest, accuracy):
    """Two rounds of an attacker and two honest clients who sell, earn and enjoy so much; and their accuracy."""
    each, roles = np.array(2 * [[harmful, honest, honest]]), np.array(2 * [[ROLES.index(HARMFUL[0]), 0, 0]])
    money = {"sold": each, "received": 2 * each, "utility": 3 * each}
    return {"roles": roles, **money, "accuracy": np.full((2, 3), accuracy)}


def test_junk_is_told_by_seed_and_left_out_where_a_run_or_its_benign_twin_is_missing(scripts):
    training, _ = scripts
    run = ("digits-niid", "ipfl/ipfl", "attackers-flip")
    units = {(*run, seed): unit(seed, 1.0, 0.5) for seed in (0, 2, 4)}
    assert training.junk(units) == []
    units |= {(*run[:2], "benign", seed): unit(0.0, 0.0, 0.5 + seed / 10) for seed in (0, 2)}
    (row,) = training.junk(units)
    assert row["seeds"] == 2
    assert (row["sold"], row["sold_spread"], row["by_seed"]["income"]) == (1.0, pytest.approx(2**0.5), [0.0, 4.0])
    assert (row["honest_utility"], row["honest_utility_spread"]) == (3.0, 0.0)
    assert row["accuracy_change"] == pytest.approx(-0.1)
    assert not row["in_every_seed"]  # not under seed 2, though it is in the mean


def test_a_record_is_left_as_it_is_where_units_are_missing(scripts, tmp_path, monkeypatch, capsys):
    for script, name in zip(scripts, ("effective.json", "effective_money.json"), strict=True):
        monkeypatch.setattr(script, "OUT", tmp_path / name)
        (tmp_path / name).write_text("all")
        assert script.main(tmp_path / "none", train=False) == 1
        assert f"{name} is not written" in capsys.readouterr().out.splitlines()[-1]
        assert (tmp_path / name).read_text() == "all"


def test_where_nobody_pays_there_is_no_correlation_and_no_pair_of_it(scripts):
    _, money = scripts
    rng, shape = np.random.default_rng(0), (4, 3)

    def run(paid):
        told = {name: rng.random(shape) for name in ("accuracy", "loss", "accuracy_trained", "loss_trained", "gain")}
        without = {f"{kind}_without": rng.random((3, 3)) for kind in ("accuracy", "loss")}
        return {**told, **without, "paid": paid, "at_once": np.array(False)}

    units = {}
    for task, method, seed in product(money.DIGITS, ("local", *money.TRADED), range(3)):
        idle = method == money.TRADED[2] and seed == 1
        units[task, method, "benign", seed] = run(np.zeros(shape) if idle else rng.random(shape))
    table = money.money(units, money.DIGITS, [0, 1, 2])
    usual, some = (table["digits-niid"][method]["round_loss_seeds"] for method in money.TRADED[1:3])
    assert [one is None for one in some] == [False, True, False]
    row = table["digits-niid"][money.TRADED[2]]
    assert row["round_loss_by_seed"] == pytest.approx((some[0] + some[2]) / 2, abs=1e-4)
    assert row["round_loss_spread"] == pytest.approx(abs(some[0] - some[2]) / 2**0.5, abs=1e-4)
    told = money.apart(some, usual)
    assert told.pairs == 2
    assert told.mean == pytest.approx((some[0] + some[2] - usual[0] - usual[2]) / 2)
    assert money.apart([None, None], [0.1, 0.2]) is None


def test_ranks_are_among_the_eleven_of_the_study(scripts):
    training, _ = scripts
    assert len(RECORD["accuracy"]) == 11
    assert list(RECORD["mean_rank"]) == list(training.RIVALS)
    for told in (found["methods"] for found in RECORD["accuracy"].values()):
        for kind in ("best", "final"):
            first = max(training.RIVALS, key=lambda method: told[method][kind])
            assert told[first][f"{kind}_rank"] == 1
            assert all(f"{kind}_rank" not in told.get(method, {}) for method in training.VARIANTS)


def test_junk_sells_next_to_nothing_where_effective_sizes_are_measured_and_much_elsewhere():
    """Also where nobody sells: pooled prices on digits-niid."""
    for row in RECORD["junk"]:
        assert row["seeds"] == 5
        assert row["sold"] == pytest.approx(np.mean(row["by_seed"]["sold"]), abs=1e-4)
        if row["method"].startswith("ipfl-effective"):
            assert row["sold"] <= 0.02 * row["honest_sold"]
            assert row["in_every_seed"]
            assert row["accuracy_change"] >= -0.005
    assert len(RECORD["junk"]) == 60
    assert max(row["sold"] / max(row["honest_sold"], 0.01) for row in RECORD["junk"]) > 10
