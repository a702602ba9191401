"""A lesson as one HTML page that needs nothing else: for a printer, a course page, a room without a network.

marimo's own export loads its program from another server when it is opened; this page holds text, figures and the
exercise as they stand at the start, and no program at all.
"""

import html
import re
from inspect import cleandoc

import marimo as mo

from analysis.lessons import LESSONS, TITLES, parts
from analysis.lessons.content import CONTENT
from analysis.lessons.exercises import EXERCISES
from mechanism import UnknownNameError

_STYLE = """
body { font: 17px/1.55 Georgia, 'DejaVu Serif', serif; color: #1f2933; background: #fff; max-width: 46em;
  margin: 2em auto; padding: 0 1.2em }
h1, h2 { line-height: 1.25 } svg { width: 100%; height: auto } .paragraph { display: block; margin: 0.8em 0 }
pre { background: #f5f7fa; padding: 0.8em; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.8em }
summary { cursor: pointer }
.set { color: #52606d; margin: 0.2em 0 } .set .paragraph { display: inline } #waiting { display: none }
@media print { body { margin: 0; max-width: none } details::details-content { content-visibility: visible } }
"""


def static_page(lesson: str) -> str:
    """Return the page of a lesson.

    `UnknownNameError` if there is no such lesson.
    """
    if lesson not in LESSONS:
        raise UnknownNameError(f"unknown lesson {lesson!r}; known: {', '.join(LESSONS)}")
    found = CONTENT[lesson]
    sliders = "".join(f'<p class="set">{html.escape(s.label)}: {s.value}</p>' for s in found.sliders)
    figure = found.figure(*(s.value for s in found.sliders))
    text = mo.md(undragged(cleandoc(found.text))).text
    body = f"{text}\n{sliders}\n{figure}\n{parts.task(lesson)}\n<pre>{html.escape(EXERCISES[lesson].start)}</pre>\n"
    title = TITLES[lesson]
    moves = f"This page is a still: <code>marketproof play {lesson}</code> makes it move, and answers your rule."
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}: marketproof</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<style>{_STYLE}</style></head>\n<body><p class="set">{moves}</p>\n{body}</body></html>\n'
    )


_DRAG = re.compile(r"Drag (?:[^.:<]|</?em>)+(?::\s*(\w)|\.\s*)")


def undragged(text: str) -> str:
    """Return a text without the invitations to drag something; what they say to look at stays."""
    return _DRAG.sub(lambda found: (found[1] or "").upper(), text).replace('<span class="paragraph"></span>', "")
