"""Every guide runs as it is written, and the README's Python too."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "guide").glob("*.md")), ids=lambda p: p.stem)
def test_guide_runs_as_written(path: Path) -> None:
    result = doctest.testfile(str(path), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 3
    assert result.failed == 0


def test_the_page_of_properties_names_each_of_them() -> None:
    from proofs_checks.properties.registry import PROPERTY

    page = (ROOT / "docs" / "properties.md").read_text()
    for name in PROPERTY:
        stem, _, tail = name.rpartition("-")
        assert f"`{name}`" in page or (f"`{stem}-cost`" in page and f"`-{tail}`" in page), name
