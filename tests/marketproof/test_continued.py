"""A finished run goes on, bit for bit as if it had been one; a new one begins with its models."""

import json
import shutil

import numpy as np
import pytest
import torch

from learning.plan import LearningPlan
from learning.trainer import Trainer
from tests.marketproof.test_resume import bits

pytestmark = pytest.mark.usefixtures("quick")

RUN = ("run", "digits-niid", "--clients", 4, "--steps", 2, "--backend", "rows", "--quiet", "--methods")
METHODS = "ditto,scaffold,ipfl-effective/clock-price,ipfl/ipfl-exact"


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    from tests.marketproof.conftest import command

    folder = tmp_path_factory.mktemp("continued") / "short"
    assert command(*RUN, METHODS, "--rounds", 2, "--out", folder).status == 0
    return folder


def same(a, b):
    found, expected = bits(a), bits(b)
    assert set(found) == set(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


def test_more_rounds_are_those_of_one_run(cli, short, tmp_path):
    kept = bits(short)
    answer = cli("run", "--continue", short, "--rounds", 3, "--out", tmp_path / "longer", "--quiet")
    assert answer.status == 0, answer.err
    assert cli(*RUN, METHODS, "--rounds", 3, "--out", tmp_path / "once").status == 0
    same(tmp_path / "longer", tmp_path / "once")
    assert bits(short) == kept
    manifest = json.loads((tmp_path / "longer" / "manifest.json").read_text())
    assert set(manifest["backend_used"].values()) == {"rows"}


def test_another_method_and_another_seed_are_added(cli, short, tmp_path):
    more = ("--methods", f"{METHODS},fedavg", "--seeds", 2)
    assert cli("run", "--continue", short, *more, "--out", tmp_path / "more", "--quiet").status == 0
    assert cli(*RUN, f"{METHODS},fedavg", "--rounds", 2, "--seeds", 2, "--out", tmp_path / "once").status == 0
    same(tmp_path / "more", tmp_path / "once")


def test_who_arrives_when_stays_as_it_was(cli, tmp_path):
    options = ("fedavg", "--population", "arrivals", "--rounds", 3)
    assert cli(*RUN, *options, "--out", tmp_path / "a").status == 0
    assert cli("run", "--continue", tmp_path / "a", "--rounds", 6, "--out", tmp_path / "b", "--quiet").status == 0
    shorter, longer = (np.array(present(tmp_path / name)) for name in "ab")
    assert (longer[:3] == shorter).all()
    assert (longer[3:] == shorter[2]).all()


def present(folder):
    from analysis.run.records import read_run

    return read_run(folder).traces["fedavg"].present[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rounds", 1], "has 2 rounds under 1 seed; --continue gives it more --rounds (in all)"),
        ([], "--continue gives it more"),
        (["--rounds", 3, "--steps", 5], "more rounds, methods or seeds only; steps is '5' here and '2' there"),
        (["--rounds", 3, "--seed", 4], "seed is '4' here and '0' there"),
        (["--rounds", 3, "--start-from", "x"], "leave task, data, --resume and --start-from away"),
        (["digits-niid", "--rounds", 3], "leave task, data"),
    ],
)
def test_what_cannot_go_on_is_told_and_leaves_nothing(cli, short, tmp_path, options, words):
    assert words in cli("run", "--continue", short, *options, "--out", tmp_path / "new").line()
    assert list(tmp_path.iterdir()) == []


def test_runs_that_cannot_be_longer(cli, short, tmp_path):
    assert "leave --resume out, or name a run's folder" in cli("run", "--continue", tmp_path, "--rounds", 3).line()
    assert "is not empty" in cli("run", "--continue", short, "--rounds", 3, "--out", short).line()
    copy = shutil.copytree(short, tmp_path / "copy")
    settings = (copy / "config.toml").read_text()
    (copy / "config.toml").write_text(settings.replace("lr_end = 0.0", "lr_end = 0.001"))
    assert "its learning rate was chosen for 2 rounds" in cli("run", "--continue", copy, "--rounds", 3).line()
    (copy / "config.toml").write_text(settings)
    model = copy / "models" / "ditto-0.safetensors"
    model.write_bytes(model.read_bytes()[:-4] + b"abcd")
    out = ("--out", tmp_path / "new", "--rounds", 3)
    assert "was changed since the run wrote it" in cli("run", "--continue", copy, *out).line()
    progress = json.loads((copy / "progress.json").read_text())
    (copy / "progress.json").write_text(json.dumps(progress | {"complete": False}))
    assert "is not finished; go on with: marketproof run --resume" in cli("run", "--continue", copy, *out).line()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy"]


