"""Lesson: no rule for two traders has everything."""

import marimo

app = marimo.App(width="medium", app_title="marketproof: Myerson and Satterthwaite")

with app.setup:
    from typing import Any

    import marimo as mo

    from analysis.lessons import figures, parts


@app.cell
def _() -> Any:
    parts.text(
        r"""
        # Myerson and Satterthwaite: no rule has everything

        A seller with a secret cost, a buyer with a secret value, both anywhere from 0 to 1. We would like every
        worthwhile trade, truthful reports, nobody who loses, and no money from outside. **No rule has all four**,
        even if truth need only be best on average over the other's type (Bayesian incentive compatibility) and
        nobody may expect to lose (interim rationality; Myerson and Satterthwaite, 1983). With uniform types the most
        that such a rule gains is 9/64, where all worthwhile trades would gain 1/6. A fixed price gives up trades;
        VCG makes every worthwhile trade and needs a subsidy; the price in the middle is not truthful. The same holds
        in a market of models, which is why marketproof has several rules and not one.

        Drag the price: the pale region is what it loses.
        """
    )
    return


@app.cell
def _() -> Any:
    price = parts.slider(0.0, 1.0, 0.01, 0.3, "The fixed price")
    mo.vstack([price])
    return (price,)


@app.cell
def _(price: Any) -> Any:
    parts.shown(figures.myerson_satterthwaite(price.value))
    return


@app.cell
def _() -> Any:
    code, ask = parts.editor("myerson_satterthwaite")
    parts.exercise("myerson_satterthwaite", code, ask)
    return ask, code


@app.cell
def _(ask: Any, code: Any) -> Any:
    parts.answered("myerson_satterthwaite", code.value if ask.value else None)
    return


if __name__ == "__main__":
    app.run()
