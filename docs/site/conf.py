"""Sphinx's settings: Markdown pages, reference from docstrings, a theme that needs no network."""

import re
from pathlib import Path
from typing import Any

from sphinx.ext.napoleon import Config, NumpyDocstring

project = "marketproof"
author = "The marketproof authors"
copyright = "The marketproof authors, Apache-2.0"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
smartquotes = False  # options begin with two dashes
html_show_search_summary = False  # it fetches pages, which browsers refuse where they are files
html_theme = "furo"
html_title = "marketproof"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_search_scorer = str(Path(__file__).parent / "static" / "scorer.js")
html_theme_options = {"sidebar_hide_name": False, "top_of_page_buttons": []}
myst_heading_anchors = 4
default_role = "py:obj"
highlight_language = "python"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
toc_object_entries = False
suppress_warnings = ["myst.header", "ref.python"]  # a word in backticks that several classes have as a field

SHORT = {
    "ndarray[tuple[Any, ...], dtype[float64]]": "Floats",
    "ndarray[tuple[Any, ...], dtype[bool]]": "Graph",
    "_Buffer | _SupportsArray[dtype[Any]] | _NestedSequence[_SupportsArray[dtype[Any]]] | complex | bytes | str | "
    "_NestedSequence[complex | bytes | str]": "ArrayLike",
}
"""Types as the source names them, which Python spells out."""


def setup(app: Any) -> None:
    """Read sections of docstrings as numpy has them, and write long types short."""
    app.connect("autodoc-process-docstring", _sections)
    app.connect("autodoc-process-signature", _short)


def _sections(app: Any, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    if what not in ("attribute", "data", "property"):  # a colon in one line about a number names no type
        lines[:] = NumpyDocstring(lines, Config(), app, what, name, found, options).lines()


def _short(
    app: Any, what: str, name: str, found: Any, options: Any, arguments: str | None, answer: str | None
) -> tuple[str | None, str | None]:
    for long, short in SHORT.items():
        arguments, answer = (
            text and re.sub(r"~[\w.]+\.(\w+)", r"\1", text).replace(long, short) for text in (arguments, answer)
        )
    return arguments, answer
