"""The report's figures: single plots put together, each with its name, its words and the numbers under it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis import decomposition, lies, metrics, people, plots, tables
from analysis.drawn import Drawn, grid, note
from analysis.money_words import through_centre
from analysis.page import theme
from analysis.run.records import Run
from analysis.scores import scores_rows
from mechanism.wording import typeset, typeset_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def accuracy_and_utility(run: Run) -> Drawn:
    """Accuracy beside utility per method."""
    accuracy, utility = metrics.best_accuracy(run), metrics.mean_utility(run)
    whole = theme.figure(theme.WIDTH, 1.05 + 0.38 * len(run.methods))
    left, right = whole.subplots(1, 2)
    plots.method_dots(accuracy, left)
    plots.method_dots(utility, right, from_zero=True, labels=False)
    left.set_title("Best personal accuracy", loc="left", fontsize=theme.TITLE, fontweight="bold", pad=8)
    right.set_title("Mean utility of a client", loc="left", fontsize=theme.TITLE, fontweight="bold", pad=8)
    right.set_xlabel("money over the run", fontsize=theme.BODY)
    parts = [
        f"{name}: {typeset(float(a))} percent and {typeset(float(u))}"
        for name, a, u in zip(run.methods, accuracy.mean, utility.mean, strict=True)
    ]
    whiskers = " Whiskers are one standard deviation over seeds." if len(run.seeds) > 1 else ""
    return Drawn(
        "accuracy-and-utility",
        "Accuracy and utility per method. " + "; ".join(parts) + ".",
        "Dots further right are better in both panels; left of the zero line the average client is worse off than "
        "if it had trained alone." + whiskers,
        whole,
        tables.scores_table(accuracy, utility),
    )


def waterlines(run: Run) -> Drawn:
    """Every client's utility against zero, one panel per method on one scale."""
    lines = [metrics.waterline(run, name) for name in run.methods]
    whole, panels = grid(len(lines), 4 if len(lines) > 3 else 3, 2.7)
    limits = min(float(line.utilities.min()) for line in lines), max(float(line.utilities.max()) for line in lines)
    across = min(len(lines), 4 if len(lines) > 3 else 3)
    for k, (line, panel) in enumerate(zip(lines, panels, strict=True)):
        plots.waterline_bars(line, panel, limits=limits)
        if k % across:
            panel.set_ylabel("")
            panel.tick_params(labelleft=False)
    words = [f"{line.method}: {plots.waterline_summary(line)}" for line in lines]
    return Drawn(
        "waterline",
        "Utility of every client against zero. " + "; ".join(words) + ".",
        "One bar is one client" + (" of one seed" if len(run.seeds) > 1 else "")
        + ". A bar under the waterline (vermilion) is a client that would have been better off staying away: "
        "the method is not individually rational for it. All panels share one scale.",
        whole,
        tables.utilities_table(run),
    )  # fmt: skip


def money(run: Run, method: str) -> Drawn:
    """Who pays whom under one method: graph and matrix."""
    flow = metrics.money_flow(run, method)
    whole = theme.figure(theme.WIDTH, 4.5)
    where = f", seed {flow.seed}" if len(run.seeds) > 1 else ""
    whole.suptitle(
        f"{theme.plain(method)}{where}", x=0.005, ha="left", fontsize=theme.TITLE, fontweight="bold", color=theme.INK
    )
    left, right = whole.subplots(1, 2)
    plots.money_graph(flow, left)
    plots.money_matrix(flow, right)
    earned = flow.earned[: run.clients]
    most = int(earned.argmax())
    pairs = int((flow.net > 0).sum())
    drawn = len(flow.arrows(plots.MOST_ARROWS))
    left_out = f" Only the {drawn} largest of {pairs} net payments are drawn as arrows." if drawn < pairs else ""
    seeds = f" Only seed {flow.seed} is drawn; in other seeds the clients hold other data." if where else ""
    through = through_centre(flow)
    balance = (
        "because every payment is received: nothing is lost and nothing comes from outside."
        if not through
        else f"because every payment is received. The black square, the last row and column, is the centre: {through}."
    )
    return Drawn(
        f"money-{run.methods.index(method)}",
        f"Net payments under {method}: {pairs} pairs, {typeset(flow.turnover)} money changed hands between "
        f"clients in all; {f'{through}; ' if through else ''}client {most} earned most, "
        f"{typeset(float(earned[most]))}.",
        "Arrows run from payer to receiver, thicker for more money; blue clients end with more money, vermilion ones "
        "with less (number: net). In the matrix the row pays the column; every amount appears twice with opposite "
        f"sign, {balance}" + left_out + seeds,
        whole,
        tables.flow_table(flow),
        tables.payments_table(flow),
    )


