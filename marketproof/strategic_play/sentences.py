"""What ``strategic`` says: the play of a mechanism, or of one method of a run, in one sentence each."""

from collections.abc import Iterable

from marketproof.strategic_play.results import (
    Compared,
    Matching,
    MethodPlayed,
    Misreports,
    Played,
    Settling,
    Shading,
    Welfare,
)
from mechanism.market.accounting import MONEY
from mechanism.wording import letters, number, percent, plural, ratio
from proofs_checks.play.anarchy import Price

LINE = 0.05
"""By which share of the range of types a strategy may be off a straight line that is told of it."""


def sentence(played: Played) -> str:
    """Say in words and numbers what the play of a mechanism came to."""
    found, coordinate = played.found, played.coordinate + (" or cost" if played.sides else "")
    if isinstance(found, Settling):
        how, kind = _rest(found, played), "the equilibrium reached from the truth"
    elif isinstance(found, Matching):
        how = f"After {played.rounds} periods no single report would have given more than "
        how, kind = f"{how}{_short(found.external_regret)} per period above what was had", "play"
    else:
        how = _strategies(found, coordinate)
        kind = "the strategies found" if found.loose else "the equilibrium found"
    return f"{how}. {_moved(played.misreports, coordinate)}{_price(played.welfare, kind)}"


def method_sentence(played: MethodPlayed) -> str:
    """Say what lies would have earned in the markets of a method, and what the honest would have lost."""
    totals, found = played.totals, played.found
    lost = totals.utility_truthful - totals.utility_honest
    sure = "exact best responses" if played.lies_exact else "a search, no proof"
    one = (
        f"a lie about its cost alone would have paid in {played.lies_that_pay} of {played.cases} cases "
        f"and earned {_short(totals.best_lie_gain)} in all ({sure})"
        if played.lies_that_pay
        else f"no lie about a cost would have paid in any of {played.cases} cases ({sure})"
    )
    rest = f"{found.settled} of {played.markets} markets settle"
    rest += f", {found.circling} circle" if found.circling else ""
    if abs(lost) <= MONEY * max(1.0, abs(totals.utility_truthful)):
        honest = "staying honest then costs nothing"
    else:
        each = _short(abs(lost) / played.cases)
        honest = f"a client that stays honest then {'loses' if lost > 0 else 'gains'} {each} "
        honest += "a market on average, against a market of honest clients"
    few = f"{percent(found.below)} understate" if found.below else "nobody understates"
    all_lie = f"if all play best responses ({rest}), {few}, and {honest}"
    price = _price(played.welfare, "the equilibrium reached from the truth", "markets")
    return f"Under {played.mechanism}, {one}; {all_lie}.{price}"


def _short(value: float | None) -> str:
    return number(value, 4)


def _rest(found: Settling, played: Played) -> str:
    """Say in how many games play settles, and how far from an equilibrium in all reports that is."""
    how = f"Nobody wants to move any more in {found.settled} of {played.profiles} games"
    if found.circling:
        how += f", {plural(found.circling, 'goes', 'go')} in circles"
    if found.unfinished:
        how += f", {plural(found.unfinished, 'was', 'were')} not done in {played.rounds} rounds"
    if found.left is not None and found.settled:
        how += "; where play settles, the best of all reports (also between the levels played) would add "
        how += f"{_short(found.left_mean)} to a client on average, {_short(found.left)} at most"
        if found.left_games:
            how += f", and more than 5% of its utility to somebody in {found.left_games} of these games"
    return how


