"""What the playground shows: the worked example of the theory, the curve and its jumps, the lie, and in time."""

import html
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from analysis.page.export import inline_svg
from analysis.page.theme import figure_of
from analysis.playground import view
from analysis.playground.html import drawing, link, sentence, table
from analysis.playground.state import MARKET_ENTRIES, Client, PlayState, to_query
from analysis.playground.view import alt, report_curve

RULES = sorted(MARKET_ENTRIES)


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    view.warm()


def test_the_worked_example_under_both_rules():
    """theory.md, 2: dear gains 1.9 by saying 0.9 under ipfl; under ipfl-exact cheap is bought at 1.1."""
    honest, lying = view.look(PlayState()), view.look(PlayState(report=0.9))
    assert honest.trades == (("buyer", "cheap", pytest.approx(3.0)),)
    assert lying.trades == (("buyer", "dear", pytest.approx(3.0)),)
    assert (lying.truthful, lying.utility) == (pytest.approx(0.0), pytest.approx(1.9))
    repaired = view.look(PlayState(mechanism="ipfl-exact"))
    assert repaired.trades == (("buyer", "cheap", pytest.approx(1.1)),)
    assert repaired.accounts["buyer"]["utility"] == pytest.approx(1.9)
    assert repaired.accounts["cheap"] == {
        "gain": 0, "cost": 1.0, "paid": 0, "received": pytest.approx(1.1), "centre": 0, "utility": pytest.approx(0.1),
    }  # fmt: skip
    assert repaired.welfare == pytest.approx(2.0)


def test_the_weight_of_differences_turns_the_sale():
    """The model of cheap differs by 1 - cos 60° = 1/2: its price rises by 1.5 λ, past dear's 1.1 at λ = 1/15."""
    assert view.look(PlayState(mechanism="ipfl-exact", lam=0.06)).trades[0][1] == "cheap"
    assert view.look(PlayState(mechanism="ipfl-exact", lam=0.07)).trades[0][1] == "dear"


@pytest.mark.parametrize("rule", RULES)
def test_the_curve_agrees_with_the_clearing(rule):
    state = PlayState(mechanism=rule)
    line = view.curve(state)
    assert (np.diff(line.reports) > 0).all()
    assert state.truth in line.reports
    for k in range(0, line.reports.size, 17):
        assert view.look(state.reporting(1, float(line.reports[k]))).utility == pytest.approx(line.utilities[k])


def test_a_jump_is_drawn_where_it_is():
    line = view.curve(PlayState(mechanism="ipfl-exact"))
    jump = int(np.argmax(np.abs(np.diff(line.utilities))))
    assert line.reports[jump + 1] - line.reports[jump] < 1e-5
    assert line.reports[jump] == pytest.approx(1.0, abs=1e-5)


def test_the_lie_is_found_and_told():
    lie = view.find_lie(PlayState())
    assert lie.client == 1
    assert lie.gain == pytest.approx(1.9)
    assert lie.sentence == "A lie pays: client dear costs 1.1; saying 1 raises its utility from 0 to 1.9."
    assert view.look(PlayState().reporting(1, lie.report)).utility == pytest.approx(1.9)


@pytest.mark.parametrize(
    ("rule", "sure"), [("ipfl-exact", "no other report can do better"), ("posted-price", "a search, no proof")]
)
def test_no_lie_is_told_with_how_sure_that_is(rule, sure):
    lie = view.find_lie(PlayState(mechanism=rule))
    assert (lie.client, lie.gain) == (None, 0.0)
    assert sure in lie.sentence


def test_every_found_lie_pays_what_it_says():
    """Twenty random markets under every rule: the sentence's gain is what the clearing gives."""
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(20):
        m = int(rng.integers(3, 6))
        drawn = np.round(rng.uniform([50, 0.1, 0, 0], [500, 3, 5000, 90], (m, 4)), 2).tolist()
        clients = tuple(Client(f"c{k}", *numbers) for k, numbers in enumerate(drawn))
        for rule in RULES:
            state = PlayState(clients, rule, 0.1, 0, 1.0)
            lie = view.find_lie(state)
            if lie.client is None:
                continue
            found += 1
            seen = view.look(state.reporting(lie.client, lie.report))
            assert seen.utility - seen.truthful == pytest.approx(lie.gain)
            assert seen.utility > seen.truthful
            assert rule not in ("ipfl-exact", "vcg-two-sided", "posted-price", "pooled-price", "no-payment")
    assert found > 10


def test_words_tell_truth_gain_and_loss():
    def told(rule: str, report: float) -> str:
        state = PlayState(mechanism=rule, report=report)
        return view.words(state, view.look(state))

    assert told("ipfl", 1.1) == "dear tells the truth, 1.10, and has utility 0."
    assert "it wins 1.90 (utility 1.90, with the truth 0)" in told("ipfl", 0.9)
    assert "it loses 0.100" in told("ipfl-exact", 0.9)
    assert "nothing changes for it" in told("ipfl-exact", 1.5)


