"""A federation in processes of its own on loopback, as a user would start it, and the same training in one process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from safetensors.numpy import load_file

from learning.federation.keeping import recalled
from marketproof.federation.keys import Register, make_identity
from marketproof.running.recorder import read_progress

PATIENT = 600
PAUSE = 0.02  # between two looks at what other processes have done


class Federation:
    """Keys and processes in ``folder``; the task of ``text`` is served into ``folder / "run"``.

    ``via``: by which link. ``host``: the server's address. ``hosts``: of a process that is not on this host, by its
    log's name, the words before its command.
    """

    def __init__(
        self, folder: Path, names: tuple[str, ...], text: str, via: str = "https", host: str = "127.0.0.1"
    ) -> None:
        self.folder, self.names, self.via, self.host = folder, names, via, host
        self.hosts: dict[str, tuple[str, ...]] = {}
        self.processes: list[subprocess.Popen[bytes]] = []
        (folder / "task.toml").write_text(text)
        make_identity(folder / "federation", "server", [host])
        (folder / "server.crt").write_bytes((folder / "federation/server.crt").read_bytes())
        for name in names:
            Register(folder / "federation").add(make_identity(folder, name).certificate)

    def start(self, log: str, *arguments: object) -> subprocess.Popen[bytes]:
        """Start a command in the folder, what it says put into a file."""
        with (self.folder / f"{log}.log").open("ab") as file:
            process = subprocess.Popen(
                [*self.hosts.get(log, ()), sys.executable, "-m", "marketproof", *map(str, arguments)],
                cwd=self.folder, stdout=file, stderr=file, env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        self.processes.append(process)
        return process

    def serve(self, port: int, *arguments: object) -> subprocess.Popen[bytes]:
        """Start the server, into the folder run."""
        where = ("--listen", f"{self.host}:{port}", "--via", self.via)
        return self.start("server", "serve", *arguments, *where, "--out", "run")

    def join(self, name: str, port: int, *arguments: object) -> subprocess.Popen[bytes]:
        """Start a client that says what the task's market says."""
        where = ("--server", f"{self.host}:{port}", "--via", self.via)
        reports = ("--cost", 0.5, "--gain", 1e6, "--json", f"{name}.json")
        return self.start(name, "join", *where, "--key", f"{name}.key", *reports, *arguments)

    def rounds(self) -> int:
        """Return how many rounds are recorded so far."""
        return sum(read_progress(self.folder / "run").rounds.values()) if (self.folder / "run").is_dir() else 0

    def begun(self, name: str) -> int:
        """Return in how many rounds a client has begun to train: it writes that down before it does."""
        files = (self.folder / f"{name}.memory").glob("*.safetensors")
        return sum(recalled(path.parent, path.stem).round for path in files if not path.name.startswith("."))

    def until(self, holds: Callable[[], bool], server: subprocess.Popen[bytes]) -> None:
        """Wait until something holds."""
        while not holds():
            assert server.poll() is None, self.told()
            threading.Event().wait(PAUSE)

    def catch(
        self, name: str, client: subprocess.Popen[bytes], server: subprocess.Popen[bytes], rounds: int = 1
    ) -> None:
        """Stop a client in the middle of a round, which then cannot end, after so many are recorded."""
        while True:
            self.until(lambda: self.begun(name) > self.rounds() >= rounds, server)
            client.send_signal(signal.SIGSTOP)
            threading.Event().wait(PAUSE)
            if self.begun(name) > self.rounds():
                return
            client.send_signal(signal.SIGCONT)  # it was through already

    def told(self) -> str:
        """Return what all processes said."""
        return "\n".join(f"{path.name}: {path.read_text()}" for path in sorted(self.folder.glob("*.log")))

    def end(self) -> None:
        """Kill what is left."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()


def tensors(run: Path, kind: str) -> dict[str, dict[str, bytes]]:
    """Return the bytes of all tensors of a run's recorded markets, or of its models, by file and name."""
    files = sorted((run / kind).glob("*.safetensors"))
    return {file.name: {name: array.tobytes() for name, array in load_file(file).items()} for file in files}


def free_port() -> int:
    """Return a port that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
