"""What the playground shows of a state: the clearing, the accounts, the curve of one report, and the lie that pays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.findings.rules.lies import cleared
from analysis.page import theme
from analysis.playground.html import sentence, table
from analysis.playground.state import PlayState
from mechanism import MONEY, UnknownNameError, market_mechanism
from mechanism.market.accounting import Accounts, Outcome
from mechanism.market.allocation.breakpoints import cost_breakpoints
from mechanism.market.rules.rule import Clearing
from mechanism.space import Floats
from mechanism.wording import apart, listed, typeset
from proofs_checks.search.lies import best_lie

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_POINTS = 121
_BESIDE = 1e-7  # relative distance at which a jump is drawn


@dataclass(frozen=True, eq=False)
class Cleared:
    """One clearing on the reports of a state, accounted with the truth.

    ``trades``: importer, exporter, price (gross, money). ``accounts``: gain, cost, paid, received, centre, utility of
    every client, money. ``utility`` of the client that reports, ``truthful`` what the truth would give it.
    """

    trades: tuple[tuple[str, str, float], ...]
    accounts: dict[str, dict[str, float]]
    utility: float
    truthful: float
    welfare: float


@dataclass(frozen=True, eq=False)
class ReportCurve:
    """One client's true utility ``[k]`` against its reported cost ``[k]`` rising, others truthful; money."""

    name: str
    truth: float
    reports: Floats
    utilities: Floats


@dataclass(frozen=True)
class FoundLie:
    """The lie that pays most, or none: the sentence says which, and how sure that is.

    ``client`` its index, None if no lie pays; ``report`` the cost that it says; ``gain`` what that wins, money.
    """

    sentence: str
    client: int | None
    report: float
    gain: float


def warm() -> None:
    """Load the compiled kernels (once per process), so that no drag of a slider waits for them."""
    from mechanism.market.allocation.selection import compiled

    compiled()
    for name in ("ipfl", "ipfl-exact"):
        state = PlayState(mechanism=name)
        _cleared(state, np.linspace(0.0, 2.0, 300))


def _rule(state: PlayState) -> Clearing:
    return market_mechanism(state.mechanism)


def _cleared(state: PlayState, reports: Floats) -> tuple[Outcome, Accounts]:
    """Clear once for every reported cost ``[q]`` of the state's client; ``[q, m, m]`` and ``[q, m]``."""
    return cleared(_rule(state), state.types(), state.market(), state.client, reports)


def look(state: PlayState) -> Cleared:
    """Clear on the state's reports and account for it with the truth."""
    outcome, accounts = _cleared(state, np.array([state.report, state.truth]))
    names = state.names
    trades = tuple(
        (names[i], names[j], float(outcome.prices[0, i, j]) + 0.0) for i, j in np.argwhere(outcome.imports[0])
    )
    parts = ("gain", "cost", "paid", "received", "centre", "utility")
    return Cleared(
        trades=trades,
        accounts={
            name: {part: float(getattr(accounts, part)[0, k]) + 0.0 for part in parts} for k, name in enumerate(names)
        },
        utility=float(accounts.utility[0, state.client]) + 0.0,
        truthful=float(accounts.utility[1, state.client]) + 0.0,
        welfare=float(accounts.welfare[0]) + 0.0,
    )


def highest_report(state: PlayState) -> float:
    """Return where the slider ends: a round number past the truth and the last report that changes anything.

    And not before the state's own report.
    """
    points = _break_points(state)
    far = max([state.truth, 0.5, *points[points <= 4.0 * max(state.truth, 1.0)].tolist()])
    end = _round_up(1.5 * far)
    return end if state.report <= end else _round_up(state.report)


def _round_up(far: float) -> float:
    step = 10.0 ** np.floor(np.log10(far))
    return float(np.ceil(far / step) * step)


def _break_points(state: PlayState) -> Floats:
    try:
        points = cost_breakpoints(_rule(state).allocation, state.types().truthful(), state.market())
    except UnknownNameError:
        return np.empty(0)
    return np.unique(points[state.client])


