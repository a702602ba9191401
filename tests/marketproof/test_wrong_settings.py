"""Wrong settings of a run on the command line: status 2, one line that helps, no run folder and no keys left behind."""

import json
from pathlib import Path

import numpy as np
import pytest

from marketproof.running.config import TASKS
from tests.learning.data.conftest import Maker
from tests.learning.data.test_finance import write_fiqa, write_nwgi, write_tfns

DIGITS = (TASKS / "digits-niid.toml").read_text()


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MARKETPROOF_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("MARKETPROOF_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MARKETPROOF_DATA", raising=False)


@pytest.fixture
def refused(cli, tmp_path):
    """Run and return the one line; nothing may be left behind."""

    def run(*arguments: object) -> str:
        out = tmp_path / "out"
        line = cli("run", *arguments, "--out", out).line()
        assert "Traceback" not in line
        assert not out.exists()
        keys = tmp_path / "keys"
        assert not keys.exists() or not list(keys.iterdir())
        return line

    return run


PRIVATE = ("--dp-epsilon", "1")
"""So that there would be keys to leave behind."""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--population", "everybody"], "unknown population 'everybody'; known: benign, inclusive"),
        (["--population", ""], "unknown population ''"),
        (["--valuation", "guess"], "unknown valuation 'guess'; known: size, measured, fitted"),
        (["--dp-epsilon", "-0.5"], "dp-epsilon"),
        (["--dp-epsilon", "much"], "dp-epsilon"),
        (["--dp-noise", "-1", "--dp-epsilon", "1"], "dp-noise"),
        (["--dp-noise", "1"], "no privacy without a budget; give --dp-epsilon E"),
        (["--dp-epsilon", "nan"], "epsilon"),
        (["--dp-epsilon", "inf"], "epsilon"),
        (["--dp-epsilon", "1", "--dp-noise", "inf"], "noise"),
        (["--dp-epsilon", "1e-12"], "epsilon"),
        (["--dp-epsilon", "501"], "expected at most 500: more is no privacy"),
        (["--dp-epsilon", "1e300", "--dp-noise", "1"], "expected at most 500"),
        (["digits-niid", "--base-model", "smollm2", *PRIVATE], "model.base is 'smollm2', but network 'mlp' adapts no"),
        (["--base-model", "tiny"], 'expected network "lora": take task finance or cofinance, or drop --base-model'),
        (["pacs", "--base-model", "nowhere"], "network 'resnet20' adapts no language model"),
        (["--clients", "1"], "clients"),
        (["--methods", "ipfl/none"], "unknown market mechanism 'none'"),
        (["--methods", "sgd"], "unknown method 'sgd'"),
        (["--methods", "ipfl,ipfl"], "stands twice"),
        (["--methods", ","], "no method is named"),
        (["--mechanism", "x", "--methods", "ipfl"], "unknown market mechanism 'x'"),
        (["--scale", "huge"], "has no scale 'huge'; it has smoke, reduced, paper"),
        (["--backend", "cloud"], "cloud"),
        (["--device", "tpu"], "tpu"),
        (["--clients", "900"], "clients"),
        (["--clients", "100000"], "data.clients is 100000"),
        (["--clients", "150"], "take fewer clients"),
        (["--rounds", "0"], "rounds"),
        (["--seed", "-1"], "seed"),
        (["--seeds", "0"], "seeds"),
        (["--seed", str(2**62)], "expected less than or equal to 4611686018427387903"),
        (["--seed", str(2**62 - 2), "--seeds", "3"], "3 seeds from 4611686018427387902 end at 4611686018427387904"),
        (["--backend", "pool", "--device", "cuda", *PRIVATE], "cuda"),
        (["digits", *PRIVATE], "unknown task 'digits'; known: cifar10-cluster"),
        (["none.toml", *PRIVATE], "none.toml"),
    ],
)
def test_a_wrong_option(refused, options, expected):
    assert expected in refused(*options)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("[population]\nschedule = [[10, 1, 2]]", "schedule [10, 1, 2] is no interval of a client"),
        ("[population]\nschedule = [[0, 3, 2]]", "schedule [0, 3, 2] is no interval"),
        ("[population]\nschedule = [[0, 0, 0]]", "rounds from 1"),
        ("[population]\nschedule = [[0, 1]]", "population.schedule[0]"),
        ("[population]\nschedule = [[1, 2, -1]]", "population.schedule[0][2]"),
        ("[population]\nschedule = [[1, 2, 3.5]]", "population.schedule[0][2]"),
        ("[population]\nschedule = [1, 2, 3]", "population.schedule[0]"),
        ('[population]\nschedule = "late"', "population.schedule is 'late'"),
        ('[population]\nname = "nobody"', "unknown population 'nobody'"),
        ("[population]\nshare = 1.5", "population.share is 1.5"),
        ('[population]\nname = "attackers-flip"\nshare = 1.0', "of 10 clients none is left whose accuracy"),
        ('[population]\nname = "liars-size"\nfactor = 0', "population.factor is 0, and no client can say"),
        ("[population]\nfactor = -1", "population.factor is -1"),
        ("[population]\nchance = 2", "population.chance is 2"),
        ("[population]\nleave = true", "unknown key 'population.leave'; expected one of name, share"),
        ("[privacy]\nepsilon = -1", "privacy.epsilon is -1"),
        ("[privacy]\nepsilon = 1\ndelta = 1", "privacy.delta is 1"),
        ("[privacy]\nepsilon = 1\nclip = 0", "privacy.clip is 0"),
        ("[privacy]\nnoise = 2", "no privacy without a budget"),
        ("[training]\noptimizer = 'adam'", "optimizer is 'adam'; expected one of sgd, adamw"),
        ("[training]\nlr_end = -1", "training.lr_end is -1"),
        ("[training]\nlr = 1e30", "diverge"),
    ],
)
def test_a_wrong_section_of_a_task_file(refused, tmp_path, more, expected):
    path = tmp_path / "mine.toml"
    section = more.split("\n")[0]
    text = "\n".join(part for part in _sections(DIGITS) if not part.startswith(section))
    path.write_text(f"{text}\n{more}\n")
    assert expected in refused(path, "--scale", "smoke")


