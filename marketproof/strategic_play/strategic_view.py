"""What ``strategic`` shows: a table of agents, then welfare, then a sentence."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from marketproof.strategic_play.strategic_words import loose
from marketproof.terminal.console import table
from mechanism.wording import letters, number, ratio

_HOW = {
    "best-response": "best-response dynamics",
    "regret-matching": "regret matching",
    "shading": "strategies report = s(type)",
}


def show(result: dict[str, Any], console: Console) -> None:
    """Print the play of a mechanism."""
    coordinate, many = result["coordinate"], result["dynamics"] != "shading" and result["profiles"] > 1
    known = any("known" in row for row in result["agents"])
    keys = ("truth", "report", *(("known",) if known else ()), "utility_truthful", "utility")
    rows = [(_who(row, letters(row["agent"])), *(_cell(row[k]) for k in keys)) for row in result["agents"]]
    title = f"{result['mechanism']}, {result['clients']} agents, {_HOW[result['dynamics']]}"
    title += f", means over {result['profiles']} profiles" if many else ""
    where = ends_at(result)
    columns = (
        "agent",
        f"true {coordinate}" + (" (seller: cost)" if any("role" in row for row in result["agents"]) else ""),
        f"report {where}",
        *(("known equilibrium",) if known else ()),
        "utility if all are truthful",
        where,
    )
    console.print(table(title, columns, rows))
    console.print(welfare_line(result["welfare"], settling(result)))
    if result["told_truthfully"]:
        console.print(f"Chosen is the report of {coordinate} only; {', '.join(result['told_truthfully'])} as they are")
    paid = result["payments"]
    if paid["equilibrium"] is not None:
        console.print(
            f"Paid to the centre: truthful {number(paid['truthful'], 4)}, {settling(result)} "
            f"{number(paid['equilibrium'], 4)}"
        )
    console.print(result["sentence"])


def settling(result: dict[str, Any]) -> str:
    """Return what the place is called that welfare and payments are told of."""
    if result["dynamics"] == "regret-matching":
        return "in play"
    return "in play" if loose(result["found"]) else "at equilibrium"


def ends_at(result: dict[str, Any]) -> str:
    """Return what the place is called that the table tells of: an equilibrium only if play came to rest everywhere."""
    found = result["found"]
    return "where play ends" if found.get("circling") or found.get("unfinished") else settling(result)


def _who(row: dict[str, Any], letter: str) -> str:
    return f"{letter} ({row['role']})" if "role" in row else letter


def _cell(value: float | None) -> str:
    return "free" if value is None else number(value, 4)


def show_run(result: dict[str, Any], console: Console) -> None:
    """Print the play of a recorded run, method by method."""
    for name, method in result["methods"].items():
        if method is None:
            console.print(f"{name}: nobody reports anything here, nothing can be played")
            continue
        keys = ("utility_truthful", "best_lie_gain", "utility_played", "utility_honest")
        rows = [(str(row["client"]), *(number(row[k], 4) for k in keys)) for row in method["clients"]]
        rows.append(("all", *(number(method["totals"][k], 4) for k in keys)))
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


def welfare_line(welfare: dict[str, Any] | None, where: str = "at equilibrium") -> str:
    """Return welfare truthful, at equilibrium and optimal, and optimum / welfare of both, in one line."""
    if welfare is None:
        return "Welfare: the mechanism does not say what it is"
    text, apart = welfare["measure"].capitalize(), welfare["unsettled"]
    if not welfare["games"]:
        return f"{text}: nothing settled, there is no equilibrium to tell it of"
    if apart is not None:
        text += f" where play settles ({welfare['games']} of {welfare['games'] + apart['games']})"
    text += f": truthful {number(welfare['truthful'], 4)}, {where} {number(welfare['equilibrium'], 4)}"
    price, honest = welfare["price_of_anarchy"], welfare["price_truthful"]
    if price is None:
        return f"{text}; optimal unknown (declare an optimum)"
    ratios = f"truthful {ratio(honest['value'])}, {where} {ratio(price['value'])}"
    if price["confidence"] is not None:
        ratios += f" ({ratio(price['low'])} to {ratio(price['high'])})"
    return f"{text}, optimal {number(welfare['optimal'], 4)}; optimum over welfare: {ratios}"
