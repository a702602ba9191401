"""What every lesson's app shows alike: a figure with its sentence, and the exercise with its answer."""

from __future__ import annotations

import html
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from analysis.lessons.exercise import Answer, check
from analysis.lessons.exercises import EXERCISES
from analysis.playground import view
from analysis.playground.figure import alt, report_curve
from analysis.playground.html import drawing, sentence
from analysis.playground.state import PlayState
from analysis.theme import INK, TITLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_END = 3.5  # the largest cost that dear can report
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


RULES = ("ipfl", "ipfl-exact")
"""The rules that the last lesson sets beside one another."""


@lru_cache(maxsize=1)
def scale() -> tuple[float, float]:
    """Return the lowest and the highest utility on the curves of both rules, and room, so that they share a scale."""
    every = np.concatenate([view.curve(PlayState(mechanism=rule), _END).utilities for rule in RULES])
    room = 0.12 * float(np.ptp(every))
    return float(every.min()) - room, float(every.max()) + room


def market(mechanism: str, report: float) -> str:
    """Return the lie curve of *dear* in the worked example under a rule, with its sentence, as HTML."""
    state = PlayState(mechanism=mechanism, report=report)
    seen, line = view.look(state), view.curve(state, _END)
    words = f"{mechanism}: {view.words(state, seen)}"
    ax = report_curve(line, report, seen)
    ax.set_ylim(*scale())
    ax.set_title(mechanism, loc="left", fontsize=TITLE, fontweight="bold", color=INK, pad=40)
    return sentence(f"words-{mechanism}", words) + drawing(
        f"figure-{mechanism}", ax, f"{mechanism}. {alt(line, report, seen)}"
    )