def welfare_taken_apart(run: Run) -> Drawn:
    """Gain, cost, payments and what goes to the centre, and the welfare that is left."""
    parts = decomposition.welfare_parts(run)

    def told(k: int) -> str:
        gain, cost, moved, centre, welfare = (
            typeset(float(v[k].mean())) for v in (parts.gain, parts.cost, parts.moved, parts.centre, parts.welfare)
        )
        to_centre = f", to the centre {centre}" if parts.centre[k].any() else ""
        return f"{parts.methods[k]}: gain {gain}, cost {cost}, payments {moved}{to_centre}, welfare {welfare}"

    ring = (
        "The ring is welfare, the sum of the clients' utilities: what is left of the gains once the exporters' costs "
        "are paid and the centre has taken its part (purple). Gain − cost is the surplus; what the centre keeps of it "
        "no client has, and what it adds from outside stands beyond the gain."
        if parts.centred
        else "The ring is welfare, what is left of the gains once the exporters' costs are paid."
    )
    return Drawn(
        "welfare",
        "Welfare taken apart, money over the run. " + "; ".join(told(k) for k in range(len(run.methods))) + ".",
        f"{ring} A long vermilion bar is a method that hands models to clients for whom they are not worth what they "
        "cost. Payments between clients (hatched) add nothing and take nothing away: they decide who has the welfare.",
        theme.figure_of(plots.welfare_bars(parts)),
        decomposition.parts_table(parts),
    )


def who_learns_from_whom(run: Run) -> Drawn:
    """The graph that each method implies, one panel per method."""
    found = tuple(people.import_shares(run, name) for name in run.methods)
    across = 4 if len(found) > 3 else 3
    whole, panels = grid(len(found), across, 2.5)
    for k, (one, panel) in enumerate(zip(found, panels, strict=True)):
        plots.import_matrix(one, panel)
        if k % min(len(found), across):
            panel.set_ylabel("")
    said = [f"{one.method}: {int((one.share > 0).sum())} pairs trade" for one in found]
    seeds = f" Only seed {found[0].seed} is drawn." if len(run.seeds) > 1 else ""
    if seeds:
        note(whole, f"seed {found[0].seed} of {len(run.seeds)} seeds")
    return Drawn(
        "imports",
        f"Who imports whose model, of {run.clients * (run.clients - 1)} pairs. " + "; ".join(said) + ".",
        "A row is what one client imports, the darker the more rounds. Full squares are averaging over everybody; "
        "blocks are groups of like data; a dark column is a model that many want, an empty one nobody's." + seeds,
        whole,
        people.shares_table(found),
    )


def by_role(run: Run) -> Drawn:
    """Accuracy and utility of each role."""
    accuracy, utility = people.accuracy_by_role(run), people.utility_by_role(run)
    groups = len(accuracy.groups)
    whole = theme.figure(theme.WIDTH, 1.3 + 0.16 * groups + len(run.methods) * (0.5 + 0.18 * groups))
    left, right = whole.subplots(1, 2)
    plots.compared_dots(accuracy, left, numbers=True)
    plots.compared_dots(utility, right, zero=True, labels=False, numbers=True)
    return Drawn(
        "roles",
        f"Accuracy and utility per method and role. {accuracy.told(utility, '')}.",
        "Each band is a method, each mark in it a role: what a client came for. A market treats its people well if "
        "honest roles are right of zero; attackers and free-riders should earn less than those who do the work. A "
        "seller here is a client that wants no model; the selling side of an account is something else, which every "
        "client has." + plots.scale_words(right),
        whole,
        scores_rows("role", accuracy, utility),
    )


def attendance(run: Run) -> Drawn:
    """How many clients take part in each round."""
    curves = people.attendance(run)
    ax = plots.round_curves(curves)
    said = [
        f"{name}: {float(curves.mean[k, 0]):.3g} to {float(curves.mean[k, -1]):.3g}"
        for k, name in enumerate(run.methods)
    ]
    return Drawn(
        "attendance",
        f"Clients that take part, of {run.clients}, over {run.rounds} rounds. " + "; ".join(said) + ".",
        "A line that falls is a method whom its clients leave; what is left of its accuracy and utility is that of "
        "those who stay.",
        theme.figure_of(ax),
        tables.rounds_table(curves),
        tables.bands_table(curves),
    )


