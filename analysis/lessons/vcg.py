"""Lesson: pay the harm that you do to the others."""

import marimo

app = marimo.App(width="medium", app_title="marketproof: VCG")

with app.setup:
    from typing import Any

    import marimo as mo

    from analysis.lessons import figures, parts


@app.cell
def _() -> Any:
    parts.text(
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
    yours = parts.slider(0.0, 1.0, 0.01, 0.8, "Your value")
    second = parts.slider(0.0, 1.0, 0.01, 0.6, "Value of the second")
    third = parts.slider(0.0, 1.0, 0.01, 0.4, "Value of the third")
    fourth = parts.slider(0.0, 1.0, 0.01, 0.2, "Value of the fourth")
    mo.vstack([yours, second, third, fourth])
    return yours, second, third, fourth


@app.cell
def _(yours: Any, second: Any, third: Any, fourth: Any) -> Any:
    parts.shown(figures.vcg((yours.value, second.value, third.value, fourth.value)))
    return


@app.cell
def _() -> Any:
    code, ask = parts.editor("vcg")
    parts.exercise("vcg", code, ask)
    return ask, code


@app.cell
def _(ask: Any, code: Any) -> Any:
    parts.answered("vcg", code.value if ask.value else None)
    return


if __name__ == "__main__":
    app.run()
