"""Lesson: whatever an equilibrium reaches, telling the truth to a machine reaches."""

import marimo

app = marimo.App(width="medium", app_title="marketproof: revelation")

with app.setup:
    from typing import Any

    import marimo as mo

    from analysis.lessons import figures, parts


@app.cell
def _() -> Any:
    parts.text(
        r"""
        # The revelation principle

        Two bidders, values uniform from 0 to 1, first price. In equilibrium each bids **half its value**. Now build
        a machine that takes *values* and bids half of them for the bidders. Lying to the machine is bidding
        something else in the auction, and in equilibrium nothing else is better: **so the truth is best** (Myerson,
        1979). Every equilibrium of every mechanism can be had like this; so to know what is possible it is enough
        to study mechanisms that are told the truth.

        Drag your report: the top of the blue curve stands at your value.
        """
    )
    return


@app.cell
def _() -> Any:
    value = parts.slider(0.05, 1.0, 0.01, 0.8, "What it is worth to you")
    report = mo.ui.slider(
        0.0, 1.0, 0.01, value=0.5, show_value=True, full_width=True, label="What you tell the machine"
    )
    mo.vstack([value, report])
    return value, report


@app.cell
def _(value: Any, report: Any) -> Any:
    parts.shown(figures.revelation(value.value, report.value))
    return


@app.cell
def _() -> Any:
    code, ask = parts.editor("revelation")
    parts.exercise("revelation", code, ask)
    return ask, code


@app.cell
def _(ask: Any, code: Any) -> Any:
    parts.answered("revelation", code.value if ask.value else None)
    return


if __name__ == "__main__":
    app.run()
