"""What differs from Linux on x86-64, simulated: each test takes something away that another system does not have."""

import builtins
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from learning import begin
from learning.backends import auto, shared
from learning.begin import device_named
from learning.errors import LearningError
from learning.plan import LearningPlan
from learning.privacy import keys
from learning.trainer import Trainer
from mechanism.writing import write
from tests.checks import refused

PLAN = LearningPlan(clients=3, steps=2, rounds=1)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EINVAL, errno.EPERM])
def test_folders_that_cannot_be_flushed_or_opened(tmp_path, monkeypatch, code):
    """Windows opens no folder (EACCES), some network file systems flush none (EINVAL)."""
    opened, flush = os.open, os.fsync

    def no_folder(path, *flags, **more):
        if code == errno.EACCES and Path(path).is_dir():
            raise OSError(code, "no")
        return opened(path, *flags, **more)

    def no_flush(handle):
        if os.path.isdir(f"/proc/self/fd/{handle}"):
            raise OSError(code, "no")
        flush(handle)

    monkeypatch.setattr(os, "open", no_folder)
    monkeypatch.setattr(os, "fsync", no_flush)
    write(tmp_path / "a", b"x")
    with Trainer(PLAN, "fedavg", "rows", "cpu") as trainer:
        trainer.train(1)
        trainer.save(tmp_path / "state")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "state"]


def test_a_disk_that_fails_is_still_told(tmp_path, monkeypatch):
    def broken(handle):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        write(tmp_path / "a", b"x")


def test_noise_keys_without_the_flags_and_permissions_of_posix(tmp_path, monkeypatch):
    monkeypatch.setenv("MARKETPROOF_KEYS", str(tmp_path))
    monkeypatch.setattr(keys, "_PLAIN", 0)
    made = keys.create_keys("r", 2)
    path = tmp_path / "r" / "client-00000.key"
    path.chmod(0o644)
    with refused(LearningError, "can be read by others"):
        keys.load_keys("r", 2)
    with monkeypatch.context() as windows:
        windows.setattr(keys, "_OTHERS", 0)
        assert keys.load_keys("r", 2) == made
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with refused(LearningError, "not a plain file"):
        keys.load_keys("r", 2)


def test_without_locks_of_files_a_run_goes_on_unlocked(tmp_path, monkeypatch):
    from marketproof.running.recorder import take_lock

    real = builtins.__import__

    def absent(name, *rest):
        if name == "fcntl":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    assert take_lock(tmp_path) is None


def test_a_pool_needs_descriptors_that_a_child_can_be_handed(monkeypatch):
    for module in (auto, begin):
        monkeypatch.setattr(module, "SHARES", False)
    with refused(LearningError, "backend 'pool' shares memory among processes as Unix does"):
        Trainer(PLAN, "local", "pool", "cpu")
    with Trainer(PLAN, "local", "auto", "cpu") as trainer:
        assert trainer.backend in ("rows", "stacked")
    assert shared.SHARES


UNEXECUTABLE = """
import ctypes, logging, sys
import numpy as np
from mechanism import Market, Types, market_mechanism
logging.basicConfig(stream=sys.stdout, format="%(message)s")
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):  # memory that was written is never executed (Linux 6.3 on)
    sys.exit(77)
rng = np.random.default_rng(1)
types = Types(rng.uniform(50, 300, 60), rng.uniform(.5, 1, 60), rng.uniform(1e3, 4e3, 60))
outcome = market_mechanism("ipfl-exact").clear(types.truthful(), Market())
print(int(outcome.imports.sum()), repr(float(outcome.prices.sum())))
"""


def test_a_market_is_cleared_where_no_memory_can_be_made_executable():
    """Hardened systems: numba would end the process without a word."""

    def printed(code: str) -> subprocess.CompletedProcess:
        path = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True)

    plain = printed(UNEXECUTABLE.replace("ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)", "False"))
    done = printed(UNEXECUTABLE)
    if done.returncode == 77:
        pytest.skip("this system cannot forbid it")
    assert done.returncode == plain.returncode == 0, done.stderr
    told, numbers = done.stdout.splitlines()
    assert "no machine code for kernels (memory cannot be made executable here)" in told
    found, expected = (np.array([float(n) for n in text.split()]) for text in (numbers, plain.stdout))
    assert np.allclose(found, expected, rtol=1e-12)


def test_kernels_of_a_processor_without_avx(monkeypatch):
    """LLVM makes vectors of eight numbers out of what there is."""
    from learning.kernels import builder, convolutions
    from learning.kernels.convolutions import Geometry
    from learning.models import two_convolutions as operation
    from tests.learning.models.test_two_convolutions import drawn, reference

    class Oldest(dict):
        def flatten(self) -> str:
            return "+sse2" if "x86" in builder.llvm.get_default_triple() else ""

    monkeypatch.setattr(builder.llvm, "get_host_cpu_name", lambda: "x86-64" if sys.platform == "linux" else "")
    monkeypatch.setattr(builder.llvm, "get_host_cpu_features", Oldest)
    for made in (convolutions.forward, convolutions.backward, operation.compiles):
        made.cache_clear()
    x, weights, _ = drawn(28, 1)
    with torch.no_grad():
        found = operation.two_convolutions(x, *weights)
    assert operation.compiles(Geometry(28, 1))
    assert torch.allclose(found, reference(x, *weights), atol=1e-6)
    for made in (convolutions.forward, convolutions.backward, operation.compiles):
        made.cache_clear()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tpu", "expected auto, cpu, cuda, cuda:N or mps"),
        ("cpu:1", "there is no device"),
        ("cuda:x", "there is no device"),
        ("mps:0", "there is no device"),
        ("cuda:1", "no CUDA device that torch can use"),
        ("mps", "no MPS device that torch can use"),
    ],
)
def test_devices_that_are_not_here(monkeypatch, name, words):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with refused(LearningError, words):
        device_named(name, "rows")


