"""The app of one of the lessons: text, figure and exercise of ``NAME``; `app_file` makes one of it for each."""

import marimo

app = marimo.App(width="medium", app_title="marketproof: a lesson")

with app.setup:
    from typing import Any

    import marimo as mo

    from analysis.lessons import parts
    from analysis.lessons.content import CONTENT

    NAME = "second_price"
    lesson = CONTENT[NAME]


@app.cell
def _() -> Any:
    parts.text(lesson.text)
    return


@app.cell
def _() -> Any:
    numbers = mo.ui.array([parts.slider(slider) for slider in lesson.sliders])
    mo.vstack(list(numbers))
    return (numbers,)


@app.cell
def _(numbers: Any) -> Any:
    mo.Html(lesson.figure(*numbers.value))
    return


@app.cell
def _() -> Any:
    code, ask = parts.editor(NAME)
    parts.exercise(NAME, code, ask)
    return ask, code


@app.cell
def _(ask: Any, code: Any) -> Any:
    parts.answered(NAME, code.value if ask.value else None)
    return


if __name__ == "__main__":
    app.run()
