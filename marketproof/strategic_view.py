"""What ``strategic`` shows: a table of agents, then welfare, then a sentence."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from marketproof.console import table
from marketproof.strategic_words import short

_HOW = {
    "best-response": "best-response dynamics",
    "regret-matching": "regret matching",
    "shading": "strategies report = s(type)",
}


def show(result: dict[str, Any], console: Console) -> None:
    """Print the play of a mechanism."""
    from proofs_checks.engine.base import letters

    number, many = result["coordinate"], result["dynamics"] != "shading" and result["profiles"] > 1
    rows = [
        (letters(row["agent"]), *(short(row[k]) for k in ("truth", "report", "utility_truthful", "utility")))
        for row in result["agents"]
    ]
    title = f"{result['mechanism']}, {result['clients']} agents, {_HOW[result['dynamics']]}"
    title += f", means over {result['profiles']} profiles" if many else ""
    columns = ("agent", f"true {number}", "report at equilibrium", "utility if all are truthful", "at equilibrium")
    console.print(table(title, columns, rows))
    console.print(welfare_line(result["welfare"]))
    if result["told_truthfully"]:
        console.print(f"Chosen is the report of {number} only; {', '.join(result['told_truthfully'])} as they are")
    paid = result["payments"]
    console.print(
        f"Paid to the centre: truthful {short(paid['truthful'])}, at equilibrium {short(paid['equilibrium'])}"
    )
    console.print(result["sentence"])


def show_run(result: dict[str, Any], console: Console) -> None:
    """Print the play of a recorded run, method by method."""
    for name, method in result["methods"].items():
        if method is None:
            console.print(f"{name}: nobody reports anything here, nothing can be played")
            continue
        keys = ("utility_truthful", "best_lie_gain", "utility_played", "utility_honest")
        rows = [(str(row["client"]), *(short(row[k]) for k in keys)) for row in method["clients"]]
        rows.append(("all", *(short(method["totals"][k]) for k in keys)))
        columns = (
            "client",
            "utility if all are truthful",
            "best lie alone adds",
            "if all play",
            "honest among players",
        )
        console.print(table(f"{name}: sums over {method['markets']} markets", columns, rows))
        console.print(welfare_line(method["welfare"]))
        console.print(method["sentence"])


def welfare_line(welfare: dict[str, Any] | None) -> str:
    """Return welfare truthful, at equilibrium and optimal, and the price of anarchy, in one line."""
    if welfare is None:
        return "Welfare: the mechanism does not say what it is"
    text = f"{welfare['measure'].capitalize()}: truthful {short(welfare['truthful'])}"
    text += f", at equilibrium {short(welfare['equilibrium'])}"
    price = welfare["price_of_anarchy"]
    if price is None:
        return f"{text}; optimal unknown (declare an optimum)"
    interval = f"{short(price['low'])} to {short(price['high'])}"
    return f"{text}, optimal {short(welfare['optimal'])}; price of anarchy {short(price['value'])} ({interval})"