def test_devices_that_are_here_by_their_number(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch, "zeros", lambda *shape, **options: None)
    assert [str(device_named(name, "rows")) for name in ("cuda", "cuda:1", "mps")] == ["cuda", "cuda:1", "mps"]
    with refused(LearningError, "expected cuda:0 to cuda:1"):
        device_named("cuda:2", "rows")
    with refused(LearningError, "backend 'pool' runs on the CPU"):
        device_named("cuda:1", "pool")

    def single(*shape, **options):
        raise TypeError("Cannot convert a MPS Tensor to float64 dtype")

    monkeypatch.setattr(torch, "zeros", single)
    with refused(LearningError, "device mps does not hold float64"):
        device_named("mps", "rows")


HELD_BACK = """
import multiprocessing.util, signal
from learning.plan import LearningPlan
from learning.trainer import Trainer
spawn, seen = multiprocessing.util.spawnv_passfds, []

def watched(path, arguments, handles):
    tracker = any("resource_tracker" in str(part) for part in arguments)
    seen.append((tracker, signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())))
    return spawn(path, arguments, handles)

multiprocessing.util.spawnv_passfds = watched
with Trainer(LearningPlan(clients=2, steps=1), "local", "pool", "cpu", processes=2):
    pass
assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
print(seen)
"""


def test_ctrl_c_never_reaches_a_worker_that_is_starting():
    """The whole group gets it. Python's resource tracker, started beside the first worker, would let it through."""
    path = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", HELD_BACK], env=path, capture_output=True, text=True)
    assert done.stdout.strip() == "[(True, True), (False, True), (False, True)]", done.stderr


ELSEWHERE = """
import multiprocessing.reduction, os, shutil, signal, sys
import dp_accounting, matplotlib.pyplot, numba, polars, rich, sklearn.datasets, torch, typer  # they know where they are
for name in ("fcntl", "resource", "termios", "pwd", "grp"):
    sys.modules[name] = None
for owner, names in (
    (os, ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "memfd_create", "sched_getaffinity", "killpg", "getuid")),
    (signal, ("pthread_sigmask", "SIGKILL", "SIGPIPE", "setitimer")),
    (multiprocessing.reduction, ("DupFd",)),
):
    for name in names:
        if hasattr(owner, name):
            delattr(owner, name)
shutil._use_fd_functions = False  # as there: what it would open relative to a folder's descriptor
opened = os.open

def no_folders(path, *rest, **more):
    if "dir_fd" not in more and os.path.isdir(path):  # with it: shutil's, which does otherwise on Windows
        raise PermissionError(13, "Permission denied", path)
    return opened(path, *rest, **more)

os.open = no_folders
from marketproof.cli import execute
run = ["run", "digits-niid", "--clients", "3", "--scale", "smoke", "--rounds", "1", "--steps", "1", "--quiet"]
status = execute([*run, "--methods", "local,ipfl", "--no-audit", "--out", "a"])
status |= execute([*run, "--methods", "fedavg", "--dp-epsilon", "8", "--no-audit", "--out", "b"])
status |= execute(["run", "--resume", "--out", "a", "--quiet"])
status |= execute(["export-model", "a", "--client", "0", "--method", "ipfl"])
sys.exit(status or (execute([*run, "--backend", "pool", "--out", "c"]) != 2))
"""


def test_runs_on_a_system_that_has_nothing_of_these(tmp_path):
    """As Windows: no locks, no flags and signals of POSIX, no folder that can be opened, no descriptors handed on."""
    path = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "MARKETPROOF_KEYS": str(tmp_path / "keys")}
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], env=path, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("marketproof: backend 'pool' shares memory among processes as Unix does")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.safetensors", "a", "b", "keys"]


@pytest.mark.usefixtures("quick")
def test_paths_that_are_not_utf_8(tmp_path, monkeypatch, cli):
    """Folders may be called anything; what settings name must be text, and is refused in one line."""
    from tests.marketproof.test_own_data import COLUMNS, TEXT

    monkeypatch.chdir(tmp_path)
    odd = os.fsdecode(b"o\xff")
    options = ("--methods", "local,ipfl", "--scale", "smoke", "--rounds", 1, "--steps", 1, "--quiet")
    told = ("--json", f"{odd}.json")
    assert cli("run", "digits-niid", *options, "--clients", 3, "--out", odd, *told).status == 0
    assert json.loads(Path(f"{odd}.json").read_bytes())["folder"] == odd
    assert cli("run", "--resume", "--out", odd, "--quiet").status == 0
    assert cli("report", odd, "--out", f"{odd}.html", "--json", f"{odd}.json").status == 0
    assert cli("check", odd).status == 0
    export = ("export-model", odd, "--client", 0, "--method", "ipfl", "--out", f"{odd}.safetensors")
    found: dict = {}
    exec("\n".join(line.strip() for line in cli(*export).out.splitlines()[1:3]), found)
    assert found["model"](torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    assert cli("run", "--continue", odd, "--rounds", 2, "--out", f"{odd}2", "--quiet").status == 0
    Path(f"{odd}.csv").write_text(TEXT)
    Path(f"{odd}.py").write_text("def rule(reports, market):\n    pass\n")
    for wrong in (
        ("--data", f"{odd}.csv", *COLUMNS), ("--methods", f"ipfl/{odd}.py:rule"), (f"{odd}.toml",),
        ("--start-from", odd), ("--base-model", odd),
    ):  # fmt: skip
        assert "is no name in UTF-8 and cannot be recorded" in cli("run", *wrong, "--out", "new").line()
    assert not Path("new").exists()
