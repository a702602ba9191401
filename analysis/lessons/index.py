"""All lessons on a page, in the order of a course: ``marketproof play lessons`` opens it."""

import marimo

app = marimo.App(width="medium", app_title="marketproof: lessons")

with app.setup:
    from typing import Any

    import marimo as mo

    from analysis.lessons import parts


@app.cell
def _() -> Any:
    mo.md(
        """
        # Seven lessons on rules that nobody can game

        Each has a figure to drag and an exercise: you write a rule, and the engine answers with the smallest lie that
        beats it, or with what holds of it and how surely. They build on one another in this order.
        """
    )
    return


@app.cell
def _() -> Any:
    mo.Html(parts.contents())
    return


if __name__ == "__main__":
    app.run()
