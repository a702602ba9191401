"""Every guide runs as it is written, and the Python of the first page too."""

from __future__ import annotations

import contextlib
import doctest
import re
import shlex
from pathlib import Path

import click
import pytest

from docs.commands import blocks
from marketproof.cli import whole_command

ROOT = Path(__file__).resolve().parents[2]


DOCS = ROOT / "docs"
PAGES = [*sorted((DOCS / "guide").glob("*.md")), DOCS / "architecture.md", DOCS / "start.md"]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_guide_runs_as_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the page of each run, which no guide opens; what `report` writes is made.

    An exercise is searched for a tenth of a student's time, in which the process of the code takes the most.
    """
    monkeypatch.setattr("analysis.lessons.exercise._BUDGET", 0.2)
    result = doctest.testfile(str(path), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 3
    assert result.failed == 0


EVERY = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("path", EVERY, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_commands_that_a_page_names_exist_with_these_options(path: Path) -> None:
    """Those in blocks and those in a line; what is left out in a line (`marketproof report`) may be."""
    page, commands = path.read_text(), whole_command().commands
    lines = [line for block in blocks(page, "sh", "text", "") for line in block if line.startswith("marketproof ")]
    lines += re.findall(r"`(marketproof [^`]+)`", page)
    for line in lines:
        name, *arguments = shlex.split(re.sub(r"\s+# .*", "", line))[1:]
        with contextlib.suppress(click.MissingParameter):
            commands[name].make_context(name, arguments)


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_files_that_a_page_names_are_there(page: str) -> None:
    named = set(re.findall(r"`([a-z_]+/[\w/.]+)`", (ROOT / page).read_text()))
    assert len(named) >= 2
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_the_page_of_properties_names_each_of_them() -> None:
    from proofs_checks.properties.registry import PROPERTY

    page = (ROOT / "docs" / "properties.md").read_text()
    for name in PROPERTY:
        stem, _, tail = name.rpartition("-")
        assert f"`{name}`" in page or (f"`{stem}-cost`" in page and f"`-{tail}`" in page), name
