"""A client's model leaves the run as others load it: the printed lines are executed."""

import json
import shutil
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from learning.trainer import Trainer
from marketproof.running.config import TASKS, load_run
from marketproof.running.execution import plan_of
from tests.learning.data.test_finance import write_fiqa, write_nwgi, write_tfns
from tests.marketproof.test_own_data import COLUMNS, TEXT
from tests.marketproof.test_own_parts import NET

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of two methods on a table of one's own, and the command line."""
    from tests.marketproof.conftest import command

    folder = tmp_path_factory.mktemp("export")
    (folder / "clinic.csv").write_text(TEXT)
    run = ("run", "--data", folder / "clinic.csv", *COLUMNS, "--scale", "smoke", "--methods", "ditto,ipfl/ipfl-exact")
    assert command(*run, "--rounds", 1, "--seeds", 2, "--out", folder / "run", "--quiet").status == 0
    return folder / "run"


def loaded(answer):
    assert answer.status == 0, answer.err
    lines = [line.strip() for line in answer.out.splitlines() if line.startswith("    ")]
    found = {"x": torch.zeros(5, 1) + 0.5}
    with warnings.catch_warnings():  # transformers and peft of their own
        warnings.simplefilter("ignore")
        exec("\n".join(lines), found)  # as printed
    return found


@pytest.mark.parametrize(("method", "slot"), [("ditto", "slot/personal"), ("ipfl/ipfl-exact", "rows")])
def test_the_printed_lines_give_the_model_that_the_client_uses(cli, made, tmp_path, monkeypatch, method, slot):
    monkeypatch.chdir(tmp_path)
    answer = cli("export-model", made, "--client", "north", "--method", method, "--seed", 1)
    found = loaded(answer)
    assert (tmp_path / "north.safetensors").is_file()
    plan = plan_of(load_run(made / "config.toml"), 1)
    with Trainer(plan, method.partition("/")[0], "rows", "cpu", 1) as trainer:
        trainer.load(made / "models" / f"{method.replace('/', '__')}-1.safetensors")
        network, row = trainer._backend.work.network, trainer.state.tensors()[slot][2]
        expected = network.forward(network.layout.views(row), torch.zeros(5, 1) + 0.5)
        assert torch.equal(found["scores"], expected)
        state = load_file("north.safetensors")
        assert {name: tuple(t.shape) for name, t in state.items()} == dict(
            zip(network.layout.names, network.layout.shapes, strict=True)
        )
    assert set(found["model"].state_dict()) == set(state)
    assert all(p.requires_grad for p in found["model"].parameters())


def test_a_number_names_a_client_too_and_the_answer_is_told(cli, made, tmp_path):
    options = ("--method", "ditto", "--out", tmp_path / "m.safetensors", "--json", tmp_path / "t.json", "--quiet")
    assert cli("export-model", made, "--client", 1, *options).out == ""
    told = json.loads((tmp_path / "t.json").read_text())
    assert (told["client"], told["method"], told["seed"]) == ("hill", "ditto", 0)
    assert told["load"][1] == f"model = load_model({str(tmp_path / 'm.safetensors')!r})"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--client", "nort", "--method", "ditto"], "no client 'nort'; did you mean 'north'?"),
        (["--client", "4", "--method", "ditto"], "no client '4'; expected 'east', 'hill', 'north', 'west'"),
        (["--client", "east"], "several methods (ditto, ipfl/ipfl-exact); choose one with --method"),
        (["--client", "east", "--method", "fedavg"], "the run has no method 'fedavg'; it has ditto, ipfl/ipfl-exact"),
        (["--client", "east", "--method", "ditto", "--seed", "9"], "the run has no seed '9'; it has 0, 1"),
    ],
)
def test_what_the_run_has_not_is_refused(cli, made, options, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert words in cli("export-model", made, *options).line()
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_the_record_is_overwritten_and_a_changed_record_is_refused(cli, made, tmp_path):
    model = made / "models" / "ditto-0.safetensors"
    options = ("--client", "east", "--method", "ditto")
    assert "overwrite" in cli("export-model", made, *options, "--out", model).line()
    copy = shutil.copytree(made, tmp_path / "copy")
    (copy / "models" / "ditto-0.safetensors").write_bytes(model.read_bytes()[:-8])
    assert "was changed since the run wrote it" in cli("export-model", copy, *options).line()
    for content in (b"", b"\x10", model.read_bytes()[:-8]):
        (copy / "models" / "ditto-0.safetensors").write_bytes(content)
        manifest = json.loads((copy / "manifest.json").read_text())
        (copy / "manifest.json").write_text(json.dumps(manifest | {"digests": {}}))
        assert "ditto-0.safetensors: " in cli("export-model", copy, *options).line()


def test_a_network_of_ones_own_is_loaded_by_code_that_the_caller_names(cli, tmp_path, monkeypatch):
    from learning.errors import LearningError
    from learning.models.exported import load_model
    from tests.checks import refused

    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "clinic.csv").write_text(TEXT)
    (tmp_path / "mine.toml").write_text(
        '[data]\nfile = "clinic.csv"\nowner = "site"\ntarget = "outcome"\n[split]\nkind = "owners"\n'
        '[model]\nname = "net.py:Net"\n[market]\nlam = 0.1\neta = 5.0\ncost = 0.5\ngain = 2e3\n'
        "[scale.smoke]\nrounds = 1\nsteps = 2\n"
    )
    assert cli("run", "mine.toml", "--methods", "local", "--out", "run", "--quiet").status == 0
    found = loaded(cli("export-model", "run", "--client", "east"))
    assert found["scores"].shape == (5, 2)
    assert np.isfinite(found["scores"].detach().numpy()).all()
    (tmp_path / "net.py").write_text("raise SystemExit")
    with refused(LearningError, "give load_model the code that makes it"):
        load_model("east.safetensors")
    (tmp_path / "no.safetensors").write_bytes(b"no")
    with refused(LearningError, "holds no model that export-model has written"):
        load_model("no.safetensors")


def test_an_adapter_is_loaded_by_peft(cli, tmp_path, monkeypatch):
    data = tmp_path / "data"
    for write in (write_tfns, write_fiqa, write_nwgi):
        write(data)
    monkeypatch.chdir(tmp_path)
    task = (
        (TASKS / "finance.toml").read_text().replace("[0, 2, 200], [1, 2, 200], [2, 2, 200]", "[1, 1, 10], [2, 1, 10]")
    )
    (tmp_path / "small.toml").write_text(task.replace("clients = 6", "clients = 2"))
    run = ("run", "small.toml", "--scale", "smoke", "--rounds", 1, "--steps", 1, "--methods", "fedavg", "--out", "run")
    answer = cli(*run, "--lora-targets", "q_proj,o_proj", "--data-dir", data, "--quiet")
    assert answer.status == 0, answer.err
    found = loaded(cli("export-model", "run", "--client", "nwgi"))
    config = json.loads((tmp_path / "nwgi-adapter" / "adapter_config.json").read_text())
    assert (config["target_modules"], config["r"], config["lora_alpha"]) == (["o_proj", "q_proj"], 8, 16)
    names = {name for name, _ in found["model"].named_parameters() if "lora_" in name}
    assert len(names) == 4 * 2 * 2
    moved = [float(p.abs().max()) for n, p in found["model"].named_parameters() if "lora_B" in n]
    assert max(moved) > 0
