"""What ``strategic`` says: numbers as people read them, and the result as a sentence."""

from __future__ import annotations

from typing import Any


def short(value: float | None) -> str:
    """Return a number as people read it; an infinite one is "unbounded"."""
    return "unbounded" if value is None else f"{value + 0.0:.4g}"


def sentence(result: dict[str, Any]) -> str:
    """Say in words and numbers what play came to."""
    found, number = result["found"], result["coordinate"]
    if result["dynamics"] == "best-response":
        how = f"Nobody wants to move any more in {found['settled']} of {result['profiles']} games"
        how += f", {found['circling']} go in circles" if found["circling"] else ""
        how += f", {found['unfinished']} were not done in {result['rounds']} rounds" if found["unfinished"] else ""
        if found["left"] is not None and found["settled"]:
            how += "; where play settles, the best of all reports (also between the levels played) would add "
            how += f"{short(found['left_mean'])} to a client on average, {short(found['left'])} at most"
    elif result["dynamics"] == "regret-matching":
        how = f"After {result['rounds']} periods no single report would have given more than "
        how += f"{short(found['external_regret'])} per period above what was had"
    elif found["truthful"]:
        how = "The truth is an equilibrium: no type was seen to gain by another report"
    else:
        slopes = [line["slope"] for line in found["strategies"]]
        how = f"Reports rise by {short(min(slopes))} to {short(max(slopes))} per unit of {number}; "
        how += f"another report would add at most {short(found['left'])} on average over types"
    return f"{how}. {moved(found, number)}{welfare_words(result['welfare'])}"


def moved(found: dict[str, Any], number: str) -> str:
    """Say who reports another number than the truth."""
    parts = [
        f"{100 * found[s]:.1f} % of reports are {s} the true {number}, by {short(found[f'mean_{s}'])} on average"
        for s in ("below", "above")
        if found[s] > 0.0
    ]
    return f"{'; '.join(parts) or f'Every report is the true {number}'}."


def welfare_words(welfare: dict[str, Any] | None) -> str:
    """Say what play costs."""
    if welfare is None:
        return ""
    text = f" {welfare['measure'].capitalize()} is {short(welfare['equilibrium'])}"
    text += f", if all are truthful {short(welfare['truthful'])}"
    price = welfare["price_of_anarchy"]
    if price is None:
        return f"{text}; the mechanism declares no optimum to compare with."
    return (
        f"{text}, at best {short(welfare['optimal'])}: the price of anarchy is {short(price['value'])} "
        f"(95 % interval {short(price['low'])} to {short(price['high'])})."
    )
