"""What ``strategic`` says: numbers as people read them, and the result as a sentence."""

from __future__ import annotations

from typing import Any

from mechanism.wording import letters, number, percent, ratio

LINE = 0.05
"""By which share of the range of types a strategy may be off a straight line that is told of it."""


def loose(found: dict[str, Any]) -> bool:
    """Tell whether strategies were found from which another report would still add more than an equilibrium allows."""
    from proofs_checks.play.shading import LOOSE

    return "left_share" in found and (found["left_share"] is None or found["left_share"] > LOOSE)


def sentence(result: dict[str, Any]) -> str:
    """Say in words and numbers what play came to."""
    found, coordinate = result["found"], result["coordinate"]
    coordinate += " or cost" if any("role" in row for row in result["agents"]) else ""
    if result["dynamics"] == "best-response":
        how = rest(found, result["profiles"], result["rounds"])
        kind = "the equilibrium reached from the truth"
    elif result["dynamics"] == "regret-matching":
        how = f"After {result['rounds']} periods no single report would have given more than "
        how += f"{number(found['external_regret'], 4)} per period above what was had"
        kind = "play"
    else:
        how = strategies(found, coordinate)
        kind = "the strategies found" if loose(found) else "the equilibrium found"
    return f"{how}. {moved(found, coordinate)}{price_words(result['welfare'], kind)}"


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
        how += f"{number(found['left_mean'], 4)} to a client on average, {number(found['left'], 4)} at most"
        if found["left_games"]:
            how += f", and more than 5% of its utility to somebody in {found['left_games']} of these games"
    return how


def strategies(found: dict[str, Any], coordinate: str) -> str:
    """Say what strategies were found, how near to an equilibrium they are, and to the one that theory knows."""
    if found["truthful"]:
        how = "The truth is an equilibrium: no type was seen to gain by another report"
    else:
        lines = found["strategies"]
        off = max(line["misfit"] for line in lines)
        if off <= LINE:
            slope, start = (_between([line[k] for line in lines]) for k in ("slope", "intercept"))
            how = f"Reports rise by {slope} per unit of {coordinate}, from {start} "
            how += f"at nothing (straight lines, off by at most {percent(off)} of the range)"
        else:
            how = f"Reports follow no straight line (the nearest is off by up to {percent(off, 0)} of the range)"
        share = found["left_share"]
        of = "" if share is None else f", {percent(share)} of its utility in play"
        how += f"; another report would add at most {number(found['left'], 4)} to an agent on average over types{of}"
        if loose(found):
            how += ": play has not come to an equilibrium (with more --rounds it may)"
    known = found["known"]
    if known is not None:
        how += f". Known equilibrium ({known['source']}): {known['words']}; "
        how += "that is what was found" if known["furthest"] <= 1e-12 else f"play is {distance(known, coordinate)}"
    return how


def _between(numbers: list[float]) -> str:
    return f"{number(min(numbers), 4)} to {number(max(numbers), 4)}"


def distance(known: dict[str, Any], coordinate: str) -> str:
    """Say how far play is from the equilibrium that theory knows."""
    at = known["furthest_at"]
    text = f"{number(known['mean'], 4)} away from it on average and {number(known['furthest'], 4)} at most"
    return f"{text} (agent {letters(at['agent'])} at {coordinate} {number(at['truth'], 4)})"


def moved(found: dict[str, Any], coordinate: str) -> str:
    """Say who reports another number than the truth."""
    parts = [
        f"{percent(found[s])} of reports are {s} the true {coordinate}, by {number(found[f'mean_{s}'], 4)} on average"
        for s in ("below", "above")
        if found[s] > 0.0
    ]
    return f"{'; '.join(parts) or f'Every report is the true {coordinate}'}."


def interval(price: dict[str, Any]) -> str:
    """Return the interval of a ratio and what it comes from, in brackets; why there is none, where there is none."""
    if price["confidence"] is None:
        return "(no interval: too few independent draws)"
    ends = f"{ratio(price['low'])} to {ratio(price['high'])}"
    return f"({percent(price['confidence'], 0)} interval {ends}, resampling {price['resampled']})"


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
        text = f" {_means(welfare)}: {over}the {name} at {kind} is {ratio(price['value'])} {interval(price)}; "
        text += f"if all are truthful it is {ratio(honest['value'])}, the rule's own loss."
    if worst is not None and worst["starts"] and worst["price_of_anarchy"] is not None:
        text += f" A worse equilibrium may exist: the worst found, also from {worst['starts']} random starts, "
        text += f"gives {ratio(worst['price_of_anarchy']['value'])} over {worst['games']} {games}."
    elif price is not None and kind != "play":
        text += " A worse one may exist."
    if apart is not None and apart["ratio"] is not None:
        many = f"{apart['games']} {games} that do not settle"
        one = f"one {games[:-1]} that does not settle"
        text += f" In the {one if apart['games'] == 1 else many}, welfare where play ends (no equilibrium) is "
        text += f"{number(apart['played'], 4)}, the ratio {ratio(apart['ratio']['value'])}; truthful "
        text += f"{number(apart['truthful'], 4)}, {ratio(apart['ratio_truthful']['value'])}."
    return text


def _means(welfare: dict[str, Any]) -> str:
    text = f"{welfare['measure'].capitalize()} is {number(welfare['equilibrium'], 4)}"
    text += f", if all are truthful {number(welfare['truthful'], 4)}"
    return text if welfare["optimal"] is None else f"{text}, at best {number(welfare['optimal'], 4)}"
