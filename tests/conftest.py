"""How tests are shared over processes: those that share a costly fixture stay together. Examples have no deadline.

Budgets are counted in processor time here: what a search finds within its budget, the machine's other work does not
change. A rule that waits has to be given a clock by its test.
"""

import gc
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import BaseContext
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("here", settings(), deadline=None)  # machines are busy: time is no property
settings.load_profile("here")

# A tenth of a test's time went into looking for cycles among a million objects that stay, such as what was collected.
gc.set_threshold(10_000, 10, 10)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what it puts into the background
    signal.signal(signal.SIGINT, signal.default_int_handler)

_CLAIMS = Path(__file__).parent / "proofs_checks" / "claims"


@pytest.fixture(scope="session", autouse=True)
def budgets_in_processor_time() -> Iterator[Callable[[], float]]:
    """Let clock and alarm, by which budgets end, stand still while other processes have the processor.

    Yields the clock as it is, for tests in which another process does the work.
    """
    wall = time.perf_counter
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "perf_counter", time.process_time)
        patch.setattr(signal, "SIGALRM", signal.SIGPROF)
        patch.setattr(signal, "ITIMER_REAL", signal.ITIMER_PROF)
        yield wall


@pytest.fixture
def forked_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers of a pool are forked from one process that has imported torch: what they compute is the same."""
    real = multiprocessing.get_context

    def context(method: str | None = None) -> BaseContext:
        if method != "spawn":
            return real(method)
        forking = real("forkserver")
        forking.set_forkserver_preload(["learning.backends.worker"])
        return forking

    monkeypatch.setattr(multiprocessing, "get_context", context)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No report is drawn, which takes longer than a small run."""
    monkeypatch.setattr("marketproof.running.execution.make_report", lambda folder: folder / "report.html")


def pytest_collection_finish() -> None:
    """Let the search for cycles pass over all that stays to the end: modules and tests."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group, for ``--dist loadgroup``, tests of one file that use a fixture of its module, and those of all claims."""
    for item in items:
        known = getattr(item, "_fixtureinfo", None)
        scopes = {} if known is None else {name: found[-1].scope for name, found in known.name2fixturedefs.items()}
        if item.path.parent == _CLAIMS and "results" in scopes:
            item.add_marker(pytest.mark.xdist_group("claims"))
        elif "module" in scopes.values():
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
