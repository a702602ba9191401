"""Tasks and configurations: ours are valid, a wrong one is told in a line, a recorded one reads back the same."""

from __future__ import annotations

import pytest

from marketproof.commands.run import settings
from marketproof.running.config import (
    SCALES,
    RunConfig,
    differences,
    load_run,
    load_task,
    overridden,
    resolve,
    task_names,
)
from marketproof.running.execution import plan_of
from marketproof.running.populations import draw
from mechanism.errors import InputError
from mechanism.writing import to_toml

OPTIONS = {"seed": 3, "seeds": 2, "methods": ["local", "ipfl/ipfl"], "mechanism": "ipfl-exact"}


# Paper, the eleven tasks and training: clients, split, network, lambda, eta, C, K, rounds, steps, batch, optimiser.
PAPER = {
    "cifar10-niid": (10, "niid", "cnn", 2.0, 5.0, 1.0, 5e5, 50, 200, 64, "sgd"),
    "cifar10-cluster": (9, "cluster", "cnn", 2.0, 5.0, 1.0, 5e5, 50, 200, 64, "sgd"),
    "cifar10-skew": (10, "skew", "cnn", 2.0, 5.0, 1.0, 5e5, 50, 200, 64, "sgd"),
    "fashion-niid": (10, "niid", "cnn", 0.001, 5.0, 1.0, 5e5, 50, 200, 64, "sgd"),
    "fashion-cluster": (9, "cluster", "cnn", 0.001, 5.0, 1.0, 5e5, 50, 200, 64, "sgd"),
    "fashion-skew": (10, "skew", "cnn", 0.001, 5.0, 1.0, 5e5, 50, 200, 64, "sgd"),
    "femnist": (20, "natural", "femnist-cnn", 1.0, 5.0, 1.0, 5e5, 50, 50, 64, "sgd"),
    "shakespeare": (10, "natural", "lstm", 2.0, 5000.0, 1.0, 5e5, 50, 200, 64, "sgd"),
    "pacs": (12, "domain", "resnet20", 1e-5, 5.0, 1.0, 5e5, 50, 200, 64, "sgd"),
    "finance": (6, "mixed", "lora", 5.0, 1.0, 1.0, 2e4, 50, 10, 8, "adamw"),
    "cofinance": (8, "mixed", "lora", 5.0, 1.0, 1.0, 5e4, 50, 10, 8, "adamw"),
}


@pytest.mark.parametrize("name", PAPER)
def test_the_eleven_tasks_have_the_settings_of_the_paper(name):
    config = resolve(name, load_task(name), {**OPTIONS, "scale": "paper"})
    market, training = config.market, config.training
    assert (
        config.data.clients, config.split.kind, config.model.name, market.lam, market.eta, market.cost[0],
        market.gain[0], config.rounds, config.steps, training.batch, training.optimizer,
    ) == PAPER[name]  # fmt: skip
    assert (market.cost[0], market.gain[0]) == (market.cost[1], market.gain[1])
    if training.optimizer == "sgd":
        assert (training.lr, training.momentum, training.weight_decay) == (0.01, 0.9, 1e-5)
        assert training.lr_end == 0
    else:
        assert (training.lr, training.lr_end, config.model.length) == (5e-5, 1e-6, 512)


@pytest.mark.parametrize("name", task_names())
@pytest.mark.parametrize("scale", SCALES)
def test_every_task_is_a_plan_that_training_accepts(name, scale):
    config = resolve(name, load_task(name), {**OPTIONS, "scale": scale})
    plan = plan_of(config, 0)
    assert (plan.clients, plan.split) == (config.data.clients, config.split.kind)
    assert (plan.rounds, plan.steps, plan.batch) == (config.rounds, config.steps, config.training.batch)
    assert name in PAPER or name.startswith("digits-")


def test_scales_are_those_of_the_paper_and_below():
    config = {s: resolve("digits-niid", load_task("digits-niid"), {**OPTIONS, "scale": s}) for s in SCALES}
    assert [(config[s].rounds, config[s].steps) for s in SCALES] == [(2, 5), (10, 40), (50, 200)]
    assert resolve("digits-niid", load_task("digits-niid"), OPTIONS) == config["reduced"]


def test_fashion_has_the_market_of_the_paper():
    market = load_task("fashion-niid").market
    assert (market.lam, market.eta, market.cost, market.gain) == (0.001, 5.0, (1.0, 1.0), (5e5, 5e5))


def test_options_stand_over_the_task():
    task = load_task("digits-skew")
    config = resolve("digits-skew", task, {**OPTIONS, "rounds": 7, "steps": None, "clients": 4, "scale": "smoke"})
    assert (config.rounds, config.steps, config.data.clients) == (7, task.scale["smoke"].steps, 4)
    assert config.seed_list == [3, 4]
    assert resolve("digits-niid", load_task("digits-niid"), {**OPTIONS, "seed": 2**62 - 2}).seed_list[1] == 2**62 - 1


def test_a_configuration_reads_back_the_same(tmp_path):
    config = resolve('weird "name"\n', load_task("digits-niid"), OPTIONS)
    path = tmp_path / "config.toml"
    path.write_text(to_toml(config.model_dump()))
    assert load_run(path) == config
    assert differences(config, load_run(path)) == []


def test_differences_name_the_key_and_both_values():
    config = resolve("digits-niid", load_task("digits-niid"), OPTIONS)
    other = overridden(config.model_dump(), {"rounds": 3, "clients": 5})
    assert differences(config, other) == ["data.clients: 10 -> 5", "rounds: 10 -> 3"]
    assert isinstance(other, RunConfig)


def test_unknown_tasks_and_unreadable_files(tmp_path):
    with pytest.raises(InputError, match="unknown task 'digit'; known: cifar10-cluster"):
        load_task("digit")
    with pytest.raises(InputError, match="cannot read"):
        load_task(str(tmp_path / "none.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is no TOML"):
        load_task(str(tmp_path / "binary.toml"))


def test_where_no_task_is_named_two_of_ten_upload_junk_unless_a_population_is():
    config, _ = settings(None, {}, None, resume=False)
    assert (config.task, config.population.name, config.data.clients) == ("digits-skew", "free-riders-ones", 10)
    assert draw(config.population.name, 0.0, 1.0, 10, config.seed).roles.count("free-rider") == 2
    assert settings(None, {"population": "benign"}, None, resume=False)[0].population.name == "benign"
    assert settings("digits-skew", {}, None, resume=False)[0].population.name == "benign"
