"""The price of privacy: a run per budget, its table, going on after a stop, wrong budgets."""

from __future__ import annotations

import io
import json
import os

import numpy as np
import pytest
from rich.console import Console

from marketproof.exits import Interrupted
from marketproof.running import execution as running
from marketproof.running.config import load_task, resolve
from marketproof.running.execution import Place
from marketproof.studies.performance import BEST, UTILITY
from marketproof.studies.privacy import EPSILON, LOST, price_of_privacy, words
from marketproof.studies.study import METHOD, Row
from mechanism.errors import InputError
from tests.marketproof.fake_trainer import FakeTrainer


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    monkeypatch.setattr(running, "make_report", _page)
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def _page(folder):
    (folder / "report.html").write_text("a report")
    return folder / "report.html"


class Spending(FakeTrainer):
    """Says that it spent half a unit of privacy."""

    epsilon = np.full(4, 0.5)


def config(**options):
    given = {"seed": 3, "seeds": 2, "methods": ["local", "ipfl/ipfl-exact"], "mechanism": "ipfl-exact", "rounds": 2}
    return resolve("digits-niid", load_task("digits-niid"), {**given, **options})


def price(folder, *, make=Spending, again="marketproof run again", epsilons=(1.0, 8.0), **options):
    return price_of_privacy(config(**options), folder, Place(), again, quiet=True, epsilons=epsilons, make=make)


def test_a_run_per_budget_and_one_table_over_all(tmp_path):
    done = price(tmp_path / "p")
    folders = {path.name for path in (tmp_path / "p").iterdir() if path.is_dir()}
    assert folders == {"epsilon-1", "epsilon-8", "no-privacy"}
    told = json.loads((tmp_path / "p" / "privacy.json").read_text())
    assert (told["epsilons"], told["seeds"], told["methods"]) == ([1.0, 8.0], [3, 4], ["local", "ipfl/ipfl-exact"])
    assert [(row["method"], row["epsilon"]) for row in told["rows"]] == [
        (method, epsilon) for method in ("local", "ipfl/ipfl-exact") for epsilon in ("1", "8", "none")
    ]
    assert told["delta"] == 1e-5
    assert all(row["spent"] == 0.5 for row in told["rows"])
    for row in told["rows"]:  # the trainer adds no noise: nothing is lost
        assert row["accuracy_lost"] == 0.0
        assert {"accuracy_best", "accuracy_best_std", "utility_mean", "utility_mean_std", "welfare"} <= set(row)
    summary = json.loads((tmp_path / "p" / "epsilon-1" / "summary.json").read_text())["methods"]["local"]
    assert told["rows"][0]["accuracy_best"] == pytest.approx(summary["accuracy_best"])
    assert {f"privacy.{kind}" for kind in ("csv", "md", "png", "svg")} <= set(os.listdir(tmp_path / "p"))
    out = io.StringIO()
    done.show(Console(file=out, width=120))
    assert "The price of privacy: digits-niid, reduced, seeds 3 to 4" in out.getvalue()


def test_the_budgets_are_those_of_the_runs(tmp_path):
    price(tmp_path / "p", dp_epsilon=3.0)
    found = {path.name: _epsilon(path) for path in (tmp_path / "p").iterdir() if path.is_dir()}
    assert found == {"epsilon-1": 1.0, "epsilon-3": 3.0, "epsilon-8": 8.0, "no-privacy": 0.0}


def _epsilon(folder):
    from marketproof.running.recorder import recorded_config

    return recorded_config(folder).privacy.epsilon


class Stopped(Spending):
    """Is stopped in its sixth unit: the second run."""

    made = 0

    def __init__(self, unit):
        super().__init__(unit)
        type(self).made += 1
        self.number = self.made

    def train(self, round_index, present=None):
        if self.number == 6:
            raise KeyboardInterrupt
        return super().train(round_index, present)


def test_it_goes_on_where_it_was_stopped(tmp_path):
    price(tmp_path / "whole")
    with pytest.raises(Interrupted, match=r"run 2 of 3, epsilon-8 .*; go on with: marketproof run again"):
        price(tmp_path / "cut", make=Stopped)
    price(tmp_path / "cut")
    assert (tmp_path / "cut" / "privacy.json").read_bytes() == (tmp_path / "whole" / "privacy.json").read_bytes()


def test_other_budgets_and_fixed_noise_are_refused(tmp_path):
    price(tmp_path / "p")
    with pytest.raises(InputError, match="epsilons"):
        price(tmp_path / "p", epsilons=(2.0,))
    with pytest.raises(InputError, match="leave out --dp-noise"):
        price(tmp_path / "q", dp_epsilon=3.0, dp_noise=1.0)
    with pytest.raises(InputError, match="above 0"):
        price(tmp_path / "q", epsilons=(0.0,))
    with pytest.raises(InputError, match="no epsilon is named"):
        price(tmp_path / "q", epsilons=())
    assert not (tmp_path / "q").exists()


def test_words_name_what_each_budget_costs():
    def row(epsilon, accuracy):
        told = {METHOD: "m", EPSILON: epsilon, BEST: accuracy, LOST: 0.9 - accuracy, UTILITY: 2.0}
        return Row({column: [value] for column, value in told.items()})

    said = words([row("1", 0.5), row("8", 0.8), row("none", 0.9)])
    assert said[0].startswith("m: 90.0% and 2 a round without privacy; epsilon 8 costs 10.0 points of accuracy")
    assert "epsilon 1 costs 40.0" in said[0]
    assert said[1:] == [
        "m: points of best accuracy: epsilon 8 has 30.0 more than epsilon 1 (one seed: nobody knows the noise)."
    ]
    assert len(words([row("1", 0.8), row("none", 0.9)])) == 1


def test_a_looser_budget_reaches_more_only_where_that_is_beyond_noise():
    def row(epsilon, *accuracies):
        told = {METHOD: "m", EPSILON: epsilon, UTILITY: 2.0}
        seeds = {BEST: list(accuracies), LOST: [0.9 - accuracy for accuracy in accuracies]}
        return Row({column: [value] * len(accuracies) for column, value in told.items()} | seeds)

    free = row("none", 0.9, 0.9, 0.9)
    clear = words([row("1", 0.5, 0.52, 0.51), row("8", 0.8, 0.81, 0.82), free])[1]
    assert "epsilon 8 has 30.0 more than epsilon 1 (95 % interval" in clear
    assert "no difference seen" in words([row("1", 0.5, 0.7, 0.6), row("8", 0.7, 0.6, 0.65), free])[1]
