"""The pool agrees bitwise with the plain loop, and its processes neither vanish unseen nor outlive their parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from learning.backends import worker
from learning.backends.shared import SharedTensors
from learning.errors import LearningError, WorkerError
from learning.evaluation import EvaluateTask
from learning.plan import LearningPlan
from learning.trainer import Trainer

PLAN = LearningPlan(clients=5, steps=6, lam=0.5)


def run(
    backend: str, processes: int | None = None, plan: LearningPlan = PLAN, algorithm: str = "ipfl", rounds: int = 2
):
    """Return everything that two rounds compute."""
    seen = []
    with Trainer(plan, algorithm, backend=backend, seed=2, processes=processes) as trainer:
        for number in range(1, rounds + 1):
            losses = trainer.train(number)
            d, zero = trainer.differences()
            trainer.aggregate(~np.eye(plan.clients, dtype=bool))
            seen += [losses, d, zero, *trainer.evaluate()]
        return [*seen, *(t.clone().numpy() for t in trainer.state.tensors().values())]


def alive(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until(condition, seconds: float = 120.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def train_until_it_fails(trainer: Trainer) -> None:
    for number in range(2, 50):
        trainer.train(number)


@pytest.mark.usefixtures("spawned")
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_pool_is_bitwise_the_plain_loop_for_any_number_of_processes(processes):
    for mine, theirs in zip(run("pool", processes), run("rows"), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.usefixtures("fashion_data")
@pytest.mark.parametrize("algorithm", ["ipfl", "fedavg"])
def test_pool_is_bitwise_the_plain_loop_on_fashion(algorithm):
    plan = LearningPlan(dataset="fashion", model="cnn", clients=4, steps=2, lam=0.001)
    for mine, theirs in zip(run("pool", 2, plan, algorithm), run("rows", None, plan, algorithm), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.usefixtures("spawned")
def test_a_worker_that_is_killed_is_named_and_the_pool_ends():
    with Trainer(PLAN, "local", backend="pool", processes=2) as trainer:
        trainer.train(1)
        pids = [process.pid for process in trainer._backend._workers]
        os.kill(pids[0], signal.SIGKILL)
        with pytest.raises(WorkerError, match=r"worker process 0 \(pid \d+\) ended with exit code -9"):
            train_until_it_fails(trainer)
        assert wait_until(lambda: not any(map(alive, pids)))
        with pytest.raises(WorkerError, match="closed"):
            trainer.evaluate()


def test_a_task_that_fails_in_a_worker_fails_here_in_one_line():
    with Trainer(PLAN, "local", backend="pool", processes=1) as trainer:
        with pytest.raises(WorkerError, match=r"worker 0 failed .*IndexError") as caught:
            trainer._backend.run([EvaluateTask(99, (0,), 1)])
        assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("spawned")
def test_closing_ends_the_workers_and_can_be_done_twice():
    trainer = Trainer(PLAN, "local", backend="pool", processes=2)
    trainer.train(1)
    pids = [process.pid for process in trainer._backend._workers]
    assert all(map(alive, pids))
    trainer.close()
    trainer.close()
    assert not any(map(alive, pids))


@pytest.mark.parametrize("busy", [False, True])
def test_workers_end_when_their_parent_is_killed_and_leave_no_shared_memory(busy):
    """Also in the middle of a task that would last for minutes. The script has no guard around its main part."""
    steps = 1_000_000 if busy else 5
    script = (
        "import threading, time\n"
        "from learning.plan import LearningPlan\n"
        "from learning.trainer import Trainer\n"
        "trainer = Trainer(LearningPlan(clients=3), 'local', backend='pool', processes=2)\n"
        "trainer.train(1)\n"
        f"trainer.plan = LearningPlan(clients=3, steps={steps})\n"
        "print(*(p.pid for p in trainer._backend._workers), flush=True)\n"
        "trainer.train(2)\n"
        "time.sleep(600)\n"
    )
    before = set(os.listdir("/dev/shm"))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) == 2
    assert all(map(alive, pids))
    time.sleep(0.3)
    process.kill()
    process.wait()
    process.stdout.close()
    assert wait_until(lambda: not any(map(alive, pids)))
    assert not {name for name in set(os.listdir("/dev/shm")) - before if name.startswith(("torch", "marketproof"))}


def test_a_script_file_without_a_main_guard_may_use_the_pool(tmp_path):
    script = tmp_path / "plain.py"
    script.write_text(
        "from learning.plan import LearningPlan\n"
        "from learning.trainer import Trainer\n"
        "with Trainer(LearningPlan(clients=3, steps=2), 'local', backend='pool', processes=1) as trainer:\n"
        "    print('once', len(trainer.train(1)))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout == "once 3\n"


def test_shared_tensors_hold_copies_in_one_memory_aligned_as_torch_aligns():
    tensors = {"a": torch.arange(5, dtype=torch.uint8), "b": torch.randn(3, 7), "c": torch.arange(4)}
    shared = SharedTensors.moved_from(dict(tensors))
    for name, tensor in tensors.items():
        assert torch.equal(shared.tensors[name], tensor)
        assert shared.tensors[name].data_ptr() % 64 == 0
        assert shared.tensors[name].data_ptr() != tensor.data_ptr()
    shared.close()
    shared.close()
    shared.tensors["b"] += 1  # the memory lives as long as a tensor views it
    assert torch.equal(shared.tensors["b"], tensors["b"] + 1)


class Line:
    """A connection that plays a pool: it gives tasks, then ends, and keeps the answers."""

    def __init__(self, tasks):
        self.tasks, self.answers = list(tasks), []

    def recv(self):
        if not self.tasks:
            raise EOFError
        return self.tasks.pop(0)

    def send(self, answer):
        self.answers.append(answer)


def test_a_worker_answers_each_task_and_stops_at_the_end_of_the_line(monkeypatch):
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    threads = torch.get_num_threads()
    with Trainer(PLAN, "local", backend="rows") as trainer:
        work = trainer._backend.work
        line = Line([EvaluateTask(0, (1,), 1), EvaluateTask(99, (1,), 1)])
        shared = SharedTensors.moved_from(dict(work.tensors))
        worker.main(work.facts, shared, line)
        stopped = Line([None, EvaluateTask(0, (1,), 1)])
        worker.main(work.facts, shared, stopped)
    torch.set_num_threads(threads)
    assert [kind for kind, _ in line.answers] == ["ready", "done", "error"]
    assert [kind for kind, _ in stopped.answers] == ["ready"]


def test_a_pool_without_processes_is_refused():
    with pytest.raises(LearningError, match="at least 1"):
        Trainer(PLAN, "local", backend="pool", processes=-1)
