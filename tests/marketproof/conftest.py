"""What the tests of this package share: the command line run in this process, and small tables."""

import contextlib
import io
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # typer 0.20 imports names that click 8.5 deprecates
    import typer  # noqa: F401

from marketproof.cli import execute


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours may catch it and tidy up."""


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
