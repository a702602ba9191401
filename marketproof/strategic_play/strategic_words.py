"""What ``strategic`` says: numbers as people read them, and the result as a sentence."""

from __future__ import annotations

import math
from typing import Any

LINE = 0.05
"""By which share of the range of types a strategy may be off a straight line that is told of it."""


def short(value: float | None) -> str:
    """Return a number as people read it; an infinite one is "unbounded"."""
    return "unbounded" if value is None else f"{value + 0.0:.4g}"


def ratio_words(value: float | None) -> str:
    """Return a ratio with so many digits that two of what it is above 1 are seen; an infinite one is "unbounded"."""
    if value is None:
        return "unbounded"
    off = abs(value - 1.0)
    if off < 1e-9:
        return "1"
    if off >= 10.0:
        return short(value)
    return f"{value:.{max(3, 1 - math.floor(math.log10(off)))}f}"


def loose(found: dict[str, Any]) -> bool:
    """Tell whether strategies were found from which another report would still add more than an equilibrium allows."""
    from proofs_checks.play.shading import LOOSE

    return "left_share" in found and (found["left_share"] is None or found["left_share"] > LOOSE)


def sentence(result: dict[str, Any]) -> str:
    """Say in words and numbers what play came to."""
    found, number = result["found"], result["coordinate"]
    number += " or cost" if any("role" in row for row in result["agents"]) else ""
    if result["dynamics"] == "best-response":
        how = rest(found, result["profiles"], result["rounds"])
        kind = "the equilibrium reached from the truth"
    elif result["dynamics"] == "regret-matching":
        how = f"After {result['rounds']} periods no single report would have given more than "
        how += f"{short(found['external_regret'])} per period above what was had"
        kind = "play"
    else:
        how = strategies(found, number)
        kind = "the strategies found" if loose(found) else "the equilibrium found"
    return f"{how}. {moved(found, number)}{price_words(result['welfare'], kind)}"


def rest(found: dict[str, Any], games: int, rounds: int) -> str:
    """Say in how many games play settles, and how far from an equilibrium in all reports that is."""
    how = f"Nobody wants to move any more in {found['settled']} of {games} games"
    how += f", {found['circling']} {'goes' if found['circling'] == 1 else 'go'} in circles" if found["circling"] else ""
    how += (
        f", {found['unfinished']} {'was' if found['unfinished'] == 1 else 'were'} not done in {rounds} rounds"
        if found["unfinished"]
        else ""
    )
    if found["left"] is not None and found["settled"]:
        how += "; where play settles, the best of all reports (also between the levels played) would add "
        how += f"{short(found['left_mean'])} to a client on average, {short(found['left'])} at most"
        if found["left_games"]:
            how += f", and more than 5 % of its utility to somebody in {found['left_games']} of these games"
    return how


def strategies(found: dict[str, Any], number: str) -> str:
    """Say what strategies were found, how near to an equilibrium they are, and to the one that theory knows."""
    if found["truthful"]:
        how = "The truth is an equilibrium: no type was seen to gain by another report"
    else:
        lines = found["strategies"]
        off = max(line["misfit"] for line in lines)
        if off <= LINE:
            slope, start = (_between([line[k] for line in lines]) for k in ("slope", "intercept"))
            how = f"Reports rise by {slope} per unit of {number}, from {start} "
            how += f"at nothing (straight lines, off by at most {100 * off:.1f} % of the range)"
        else:
            how = f"Reports follow no straight line (the nearest is off by up to {100 * off:.0f} % of the range)"
        share = found["left_share"]
        of = "" if share is None else f", {100 * share:.1f} % of its utility in play"
        how += f"; another report would add at most {short(found['left'])} to an agent on average over types{of}"
        if loose(found):
            how += ": play has not come to an equilibrium (with more --rounds it may)"
    known = found["known"]
    if known is not None:
        how += f". Known equilibrium ({known['source']}): {known['words']}; "
        how += "that is what was found" if known["furthest"] <= 1e-12 else f"play is {distance(known, number)}"
    return how


def _between(numbers: list[float]) -> str:
    return f"{short(min(numbers))} to {short(max(numbers))}"


def distance(known: dict[str, Any], number: str) -> str:
    """Say how far play is from the equilibrium that theory knows."""
    from proofs_checks.properties.property import letters

    at = known["furthest_at"]
    text = f"{short(known['mean'])} away from it on average and {short(known['furthest'])} at most"
    return f"{text} (agent {letters(at['agent'])} at {number} {short(at['truth'])})"


def moved(found: dict[str, Any], number: str) -> str:
    """Say who reports another number than the truth."""
    parts = [
        f"{100 * found[s]:.1f} % of reports are {s} the true {number}, by {short(found[f'mean_{s}'])} on average"
        for s in ("below", "above")
        if found[s] > 0.0
    ]
    return f"{'; '.join(parts) or f'Every report is the true {number}'}."


def interval(price: dict[str, Any]) -> str:
    """Return the interval of a ratio and what it comes from, in brackets; why there is none, where there is none."""
    if price["confidence"] is None:
        return "(no interval: too few independent draws)"
    ends = f"{ratio_words(price['low'])} to {ratio_words(price['high'])}"
    return f"({100 * price['confidence']:.0f} % interval {ends}, resampling {price['resampled']})"


def price_words(welfare: dict[str, Any] | None, kind: str, games: str = "games") -> str:
    """Say what play costs: at equilibria, at the worst that was found, and apart from them where play does not settle.

    ``kind``: what welfare is compared at; ``games``: what a game is called.
    """
    if welfare is None:
        return ""
    price, honest, apart = welfare["price_of_anarchy"], welfare["price_truthful"], welfare["unsettled"]
    worst = welfare["worst"]
    if welfare["games"] and price is None:
        return f" {_means(welfare)}; the mechanism declares no optimum to compare with."
    if price is None:
        text = f" No {games[:-1]} settles: there is no equilibrium and no price of anarchy."
    else:
        over = f"in the {welfare['games']} {games} that settle " if apart is not None else ""
        name = "ratio of optimum to welfare" if kind in ("play", "the strategies found") else "price of anarchy"
        text = f" {_means(welfare)}: {over}the {name} at {kind} is {ratio_words(price['value'])} {interval(price)}; "
        text += f"if all are truthful it is {ratio_words(honest['value'])}, the rule's own loss."
    if worst is not None and worst["starts"] and worst["price_of_anarchy"] is not None:
        text += f" A worse equilibrium may exist: the worst found, also from {worst['starts']} random starts, "
        text += f"gives {ratio_words(worst['price_of_anarchy']['value'])} over {worst['games']} {games}."
    elif price is not None and kind != "play":
        text += " A worse one may exist."
    if apart is not None and apart["ratio"] is not None:
        many = f"{apart['games']} {games} that do not settle"
        one = f"one {games[:-1]} that does not settle"
        text += f" In the {one if apart['games'] == 1 else many}, welfare where play ends (no equilibrium) is "
        text += f"{short(apart['played'])}, the ratio {ratio_words(apart['ratio']['value'])}; truthful "
        text += f"{short(apart['truthful'])}, {ratio_words(apart['ratio_truthful']['value'])}."
    return text


def _means(welfare: dict[str, Any]) -> str:
    text = f"{welfare['measure'].capitalize()} is {short(welfare['equilibrium'])}"
    text += f", if all are truthful {short(welfare['truthful'])}"
    return text if welfare["optimal"] is None else f"{text}, at best {short(welfare['optimal'])}"
