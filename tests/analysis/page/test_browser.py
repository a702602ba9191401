"""The report in a real browser: nothing logged, nothing requested, nothing wider than the screen."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis import write_report
from tests.analysis.synthetic import METHODS, write_run

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium; its absence fails where CI=true, so that CI cannot pass by not looking."""
    if not CHROMIUM.is_file():
        message = "chromium is not installed: apt-get install chromium"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A usual report, one of two runs, and one whose names are long and hostile."""
    root = tmp_path_factory.mktemp("pages")
    usual = write_run(root / "usual", clients=10, rounds=4, seeds=(0, 1))
    small = write_run(root / "small", clients=1, rounds=1, seeds=(0,))
    names = {"<img src=http://127.0.0.1:9/x onerror=alert(1)>": "ipfl", "w" * 190: "ipfl-exact"} | METHODS
    hostile = write_run(root / "hostile", clients=50, rounds=2, seeds=(0,), methods=names, task="t" * 150)
    runs = {"usual": [usual], "several": [usual, small], "hostile": [hostile]}
    return {name: write_report(folders, root / f"{name}.html") for name, folders in runs.items()}


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("name", ["usual", "several", "hostile"])
def test_page_is_quiet_and_fits(browser: Any, pages: dict[str, Path], name: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    logged: list[str] = []
    requested: list[str] = []
    page.on("console", lambda message: logged.append(message.text))
    page.on("pageerror", lambda error: logged.append(str(error)))
    page.on("dialog", lambda dialog: logged.append(dialog.message))
    page.on("request", lambda request: requested.append(request.url))
    page.goto(pages[name].as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not logged
    assert [url for url in requested if not url.startswith("data:")] == [pages[name].as_uri()]
    drawn = page.evaluate("[...document.querySelectorAll('figure svg')].map(s => s.getBoundingClientRect().height)")
    assert drawn
    assert min(drawn) > 60
    page.close()


def test_words_are_readable(browser: Any, pages: dict[str, Path]) -> None:
    """Contrast of every piece of text against the nearest background: at least 4.5 (WCAG AA)."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(pages["usual"].as_uri())
    worst = page.evaluate(
        """() => {
          const part = c => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
          const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
          const rgb = text => text.match(/[\\d.]+/g).map(Number);
          const behind = e => { for (; e; e = e.parentElement) {
            const c = rgb(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0) return c; }
            return [255, 255, 255]; };
          let worst = 99;
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walk.nextNode()) {
            if (!walk.currentNode.data.trim()) continue;
            const e = walk.currentNode.parentElement;
            const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
            worst = Math.min(worst, (a + 0.05) / (b + 0.05));
          }
          return worst;
        }"""
    )
    assert worst >= 4.5
    page.close()


@pytest.mark.parametrize("name", ["usual", "hostile"])
def test_sentences_in_a_table_are_wide_enough_to_read_on_a_telephone(
    browser: Any, pages: dict[str, Path], name: str
) -> None:
    """The page stays as wide as the screen; the box around the table scrolls, and the keyboard reaches it."""
    page = browser.new_page(viewport={"width": 400, "height": 900})
    page.goto(pages[name].as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    box = page.locator('.scroll[aria-label^="What is known of each rule"]').first
    tall = box.evaluate("one => Math.max(...[...one.querySelectorAll('tbody tr')].map(row => row.offsetHeight))")
    cells = box.evaluate("one => Math.min(...[...one.querySelectorAll('td.text:not(.short)')].map(c => c.offsetWidth))")
    assert cells >= 250
    assert tall < 300
    assert box.evaluate("one => one.tabIndex") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.close()
