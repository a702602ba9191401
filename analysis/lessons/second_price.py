"""Lesson: why the truth is best when the winner pays the second bid."""

import marimo

app = marimo.App(width="medium", app_title="marketproof: second price")

with app.setup:
    from typing import Any

    import marimo as mo

    from analysis.lessons import figures, parts


@app.cell
def _() -> Any:
    parts.text(
        r"""
        # The second-price auction

        One object, sealed bids, the highest bid wins. If the winner pays **its own** bid, it should bid less than
        the object is worth to it. If it pays **the highest bid of the others** (Vickrey, 1961), its bid decides
        only *whether* it wins, never *what it pays*, and winning is worth it exactly when its value is above that
        price.

        Drag your bid: under the blue rule you cannot do better than at the dashed line, whatever the rival does.
        """
    )
    return


@app.cell
def _() -> Any:
    value = parts.slider(0.0, 1.0, 0.01, 0.7, "What it is worth to you")
    rival = mo.ui.slider(
        0.0, 1.0, 0.01, value=0.4, show_value=True, full_width=True, label="The highest bid of the others"
    )
    bid = parts.slider(0.0, 1.0, 0.01, 0.55, "Your bid")
    mo.vstack([value, rival, bid])
    return value, rival, bid


@app.cell
def _(value: Any, rival: Any, bid: Any) -> Any:
    parts.shown(figures.second_price(value.value, rival.value, bid.value))
    return


@app.cell
def _() -> Any:
    code, ask = parts.editor("second_price")
    parts.exercise("second_price", code, ask)
    return ask, code


@app.cell
def _(ask: Any, code: Any) -> Any:
    parts.answered("second_price", code.value if ask.value else None)
    return


if __name__ == "__main__":
    app.run()