def _strategies(found: Shading, coordinate: str) -> str:
    """Say what strategies were found, how near to an equilibrium they are, and to the one that theory knows."""
    if found.truthful:
        how = "The truth is an equilibrium: no type was seen to gain by another report"
    else:
        off = max(line.misfit for line in found.strategies)
        if off <= LINE:
            slope, start = (_between(getattr(line, k) for line in found.strategies) for k in ("slope", "intercept"))
            how = f"Reports rise by {slope} per unit of {coordinate}, from {start} "
            how += f"at nothing (straight lines, off by at most {percent(off)} of the range)"
        else:
            how = f"Reports follow no straight line (the nearest is off by up to {percent(off, 0)} of the range)"
        of = "" if found.left_share is None else f", {percent(found.left_share)} of its utility in play"
        how += f"; another report would add at most {_short(found.left)} to an agent on average over types{of}"
        if found.loose:
            how += ": play has not come to an equilibrium (with more --rounds it may)"
    if (known := found.known) is not None:
        how += f". Known equilibrium ({known.source}): {known.words}; "
        how += "that is what was found" if known.furthest <= 1e-12 else f"play is {_distance(known, coordinate)}"
    return how


def _between(numbers: Iterable[float]) -> str:
    all_ = list(numbers)
    return f"{_short(min(all_))} to {_short(max(all_))}"


def _distance(known: Compared, coordinate: str) -> str:
    """Say how far play is from the equilibrium that theory knows."""
    at = known.furthest_at
    text = f"{_short(known.mean)} away from it on average and {_short(known.furthest)} at most"
    return f"{text} (agent {letters(at.agent)} at {coordinate} {_short(at.truth)})"


def _moved(off: Misreports, coordinate: str) -> str:
    """Say who reports another number than the truth."""
    parts = [
        f"{percent(share)} of reports are {side} the true {coordinate}, by {_short(mean)} on average"
        for side, share, mean in (("below", off.below, off.mean_below), ("above", off.above, off.mean_above))
        if share > 0.0
    ]
    return f"{'; '.join(parts) or f'Every report is the true {coordinate}'}."


def _interval(price: Price) -> str:
    """Return the interval of a ratio and what it comes from, in brackets; why there is none, where there is none."""
    if price.confidence is None:
        return "(no interval: too few independent draws)"
    ends = f"{ratio(price.low)} to {ratio(price.high)}"
    return f"({percent(price.confidence, 0)} interval {ends}, resampling {price.resampled})"


def _price(welfare: Welfare | None, kind: str, games: str = "games") -> str:
    """Say what play costs: at equilibria, at the worst that was found, and apart from them where play does not settle.

    ``kind``: what welfare is compared at; ``games``: what a game is called.
    """
    if welfare is None:
        return ""
    price, honest, apart, worst = (
        welfare.price_of_anarchy, welfare.price_truthful, welfare.unsettled, welfare.worst
    )  # fmt: skip
    if welfare.games and price is None:
        return f" {_means(welfare)}; the mechanism declares no optimum to compare with."
    if price is None or honest is None:
        text = f" No {games[:-1]} settles: there is no equilibrium and no price of anarchy."
    else:
        over = f"in the {welfare.games} {games} that settle " if apart is not None else ""
        name = "ratio of optimum to welfare" if kind in ("play", "the strategies found") else "price of anarchy"
        text = f" {_means(welfare)}: {over}the {name} at {kind} is {ratio(price.value)} {_interval(price)}; "
        text += f"if all are truthful it is {ratio(honest.value)}, the rule's own loss."
    if worst is not None and worst.starts and worst.price_of_anarchy is not None:
        text += f" A worse equilibrium may exist: the worst found, also from {worst.starts} random starts, "
        text += f"gives {ratio(worst.price_of_anarchy.value)} over {worst.games} {games}."
    elif price is not None and kind != "play":
        text += " A worse one may exist."
    if apart is not None and apart.ratio is not None and apart.ratio_truthful is not None:
        one, many = f"one {games[:-1]} that does not settle", f"{apart.games} {games} that do not settle"
        text += f" In the {one if apart.games == 1 else many}, welfare where play ends (no equilibrium) is "
        text += f"{_short(apart.played)}, the ratio {ratio(apart.ratio.value)}; truthful "
        text += f"{_short(apart.truthful)}, {ratio(apart.ratio_truthful.value)}."
    return text


def _means(welfare: Welfare) -> str:
    text = f"{welfare.measure.capitalize()} is {_short(welfare.equilibrium)}"
    text += f", if all are truthful {_short(welfare.truthful)}"
    return text if welfare.optimal is None else f"{text}, at best {_short(welfare.optimal)}"
