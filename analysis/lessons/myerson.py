"""Lesson: the auction that earns most, by virtual values."""

import marimo

app = marimo.App(width="medium", app_title="marketproof: Myerson")

with app.setup:
    from typing import Any

    import marimo as mo

    from analysis.lessons import figures, parts


@app.cell
def _() -> Any:
    parts.text(
        r"""
        # Myerson: the auction that earns most

        A rule that gives the object or not, and asks nothing of those who lose, is truthful exactly when a higher
        bid never loses what a lower one won, and the winner pays its **critical value**: the lowest bid that would
        still have won. Its revenue is then the expected *virtual value* of whoever gets
        the object; for values uniform from 0 to 1 that is *2v − 1* (Myerson, 1981). It is negative below 1/2: **the
        seller earns more by keeping the object than by giving it to somebody who values it less**. So: second
        price, with a reserve of 1/2.

        Drag the reserve price, then the number of bidders: the best reserve stays where it is.
        """
    )
    return


@app.cell
def _() -> Any:
    bidders = parts.slider(1, 8, 1, 2, "Bidders")
    reserve = parts.slider(0.0, 1.0, 0.01, 0.2, "Reserve price")
    mo.vstack([bidders, reserve])
    return bidders, reserve


@app.cell
def _(bidders: Any, reserve: Any) -> Any:
    parts.shown(figures.myerson(int(bidders.value), reserve.value))
    return


@app.cell
def _() -> Any:
    code, ask = parts.editor("myerson")
    parts.exercise("myerson", code, ask)
    return ask, code


@app.cell
def _(ask: Any, code: Any) -> Any:
    parts.answered("myerson", code.value if ask.value else None)
    return


if __name__ == "__main__":
    app.run()