def test_a_schedule_is_held_against_the_clients_of_the_command_line(refused, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(f"{DIGITS}\n[population]\nschedule = [[9, 1, 2]]\n")
    assert "clients from 0 to 4" in refused(path, "--clients", 5)


def _sections(text: str) -> list[str]:
    """Return the sections of a task file, one string each."""
    parts: list[str] = [""]
    for line in text.splitlines():
        if line.startswith("["):
            parts.append("")
        parts[-1] += line + "\n"
    return parts


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('name = "mlp"', 'name = "lora"', "model 'lora' does not fit data set 'digits'; expected mlp"),
        ('name = "mlp"', 'name = "resnet20"', "model 'resnet20' does not fit"),
        ('name = "mlp"', 'name = "mlp"\nbase = "smollm2"', "model.base is 'smollm2', but network 'mlp' adapts no"),
        ('kind = "niid"', 'kind = "natural"', "split 'natural' needs samples that belong to groups"),
        ('kind = "niid"', 'kind = "domain"', "split 'domain' needs samples that belong to groups"),
        ('kind = "niid"', 'kind = "mixed"\nshares = [[0, 10, 20]]', "split 'mixed' needs samples that belong"),
        ('kind = "niid"', 'kind = "niid"\nshares = [[0, 10]]', "split.shares"),
        ('dataset = "digits"', 'dataset = "finance"', "does not fit data set 'finance'; expected lora"),
        ("clients = 10", "clients = 10\ntest = -1", "data.test is -1"),
        ("lr = 0.01", 'lr = "fast"', "mine.toml: training.lr is 'fast'"),
        ("lr = 0.01", "lr = 0", "mine.toml: training.lr is 0; expected greater than 0"),
        ("lr = 0.01", "lr = nan", "mine.toml: training.lr is nan"),
        ("lr = 0.01", "lrr = 0.01", "mine.toml: unknown key 'training.lrr'; expected one of batch, lr"),
        ("batch = 64", "batch = 6.5", "mine.toml: training.batch is 6.5"),
        ("momentum = 0.9", "momentum = 1", "mine.toml: training.momentum is 1; expected less than 1"),
        ("cost = [0.5, 1.0]", "cost = [2, 1]", "mine.toml: market.cost is [2, 1]; expected a number or [low, high]"),
        ("cost = [0.5, 1.0]", "cost = -1", "mine.toml: market.cost is -1; expected a number or [low, high]"),
        ("cost = [0.5, 1.0]", "cost = inf", "mine.toml: market.cost is inf; expected a number or [low, high]"),
        ("cost = [0.5, 1.0]", "cost = true", "mine.toml: market.cost is True; expected a number or [low, high]"),
        ("clients = 10", "clients = 1", "mine.toml: data.clients is 1"),
        ("[split]", "[splits]", "mine.toml: unknown key 'splits'; expected one of title, data, split"),
        ("rounds = 2", "round = 2", "mine.toml: unknown key 'scale.smoke.round'; expected one of rounds, steps"),
        ('kind = "niid"', "", "mine.toml: key 'split.kind' is missing"),
        ("[data]", "[data", "mine.toml: is no TOML"),
        ('dataset = "digits"', 'dataset = "letters"', "expected one of digits, fashion"),
        ('kind = "niid"', 'kind = "even"', "expected one of niid, cluster, skew"),
        ('name = "mlp"', 'name = "resnet"', "expected one of"),
        ('name = "mlp"', 'name = "cnn"', "does not fit"),
    ],
)
def test_a_wrong_task_file(refused, tmp_path, old, new, expected):
    path = tmp_path / "mine.toml"
    assert old in DIGITS
    path.write_text(DIGITS.replace(old, new))
    assert expected in refused(path, *PRIVATE)


