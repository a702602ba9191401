"""Lesson: why the published rule invites an understated cost, and how the repair works."""

import marimo

app = marimo.App(width="medium", app_title="marketproof: the understated cost")

with app.setup:
    from typing import Any

    import marimo as mo

    from analysis.lessons import parts


@app.cell
def _() -> Any:
    parts.text(
        r"""
        # iPFL's rule: why it invites an understated cost, and how the repair works

        A buyer with little data (K = 3600, 100 samples) and two sellers of 300 samples each, *dear* (cost 1.1) and
        *cheap* (cost 1.0). The rule in the authors' code takes sellers in the order of their thresholds until one
        is not worth its price, and pays each its **marginal contribution**, here 3. One is bought: *cheap*, because
        it is cheaper. But what a seller is paid does not depend on its cost, so *dear* says 0.9, is bought instead,
        and gains 1.9: **the payment is not the critical value**. The repair buys the best set and pays each seller
        the highest cost at which it would still have been bought (Clarke): *cheap* is paid 1.1, and saying less
        than one's cost wins only sales that lose money.

        Drag what *dear* says. (At exactly 0 the first curve falls: a price of 0 or less has no threshold in that rule,
        so everybody takes the model, also *cheap*, which gains nothing by it, and *dear* bears its cost of 1.1 once
        more, unpaid.)
        """
    )
    return


@app.cell
def _() -> Any:
    report = parts.slider(0.0, 3.5, 0.05, 0.9, "Cost that dear reports")
    report  # noqa: B018 - the cell's output
    return (report,)


@app.cell
def _(report: Any) -> Any:
    panels = [parts.market(rule, report.value) for rule in parts.RULES]
    beside = "".join(f'<div style="flex:1 1 20rem;min-width:0">{panel}</div>' for panel in panels)
    mo.Html(f'<div style="display:flex;flex-wrap:wrap;gap:1rem">{beside}</div>')
    return


@app.cell
def _() -> Any:
    code, ask = parts.editor("understated_cost")
    parts.exercise("understated_cost", code, ask)
    return ask, code


@app.cell
def _(ask: Any, code: Any) -> Any:
    parts.answered("understated_cost", code.value if ask.value else None)
    return


if __name__ == "__main__":
    app.run()
