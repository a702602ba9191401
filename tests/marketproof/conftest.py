"""What the tests of this package share: the command line run in this process, and small tables."""

import contextlib
import io
import itertools
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # typer 0.20 imports names that click 8.5 deprecates
    import typer  # noqa: F401

from marketproof.cli import execute


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours may catch it and tidy up."""


def rules(agents: int = 3, **payments: str) -> str:
    """Text of a file of rules that give one item to the highest bid; ``payments``: of each, in Python."""
    head = "import numpy as np\nfrom mechanism import single_parameter\n"
    wins = "    wins = np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None]\n"
    return head + "".join(
        f"\n@single_parameter(agents={agents})\ndef {name}(bids):\n{wins}    return wins, {paid}\n"
        for name, paid in payments.items()
    )


def dying(
    patch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    *fatal: int,
    error: type[BaseException] = Killed,
    after: bool = False,
) -> None:
    """Let these calls of ``owner.name``, counted from 1, end in an error, before they do anything or when they have."""
    real, calls = getattr(owner, name), itertools.count(1)

    def called(*given, **named):
        ends = next(calls) in fatal
        if ends and not after:
            raise error
        answer = real(*given, **named)
        if ends:
            raise error
        return answer

    patch.setattr(owner, name, called)


@pytest.fixture(scope="module")
def quick():
    """No report is drawn and nothing flushed to the disk: neither changes what is recorded, or what a kill leaves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("marketproof.running.execution.make_report", lambda folder: folder / "report.html")
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@dataclass(frozen=True)
class Answer:
    """What one command line gave."""

    status: int
    out: str
    err: str

    def line(self) -> str:
        """Return the one line on stderr of a wrong input."""
        assert self.status == 2, (self.status, self.out, self.err)
        assert self.err.count("\n") == 1, self.err
        assert self.err.endswith("\n"), self.err
        assert self.err.startswith("marketproof: "), self.err
        assert self.out == ""
        return self.err[len("marketproof: ") : -1]


def command(*arguments: object) -> Answer:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = execute([str(argument) for argument in arguments])
    return Answer(status, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def cli() -> Callable[..., Answer]:
    """Run a command line in this process."""
    return command


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """Write a client table from rows of text."""

    def write(*rows: str, name: str = "clients.csv", header: str = "client,size,cost,gain") -> Path:
        path = tmp_path / name
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    return write