HUBS = {
    "cifar10-niid": "uoft-cs/cifar10",
    "femnist": "flwrlabs/femnist",
    "pacs": "flwrlabs/pacs",
    "shakespeare": "flwrlabs/shakespeare",
    "fashion-niid": "zalando-datasets/fashion_mnist",
}


@pytest.mark.parametrize("task", HUBS)
def test_data_that_are_not_there_are_told_with_the_command_that_fetches_them(refused, tmp_path, task):
    empty = tmp_path / "data"
    empty.mkdir()
    command = f"fetch it with: hf download {HUBS[task]} --repo-type dataset --local-dir {empty}/{HUBS[task]}"
    assert command in refused(task, "--data-dir", empty, *PRIVATE)
    line = refused(task, "--data-dir", tmp_path / "none")
    assert f"the data folder {tmp_path / 'none'} does not exist" in line
    assert "--local-dir" in line


@pytest.mark.parametrize("task", ["finance", "cofinance"])
def test_texts_that_are_not_there(refused, tmp_path, task):
    (tmp_path / "my data").mkdir()
    line = refused(task, "--data-dir", tmp_path / "my data")
    assert "does not hold" in line
    assert "hf download" in line
    assert f"'{tmp_path}/my data/" in line  # quoted for a shell


@pytest.fixture
def data(tmp_path) -> Path:
    """Small but whole data sets of four kinds."""
    folder = tmp_path / "data"
    Maker.femnist(folder)
    Maker.cifar10(folder)
    Maker.pacs(folder)
    for write in (write_fiqa, write_tfns, write_nwgi):
        write(folder)
    return folder


def test_more_clients_than_writers(refused, data):
    line = refused("femnist", "--clients", 5, "--data-dir", data, "--scale", "smoke")
    assert "2 groups of 10 samples or more for 5 clients; take at most 2 clients" in line
    assert "take fewer clients" in refused("femnist", "--data-dir", data, *PRIVATE)


def test_too_few_samples_for_the_clients(refused, data):
    assert "take fewer clients" in refused("cifar10-niid", "--data-dir", data)
    assert "fewer clients" in refused("pacs", "--data-dir", data)
    assert "samples" in refused("finance", "--data-dir", data)
    assert "make the shares fit the clients" in refused("finance", "--data-dir", data, "--clients", 4)


FILES = {
    "femnist": "femnist_leaf.npz",
    "cifar10-niid": "cifar10_train_jpeg.npz",
    "pacs": "pacs64_jpeg.npz",
    "finance": "tfns_train.csv",
}


