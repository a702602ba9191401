"""By which models of a round a method is judged: as the authors' code does it, personal ones before aggregation."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from typer.testing import CliRunner

from learning.algorithms import ALGORITHMS
from learning.data import load
from learning.plan import LearningPlan
from learning.trainer import Trainer
from marketproof.cli import app
from marketproof.running.loop import play_round
from mechanism import Types

GLOBAL = ("fedavg", "fedprox", "scaffold", "median", "trimmed-mean", "krum", "multi-krum")


def scores(trainer: Trainer, rows: torch.Tensor) -> list[float]:
    """Return each client's accuracy with its row, class by class, weighted by its own labels."""
    data, work, found = load("digits"), trainer._backend.work, []
    for client, row in enumerate(rows):
        inputs = torch.tensor(data.test_x).float() / 16.0
        right = work.network.forward(work.network.layout.views(row), inputs).argmax(1).numpy() == data.test_y
        shares = trainer._exam.weights[client]
        found.append(sum(share * right[data.test_y == c].mean() for c, share in enumerate(shares) if share))
    return found


@pytest.mark.parametrize("conduct", ["honest", "shuffle"])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_personal_methods_are_judged_before_and_common_models_after_aggregation(name, conduct):
    plan = LearningPlan(clients=4, steps=5, split_beta=0.3, conduct=(conduct, *["honest"] * 3))
    method = ALGORITHMS[name]
    with Trainer(plan, name, backend="rows", seed=1) as trainer:
        seen = []

        def models():
            state = trainer.state
            deployed = method.deployed if seen or method.deploys == "trained" else ""
            rows = (state.slots[deployed] if deployed else state.rows).clone()
            if not seen and conduct != "honest" and not deployed:
                rows[0] = state.slots["held"][0]  # who uploads poison uses its own model
            return rows

        step = trainer.aggregate

        def aggregate(*given):
            seen.append(models())
            moved = step(*given)
            seen.append(models())
            return moved

        trainer.aggregate = aggregate
        types = Types(trainer.sizes.astype(float), np.ones(4), np.full(4, 1.5e5))
        for number in (1, 2):
            seen.clear()
            record = play_round(trainer, types, 1.0, "ipfl-exact", number)
            trained, aggregated = (scores(trainer, rows) for rows in seen)
            np.testing.assert_allclose(record.accuracy_trained, trained, atol=1e-12)
            np.testing.assert_allclose(record.accuracy_aggregated, aggregated, atol=1e-12)
            stage = "aggregated" if name in (*GLOBAL, "ipfl-effective") else "trained"
            for kind in ("accuracy", "loss"):
                np.testing.assert_array_equal(getattr(record, kind), getattr(record, f"{kind}_{stage}"))
        assert (trained == aggregated) == torch.equal(*seen)


@pytest.mark.usefixtures("undrawn")
def test_fedavg_whose_clients_use_what_they_trained_prints_another_row(tmp_path, monkeypatch):
    tuned = replace(ALGORITHMS["fedavg"], name="tuned", deploys="trained")
    monkeypatch.setitem(ALGORITHMS, "tuned", tuned)
    options = ["--methods", "fedavg,tuned", "--scale", "smoke", "--steps", "10", "--quiet"]
    assert CliRunner().invoke(app, ["run", *options, "--out", str(tmp_path / "run")]).exit_code == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["judged"] == {"fedavg": "aggregated", "tuned": "trained"}
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["judged"] == summary["judged"]
    one, other = (summary["methods"][name] for name in ("fedavg", "tuned"))
    assert one["accuracy_best"] != other["accuracy_best"]
    assert one["accuracy_final"] != other["accuracy_final"]
    table = pl.read_parquet(tmp_path / "run" / "rounds.parquet")
    fedavg, personal = (table.filter(pl.col("method") == name) for name in ("fedavg", "tuned"))
    for column in ("accuracy_trained", "loss_trained", "accuracy_aggregated", "loss_aggregated"):
        assert fedavg[column].equals(personal[column])  # they train alike, and are judged by different models
    for kind in ("accuracy", "loss"):
        assert fedavg[kind].equals(fedavg[f"{kind}_aggregated"].alias(kind))
        assert personal[kind].equals(personal[f"{kind}_trained"].alias(kind))
