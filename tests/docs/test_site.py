"""The documentation site: built offline, no link broken, searched, fitting the screen; guides as notebooks."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.analysis.page.test_browser import browser  # noqa: F401 - a fixture
from tests.analysis.watched import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = Path(sys.prefix) / ".site" / "bin" / "python"
GUIDES = sorted((ROOT / "docs" / "guide").glob("*.md"))


def generator(*arguments: str | Path) -> str:
    """Run a script of docs/site by the site's own Python; its absence fails where CI=true."""
    if not GENERATOR.exists():
        message = "the generator of the site is not installed: make site"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([GENERATOR, *arguments], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    assert "every link leads somewhere" in generator(ROOT / "docs" / "site" / "build.py", folder)
    return folder / "html"


def test_a_search_for_truthful_finds_what_is_promised_first(site: Path, browser: Any) -> None:  # noqa: F811
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{(site / 'search.html').as_uri()}?q=truthful")
    page.wait_for_selector("p.search-summary:has-text('found')")  # results come one by one until then
    found = [link.get_attribute("href") for link in page.query_selector_all("ul.search li a")]
    assert found[0].split("?")[0].split("#")[0].endswith("promises.html")
    assert any("effective.html" in link for link in found)


@pytest.mark.parametrize("width", [400, 1400])
def test_every_page_fits_and_asks_nobody(site: Path, browser: Any, width: int) -> None:  # noqa: F811
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(PATIENCE)
    asked: list[str] = []
    page.on("request", lambda request: None if request.url.startswith("file:") else asked.append(request.url))
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 30
    for path in pages:
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert [url for url in asked if not url.startswith("data:")] == []


def test_the_site_holds_every_page_and_the_reference(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html")
        assert (site / ("index.html" if name.name == "start.html" else name)).is_file(), page
    commands = (site / "reference" / "commands.html").read_text()
    assert "marketproof strategic" in commands
    assert "--certificate" in commands
    assert (
        "What clients say: the only thing about them that a mechanism sees."
        in (site / "reference" / "mechanism.html").read_text()
    )
    for guide in GUIDES:
        cells = json.loads((site / "guide" / f"{guide.stem}.ipynb").read_text())["cells"]
        assert {cell["cell_type"] for cell in cells} == {"code", "markdown"}, guide


SCRIPT = ROOT / "docs" / "site" / "notebooks.py"


def test_a_notebook_runs_and_one_that_says_otherwise_is_told() -> None:
    assert "1 notebooks ran" in generator(SCRIPT, ROOT / "docs" / "start.md")


def test_what_a_cell_shows_is_compared(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.md"
    wrong.write_text("# A guide\n\n```python\n>>> x = 2\n>>> x + 2\n5\n\n```\n")
    with pytest.raises(AssertionError, match=r"x \+ 2: expected '5\\n', got '4\\n'"):
        generator(SCRIPT, wrong)


@pytest.mark.slow
@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_every_guide_runs_as_a_notebook(guide: Path) -> None:
    assert "ran as their guides say" in generator(SCRIPT, guide)
