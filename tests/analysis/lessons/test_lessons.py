"""The figures of the lessons hold what theory says, every lesson runs, and its page needs nothing else."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from analysis.lessons import LESSONS, figures, parts
from analysis.lessons.exercise import Answer
from analysis.lessons.exercises import EXERCISES
from analysis.lessons.parts import answer_html
from analysis.lessons.static import static_page, undragged
from analysis.page.theme import figure_of
from mechanism import UnknownNameError

RNG = np.random.default_rng(3)


def test_no_bid_beats_the_truth_at_the_second_price_and_one_does_at_the_first():
    bids = np.linspace(0, 1, 101)
    for value, rival in ((0.7, 0.4), (0.3, 0.6), (0.5, 0.5)):
        told = figures.auction_utility(np.array([value]), value, rival, "second")[0]
        assert figures.auction_utility(bids, value, rival, "second").max() <= told
    assert figures.auction_utility(bids, 0.7, 0.4, "first").max() == pytest.approx(0.29)


@pytest.mark.parametrize("value", [0.1, 0.5, 0.8, 1.0])
def test_half_the_value_is_the_best_bid_against_half_the_value(value):
    bids = np.linspace(0, 1, 2001)
    expected = figures.first_price_expected(bids, value)
    assert bids[expected.argmax()] == pytest.approx(value / 2, abs=1e-3)
    rivals = RNG.uniform(0, 1, 200_000) / 2
    assert expected[400] == pytest.approx(((value - bids[400]) * (bids[400] > rivals)).mean(), abs=0.01)


def test_the_price_of_vcg_is_the_harm_and_does_not_move_while_you_win():
    for value in (0.5, 0.7, 1.0):
        assert "pay the harm you do, 0.400" in figures.vcg((value, 0.6, 0.4, 0.2))[1]
    assert "you pay 0" in figures.vcg((0.3, 0.6, 0.4, 0.2))[1]


@pytest.mark.parametrize("bidders", [1, 2, 3, 8])
def test_revenue_is_that_of_simulated_auctions_and_highest_at_one_half(bidders):
    values = np.sort(np.concatenate([np.zeros((200_000, 1)), RNG.uniform(0, 1, (200_000, bidders))], axis=1), axis=1)
    for reserve in (0.0, 0.3, 0.5, 0.8):
        paid = np.where(values[:, -1] >= reserve, np.maximum(values[:, -2], reserve), 0.0).mean()
        assert figures.revenue(bidders, np.array([reserve]))[0] == pytest.approx(paid, abs=0.005)
    reserves = np.linspace(0, 1, 1001)
    assert reserves[figures.revenue(bidders, reserves).argmax()] == pytest.approx(0.5)


def test_gains_at_a_fixed_price_are_those_of_simulated_trades():
    value, cost = RNG.uniform(0, 1, (2, 400_000))
    for price in (0.2, 0.5, 0.9):
        gains = ((value >= price) & (cost <= price)) * (value - cost)
        assert figures.posted_gains(price) == pytest.approx(gains.mean(), abs=0.002)


@pytest.mark.parametrize(
    "drawn",
    [
        figures.second_price(0.7, 0.4, 0.5), figures.revelation(0.8, 0.5), figures.vcg((0.8, 0.6, 0.4, 0.2)),
        figures.myerson(3, 0.3), figures.myerson_satterthwaite(0.5), figures.model_market(0, 300, 0.5, 1.0),
    ],
    ids=["second_price", "revelation", "vcg", "myerson", "myerson_satterthwaite", "model_market"],
)  # fmt: skip
def test_the_key_of_a_figure_is_whole_and_leaves_the_axes_their_room(drawn):
    ax, _ = drawn
    whole = figure_of(ax)
    whole.draw_without_rendering()
    if (legend := ax.get_legend()) is not None:
        assert legend.get_window_extent().x1 <= whole.bbox.x1
    assert ax.get_window_extent().width > 0.7 * whole.bbox.width


def test_no_task_has_marks_of_a_markup_that_is_not_read():
    assert not [exercise.id for exercise in EXERCISES.values() if re.search(r"[*`_]\w+[*`_]", exercise.task)]


def test_both_panels_of_the_last_lesson_share_a_scale(monkeypatch):
    seen = []

    def drawing(name, ax, alt):
        seen.append((ax.get_ylim(), ax.get_title(loc="left")))
        return ""

    monkeypatch.setattr(parts, "drawing", drawing)
    for rule in parts.RULES:
        parts.market(rule, 0.9)
    assert seen[0][0] == seen[1][0]
    assert [title for _, title in seen] == list(parts.RULES)


class _Balanced(HTMLParser):
    """Fails on an element that is closed without having been opened, or left open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "br", "hr", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_is_exported_as_a_page_that_needs_nothing_else(lesson):
    page = static_page(lesson)
    assert "marimo-" not in page
    assert "<script" not in page
    assert not [url for url in re.findall(r'https?://[^"\s<)]+', page) if url != "http://www.w3.org/2000/svg"]
    assert "<h1" in page
    assert page.count('role="img"') >= 1
    assert page.count('class="set"') >= 1
    assert "<pre>" in page
    assert "def rule(bids)" in page
    assert f"This page is a still: <code>marketproof play {lesson}</code> makes it move" in page
    assert "Drag" not in page  # nobody can
    assert "white-space: pre-wrap" in page  # code is wrapped and not cut
    reader = _Balanced()
    reader.feed(page)
    assert not reader.open


def test_an_invitation_to_drag_goes_and_what_to_look_at_stays():
    assert undragged("<p>A. Drag your value: the hatched part\nis your price. B.</p>") == (
        "<p>A. The hatched part\nis your price. B.</p>"
    )
    assert undragged('<span class="paragraph">Drag what <em>dear</em> says.</span>x') == "x"


def test_an_unknown_lesson_is_refused():
    with pytest.raises(UnknownNameError, match="unknown lesson 'x'"):
        static_page("x")


def test_what_the_student_caused_is_escaped_in_the_answer():
    shown = answer_html(Answer("wrong", "<img src=x>", ("<script>",)))
    assert "<img" not in shown
    assert "<script" not in shown
    assert 'data-kind="wrong"' in shown
