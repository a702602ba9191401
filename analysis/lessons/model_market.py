"""Lesson: what a model is worth, what it costs, and when a trade is good for both."""

import marimo

app = marimo.App(width="medium", app_title="marketproof: the model market")

with app.setup:
    from typing import Any

    import marimo as mo

    from analysis.lessons import figures, parts


@app.cell
def _() -> Any:
    parts.text(
        r"""
        # The model market: what a model is worth

        A client with *n* samples errs by about √(*K*/*n*): the more data stands behind its model, the less. Importing
        a model that was trained on *nⱼ* samples is worth **what it takes off that error**, √(*K*/*x*) −
        √(*K*/(*x* + *nⱼ*)), where *x* is the data behind what it holds already. The next one is worth less: gains are
        concave. Exporting costs the owner *c*, and a model that differs by *d* is charged λ·*d*·*nⱼ*/*n* (iPFL,
        2025). **A trade is good when the gain exceeds both.** It is money that makes both sides want it.

        Here *K* = 3600 and the buyer has 100 samples. Drag the seller: when does its model stop being worth its price?
        """
    )
    return


@app.cell
def _() -> Any:
    held = parts.slider(0, 900, 50, 0, "Samples behind the models that it holds already")
    size = parts.slider(50, 900, 50, 300, "Samples behind this model")
    difference = parts.slider(0.0, 2.0, 0.05, 0.5, "Its difference d")
    cost = parts.slider(0.0, 4.0, 0.05, 1.0, "Cost of its owner")
    mo.vstack([held, size, difference, cost])
    return cost, difference, held, size


@app.cell
def _(cost: Any, difference: Any, held: Any, size: Any) -> Any:
    parts.shown(figures.model_market(held.value, size.value, difference.value, cost.value))
    return


@app.cell
def _() -> Any:
    code, ask = parts.editor("model_market")
    parts.exercise("model_market", code, ask)
    return ask, code


@app.cell
def _(ask: Any, code: Any) -> Any:
    parts.answered("model_market", code.value if ask.value else None)
    return


if __name__ == "__main__":
    app.run()
