"""The playground in a real browser: quiet, dragged, switched, searched; tables, states, links and runs are loaded."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from analysis.playground import recorded
from tests.analysis.page.test_browser import browser as browser
from tests.analysis.synthetic import write_run
from tests.analysis.watched import Watched, served


@pytest.fixture(scope="module")
def recorded_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 8 clients, 2 seeds, 3 rounds."""
    return write_run(tmp_path_factory.mktemp("runs") / "eight", clients=8, rounds=3, lam=0.4)


@pytest.fixture(scope="module")
def playground(recorded_run: Path) -> Iterator[str]:
    yield from served()


@pytest.fixture(scope="module")
def context(browser: Any, playground: str) -> Iterator[Any]:
    """One context for all: what a page loads is kept for the next, and it is let in once."""
    opened = browser.new_context(viewport={"width": 1200, "height": 1300})
    yield opened
    opened.close()


def test_playground_is_quiet_dragged_switched_and_searched(context: Any, playground: str) -> None:
    seen = Watched(context, playground)
    seen.until("words", "dear tells the truth, 1.10, and has utility 0.")
    assert "cheap" in seen.text("trades")
    assert seen.page.locator("#curve svg").get_attribute("aria-label").startswith("True utility of dear")
    report = seen.page.get_by_role("slider").last
    seen.drag(report, "ArrowLeft", 3)
    seen.until("words", "it wins 1.90")
    assert "dear" in seen.text("trades")
    seen.drag(report, "ArrowLeft")
    seen.until("words", "says 0.9000")
    seen.page.get_by_label("Rule").select_option("ipfl-exact")
    seen.until("words", "it loses 0.100")
    seen.page.get_by_role("button", name="Look for a lie").click()
    seen.until("lie", "No lie about a cost was found to pay here")
    seen.page.get_by_label("Rule").select_option("ipfl")
    seen.page.wait_for_function("document.getElementById('lie').innerText === ''")
    seen.page.get_by_role("button", name="Look for a lie").click()
    seen.until("lie", "A lie pays: client dear costs 1.1; saying 1 raises its utility from 0 to 1.9.")
    seen.until("words", "says 1.000: it wins 1.90")
    assert "the rule in the authors' code lets everybody take what costs nothing" in seen.text("at-zero")
    table = seen.page.get_by_label("Clients, one a line")
    table.fill("client,size,cost,gain\nbuyer,100,1,3600\ndear,300,0.2,0\ncheap,300,0.1,0\n")
    table.blur()
    seen.until("words", "dear tells the truth, 0.200")  # and not what the client of the last table said
    seen.close()


def test_weight_clients_and_link(context: Any, playground: str) -> None:
    seen = Watched(context, playground)
    seen.until("words", "dear tells the truth")
    seen.page.get_by_label("Rule").select_option("ipfl-exact")
    seen.until("trades", "1.10")
    seen.drag(seen.page.get_by_role("slider").first, times=10)
    seen.until("trades", "dear")  # at λ = 0.1 the model of cheap is too different
    table = seen.page.get_by_label("Clients, one a line")
    table.fill("client,size,cost,gain\na,100,1,3600\nb,300,x,0\n")
    table.blur()
    seen.until("complaint", "line 3, cost: 'x' is no number")
    table.fill("client,size,cost,gain\na,100,1,3600\nb,300,1,0\nc,300,0.5,0\n")
    table.blur()
    seen.until("accounts", "c\t")
    assert seen.text("complaint") == ""
    link = seen.page.locator("#permalink").get_attribute("href")
    before = seen.text("accounts")
    seen.page.goto(seen.home + link)
    seen.until("accounts", "c\t")
    assert seen.text("accounts") == before
    seen.close()


def test_a_table_and_a_saved_state_are_loaded(context: Any, playground: str, tmp_path: Path) -> None:
    seen = Watched(context, playground)
    seen.until("words", "dear tells the truth")
    (tmp_path / "mine.csv").write_text("client,size,cost,gain\nx,100,2,3600\ny,300,1.5,0\n")
    seen.page.locator("input[type=file]").set_input_files(tmp_path / "mine.csv")
    seen.until("words", "x tells the truth, 2.00")
    _save(seen, tmp_path / "state.json")
    seen.page.reload()
    seen.until("words", "dear tells the truth")
    seen.page.locator("input[type=file]").set_input_files(tmp_path / "state.json")
    seen.until("words", "x tells the truth, 2.00")
    seen.close()


