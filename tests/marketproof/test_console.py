"""Tables that fit: no word and no number is broken, and what is left out is told."""

import io

import pytest
from rich.console import Console

from analysis.findings.achieved import methods_table
from analysis.run.records import read_run
from analysis.run.results import Audit, MethodAudit, RecordedLie, Summary
from marketproof.terminal.console import show_fitted, spread
from marketproof.terminal.run_view import COLUMNS, DISPENSABLE, show_run
from mechanism.wording import number, percent
from tests.analysis.synthetic import write_run

NAMES = ("local", "fedavg", "ipfl/ipfl-exact", "ipfl/exact-marginal")


def printed(width: int, names=NAMES, seeds=(0, 1), scale="") -> str:
    figures = {"accuracy_best": 0.9662, "accuracy_final": 0.9513, "utility_mean": 1.6890812, "welfare": 568.34912}
    figures |= {f"{key}_std": value / 3 for key, value in figures.items() if len(seeds) > 1}
    lie = RecordedLie(gain=19.372611, seed=0, round=1, client=0, truth=1.0, report=0.5, utility_truthful=0.0,
              utility_lying=19.372611, deviations=1, sentence="A lie pays.", witness={})  # fmt: skip
    told = MethodAudit(mechanism="ipfl", lowest_utility={"client": -3.1708412}, budget_imbalance=0.0,
                       optimality_gap=0.0, objective=-66.8252, optimal_objective=1.0, best_lie={"cost": lie},
                       words=[])  # fmt: skip
    text = io.StringIO()
    console = Console(file=text, width=width, highlight=False, markup=False)
    summary = Summary(task="digits-niid", seeds=list(seeds), methods=dict.fromkeys(names, figures))
    audit = Audit(scope="one clearing", tolerance=1e-9, methods=dict.fromkeys(names, told))
    show_run(summary, audit, "runs/one", "runs/one/report.html", console, scale=scale)
    return text.getvalue()


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
@pytest.mark.parametrize("width", [60, 70, 80, 90, 100, 120, 160])
def test_the_table_of_a_run_breaks_nothing_at_any_width(width, seeds):
    text = printed(width, seeds=seeds)
    table = [line for line in text.splitlines() if line[:1] in "┏┃┡│└"]
    assert max(map(len, table)) <= width
    rows = [line for line in table if line.startswith("│")]
    assert len(rows) == len(NAMES)  # no cell takes two lines
    cells = ("96.6% ± 32.2%", "19.37") if len(seeds) > 1 else ("96.6%", "19.37")
    for name, row in zip(NAMES, rows, strict=True):
        assert row.split("│")[1].strip() == name
        assert all(cell in row for cell in cells)
    words = {word for line in table if line.startswith("┃") for word in line.replace("┃", " ").split()}
    assert words <= set(" ".join(COLUMNS).split())
    missing = len(COLUMNS) - (rows[0].count("│") - 1)
    told = f"Left out, for the terminal is narrow: {', '.join(DISPENSABLE[:missing])} (all columns: summary.json"
    assert (told in " ".join(text.split())) == bool(missing)
    assert ("Left out" in text) == bool(missing)


def test_three_seeds_fit_whole_where_nobody_watches():
    text = printed(120, NAMES[:3], (0, 1, 2))
    assert "Left out" not in text
    assert "1.689 ± 0.56" in text
    assert "568.3 ± 189" in text


def test_one_seed_fits_whole_into_eighty_columns_but_for_welfare():
    text = " ".join(printed(80, NAMES[:3], (0,)).split())
    assert "Left out, for the terminal is narrow: welfare (all columns: summary.json, audit.json)" in text


def test_what_a_share_below_nothing_means_is_told_and_what_smoke_is_for():
    text = " ".join(printed(80, seeds=(0,), scale="smoke").split())
    assert "-6683%" in text
    assert "below 0: worse than no trade at all" in text
    assert "utility per round: money, mean over honest clients and rounds" in text
    assert "accuracies mean nothing" in text
    assert "accuracies mean nothing" not in printed(80, scale="reduced")


@pytest.mark.parametrize("lam", [0.4, 8.0, 1e5])
def test_the_terminal_and_the_report_agree_on_the_share_of_the_optimum(lam, tmp_path):
    """Also where the best is no trade (the last): then neither has one."""
    run = read_run(write_run(tmp_path / "run", lam=lam))
    text = io.StringIO()
    show_run(run.summary, run.audit, "a", "b", Console(file=text, width=160, highlight=False, markup=False))
    shown = [line.split("│")[6].strip() for line in text.getvalue().splitlines() if line.startswith("│")]
    table = methods_table(run)
    shares = [row[table.columns.index("of optimum (%)")] for row in table.rows]
    assert shown == ["-" if share is None else percent(share / 100, 2) for share in shares]
    assert ("-" in shown) == (lam == 1e5)
    assert "-: no trade is best" in text.getvalue()


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0.0, "0"), (-0.0, "0"), (2.40529, "2.405"), (568.349, "568.3"), (48105.7, "48106"), (-3.17084, "-3.171"),
        (0.145915, "0.1459"), (9999.96, "10000"), (1.5, "1.5"), (1.23456e-7, "1.235e-07"),
        (1.23456e12, "1.235e+12"), (123456789.0, "123456789"),
    ],
)  # fmt: skip
def test_four_digits(amount, shown):
    assert number(amount, 4) == shown


def test_deviations_and_shares():
    assert spread("1.689", None) == "1.689"
    assert spread("1.689", 0.752693) == "1.689 ± 0.75"
    assert spread("568.3", 123.4) == "568.3 ± 123"
    assert [percent(x, 2) for x in (1.0, 0.98449, -0.7572, -66.8252)] == ["100.00%", "98.45%", "-75.72%", "-6683%"]


def test_where_nothing_may_be_left_out_everything_is_shown():
    text = io.StringIO()
    show_fitted(Console(file=text, width=10), "a", ["word", "another"], [["antidisestablishment", "1"]])
    assert "Left out" not in text.getvalue()


def test_a_run_says_that_no_lie_was_searched_for_and_why():
    words = "No lie was searched for: the market has 2001 clients, more than 2000."
    told = MethodAudit(mechanism="ipfl", lowest_utility={"client": 0.0}, budget_imbalance=0.0, optimality_gap=0.0,
                       objective=1.0, optimal_objective=1.0, best_lie={"cost": None}, words=[words] * 3)  # fmt: skip
    figures = {"accuracy_best": 0.9, "accuracy_final": 0.9, "utility_mean": 1.0, "welfare": 1.0}
    text = io.StringIO()
    summary = Summary(task="digits-niid", seeds=[0], methods={"ipfl": figures})
    audit = Audit(scope="one clearing", tolerance=1e-9, methods={"ipfl": told})
    show_run(summary, audit, "one", "one/report.html", Console(file=text, width=120, highlight=False, markup=False))
    assert text.getvalue().count(f"ipfl: {words}") == 1
    assert "skipped │" in text.getvalue()  # and no dash, which says that nobody reports
