"""What every lesson's app shows alike: a figure with its sentence, and the exercise with its answer."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import lru_cache
from inspect import cleandoc
from typing import TYPE_CHECKING

import marimo as mo
import numpy as np

from analysis.lessons import INDEX, TITLES
from analysis.lessons.exercise import Answer, check
from analysis.lessons.exercises import EXERCISES
from analysis.page.theme import INK, SOFT, TITLE
from analysis.playground import view
from analysis.playground.html import drawing, sentence
from analysis.playground.state import PlayState
from analysis.playground.view import alt, report_curve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes

_END = 3.5  # the largest cost that dear can report
_HEADING = '<h2 style="font-size:1.4em;font-weight:600;margin:1em 0 0.3em">Exercise</h2>'
_SIGNS = {"right": ("✓", "#00694c"), "wrong": ("✗", "#a84300"), "error": ("!", "#a84300")}


_WHAT = {
    "second_price": "why the truth is best when the winner pays the second bid",
    "revelation": "whatever an equilibrium reaches, telling the truth to a machine reaches",
    "vcg": "pay the harm that you do to the others",
    "myerson": "virtual values, and the object that is better kept",
    "myerson_satterthwaite": "truth, participation, every good trade, no subsidy: not all four",
    "model_market": "what a model is worth, what it costs, and when a trade is good for both",
    "understated_cost": "a payment that is not the critical value, and one that is",
}
# marimo's own way back leads to its gallery, which knows neither order nor titles.
_HIDDEN = '<style>a[aria-label="Back to gallery"] { display: none }</style>'


def contents() -> str:
    """Return the list of lessons, in order, each a link to its app among those that are served together."""
    rows = "".join(
        f'<li style="margin:0.7em 0"><a href="?file={name}.py" style="text-decoration:underline;font-weight:600">'
        f'{html.escape(title)}</a><br><span style="color:{SOFT}">{html.escape(_WHAT[name])}</span></li>'
        for name, title in TITLES.items()
    )
    return f'{_HIDDEN}<ol id="lessons" style="list-style:decimal;padding-left:1.6em">{rows}</ol>'


def way_back(query: Mapping[str, object]) -> str:
    """Return a link to the list of lessons where they are served together; "" where one stands alone."""
    if "file" not in query:
        return ""
    return f'{_HIDDEN}<a id="all-lessons" href="?file={INDEX}" style="text-decoration:underline">All lessons</a>'


def shown(draw: Callable[..., tuple[Axes, str]]) -> Callable[..., str]:
    """Return a function that draws a figure as HTML, below its sentence, which is its alternative text as well."""

    def html_of(*values: float) -> str:
        ax, words = draw(*values)
        return sentence("words", words) + drawing("figure", ax, words)

    return html_of


def text(words: str) -> mo.Html:
    """Return a lesson's text in markdown, below the way back to all lessons."""
    return mo.md(f"{way_back(mo.query_params().to_dict())}\n\n{cleandoc(words)}")


@dataclass(frozen=True)
class Slider:
    """A number that the student drags: what it is called, where it starts, ends and stops, and where it stands."""

    label: str
    start: float
    stop: float
    step: float
    value: float


def slider(number: Slider) -> mo.ui.slider:
    """Return a slider as wide as the page that shows its value."""
    return mo.ui.slider(
        number.start, number.stop, number.step, value=number.value, show_value=True, full_width=True,
        label=number.label,
    )  # fmt: skip


def editor(lesson: str) -> tuple[mo.ui.code_editor, mo.ui.run_button]:
    """Return an editor with the code that an exercise starts from, and the button that asks for the answer."""
    code = mo.ui.code_editor(value=EXERCISES[lesson].start, language="python", label="Your rule")
    return code, mo.ui.run_button(label="Ask the engine", kind="success")


def task(lesson: str) -> str:
    """Return an exercise in words, with its hint folded away, as HTML."""
    found = EXERCISES[lesson]
    hint = f"<details><summary>A hint</summary><p>{html.escape(found.hint)}</p></details>" if found.hint else ""
    return f"{_HEADING}<p>{html.escape(found.task)}</p>{hint}"


def exercise(lesson: str, code: mo.ui.code_editor, ask: mo.ui.run_button) -> mo.Html:
    """Return the exercise in words above its editor and button."""
    return mo.vstack([mo.Html(task(lesson)), code, ask])


def answered(lesson: str, code: str | None) -> mo.Html:
    """Return what the engine answers to the student's code; nothing has been asked yet where that is None."""
    waiting = '<p id="waiting">No answer yet: press the button.</p>'
    return mo.Html(waiting if code is None else answer_html(check(lesson, code)))


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
