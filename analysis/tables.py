"""Plain tables: rows of numbers and names, written as CSV, LaTeX or HTML cells. Used by the report and every export."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import lies, metrics
from analysis.money import CENTRE
from analysis.run.records import Run
from mechanism.wording import typeset

Cell = str | float | int | None

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "\n": " ", "−": "$-$", "\N{NARROW NO-BREAK SPACE}": r"\,", "±": r"$\pm$", "–": "--", "—": "---",
    "…": r"\dots{}", "’": "'", "“": "``", "”": "''", "λ": r"$\lambda$", "ε": r"$\varepsilon$", "θ": r"$\theta$",
    "η": r"$\eta$", "Σ": r"$\Sigma$", "√": r"$\surd$", "≤": r"$\le$", "≥": r"$\ge$", "∞": r"$\infty$", "·": r"$\cdot$",
    "×": r"$\times$", "→": r"$\to$", "²": r"$^2$",
}  # fmt: skip

_WIDE = 60
"""Longest text of a column that LaTeX does not break into lines."""


def shown(cell: Cell) -> str:
    """Return a cell as people read it: numbers with three digits, nothing as a dash."""
    if cell is None:
        return "–"
    return typeset(float(cell)) if isinstance(cell, float) else str(cell)


@dataclass(frozen=True)
class Table:
    """A caption, column heads and rows of equal length. Numbers are raw; only `shown` and LaTeX round them."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.caption!r}: a row has not the {len(self.columns)} cells of its head")

    def joined(self) -> Table:
        """Return the table as a page shows it: a spread stands in no column of its own but behind its value.

        A spread that is known of no row, as with one seed, is not shown.
        """
        spreads = {k for k, column in enumerate(self.columns) if column == "±"}
        known = {k for k in spreads if any(row[k] is not None for row in self.rows)}

        def both(value: Cell, spread: Cell) -> str:
            digits = typeset(spread, 2) if isinstance(spread, float) else shown(spread)
            return f"{shown(value)}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{digits}"

        def join(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
            pairs = [(k, both(c, row[k + 1]) if k + 1 in known and c is not None else c) for k, c in enumerate(row)]
            return tuple(cell for k, cell in pairs if k not in spreads)

        heads = tuple(column for column in self.columns if column != "±")
        return Table(self.caption, heads, tuple(join(row) for row in self.rows))

    def to_csv(self) -> str:
        """Return the table as CSV with a header, full precision, empty where there is nothing."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(["" if c is None else c for c in row] for row in self.rows)
        return text.getvalue()

    def to_latex(self) -> str:
        """Return a ``tabular`` (no packages needed), numbers with three digits, text escaped."""

        def escape(text: str) -> str:
            return "".join(_LATEX.get(c, c) for c in text)

        def kind(k: int) -> str:
            texts = [row[k] for row in self.rows if isinstance(row[k], str)]
            wide = any(len(str(text)) > _WIDE for text in texts)
            return "r" if not texts else r"p{0.5\linewidth}" if wide else "l"

        kinds = "".join(kind(k) for k in range(len(self.columns)))
        lines = [rf"\begin{{tabular}}{{{kinds}}}", r"\hline"]
        lines.append(" & ".join(escape(c) for c in self.columns) + r" \\ \hline")
        lines += [" & ".join(escape(shown(c)) for c in row) + r" \\" for row in self.rows]
        return "\n".join([*lines, r"\hline", r"\end{tabular}", ""])


def methods_table(run: Run) -> Table:
    """Return the run in one row per method: accuracies, utility, welfare, share of the optimum, lowest utility, lie.

    Accuracy is each client's best round, as the paper counts it, and beside it where the clients ended.

    Spreads over seeds are columns of their own, absent with one seed.
    """
    accuracy, utility = metrics.best_accuracy(run), metrics.mean_utility(run)
    final = metrics.final_accuracy(run)
    welfare, best, found = metrics.welfare(run), metrics.optimum(run), metrics.regret(run)
    spreads = len(run.seeds) > 1
    plus = ["±"] if spreads else []
    columns = ["method", "best accuracy (%)", *plus, "final accuracy (%)", *plus, "mean utility", *plus]
    columns += ["welfare", "of optimum (%)", "lowest utility in a round", "best cost lie wins"]
    rows: list[tuple[Cell, ...]] = []
    for k, name in enumerate(run.methods):
        share = float(best.share[k])
        row: list[Cell] = [name]
        for score in (accuracy, final, utility):
            row += [float(score.mean[k])] + ([_of(score.spread, k)] if spreads else [])
        row += [float(welfare.mean[k]), None if np.isnan(share) else 100.0 * share]
        row += [run.audit.methods[name].lowest_utility["client"], found.get(name)]
        rows.append(tuple(row))
    return Table("All methods: money over the run, means over seeds and clients", tuple(columns), tuple(rows))


def compared_table(runs: Sequence[Run]) -> Table:
    """Return several runs in one table: `methods_table` without spreads, a row per run and method.

    Beside the mean utility over the run stands that of a round, since runs may differ in length.
    """
    rows: list[tuple[Cell, ...]] = []
    for number, run in enumerate(runs, start=1):
        table, each = methods_table(run), metrics.utility_per_round(run).mean
        kept = [k for k, column in enumerate(table.columns) if column != "±"]
        columns = ("run", *(table.columns[k] for k in kept))
        at = columns.index("mean utility")
        columns = (*columns[:at], "mean utility per round", *columns[at:])
        for k, line in enumerate(table.rows):
            row = (f"{number}: {run.path.resolve().name}", *(line[c] for c in kept))
            rows.append((*row[:at], float(each[k]), *row[at:]))
    return Table("All runs: money over the run but where a round is named, means over seeds", columns, tuple(rows))


_THEORY = ("ir", "dsic-cost", "dsic-gain", "dsic-size", "budget-balance", "efficiency")


def theory_table(run: Run) -> Table | None:
    """Return what theory says, for all markets, of each rule in the run; None where the catalogue knows no rule."""
    from mechanism.catalogue import MARKET_MECHANISMS, PROPERTIES

    ids = list(dict.fromkeys(str(run.mechanisms[name]) for name in run.markets))
    rules = [MARKET_MECHANISMS[rule] for rule in ids if rule in MARKET_MECHANISMS]
    if not rules:
        return None
    rows = tuple((PROPERTIES[name], *(rule.truths.get(name, "–") for rule in rules)) for name in _THEORY)
    return Table(
        "What theory says of each rule, for every market; for evidence: marketproof verify RULE",
        ("promise", *(rule.id for rule in rules)),
        rows,
    )


def _of(spread: NDArray[np.float64] | None, k: int) -> float | None:
    """Return a method's spread, None where none is known."""
    return None if spread is None else float(spread[k])


def _means(seeds: int) -> str:
    return "Means and standard deviations over seeds" if seeds > 1 else "One seed: no spread is known"


def scores_table(*scores: metrics.MethodScores) -> Table:
    """Return the means and spreads of several scores, a row per method."""
    columns = ["method"]
    for score in scores:
        columns += [f"{score.name} ({score.unit})", f"± ({score.unit})"]
    rows = []
    for k, name in enumerate(scores[0].methods):
        cells: list[Cell] = [name]
        for score in scores:
            cells += [float(score.mean[k]), _of(score.spread, k)]
        rows.append(tuple(cells))
    return Table(_means(scores[0].seeds), tuple(columns), tuple(rows))


def utilities_table(run: Run) -> Table:
    """Return every client's utility over the run (money), a row per client and seed, a column per method."""
    each = {name: metrics.client_utility(run, name) for name in run.methods}
    rows = [
        (seed, client, *(float(each[name][s, client]) for name in run.methods))
        for s, seed in enumerate(run.seeds)
        for client in range(run.clients)
    ]
    return Table("Utility of every client over the run (money)", ("seed", "client", *run.methods), tuple(rows))


def flow_table(flow: metrics.MoneyFlow) -> Table:
    """Return the money that each client paid, received and kept over the run; the centre too, if money passes it.

    What passes the centre has a column of its own: net = received - paid - to the centre.
    """
    paid, received = flow.gross.sum(axis=1), flow.gross.sum(axis=0)
    rows: list[tuple[Cell, ...]]
    rows = [(k, float(paid[k]), float(received[k]), float(flow.earned[k])) for k in range(flow.gross.shape[0])]
    heads: tuple[str, ...] = ("client", "paid", "received", "net")
    if flow.centre is not None and flow.centred:
        heads = ("client", "paid", "received", "to the centre", "net")
        rows = [(*row[:3], float(given), row[3]) for row, given in zip(rows, flow.centre, strict=True)]
        rows.append((CENTRE, flow.handed_out, flow.collected, None, flow.kept))
    return Table(f"Money under {flow.method}, seed {flow.seed}", heads, tuple(rows))


def payments_table(flow: metrics.MoneyFlow) -> Table:
    """Return the payments between every two: gross, and net of what is paid back; a row per pair.

    Where money passes the centre, it is one of them; what it is paid is known net only.
    """
    net, clients = flow.net, flow.gross.shape[0]
    every = range(len(flow.labels))
    name: list[Cell] = [*range(clients), *flow.labels[clients:]]

    def gross(i: int, j: int) -> float:
        return float(flow.gross[i, j] if max(i, j) < clients else max(net[i, j], 0.0))

    rows = tuple((name[i], name[j], gross(i, j), float(net[i, j])) for i in every for j in every if i != j)
    return Table(f"Payments under {flow.method}, seed {flow.seed}", ("payer", "receiver", "paid", "net"), rows)


def optimum_table(result: metrics.Optimum) -> Table:
    """Return objective, optimum, share and welfare, means over seeds, a row per method."""
    rows = []
    for k, name in enumerate(result.methods):
        share = float(result.share[k])
        means = [float(v[k].mean()) for v in (result.objective, result.optimal, result.welfare)]
        rows.append((name, means[0], means[1], None if np.isnan(share) else share, means[2]))
    return Table(
        "Objective, its optimum, and welfare (money)",
        ("method", "objective", "optimum", "share", "welfare"),
        tuple(rows),
    )


def lies_table(curves: tuple[lies.LieCurve, ...]) -> Table:
    """Return the best lie on each curve."""
    rows = tuple(
        (c.method, c.seed, c.round, c.client, c.truth, c.truthful_utility, c.best_report, c.best_utility, c.gain)
        for c in curves
    )
    heads = (
        "method",
        "seed",
        "round",
        "client",
        "true cost",
        "utility, truthful",
        "best report",
        "utility then",
        "gain",
    )
    return Table("Truth and best report (money)", heads, rows)


def curves_table(curves: tuple[lies.LieCurve, ...]) -> Table:
    """Return the lie curves point by point, with the truth and the best report marked; money."""
    rows = []
    for c in curves:
        for report, utility in zip(c.reports.tolist(), c.utilities.tolist(), strict=True):
            mark = "truth" if report == c.truth else "best lie" if c.gain > 0 and report == c.best_report else ""
            rows.append((c.method, c.seed, c.round, c.client, report, utility, mark))
    heads = ("method", "seed", "round", "client", "reported cost", "utility", "mark")
    return Table("Utility against reported cost (money)", heads, tuple(rows))


def bands_table(*curves: metrics.RoundCurves) -> Table:
    """Return what `plots.round_curves` draws: mean and standard deviation over seeds, a row per round."""
    heads = ["round"]
    columns: list[NDArray[np.float64] | None] = []
    for c in curves:
        mean, spread = c.mean, c.spread
        for k, name in enumerate(c.methods):
            heads += [f"{c.name}, {name} ({c.unit})", f"± {c.name}, {name} ({c.unit})"]
            columns += [mean[k], None if spread is None else spread[k]]
    rows = tuple(
        (r + 1, *(None if column is None else float(column[r]) for column in columns))
        for r in range(curves[0].mean.shape[1])
    )
    return Table("Per round, means over clients, then mean and standard deviation over seeds", tuple(heads), rows)


def rounds_table(*curves: metrics.RoundCurves) -> Table:
    """Return the mean over clients and seeds of each quantity, a row per round."""
    heads = ["round", *(f"{c.name}, {name} ({c.unit})" for c in curves for name in c.methods)]
    rows = [
        (r + 1, *(float(c.mean[k, r]) for c in curves for k in range(len(c.methods))))
        for r in range(curves[0].mean.shape[1])
    ]
    return Table("Per round, means over clients and seeds", tuple(heads), tuple(rows))


def lorenz_table(result: metrics.Inequality) -> Table:
    """Return the Lorenz curves: the share of all |utility| that the poorest share of clients holds, per method."""
    rows = tuple(
        (float(p), *(float(curve[k]) for curve in result.curves)) for k, p in enumerate(result.population.tolist())
    )
    return Table("Lorenz curves, means over seeds", ("share of clients, poorest first", *result.methods), rows)


def inequality_table(result: metrics.Inequality) -> Table:
    """Return each method's Gini coefficient (mean and spread over seeds) and the poorest half's share.

    Nothing where nobody has any utility.
    """
    half = result.population.searchsorted(0.5)
    spread = metrics.spread(result.gini)
    rows: list[tuple[Cell, ...]] = [
        (name, None, None, None)
        if result.empty[k]
        else (name, float(result.gini[k].mean()), _of(spread, k), float(result.curves[k][half]))
        for k, name in enumerate(result.methods)
    ]
    return Table("Inequality of utility", ("method", "Gini", "±", "share of the poorer half"), tuple(rows))