def curve(state: PlayState, end: float | None = None) -> ReportCurve:
    """Return the client's utility against its report up to ``end``: an even grid, the truth, both sides of each jump.

    ``end``: money; default `highest_report`.
    """
    end = highest_report(state) if end is None else end
    points = _break_points(state)
    points = points[points <= end]
    beside = np.concatenate([points * (1 - _BESIDE), points, points * (1 + _BESIDE)])
    reports = np.unique(np.concatenate([np.linspace(0.0, end, _POINTS), beside, [_BESIDE * end, state.truth]]))
    _, accounts = _cleared(state, reports)
    return ReportCurve(state.names[state.client], state.truth, reports, accounts.utility[:, state.client])


def at_zero(state: PlayState) -> str:
    """Return why the client's curve falls at a report of exactly 0; "" where it does not.

    The rule in the authors' code has no threshold for a price of 0 or less: whoever is offered it takes it, whatever
    it is worth to them.
    """
    outcome, accounts = _cleared(state, np.array([0.0, _BESIDE * highest_report(state)]))
    utility = accounts.utility[:, state.client]
    new = np.flatnonzero(outcome.imports[0, :, state.client] & ~outcome.imports[1, :, state.client])
    fall = float(utility[1] - utility[0])
    if not new.size or fall <= MONEY * max(1.0, float(np.abs(utility).max())):
        return ""
    name, takers = state.names[state.client], [state.names[k] for k in new]
    rule = "the rule in the authors' code lets everybody take what costs nothing, whatever it is worth to them"
    takes = f"{listed(takers)} {'takes' if len(takers) == 1 else 'take'}"
    return (
        f"At a report of exactly 0 the curve falls by {typeset(fall)}: {rule}. So {takes} it as well, for nothing, and "
        f"{name} bears its cost of {typeset(state.truth)} each time."
    )


def find_lie(state: PlayState) -> FoundLie:
    """Let the engine look for the cost lie that pays any client most while all others tell the truth."""
    lie = best_lie(_rule(state), state.types(), state.market())
    if not lie.pays:
        sure = "no other report can do better" if lie.exact else "this is a search, no proof"
        said = f"No lie about a cost was found to pay here: {lie.deviations} reports tried; {sure}."
        return FoundLie(said, None, state.truth, 0.0)
    lying = replace(state, client=lie.client)
    report = _shorter(lying, lie.report, lie.gain)
    seen = look(replace(lying, report=report))
    truth, said = apart(lying.truth, report)
    before, after = apart(*(0.0 if abs(value) < 1e-12 else value for value in (seen.truthful, seen.utility)))
    who = f"client {state.names[lie.client]} costs {truth}; saying {said} raises its utility from {before} to {after}"
    return FoundLie(f"A lie pays: {who}.", lie.client, report, seen.utility - seen.truthful)


def _shorter(state: PlayState, report: float, gain: float) -> float:
    """Return a report of fewer digits that wins (nearly) as much."""
    tries: list[float] = []
    for digits in (1, 2, 3, 4):
        step = 10.0 ** (np.floor(np.log10(report)) - digits + 1) if report > 0.0 else 1.0
        for whole in (np.round(report / step), np.floor(report / step), np.ceil(report / step)):
            tries.append(float(f"{max(0.0, whole * step):.12g}"))
    _, accounts = _cleared(state, np.array([state.truth, *tries]))
    utility = accounts.utility[:, state.client]
    enough = utility[0] + 0.999 * gain
    for candidate, reached in zip(tries, utility[1:], strict=True):
        if reached >= enough and candidate != state.truth:
            return candidate
    return report


def words(state: PlayState, seen: Cleared) -> str:
    """Return one sentence on what the report does to the client that makes it."""
    name = state.names[state.client]
    if state.report == state.truth:
        return f"{name} tells the truth, {typeset(state.truth)}, and has utility {typeset(seen.utility)}."
    change = seen.utility - seen.truthful
    if abs(change) <= MONEY * max(1.0, abs(seen.truthful)):
        said = "nothing changes for it"
    else:
        said = f"it {'wins' if change > 0 else 'loses'} {typeset(abs(change))}"
    return (
        f"{name} costs {typeset(state.truth)} and says {typeset(state.report, 4)}: {said} "
        f"(utility {typeset(seen.utility)}, with the truth {typeset(seen.truthful)})."
    )


