"""What every lesson's app shows alike: a figure with its sentence, and the exercise with its answer."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from analysis.lessons.exercise import Answer, check
from analysis.lessons.exercises import EXERCISES
from analysis.playground import view
from analysis.playground.figure import alt, report_curve
from analysis.playground.html import drawing, sentence
from analysis.playground.state import PlayState

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEADING = '<h2 style="font-size:1.4em;font-weight:600;margin:1em 0 0.3em">Exercise</h2>'
_SIGNS = {"right": ("✓", "#00694c"), "wrong": ("✗", "#a84300"), "error": ("!", "#a84300")}


def shown(figure: tuple[Axes, str]) -> str:
    """Return a figure and its sentence as HTML; the sentence is the figure's alternative text as well."""
    ax, words = figure
    return sentence("words", words) + drawing("figure", ax, words)


def task(exercise: str) -> str:
    """Return the exercise in words, with its hint folded away."""
    found = EXERCISES[exercise]
    hint = f"<details><summary>A hint</summary><p>{html.escape(found.hint)}</p></details>" if found.hint else ""
    return f"{_HEADING}<p>{html.escape(found.task)}</p>{hint}"


def answered(exercise: str, code: str) -> str:
    """Check the student's code and return the answer as HTML."""
    return answer_html(check(exercise, code))


def answer_html(answer: Answer) -> str:
    """Return an answer as HTML: a sign, its line, and a line for each promise."""
    sign, tone = _SIGNS[answer.kind]
    lines = "".join(f"<li>{html.escape(line)}</li>" for line in answer.lines)
    return (
        f'<div id="answer" role="status" data-kind="{answer.kind}"><p style="color:{tone};font-weight:600">{sign} '
        f"{html.escape(answer.headline)}</p><ul>{lines}</ul></div>"
    )


def market(mechanism: str, report: float) -> str:
    """Return the lie curve of *dear* in the worked example under a rule, with its sentence, as HTML."""
    state = PlayState(mechanism=mechanism, report=report)
    seen, line = view.look(state), view.curve(state, 3.5)
    words = f"{mechanism}: {view.words(state, seen)}"
    ax = report_curve(line, report, seen)
    return sentence(f"words-{mechanism}", words) + drawing(
        f"figure-{mechanism}", ax, f"{mechanism}. {alt(line, report, seen)}"
    )
