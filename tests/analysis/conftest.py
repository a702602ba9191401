"""What the tests of analysis share: a recorded run, and copies of it to damage."""

import shutil
from pathlib import Path

import pytest

from analysis import write_report
from analysis.run.records import Run, read_run
from tests.analysis.synthetic import write_run


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder: 4 methods, 2 seeds, 3 rounds, 6 clients. Not to be changed."""
    return write_run(tmp_path_factory.mktemp("runs") / "digits")


@pytest.fixture(scope="session")
def run(folder: Path) -> Run:
    """The same, read."""
    return read_run(folder)


@pytest.fixture(scope="session")
def report(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its page, alone in its folder."""
    page = write_report([folder], tmp_path_factory.mktemp("page") / "out" / "report.html")
    assert [path.name for path in page.parent.iterdir()] == ["report.html"]
    return page.read_text(encoding="utf-8")


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A copy of the run folder that a test may damage."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))