def test_a_run_that_cannot_go_on_after_all_leaves_no_folder(cli, short, tmp_path):
    out = ("--rounds", 3, "--out", tmp_path / "new", "--quiet")
    assert "gives other last bits" in cli("run", "--continue", short, *out, "--device", "tpu").line()
    assert list(tmp_path.iterdir()) == []


def test_models_that_joined_clients_keep_are_not_the_server_s_to_give(cli, short, tmp_path):
    copy = shutil.copytree(short, tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["backend_reason"] = dict.fromkeys(manifest["backend_reason"], "federated: clients have joined")
    (copy / "manifest.json").write_text(json.dumps(manifest))
    export = ("export-model", copy, "--client", 0, "--out", tmp_path / "m", "--method")
    assert "are with the clients" in cli(*export, "ditto").line()
    assert cli(*export, "scaffold").status == 0
    start = (*RUN, "ditto", "--rounds", 1, "--start-from", copy, "--out", tmp_path / "new")
    assert "are with the clients" in cli(*start).line()


def test_a_run_starts_from_the_models_of_another(cli, short, tmp_path):
    options = ("ditto,ipfl/ipfl-exact", "--rounds", 1, "--start-from", short, "--valuation", "fitted")
    answer = cli(*RUN, *options, "--out", tmp_path / "warm")
    assert answer.status == 0, answer.err
    assert str(short) in (tmp_path / "warm" / "config.toml").read_text()
    plan = LearningPlan(clients=4, steps=2, lr=0.01)
    with Trainer(plan, "ditto", "rows", "cpu") as there, Trainer(plan, "ditto", "rows", "cpu", seed=7) as here:
        from marketproof.records.warm import start_from

        start_from(short, "ditto", 7, here)
        from safetensors.torch import load_file

        told = load_file(short / "models" / "ditto-0.safetensors")
        assert torch.equal(here.state.rows, told["slot/personal"])
        assert torch.equal(here.state.slots["personal"], told["slot/personal"])
        assert torch.equal(here.state.initial, told["initial"])
        assert not torch.equal(here.state.rows, there.state.rows)
        here.train(1)
        assert np.isfinite(here.differences()[0]).all()


def test_runs_that_one_cannot_start_from(cli, short, tmp_path):
    for options, words in (
        (("fedavg", "--start-from", short), "and none of fedavg to start from"),
        (("ditto", "--start-from", tmp_path / "no"), "name the folder of a run that can be read"),
        (("ditto", "--start-from", short, "--clients", 5), "has models of 4 clients; here are 5"),
    ):
        assert words in cli(*RUN, *options, "--rounds", 1, "--out", tmp_path / "new").line()
    other = tmp_path / "other.toml"
    from marketproof.running.config import TASKS

    other.write_text((TASKS / "digits-niid.toml").read_text().replace('"mlp"', '"logistic"'))
    answer = cli("run", other, *RUN[2:], "ditto", "--start-from", short, "--rounds", 1, "--out", tmp_path / "new")
    assert "holds models of another network" in answer.line()
    assert not (tmp_path / "new").exists()


def test_a_start_that_was_changed_is_no_start_of_a_resumed_run(cli, short, tmp_path):
    copy = shutil.copytree(short, tmp_path / "copy")
    options = (*RUN, "ditto", "--rounds", 1, "--start-from", copy, "--out", tmp_path / "new")
    assert cli(*options).status == 0
    (copy / "manifest.json").write_text((copy / "manifest.json").read_text() + " ")
    assert "manifest.json: " in cli(*options, "--resume").line()