def key(state: PlayState) -> PlayState:
    """Return what a lie was searched in: the state without who reports what."""
    return state.reporting(0, 0.0)


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def steps(state: PlayState, count: int = 100) -> list[float]:
    """Return where the slider may stop: an even grid from 0, and the truth, so that the truth can be told.

    Six digits each, which is what the slider shows; `told` makes a report of a stop.
    """
    end = highest_report(state)
    return sorted({_short(x) for x in (*np.linspace(0.0, end, count + 1), state.truth, min(state.report, 1e9))})


def told(state: PlayState, stop: float, said: float) -> float:
    """Return the report at a stop of the slider: in full where it stands for the truth, or for what was ``said``."""
    exact = [value for value in (state.truth, said) if _short(value) == stop]
    return exact[0] if exact else stop


def weights(lam: float) -> list[float]:
    """Return where the slider of λ may stop: an even grid from 0 to 1, or past a larger λ, and λ itself."""
    end = 1.0 if lam <= 1.0 else 2.0 * lam
    return sorted({*(float(f"{x:.6g}") for x in np.linspace(0.0, end, 101)), lam})


def trades_table(seen: Cleared) -> str:
    """Return the table of who imports from whom at what price."""
    if not seen.trades:
        return sentence("trades", "Nobody imports anything: no model is worth its price to anyone.")
    rows = [(i, j, typeset(price)) for i, j, price in seen.trades]
    return table("trades", "Who imports from whom", ("importer", "from", "price"), rows, left=2)


def accounts_table(seen: Cleared) -> str:
    """Return the table of every client's account, in money, with the true costs and gains."""
    parts = ["gain", "cost", "paid", "received", "utility"]
    if any(account["centre"] for account in seen.accounts.values()):
        parts.insert(4, "centre")
    rows = [(name, *(typeset(account[part]) for part in parts)) for name, account in seen.accounts.items()]
    title = f"Accounts; welfare {typeset(seen.welfare)}"
    return table("accounts", title, ("client", *("to centre" if p == "centre" else p for p in parts)), rows)


def report_curve(curve: ReportCurve, report: float, seen: Cleared, ax: Axes | None = None) -> Axes:
    """Draw utility against the reported cost: a black dot at the truth, a vermilion diamond at the report."""
    ax = theme.axes(ax, 6.0, 3.2)
    theme.style(ax, grid="both", x=f"cost that {theme.plain(curve.name)} reports (money)", y="its true utility (money)")
    ax.axhline(seen.truthful, color=theme.SOFT, linewidth=1.0, linestyle=(0, (1, 2)), zorder=1.5)
    ax.plot(curve.reports, curve.utilities, color=theme.GAIN, linewidth=2.0, zorder=2)
    ax.plot(
        [report], [seen.utility], "D", color=theme.LOSS, markeredgecolor="white", markersize=10,
        label=f"report {typeset(report, 4)}: utility {typeset(seen.utility)}", zorder=4, clip_on=False,
    )  # fmt: skip
    ax.plot(
        [curve.truth], [seen.truthful], "o", color=theme.INK, markeredgecolor="white", markersize=8,
        label=f"truth {typeset(curve.truth, 4)}: utility {typeset(seen.truthful)}", zorder=5,
    )  # fmt: skip
    ax.set_xlim(0.0, max(float(curve.reports[-1]), report))
    ax.margins(y=0.12)
    theme.never_flat(ax, "y", 0.04 * max(float(np.abs(curve.utilities).max()), 1.0))
    theme.legend_above(ax, 2)
    return ax


def alt(curve: ReportCurve, report: float, seen: Cleared) -> str:
    """Say in words what the figure shows."""
    return (
        f"True utility of {curve.name} against the cost that it reports. Truth {typeset(curve.truth, 4)}: utility "
        f"{typeset(seen.truthful)}. Report {typeset(report, 4)}: utility {typeset(seen.utility)}. "
        f"Highest on the curve: {typeset(float(curve.utilities.max()))}."
    )
