"""What a worker process of the pool does: wait for a task, do it on the shared tensors, answer, until told to stop."""

import multiprocessing
import os
import signal
import threading
import traceback
from multiprocessing.connection import Connection, wait

import torch

from learning.backends.backend import perform
from learning.backends.shared import SharedTensors
from learning.work import Facts, Work
from mechanism.errors import MarketProofError


def _follow_parent() -> None:
    """End this process as soon as its parent has ended, however that ended, even in the middle of a task."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def main(facts: Facts, shared: SharedTensors, connection: Connection) -> None:
    """Serve one pool over ``connection``: a task in, ("done", result) or ("failed" or "error", message) out.

    Sends ("ready", None) first. None in place of a task, or the end of the connection, ends the process.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # they may reach the whole group; the parent decides what to do
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    torch.set_num_threads(1)
    work = Work(facts, shared.tensors)
    connection.send(("ready", None))
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        if task is None:
            return
        try:
            answer: tuple[str, object] = ("done", perform(work, task))
        except MarketProofError as error:
            answer = ("failed", str(error))
        except Exception:
            answer = ("error", traceback.format_exc().strip().splitlines()[-1])
        connection.send(answer)
