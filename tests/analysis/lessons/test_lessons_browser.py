"""Every lesson in a real browser: quiet, its figure dragged, its exercise answered."""

from collections.abc import Iterator
from typing import Any

import pytest

from analysis.lessons import LESSONS, TITLES
from analysis.lessons.exercises import EXERCISES
from tests.analysis.lessons.solutions import SOLUTIONS
from tests.analysis.page.test_browser import browser as browser
from tests.analysis.watched import Watched, served

# Lesson: what the words say at first, which slider moves, what they say then, and the smallest lie against the start.
SCENES = {
    "second_price": ("bid 0.550", -1, "bid 0.560", "reporting value 0.04 takes its utility from 0 to 0.96"),
    "revelation": ("reporting 0.500", -1, "reporting 0.510", "reporting value 0.4 raises what it expects"),
    "vcg": ("harm you do, 0.400", 2, "harm you do, 0.410", "reporting value 0.05 takes its utility from 0 to 0.95"),
    "myerson": ("2 bidders, reserve 0.200", -1, "2 bidders, reserve 0.210", "the seller earns 0.3333 on average"),
    "myerson_satterthwaite": (
        "the fixed price 0.300",
        0,
        "the fixed price 0.310",
        "the seller has cost 0; reporting cost 1",
    ),
    "model_market": (
        "cost is 1.00",
        -1,
        "cost is 1.05",
        "the seller has cost 0; reporting cost 1 takes its utility from 0 to 1",
    ),
    "understated_cost": ("says 0.9000: it wins 1.90", 0, "says 0.9500: it wins 1.90", "a has cost 1; reporting cost 0"),
}


@pytest.fixture(scope="module")
def lessons() -> Iterator[str]:
    yield from served("lessons")


@pytest.fixture(scope="module")
def context(browser: Any, lessons: str) -> Iterator[Any]:
    """One context for all: what a page loads is kept for the next, and it is let in once."""
    opened = browser.new_context(viewport={"width": 1200, "height": 1300})
    page = opened.new_page()
    page.goto(lessons)
    page.close()
    yield opened
    opened.close()


def _ask(seen: Watched, code: str | None, kind: str, part: str) -> None:
    if code is not None:
        seen.page.locator(".cm-content").click()
        seen.page.keyboard.press("Control+a")
        seen.page.keyboard.insert_text(code)
        seen.page.wait_for_selector("#waiting", state="attached")
    seen.page.get_by_role("button", name="Ask the engine").click()
    seen.page.wait_for_selector(f"#answer[data-kind={kind}]")
    assert part in seen.text("answer")


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_is_quiet_dragged_and_answered(context: Any, lessons: str, lesson: str) -> None:
    at_first, slider, then, lie = SCENES[lesson]
    words, figure = ("words-ipfl", "figure-ipfl") if lesson == "understated_cost" else ("words", "figure")
    seen = Watched(context, f"{lessons.split('?')[0]}?file={lesson}.py")
    seen.until(words, at_first)
    drawing = seen.page.locator(f"#{figure} svg")
    before, label = drawing.inner_html(), drawing.get_attribute("aria-label")
    assert label
    sliders = seen.page.get_by_role("slider")
    seen.drag(sliders.nth(slider))
    seen.until(words, then)
    assert drawing.inner_html() != before
    assert drawing.get_attribute("aria-label") != label
    assert seen.page.locator(".cm-content").inner_text().split() == EXERCISES[lesson].start.split()
    _ask(seen, None, "wrong", lie)
    if lesson == LESSONS[0]:  # what the editor holds now is what is asked; test_exercise asks every right answer
        _ask(seen, "def rule(bids):\n    return 1 / 0\n", "error", "Line 2: your code raises ZeroDivisionError")
        _ask(seen, SOLUTIONS[lesson], "right", "Right: for dsic, ir, efficiency nothing was found")
    seen.close()


def test_all_lessons_stand_on_one_page_in_order_and_lead_back_to_it(context: Any, lessons: str) -> None:
    seen = Watched(context, lessons)
    seen.page.wait_for_selector("#lessons")
    links = seen.page.locator("#lessons a")
    assert links.all_inner_texts() == list(TITLES.values())
    assert [link.get_attribute("href") for link in links.all()] == [f"?file={lesson}.py" for lesson in LESSONS]
    assert seen.page.locator("img[alt*=marimo]").count() == 0
    links.nth(2).click()
    seen.until("words", "harm you do, 0.400")
    assert not seen.page.get_by_label("Back to gallery").is_visible()
    seen.page.locator("#all-lessons").click()
    seen.page.wait_for_selector("#lessons")
    seen.close()


def test_the_panels_of_the_last_lesson_stand_below_one_another_on_a_telephone(context: Any, lessons: str) -> None:
    seen = Watched(context, f"{lessons.split('?')[0]}?file=understated_cost.py")
    seen.page.set_viewport_size({"width": 390, "height": 800})
    seen.until("words-ipfl", "it wins 1.90")
    first, second = (seen.page.locator(f"#figure-{rule} svg").bounding_box() for rule in ("ipfl", "ipfl-exact"))
    assert second["y"] >= first["y"] + first["height"]
    assert min(first["width"], second["width"]) > 300
    seen.close()


def test_nobody_without_the_secret_gets_in(browser: Any, lessons: str) -> None:
    stranger = browser.new_context()
    page = stranger.new_page()
    page.goto(f"{lessons.split('?')[0]}?file=vcg.py")
    assert page.locator("#words").count() == 0
    assert "login" in page.url
    stranger.close()