def against_optimum(run: Run) -> Drawn:
    """Objective against its optimum, and welfare."""
    result = metrics.optimum(run)
    centred = decomposition.welfare_parts(run).centred
    ax = plots.optimum_bars(result)
    parts = [f"{name}: {typeset_percent(float(share))}" for name, share in zip(run.methods, result.share, strict=True)]
    return Drawn(
        "optimum",
        "Share of the optimum of the objective per method. " + "; ".join(parts) + ".",
        "A bar that reaches its black tick is the best possible set of trades for the reported types. The ring is "
        "welfare, the sum of utilities; it exceeds the objective by the difference penalties, which steer the choice "
        "and which nobody pays" + (", less what goes to the centre." if centred else "."),
        theme.figure_of(ax),
        tables.optimum_table(result),
    )


def lie_panels(curves: Sequence[lies.LieCurve]) -> Drawn:
    """Lie curves, one panel per method with a market, on one scale of money unless that would flatten one of them."""
    whole, panels = grid(len(curves), 2, 3.5)
    for curve, panel in zip(curves, panels, strict=True):
        plots.lie_curve(curve, panel)
    own = len(curves) > 1 and not _one_scale(panels)
    apart = not lies.one_reach(curves)
    for k, panel in enumerate(panels):
        panel.set_xlim(0.0, 1.03 * float(curves[k].reports[-1]))
        if k % 2 and not own:
            panel.set_ylabel("")
    if own or apart:
        scales = " and of ".join(["money"] * own + ["reported costs"] * apart)
        note(whole, f"Each panel has its own scale of {scales}.")
    parts = [
        f"{c.method}, client {c.client}, round {c.round}, seed {c.seed}: true cost {typeset(c.truth)}, utility "
        f"{typeset(c.truthful_utility)}; "
        + (
            f"reporting {typeset(c.best_report)} earns {typeset(c.best_utility)}"
            if c.gain > 0
            else "no report earns more"
        )
        for c in curves
    ]
    return Drawn(
        "lie-curve",
        "Utility against reported cost. " + "; ".join(parts) + ".",
        "The line is a client's own utility, computed with its true cost, for every cost that it might report while "
        "all others tell the truth. Anywhere the line rises above the dotted level of the truth, lying pays.",
        whole,
        tables.lies_table(tuple(curves)),
        tables.curves_table(tuple(curves)),
    )


_FLAT = 8.0
"""How much more money the whole may span than a panel before the panel keeps a scale of its own."""


def _one_scale(panels: Sequence[Axes]) -> bool:
    """Give panels one vertical scale and return True, unless a panel would be flattened by it."""
    limits = [panel.get_ylim() for panel in panels]
    low, high = min(low for low, _ in limits), max(high for _, high in limits)
    if high - low > _FLAT * min(b - a for a, b in limits):
        return False
    for panel in panels:
        panel.set_ylim(low, high)
    return True


def over_rounds(run: Run) -> Drawn:
    """Accuracy and utility over the rounds."""
    accuracy, utility = metrics.accuracy_rounds(run), metrics.utility_rounds(run)
    each = max(2.6, 0.22 * len(run.methods) + 0.9)
    whole = theme.figure(theme.WIDTH, 2 * each)
    top, bottom = whole.subplots(2, 1)
    plots.round_curves(accuracy, top)
    plots.round_curves(utility, bottom, zero=True)
    top.set_xlabel("")
    parts = [
        f"{name}: {typeset(float(accuracy.mean[k, 0]))} to {typeset(float(accuracy.mean[k, -1]))} percent"
        for k, name in enumerate(run.methods)
    ]
    band = " Bands are one standard deviation over seeds." if len(run.seeds) > 1 else ""
    return Drawn(
        "rounds",
        f"Accuracy and utility over {run.rounds} rounds, means over clients. " + "; ".join(parts) + ".",
        "Whether accuracy is still rising when the run ends, and whether utility holds steady: the market is cleared "
        "anew every round, on the differences between that round's models." + band,
        whole,
        tables.rounds_table(accuracy, utility),
        tables.bands_table(accuracy, utility),
    )


def lorenz(run: Run) -> Drawn:
    """Lorenz curves of utility."""
    result = metrics.inequality(run)
    ax = plots.lorenz_curves(result)
    parts = [
        f"{name}: no utility" if result.empty[k] else f"{name}: Gini {result.gini[k].mean():.2f}"
        for k, name in enumerate(run.methods)
    ]
    return Drawn(
        "lorenz",
        "Lorenz curves of utility. " + "; ".join(parts) + ".",
        "The nearer a curve is to the dashed line, the more evenly utility is spread. A curve that dips below zero "
        "belongs to a method under which some clients lose; amounts are shares of the sum of absolute utilities, so "
        "that the Gini coefficient stays between 0 and 1 then too.",
        theme.figure_of(ax),
        tables.inequality_table(result),
        tables.lorenz_table(result),
    )