@pytest.mark.parametrize("task", FILES)
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda raw: raw[: len(raw) // 2], id="truncated"),
        pytest.param(lambda raw: b"", id="empty"),
        pytest.param(lambda raw: b"<!DOCTYPE html><html>Not found</html>", id="a web page"),
        pytest.param(lambda raw: b"\x80\x04\x95" + bytes(range(256)) * 8, id="a pickle"),
        pytest.param(lambda raw: json.dumps({"rows": [1, 2]}).encode(), id="foreign json"),
        pytest.param(lambda raw: b"\xff" * 5000, id="noise"),
    ],
)
def test_a_damaged_or_foreign_file(refused, data, task, spoil):
    path = data / FILES[task]
    whole = path.read_bytes()
    spoiled = spoil(whole)
    if task == "finance" and len(spoiled) == len(whole) // 2:
        spoiled = spoiled.rsplit(b",", 1)[0]  # a table cut between two lines is a whole, shorter table
    path.write_bytes(spoiled)
    line = refused(task, "--data-dir", data, *PRIVATE)
    assert FILES[task] in line or "samples" in line


@pytest.mark.parametrize("task", FILES)
def test_a_folder_in_place_of_a_file(refused, data, task):
    path = data / FILES[task]
    path.unlink()
    path.mkdir()
    refused(task, "--data-dir", data)


def test_an_npz_that_holds_objects_is_not_unpickled(refused, data):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (data / "exploded",))

    np.savez(data / "femnist_leaf.npz", x=np.array([Bomb()], dtype=object))
    assert "femnist_leaf.npz" in refused("femnist", "--data-dir", data)
    assert not (data / "exploded").exists()


def test_a_base_model_that_is_not_there_or_is_none(refused, data, tmp_path):
    line = refused("finance", "--data-dir", data, "--base-model", tmp_path / "llama", *PRIVATE)
    assert str(tmp_path / "llama") in line
    assert "base model" in line or "does not exist" in line or "no folder" in line
    assert "gpt-9" in refused("finance", "--data-dir", data, "--base-model", "gpt-9")
    (tmp_path / "llama").mkdir()
    assert "llama" in refused("finance", "--data-dir", data, "--base-model", tmp_path / "llama")
    (tmp_path / "llama" / "config.json").write_text("{")
    (tmp_path / "llama" / "pytorch_model.bin").write_bytes(b"\x80\x04")
    assert "llama" in refused("finance", "--data-dir", data, "--base-model", tmp_path / "llama", *PRIVATE)


def test_a_first_round_that_fails_leaves_an_empty_folder_empty(cli, tmp_path):
    path, out = tmp_path / "mine.toml", tmp_path / "out"
    path.write_text(DIGITS.replace("lr = 0.01", "lr = 1e30"))
    out.mkdir()
    line = cli("run", path, "--scale", "smoke", "--methods", "local", *PRIVATE, "--dp-noise", 9, "--out", out).line()
    assert "diverged in round 1" in line or "not finite" in line
    assert list(out.iterdir()) == []
    assert list((tmp_path / "keys").iterdir()) == []


def test_a_later_round_that_fails_keeps_what_there_is(cli, tmp_path, monkeypatch):
    from learning.errors import LearningError
    from learning.trainer import Trainer

    real = Trainer.train

    def train(self, number, present=None):
        if number == 2:
            raise LearningError("training of client 0 diverged in round 2")
        return real(self, number, present)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train", train)
        line = cli("run", "--scale", "smoke", "--methods", "local", "--backend", "rows", "--out", out).line()
    assert "diverged in round 2" in line
    assert json.loads((out / "progress.json").read_text())["rounds"] == {"local-0": 1}
    monkeypatch.setattr("marketproof.running.execution.make_report", lambda folder: folder / "report.html")
    assert cli("run", "--resume", "--out", out, "--quiet").status == 0


def test_what_is_in_the_way_stays(cli, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").write_text("dear")
    assert "is not empty" in cli("run", *PRIVATE, "--out", out).line()
    assert [path.name for path in out.iterdir()] == ["letter.txt"]
    assert not (tmp_path / "keys").exists() or not list((tmp_path / "keys").iterdir())
