"""Lesson: pay the harm that you do to the others."""

import marimo

app = marimo.App(width="medium", app_title="marketproof: VCG")

with app.setup:
    from typing import Any

    import marimo as mo

    from analysis.lessons import exercises, figures, parts


@app.cell
def _() -> Any:
    mo.Html(parts.way_back(mo.query_params().to_dict()))
    return


@app.cell
def _() -> Any:
    mo.md(
        r"""
        # Vickrey, Clarke and Groves: pay the harm that you do

        Two equal objects, four bidders, everyone wants one. Give the objects to those who value them most, and let
        each winner pay **what the others lose because it is there**: what they would get without it, less what they
        get with it. Its utility is then the total value with it less the total without it, which it cannot move
        except by making the total as large as it can be: it wants what the rule wants.

        Drag your value: the hatched part is your price. It does not move while you win.
        """
    )
    return


@app.cell
def _() -> Any:
    yours = mo.ui.slider(0.0, 1.0, 0.01, value=0.8, show_value=True, full_width=True, label="Your value")
    second = mo.ui.slider(0.0, 1.0, 0.01, value=0.6, show_value=True, full_width=True, label="Value of the second")
    third = mo.ui.slider(0.0, 1.0, 0.01, value=0.4, show_value=True, full_width=True, label="Value of the third")
    fourth = mo.ui.slider(0.0, 1.0, 0.01, value=0.2, show_value=True, full_width=True, label="Value of the fourth")
    mo.vstack([yours, second, third, fourth])
    return yours, second, third, fourth


@app.cell
def _(yours: Any, second: Any, third: Any, fourth: Any) -> Any:
    mo.Html(parts.shown(figures.vcg((yours.value, second.value, third.value, fourth.value))))
    return


@app.cell
def _() -> Any:
    code = mo.ui.code_editor(value=exercises.EXERCISES["vcg"].start, language="python", label="Your rule")
    ask = mo.ui.run_button(label="Ask the engine", kind="success")
    mo.vstack([mo.Html(parts.task("vcg")), code, ask])
    return ask, code


@app.cell
def _(ask: Any, code: Any) -> Any:
    mo.Html(parts.answered("vcg", code.value) if ask.value else '<p id="waiting">No answer yet: press the button.</p>')
    return


if __name__ == "__main__":
    app.run()
