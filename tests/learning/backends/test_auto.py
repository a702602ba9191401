"""The choice of a backend follows the measured step, says why, and touches nothing."""

from __future__ import annotations

import pytest
import torch

from learning.backends import auto
from learning.backends.rows import RowsBackend
from learning.plan import LearningPlan
from learning.trainer import Trainer

CPU = torch.device("cpu")


@pytest.fixture
def trainer():
    with Trainer(LearningPlan(clients=4, steps=8), "local", backend="rows") as trainer:
        yield trainer


@pytest.mark.parametrize(("seconds", "cores", "expected"), [(60.0, 2, "pool"), (0.01, 2, "rows"), (60.0, 1, "rows")])
def test_pool_is_taken_when_it_saves_more_than_it_costs_to_start(trainer, monkeypatch, seconds, cores, expected):
    monkeypatch.setattr(auto, "round_seconds", lambda work, images: seconds)
    choice = auto.choose(trainer._backend.work, 100, CPU, cores)
    assert choice.backend == expected
    assert choice.processes == (2 if expected == "pool" else 1)
    assert choice.reason.startswith(expected)


def test_no_more_processes_than_clients_and_none_for_another_device(trainer, monkeypatch):
    monkeypatch.setattr(auto, "round_seconds", lambda work, images: 60.0)
    assert auto.choose(trainer._backend.work, 100, CPU, 64).processes == 4
    assert auto.choose(trainer._backend.work, 100, torch.device("cuda"), 64).backend == "rows"


def test_timing_leaves_the_state_as_it_was_and_grows_with_the_work(trainer):
    work = trainer._backend.work
    before = work.tensors["rows"].clone()
    few = auto.round_seconds(work, 0)
    many = auto.round_seconds(work, 10_000_000)
    assert 0 < few < 60
    assert many > few
    assert torch.equal(work.tensors["rows"], before)


def test_auto_records_its_choice_and_computes_the_same(trainer):
    with Trainer(LearningPlan(clients=4, steps=8), "local", backend="auto") as other:
        assert other.backend == other.choice.backend
        assert other.choice.reason
        other.train(1)
        trainer.train(1)
        assert torch.equal(other.state.rows, trainer.state.rows)


def test_rows_move_the_work_to_their_device_and_share_it_where_it_is_there_already(trainer):
    """The meta device stands for one that is not the CPU: tensors move, and nothing is computed on it."""
    work = trainer._backend.work
    assert RowsBackend(work, CPU).work is work
    moved = RowsBackend(work, torch.device("meta")).work
    assert {t.device.type for t in (*moved.tensors.values(), moved.bench.row, moved.bench.gradient)} == {"meta"}
    assert moved.facts == work.facts
