"""The recorded results on Fashion-MNIST: what they say, and that a run made now agrees with them."""

import json
from pathlib import Path

import pytest

from learning.data.sets.fashion import fashion
from learning.errors import DataError
from marketproof.commands.run import settings
from marketproof.running.execution import Place, run

RESULTS = Path(__file__).parents[2] / "docs" / "results"
RECORDED = json.loads((RESULTS / "fashion.json").read_text())
AUTHORS = json.loads((RESULTS / "authors.json").read_text())["best"]["fashion-niid"]
ACCURACY, MONEY = 0.02, 0.02
"""Tolerances between machines: accuracy absolute (some kernels sum in another order), money relative."""


NIID = RECORDED["fashion-niid"]
IPFL = ("ipfl/ipfl", "ipfl/ipfl-exact")


PERSONAL = [name for name in NIID["methods"] if name not in ("fedavg", "fedprox")]


@pytest.mark.parametrize("name", PERSONAL)
def test_personal_methods_learn_on_niid_and_keep_it(name):
    """Near the authors' code where it was run, at one seed of its own: docs/results/authors.json."""
    figures = NIID["methods"][name]
    assert abs(figures["accuracy_best"] - AUTHORS.get(name, 0.93)) < 0.04
    for seed in NIID["by_seed"][name].values():
        assert 0.88 <= seed["accuracy_final"] <= seed["accuracy_best"]


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_ipfl_earns_most_on_niid_and_fedavg_loses(seed):
    utility = {name: figures[seed]["utility_mean"] for name, figures in NIID["by_seed"].items()}
    assert min(utility[name] for name in IPFL) > max(value for name, value in utility.items() if name not in IPFL)
    assert utility["fedavg"] < 0


@pytest.mark.parametrize("task", RECORDED)
def test_every_task_was_run_with_every_method_and_three_seeds(task):
    assert RECORDED[task]["seeds"] == [0, 1, 2]
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
        now, then = done.summary.methods[name], RECORDED[task]["by_seed"][name]["1"]
        assert now["accuracy_best"] == pytest.approx(then["accuracy_best"], abs=ACCURACY), name
        assert now["utility_mean"] == pytest.approx(then["utility_mean"], rel=MONEY, abs=MONEY), name
