"""How well a backdoor works, in the record of a run, its summary, report and study; nowhere without one."""

import json

import numpy as np
import polars
import pytest

from analysis.findings.achieved import methods_table
from analysis.run.files import market_file
from analysis.run.records import read_market, read_run
from marketproof.running.config import load_run
from marketproof.studies.performance import POISONING, WORKS
from marketproof.studies.study import Seen

RUN = ("run", "digits-niid", "--scale", "smoke", "--methods", "local,fedavg", "--quiet")


@pytest.mark.usefixtures("quick")
def test_it_is_a_column_of_every_round_and_a_figure_of_the_honest(cli, tmp_path):
    out = tmp_path / "run"
    answer = cli(*[word for word in RUN if word != "--quiet"], "--population", "attackers-backdoor", "--out", out)
    assert answer.status == 0, answer.err
    assert "answer the backdoor's trigger as attackers want" in answer.out
    rounds = polars.read_parquet(out / "rounds.parquet")
    last = rounds.filter((polars.col("round") == rounds["round"].max()) & (polars.col("role") == "honest"))
    told = json.loads((out / "summary.json").read_text())["methods"]
    table, config = methods_table(read_run(out)), load_run(out / "config.toml")
    assert table.columns[-1] == "attack success (%)"
    for row in table.rows:
        method = row[0]
        mean = last.filter(polars.col("method") == method)["attack_success"].mean()
        record = read_market(market_file(out, method, 0))
        honest = record.roles[0] == 0
        seen = Seen(config, "attackers-backdoor", method, 0, record, honest, record)
        assert 0.0 <= mean <= 1.0
        assert told[method]["attack_success"] == pytest.approx(mean)
        assert row[-1] == pytest.approx(100.0 * mean)
        assert WORKS.of(seen) == pytest.approx(mean)
    assert WORKS in POISONING.columns
    assert cli("check", out).status == 0


@pytest.mark.usefixtures("quick")
def test_without_a_backdoor_nothing_is_told(cli, tmp_path):
    out = tmp_path / "run"
    assert cli(*RUN, "--population", "attackers-labels", "--out", out).status == 0
    assert "attack_success" not in polars.read_parquet(out / "rounds.parquet").columns
    assert "attack_success" not in json.loads((out / "summary.json").read_text())["methods"]["local"]
    assert "attack success (%)" not in methods_table(read_run(out)).columns
    record = read_market(market_file(out, "local", 0))
    assert WORKS.of(Seen(load_run(out / "config.toml"), "x", "local", 0, record, np.ones(10, bool), record)) is None
