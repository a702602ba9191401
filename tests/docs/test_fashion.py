"""The recorded results on Fashion-MNIST: what they say, and that a run made now agrees with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from learning.data.fashion import fashion
from learning.errors import DataError
from marketproof.commands.run_settings import settings
from marketproof.running import Place, run

RECORDED = json.loads((Path(__file__).parents[2] / "docs" / "results" / "fashion.json").read_text())
ACCURACY, MONEY = 0.02, 0.02
"""Tolerances between machines: accuracy absolute (some kernels sum in another order), money relative."""


def test_personal_methods_learn_and_ipfl_earns_most_on_niid():
    methods = RECORDED["fashion-niid"]["methods"]
    for name in ("local", "fedamp", "pfedgraph", "fedfomo", "ipfl/ipfl", "ipfl/ipfl-exact"):
        assert methods[name]["accuracy_best"] >= 0.90, name
    utility = {name: figures["utility_mean"] for name, figures in methods.items()}
    assert max(utility, key=lambda name: utility[name]) in ("ipfl/ipfl", "ipfl/ipfl-exact")
    assert utility["fedavg"] < 0
    others = [value for name, value in utility.items() if not name.startswith("ipfl/")]
    assert min(utility["ipfl/ipfl"], utility["ipfl/ipfl-exact"]) > max(others)


@pytest.mark.parametrize("task", RECORDED)
def test_every_task_was_run_with_every_method_and_the_others_with_three_seeds(task):
    assert len(RECORDED[task]["seeds"]) == (1 if task == "fashion-niid" else 3)
    assert len(RECORDED[task]["methods"]) == 10
    assert (RECORDED[task]["rounds"], RECORDED[task]["steps"]) == (10, 40)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["fashion-cluster", "fashion-skew"])
def test_a_run_made_now_agrees_with_the_record(task, tmp_path):
    try:
        fashion()
    except DataError as error:
        pytest.skip(str(error))
    names = list(RECORDED[task]["methods"])
    config, _ = settings(task, {"methods": ",".join(names), "seed": 1}, None, resume=False)
    done = run(config, tmp_path / "run", Place(), resume=False, quiet=True)
    for name in names:
        now, then = done.summary["methods"][name], RECORDED[task]["by_seed"][name]["1"]
        assert now["accuracy_best"] == pytest.approx(then["accuracy_best"], abs=ACCURACY), name
        assert now["utility_mean"] == pytest.approx(then["utility_mean"], rel=MONEY, abs=MONEY), name
