"""The choice of a backend follows the measured steps, says why, and touches nothing."""

from dataclasses import replace

import pytest
import torch

from learning.backends import auto
from learning.backends.auto import Seconds
from learning.backends.backend import RowsBackend
from learning.backends.pool import PoolBackend
from learning.backends.stacked import StackedBackend
from learning.begin import start
from learning.plan import LearningPlan
from learning.trainer import Trainer

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def trainer():
    with Trainer(LearningPlan(clients=4, steps=8), "local", backend="rows", device="cpu") as trainer:
        yield trainer


@pytest.fixture
def timed(monkeypatch):
    """Say what the measurements give: seconds of a step alone, and stacked. None: it must not be measured."""

    def give(alone: float | None, together: float | None, image: float = 0.0) -> None:
        def plain(work, device):
            assert alone is not None
            return Seconds(alone, image)

        def stacked(work, device):
            assert together is not None
            return together

        monkeypatch.setattr(auto, "plain_seconds", plain)
        monkeypatch.setattr(auto, "stacked_seconds", stacked)

    return give


@pytest.mark.parametrize(
    ("alone", "cores", "expected"),
    [
        (0.2, 2, "pool"),
        (0.019, 2, "pool"),  # 6.1 s against 6.1 / 2 + 3 s
        (0.005, 2, "rows"),  # ten rounds take less than starting workers
        (0.2, 1, "rows"),
    ],
)
def test_on_the_cpu_the_soonest_of_those_with_the_same_bits_is_taken(trainer, timed, alone, cores, expected):
    timed(alone, None)  # what gives other bits is not even timed
    choice = auto.choose(trainer._backend.work, 100, CPU, cores)
    assert choice.backend == expected
    assert choice.processes == (2 if expected == "pool" else 1)
    assert choice.reason.startswith(expected)
    assert cores == 1 or f"rows {10 * 4 * 8 * alone:.1f} s" in choice.reason


def test_testing_counts_too(trainer, timed):
    timed(0.001, None, image=0.01)
    assert auto.choose(trainer._backend.work, 100, CPU, 2).backend == "pool"
    assert auto.choose(trainer._backend.work, 10, CPU, 2).backend == "rows"


@pytest.mark.parametrize(("alone", "together", "expected"), [(0.002, 0.0019, "stacked"), (0.002, 0.0021, "rows")])
def test_on_cuda_the_shorter_step_decides(trainer, timed, alone, together, expected):
    timed(alone, together)
    choice = auto.choose(trainer._backend.work, 100, CUDA, 64)
    assert (choice.backend, choice.processes) == (expected, 1)
    assert choice.reason == f"{expected}: a client's step takes 2.00 ms alone, {1e3 * together:.2f} ms stacked"


def test_what_cannot_be_stacked_is_not_timed_on_cuda(trainer, timed, monkeypatch):
    timed(None, None)
    monkeypatch.setattr(auto, "stackable", lambda work: False)
    assert auto.choose(trainer._backend.work, 100, CUDA, 64).backend == "rows"
    assert auto.choose(trainer._backend.work, 100, torch.device("meta"), 64).backend == "rows"
    assert auto.choose(trainer._backend.work, 100, CPU, 1).backend == "rows"


def test_no_more_processes_than_clients(trainer, timed):
    timed(1.0, None)
    assert auto.choose(trainer._backend.work, 100, CPU, 64).processes == 4


def test_timing_leaves_the_state_as_it_was(trainer):
    work = trainer._backend.work
    before = {name: tensor.clone() for name, tensor in work.tensors.items()}
    seconds = auto.plain_seconds(work, CPU)
    assert 0 < seconds.image < seconds.step < 10
    assert 0 < auto.stacked_seconds(work, CPU) < 10
    assert all(torch.equal(work.tensors[name], tensor) for name, tensor in before.items())


def test_auto_records_its_choice_and_computes_the_same(trainer):
    with Trainer(LearningPlan(clients=4, steps=8), "local", backend="auto", device="cpu") as other:
        assert other.backend == other.choice.backend
        assert other.choice.reason
        other.train(1)
        trainer.train(1)
        assert torch.equal(other.state.rows, trainer.state.rows)


@pytest.mark.parametrize(("name", "kind"), [("rows", RowsBackend), ("stacked", StackedBackend), ("pool", PoolBackend)])
def test_a_backend_is_started_by_its_name_and_by_autos_choice(trainer, monkeypatch, name, kind):
    work, before = trainer._backend.work, trainer._backend.work.tensors["rows"].clone()
    monkeypatch.setattr(auto, "choose", None)
    choice, backend = start(work, name, CPU, 100, 1)
    assert (type(backend), backend.name, choice.reason) == (kind, name, f"{name}: asked for")
    assert torch.equal(backend.work.tensors["rows"], before)
    backend.close()
    if name != "pool":  # which has emptied the work
        monkeypatch.setattr("learning.begin.choose", lambda *_: auto.Choice(name, 1, "said so"))
        choice, backend = start(work, "auto", CPU, 100)
        assert (type(backend), choice.reason) == (kind, "said so")


def test_a_pool_takes_the_tensors_over():
    """So that a large state is not there twice."""
    with Trainer(LearningPlan(clients=2, steps=1), "local", backend="rows", device="cpu") as trainer:
        work = trainer._backend.work
        rows, names = work.tensors["rows"].clone(), set(work.tensors)
        choice, backend = start(work, "pool", CPU, 100, 1)
        assert choice.processes == 1
        assert not work.tensors
        assert set(backend.work.tensors) == names
        assert torch.equal(backend.work.tensors["rows"], rows)
        backend.close()


def test_rows_move_the_work_to_their_device_and_share_it_where_it_is_there_already(trainer):
    """The meta device stands for one that is not the CPU: tensors move, and nothing is computed on it."""
    work = trainer._backend.work
    assert RowsBackend(work, CPU).work is work
    moved = RowsBackend(work, torch.device("meta")).work
    assert {t.device.type for t in (*moved.tensors.values(), moved.bench.row, moved.bench.gradient)} == {"meta"}
    assert moved.facts == replace(work.facts)


@pytest.mark.parametrize("name", ["rows", "pool", "stacked"])
def test_the_trainer_runs_the_backend_that_was_asked_for(name):
    plan = LearningPlan(clients=3, steps=2, split_beta=1.0)
    with Trainer(plan, "local", backend=name, device="cpu", processes=1) as trainer:
        assert (trainer.backend, trainer.choice.backend, trainer.device) == (name, name, "cpu")
        assert all(loss > 0 for loss in trainer.train(1))


def test_what_cannot_be_stacked_is_done_and_named_as_the_plain_loop():
    plan = LearningPlan(clients=2, steps=1, dp_epsilon=8.0, dp_noise=2.0, rounds=1)
    with Trainer(plan, "local", backend="stacked", device="cpu", keys=[bytes(32)] * 2) as trainer:
        assert type(trainer._backend) is RowsBackend
        assert (trainer.backend, trainer.choice.backend) == ("rows", "rows")
        assert trainer.choice.reason == "rows: stacked was asked for, but training with privacy cannot be stacked"