@pytest.mark.parametrize("rule", RULES)
def test_an_update_at_eight_clients_clears_in_few_batches(monkeypatch, rule):
    """Everything that a drag computes and draws, and the curve as well: what it costs is what is cleared."""
    rng = np.random.default_rng(1)
    clients = tuple(
        Client(f"c{k}", 100.0 + 37 * k, float(rng.uniform(0.2, 2)), float(rng.uniform(500, 5000)), 20.0 * k)
        for k in range(8)
    )
    state = PlayState(clients, rule, 0.05, 3, 0.7)
    asked: list[int] = []
    clear = view.cleared

    def counted(rule, types, market, client, reports):
        asked.append(len(reports))
        return clear(rule, types, market, client, reports)

    monkeypatch.setattr(view, "cleared", counted)
    seen, line = view.look(state), view.curve(state)
    drawing("curve", report_curve(line, state.report, seen), alt(line, state.report, seen))
    view.trades_table(seen), view.accounts_table(seen), view.words(state, seen), view.steps(state)
    assert len(asked) == 2
    assert sum(asked) <= 500


def test_the_slider_stops_at_the_truth_and_at_the_report():
    state = PlayState(report=0.987654321)
    stops = view.steps(state)
    assert stops == sorted(set(stops))
    assert {0.0, state.truth, 0.987654} <= set(stops)  # six digits: the slider shows its stop
    assert view.told(state, 0.987654, state.report) == state.report
    assert view.told(state, 0.5, state.report) == 0.5
    long = replace(state, clients=(*state.clients[:1], Client("x", 300, 0.964313791977, 0), *state.clients[2:]))
    assert 0.964314 in view.steps(long)
    assert view.told(long, 0.964314, 0.5) == long.truth
    assert stops[-1] >= view.highest_report(state) > state.truth


def test_a_free_client_and_a_dear_one_have_a_slider_too():
    for cost in (0.0, 1e6):
        state = replace(PlayState(), clients=(*PlayState().clients, Client("d", 1, cost, 0)), client=3, report=cost)
        assert view.highest_report(state) > cost
        assert np.isfinite(view.curve(state).utilities).all()


def test_figure_marks_truth_and_report_and_says_so():
    state = PlayState(report=0.9)
    seen, line = view.look(state), view.curve(state)
    ax = report_curve(line, 0.9, seen)
    marks = {curve.get_marker(): (curve.get_xdata()[0], curve.get_ydata()[0]) for curve in ax.lines}
    assert marks["D"] == (0.9, pytest.approx(1.9))
    assert marks["o"] == (1.1, pytest.approx(0.0))
    words = alt(line, 0.9, seen)
    assert "Truth 1.100: utility 0" in words
    assert "Report 0.9000: utility 1.90" in words
    svg = ElementTree.fromstring(inline_svg(figure_of(ax), "x", words))
    assert svg.get("aria-label") == words


def test_the_fall_at_a_report_of_zero_is_explained_where_it_is():
    """At λ = 0 cheap, to whom no model is worth anything, takes a free one: dear bears 1.1 twice and is paid 3 once."""
    state = PlayState()
    line = view.curve(state)
    assert line.utilities[:2] == pytest.approx([0.8, 1.9])
    told = view.at_zero(state)
    assert "the curve falls by 1.10" in told
    assert "So cheap takes it as well, for nothing, and dear bears its cost of 1.10 each time" in told
    four = replace(state, clients=(*state.clients, Client("idle", 50, 1, 0)))
    assert "So cheap and idle take it as well" in view.at_zero(four)
    assert view.at_zero(replace(state, lam=0.05)) == ""  # cheap would be charged for the difference
    for rule in RULES:
        line = view.curve(PlayState(mechanism=rule))
        assert (line.utilities[0] < line.utilities[1] - 1e-6) == bool(view.at_zero(PlayState(mechanism=rule))), rule


@pytest.mark.parametrize("report", [0.0, 1.1, 5.0, 7.3, 1e6, 1e9])
def test_the_curve_reaches_to_the_report(report):
    state = PlayState(report=report)
    line = view.curve(state)
    assert line.reports[-1] >= report
    assert view.steps(state)[-1] >= report
    assert report_curve(line, report, view.look(state)).get_xlim()[1] == line.reports[-1]
    assert (line.reports[-1] == view.curve(PlayState()).reports[-1]) == (report <= 5.0)


def test_what_people_type_is_escaped():
    hostile = '<img src=x onerror="alert(1)">'
    state = replace(PlayState(), clients=(Client(hostile, 100, 1, 3600), *PlayState().clients[1:]))
    seen = view.look(state)
    pieces = [
        view.trades_table(seen), view.accounts_table(seen), sentence("a", hostile),
        table("t", hostile, [hostile], [[hostile]]), link("l", to_query(state), hostile),
        drawing("c", report_curve(view.curve(state), 1.1, seen), hostile),
    ]  # fmt: skip
    for piece in pieces:
        assert "<img" not in piece
    assert html.escape(hostile) in pieces[0]
