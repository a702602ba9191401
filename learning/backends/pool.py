"""Worker processes on shared memory: each takes the next longest task as soon as it is free."""

import multiprocessing
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any

from learning.backends import worker
from learning.backends.backend import Ours, Result, Task
from learning.backends.shared import SharedTensors
from learning.errors import LearningError, WorkerError
from learning.work import Work


@contextmanager
def _bare_main() -> Iterator[None]:
    """Hide the main module while processes are spawned.

    Spawning imports the caller's main module in the child. Ours needs nothing from it, and a script without an
    ``if __name__ == "__main__"`` guard would start its run again there.
    """
    kept = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = kept


@contextmanager
def _deaf() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back while processes are spawned, which inherit that until they ignore both themselves.

    They go to the whole process group, and a worker that is still importing would answer with a traceback. Python's
    resource tracker is started first: starting it lets held signals through (`multiprocessing.resource_tracker`).
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    held = (signal.SIGINT, signal.SIGTERM)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, held)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class PoolBackend(Ours):
    """``processes`` spawned workers, one torch thread each, that stay for the whole run.

    Results do not depend on who does what: a task reads its own row and stream only. Starting returns at once; the
    first `run` waits for the workers to be ready. A worker that dies makes `run` raise `WorkerError` and closes the
    pool. Workers end with their parent, even when it is killed. The tensors of ``work`` are moved to shared memory: it
    is empty afterwards, and ``self.work`` takes its place.
    """

    name = "pool"

    def __init__(self, work: Work, processes: int) -> None:
        if processes < 1:
            raise LearningError(f"a pool has {processes} processes; expected at least 1")
        self._shared = SharedTensors.moved_from(work.tensors)
        self.work = Work(work.facts, self._shared.tensors)
        context = multiprocessing.get_context("spawn")
        self._workers: list[multiprocessing.process.BaseProcess] = []
        self._connections: list[Connection] = []
        self._ready: list[bool] = [False] * processes
        self._closed = self._busy = False
        try:
            with _bare_main(), _deaf():
                for _ in range(processes):
                    ours, theirs = context.Pipe()
                    process = context.Process(target=worker.main, args=(work.facts, self._shared, theirs), daemon=True)
                    process.start()
                    theirs.close()  # so that a dead worker is the end of the connection
                    self._workers.append(process)
                    self._connections.append(ours)
        except BaseException:
            self.close()
            raise

    @property
    def processes(self) -> int:
        """Number of worker processes."""
        return len(self._workers)

    def run(self, tasks: Sequence[Task]) -> list[Result]:
        """Return the result of each task, in the order of ``tasks``; the longest are begun first."""
        if self._closed:
            raise WorkerError("this pool of workers is closed; make a new trainer, or resume the run")
        waiting = sorted(range(len(tasks)), key=lambda k: (tasks[k].cost, -k))  # taken from the end
        results: dict[int, Result] = {}
        doing: dict[int, int] = {}
        idle = [w for w, ready in enumerate(self._ready) if ready]
        self._busy = True
        try:
            while len(results) < len(tasks):
                while idle and waiting:
                    doing[idle[-1]] = waiting[-1]
                    self._send(idle.pop(), tasks[waiting.pop()])
                for connection in wait(self._connections):
                    index = self._connections.index(connection)  # type: ignore[arg-type]
                    kind, value = self._receive(index, tasks, doing)
                    if kind == "ready":
                        self._ready[index] = True
                    elif kind == "done":
                        results[doing.pop(index)] = value
                    elif kind == "failed":
                        raise LearningError(value)
                    else:
                        raise WorkerError(f"worker {index} failed at {tasks[doing[index]]}: {value}")
                    idle.append(index)
        except BaseException:
            self.close()
            raise
        self._busy = False
        return [results[k] for k in range(len(tasks))]

    def _send(self, index: int, task: Task) -> None:
        try:
            self._connections[index].send(task)
        except OSError:
            raise self._death(index, str(task)) from None

    def _receive(self, index: int, tasks: Sequence[Task], doing: dict[int, int]) -> tuple[str, Any]:
        try:
            return self._connections[index].recv()
        except (EOFError, OSError):
            raise self._death(index, str(tasks[doing[index]]) if index in doing else "no task") from None

    def _death(self, index: int, task: str) -> WorkerError:
        process = self._workers[index]
        process.join(timeout=5)
        return WorkerError(
            f"worker process {index} (pid {process.pid}) ended with exit code {process.exitcode} while it had {task}; "
            "if the system killed it for memory take fewer processes or backend rows, then resume the run"
        )

    def close(self) -> None:
        """End the workers: at once if they were interrupted in a round, else when they have read the word to stop."""
        if self._closed:
            return
        self._closed = True
        for connection, process in zip(self._connections, self._workers, strict=True):
            if self._busy:
                process.kill()
            else:
                try:
                    connection.send(None)
                except OSError:
                    process.kill()
        for connection, process in zip(self._connections, self._workers, strict=True):
            process.join(timeout=30)  # a worker may still be importing when a short run closes
            if process.is_alive():
                process.kill()
                process.join()
            connection.close()
            process.close()
        self._shared.close()