def test_a_file_that_is_too_large_is_refused_in_a_sentence(context: Any, playground: str, tmp_path: Path) -> None:
    seen = Watched(context, playground)
    seen.until("words", "dear tells the truth")
    assert seen.page.get_by_text("up to 1 MB").count() == 1
    (tmp_path / "large.csv").write_text("client,size,cost,gain\n" + "x,100,2,3600\n" * 100_000)
    seen.page.locator("input[type=file]").set_input_files(tmp_path / "large.csv")
    seen.page.get_by_text("large.csv (File is larger than 1000000 bytes)").first.wait_for()
    assert "dear tells the truth" in seen.text("words")
    (tmp_path / "long.csv").write_text("client,size,cost,gain\n" + "x,100,2,3600\n" * 10_000)
    seen.page.locator("input[type=file]").set_input_files(tmp_path / "long.csv")
    seen.until("complaint", "long.csv: the table has more than 20000 characters; expected at most 20 clients")
    seen.close()


def _save(seen: Watched, path: Path) -> None:
    with seen.page.expect_download() as saved:
        seen.page.get_by_role("link", name="Save it").or_(seen.page.get_by_role("button", name="Save it")).first.click()
    saved.value.save_as(path)


def test_a_run_is_loaded_dragged_in_time_its_round_chosen_and_its_link_shared(
    context: Any, playground: str, recorded_run: Path
) -> None:
    run = recorded.open_run(recorded_run)
    first = recorded.first_place(run)
    lie = run.audit.methods["ipfl/ipfl"].lies["cost"]
    assert first == recorded.Place("ipfl/ipfl", lie.seed, lie.round)
    seen = Watched(context, playground)
    seen.until("words", "dear tells the truth")
    folder = seen.page.get_by_label("Or a run's folder")
    folder.fill(str(recorded_run / "nowhere"))
    folder.press("Enter")
    seen.until("complaint", "no such folder")
    folder.fill(str(recorded_run))
    folder.press("Enter")
    seen.until(
        "recorded", f"digits-niid, ipfl/ipfl, seed {lie.seed}, round {lie.round}: recorded types and differences"
    )
    seen.until("words", f"c{lie.client} tells the truth")
    assert seen.text("complaint") == ""
    record = run.market_round("ipfl/ipfl", lie.seed, lie.round)
    assert seen.page.locator("#trades tbody tr").count() == record.imports.sum()
    before = seen.text("words")  # how soon they change is a benchmark
    seen.drag(seen.page.get_by_role("slider").last)
    seen.page.wait_for_function("before => document.getElementById('words')?.innerText !== before", arg=before)
    seen.page.get_by_label("Seed").select_option("1")
    seen.until("recorded", "seed 1")
    seen.page.get_by_label("Round").select_option("2")
    seen.until("recorded", "seed 1, round 2")
    seen.page.get_by_label("Method").select_option("local")
    seen.until("recorded", "local has no market; this is what ipfl-exact would do with its models")
    assert seen.page.get_by_label("Rule").input_value() == "ipfl-exact"
    expected = recorded.state_of(run, recorded.Place("local", 1, 2))
    seen.until("words", f"{expected.names[expected.client]} tells the truth")
    before = seen.text("accounts")
    seen.page.goto(seen.home + seen.page.locator("#permalink").get_attribute("href"))
    seen.until("accounts", "c7")
    assert seen.text("accounts") == before  # the differences travel with the link
    seen.close()


def test_nothing_is_wider_than_a_telephone(browser: Any, playground: str, recorded_run: Path) -> None:
    narrow = browser.new_context(viewport={"width": 390, "height": 800})
    seen = Watched(narrow, playground)
    seen.until("words", "dear tells the truth")
    folder = seen.page.get_by_label("Or a run's folder")
    folder.fill(str(recorded_run))
    folder.press("Enter")
    seen.until("recorded", "recorded types and differences")
    wide = seen.page.evaluate(
        """() => [...document.querySelectorAll('body *')]
          .filter(e => e.offsetParent && !e.closest('table') && e.getBoundingClientRect().right > innerWidth + 1)
          .map(e => e.tagName)"""
    )
    assert wide == []
    # Every control has a place of its own, wide enough to read what stands in it.
    boxes = {
        name: part.bounding_box()
        for name, part in {
            "table": seen.page.get_by_label("Clients, one a line"),
            "load": seen.page.get_by_text("Load a CSV or a saved state"),
            "folder": folder,
            "folder's label": seen.page.get_by_text("Or a run's folder", exact=True),
            "rule": seen.page.get_by_label("Rule"),
            "who": seen.page.get_by_label("Who reports"),
            "lie": seen.page.get_by_role("button", name="Look for a lie"),
            "report": seen.page.get_by_role("slider").last,
        }.items()
    }
    for one, other in combinations(boxes, 2):
        assert not _overlap(boxes[one], boxes[other]), (one, other, boxes)
    assert boxes["table"]["width"] > 300
    assert boxes["folder"]["width"] > 300
    seen.close()
    narrow.close()


def _overlap(a: dict[str, float], b: dict[str, float]) -> bool:
    return (
        a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
    )
