"""A run that was saved and loaded goes on bitwise; other files are refused."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from learning.checkpoint import FORMAT
from learning.errors import CheckpointError
from learning.plan import LearningPlan
from learning.trainer import Trainer
from tests.checks import refused

PLAN = LearningPlan(clients=4, steps=5, lam=0.5)
EVERYBODY = ~np.eye(4, dtype=bool)


def one_round(trainer: Trainer, number: int):
    losses = trainer.train(number)
    d, _ = trainer.differences()
    trainer.aggregate(EVERYBODY)
    return [losses, d, *trainer.evaluate()]


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "state.safetensors"
    with Trainer(PLAN, "ipfl", backend="rows", seed=1) as trainer:
        one_round(trainer, 1)
        trainer.save(path)
    return path


@pytest.mark.parametrize("algorithm", ["local", "fedavg", "ipfl"])
@pytest.mark.parametrize("backend", ["rows", "pool"])
def test_going_on_from_a_file_is_bitwise_never_having_stopped(tmp_path, algorithm, backend):
    path = tmp_path / "state.safetensors"
    with Trainer(PLAN, algorithm, backend="rows", seed=1) as trainer:
        one_round(trainer, 1)
        trainer.save(path)
        uninterrupted = [*one_round(trainer, 2), *one_round(trainer, 3)]
        rows = trainer.state.rows.clone()
    with Trainer(PLAN, algorithm, backend=backend, seed=1, processes=1) as trainer:
        trainer.load(path)
        assert trainer.round == 1
        resumed = [*one_round(trainer, 2), *one_round(trainer, 3)]
        assert torch.equal(trainer.state.rows, rows)
    for mine, theirs in zip(resumed, uninterrupted, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_file_saved_between_training_and_aggregation_goes_on_too(tmp_path):
    path = tmp_path / "state.safetensors"
    with Trainer(PLAN, "ipfl", backend="rows", seed=1) as trainer:
        trainer.train(1)
        trainer.save(path)
        trainer.aggregate(EVERYBODY)
        expected = trainer.state.slots["target"].clone()
    with Trainer(PLAN, "ipfl", backend="rows", seed=1) as trainer:
        trainer.load(path)
        trainer.aggregate(EVERYBODY)
        assert torch.equal(trainer.state.slots["target"], expected)


@pytest.mark.parametrize(
    ("plan", "algorithm", "seed", "message"),
    [
        (replace(PLAN, lr=0.02), "ipfl", 1, "lr is 0.02 here and 0.01 there"),
        (replace(PLAN, clients=5), "ipfl", 1, "clients is 5 here and 4 there"),
        (PLAN, "local", 1, "algorithm is 'local' here and 'ipfl' there"),
        (PLAN, "ipfl", 2, "seed is 2 here and 1 there"),
    ],
)
def test_the_state_of_another_run_is_refused_and_the_difference_named(saved, plan, algorithm, seed, message):
    with Trainer(plan, algorithm, backend="rows", seed=seed) as trainer:
        before = trainer.state.rows.clone()
        with pytest.raises(CheckpointError, match=message):
            trainer.load(saved)
        assert torch.equal(trainer.state.rows, before)


def test_other_data_are_refused(saved):
    with Trainer(PLAN, "ipfl", backend="rows", seed=1) as trainer:
        trainer._identity["data"] = "0" * 32
        with pytest.raises(CheckpointError, match="data is '0000"):
            trainer.load(saved)


def rewrite(path, tensors=None, **changes):
    """Replace tensors or parts of the manifest in a saved file."""
    content = load_file(path)
    with path.open("rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    manifest = json.loads(header["__metadata__"]["manifest"]) | changes
    metadata = {"format": changes.pop("format", FORMAT), "manifest": json.dumps(manifest)}
    save_file(content | (tensors or {}), path, metadata)


HEADER = json.dumps({"rows": {"dtype": "F32", "shape": [2**40, 2**20], "data_offsets": [0, 2**62]}}).encode()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:-100]), "damaged"),
        (lambda p: p.write_bytes(p.read_bytes()[:20]), "damaged"),
        (lambda p: p.write_bytes(b""), "damaged"),
        (lambda p: p.write_bytes(b"\xff" * 64), "damaged"),
        (lambda p: p.write_bytes(struct.pack("<Q", len(HEADER)) + HEADER), "damaged"),
        (lambda p: save_file({"rows": torch.zeros(2)}, p), "is marked None"),
        (lambda p: save_file({"rows": torch.zeros(2)}, p, {"format": FORMAT}), "no readable manifest"),
        (lambda p: save_file({"rows": torch.zeros(2)}, p, {"format": FORMAT, "manifest": "[" * 9999}), "manifest"),
        (lambda p: rewrite(p, format="other"), "is marked 'other'"),
        (lambda p: rewrite(p, plan=None), "another run"),
        (lambda p: rewrite(p, round=-1), "how far it got"),
        (lambda p: rewrite(p, aggregated="yes"), "how far it got"),
        (lambda p: rewrite(p, {"slot/more": torch.zeros(2)}), "holds a tensor 'slot/more'"),
        (lambda p: rewrite(p, {"rows": torch.zeros(4, 10)}), r"rows has shape \[4, 10\]"),
        (lambda p: rewrite(p, {"rows": torch.zeros(4, 4810, dtype=torch.float64)}), "rows is torch.float64"),
        (lambda p: p.unlink(), "is missing; put it back, or run again into a new folder"),
        (lambda p: (p.unlink(), p.mkdir()), "cannot be read"),
        (lambda p: rewrite(p, format="marketproof-state-2"), "go on with the version that wrote it"),
    ],
)
def test_damaged_and_hostile_files_are_refused_in_one_line_and_change_nothing(saved, spoil, message):
    spoil(saved)
    with Trainer(PLAN, "ipfl", backend="rows", seed=1) as trainer:
        before = trainer.state.rows.clone()
        with refused(CheckpointError, message):
            trainer.load(saved)
        assert torch.equal(trainer.state.rows, before)
        assert trainer.round == 0


def test_a_file_that_lacks_a_slot_is_refused(saved):
    content = load_file(saved)
    del content["slot/target"]
    with saved.open("rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    save_file(content, saved, header["__metadata__"])
    with Trainer(PLAN, "ipfl", backend="rows", seed=1) as trainer, pytest.raises(CheckpointError, match="lacks"):
        trainer.load(saved)


def test_saving_replaces_the_file_whole_or_not_at_all(saved, monkeypatch):
    before = saved.read_bytes()
    with Trainer(PLAN, "ipfl", backend="rows", seed=1) as trainer:
        with monkeypatch.context() as patch:
            patch.setattr(
                "learning.checkpoint.os.fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left"))
            )
            with pytest.raises(CheckpointError, match="No space left"):
                trainer.save(saved)
        assert saved.read_bytes() == before
        assert [p.name for p in saved.parent.iterdir()] == [saved.name]
        trainer.save(saved)
        assert saved.read_bytes() != before
        assert [p.name for p in saved.parent.iterdir()] == [saved.name]
        with pytest.raises(CheckpointError, match="cannot be saved"):
            trainer.save(saved.parent / "absent" / "state.safetensors")
