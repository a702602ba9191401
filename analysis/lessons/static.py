"""A lesson as one HTML page that needs nothing else: for a printer, a course page, a room without a network.

marimo's own export loads its program from another server when it is opened; this page holds text, figures and the
exercise as they stand at the start, and no program at all.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from importlib import import_module
from typing import Any

from analysis.lessons import LESSONS, TITLES
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
    """Run a lesson's app once and return its page.

    Raises
    ------
    UnknownNameError
        If there is no such lesson.
    """
    if lesson not in LESSONS:
        raise UnknownNameError(f"unknown lesson {lesson!r}; known: {', '.join(LESSONS)}")
    outputs, _ = import_module(f"analysis.lessons.{lesson}").app.run()
    body = "\n".join(still(str(output.text)) for output in outputs if hasattr(output, "text"))
    title = TITLES[lesson]
    moves = f"This page is a still: <code>marketproof play {lesson}</code> makes it move, and answers your rule."
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}: marketproof</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<style>{_STYLE}</style></head>\n<body><p class="set">{moves}</p>\n{undragged(body)}</body></html>\n'
    )


_DRAG = re.compile(r"Drag (?:[^.:<]|</?em>)+(?::\s*(\w)|\.\s*)")


def undragged(text: str) -> str:
    """Return HTML without the invitations to drag something; what they say to look at stays."""
    return _DRAG.sub(lambda found: (found[1] or "").upper(), text).replace('<span class="paragraph"></span>', "")


def still(text: str) -> str:
    """Return HTML in which every widget is replaced by what it shows: a slider's value, an editor's text."""
    reader = _Still()
    reader.feed(text)
    reader.close()
    return "".join(reader.parts)


class _Still(HTMLParser):
    """Copies HTML, leaving out marimo's elements and writing what they hold."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag.startswith("marimo-"):
            self._inside.append(tag)
            self.parts.append(_shown(tag, {name: value or "" for name, value in attrs}))
        elif not self._hidden:
            self.parts.append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._hidden:
            self.parts.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag.startswith("marimo-"):
            if tag in self._inside:
                del self._inside[self._inside.index(tag) :]
        elif not self._hidden:
            # SVG's names are in mixed case, and the parser lowers them
            self.parts.append(f"</{_MIXED.get(tag, tag)}>")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")

    @property
    def _hidden(self) -> bool:
        return any(tag != "marimo-ui-element" for tag in self._inside)


_MIXED = {"clippath": "clipPath", "lineargradient": "linearGradient"}


def _shown(tag: str, attributes: Mapping[str, str]) -> str:
    if tag == "marimo-slider":
        return f'<p class="set">{_value(attributes, "data-label")}: {html.escape(str(_value(attributes)))}</p>'
    if tag == "marimo-code-editor":
        return f"<pre>{html.escape(str(_value(attributes)))}</pre>"
    return ""


def _value(attributes: Mapping[str, str], name: str = "data-initial-value") -> Any:
    return json.loads(attributes.get(name) or '""')
