"""The commands of the pages: none is lost by the script that runs them, and quick ones run here, too."""

import os
import re
import sys
from pathlib import Path

import pytest

from docs.commands import GIVEN, IN_CLONE, KINDS, OWN, QUICK, ROOT, blocks, commands, pages
from tests.docs.test_readme import shown

EVERY = {path.relative_to(ROOT).as_posix(): commands(path) for path in pages(ROOT)}


def test_every_line_of_a_shell_block_is_a_command():
    for path in pages(ROOT):
        lines = [line for block in blocks(path.read_text()) for line in block]
        found = [one.line for one in EVERY[path.relative_to(ROOT).as_posix()]]
        assert [line for line in lines if line not in found] == [], path
    assert sum(len(found) for found in EVERY.values()) > 150


def test_what_is_not_run_has_a_reason_and_each_reason_a_command():
    every = [one for found in EVERY.values() for one in found]
    assert all(one.why for one in every if one.kind != QUICK)
    assert [pattern for pattern, _, _ in KINDS if not any(re.search(pattern, one.line) for one in every)] == []
    assert set(GIVEN) <= set(EVERY)
    assert not any("marketproof clear clients.csv" in one.line and one.kind == OWN for one in every)


ELSEWHERE = re.compile(r"README|docs/journeys/")
"""Run by tests/docs/test_readme.py, which also holds what they say."""


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in EVERY if not ELSEWHERE.match(page)])
def test_quick_commands_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLONE", str(ROOT))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    lines = [one.line for one in EVERY[page] if one.kind == QUICK and not re.match(IN_CLONE, one.line)]
    if not lines:
        pytest.skip("nothing on this page is quick")
    if "keys new" in "".join(lines):
        pytest.importorskip("cryptography")
    shown([*GIVEN.get(page, ()), *lines])
