"""Who is paid for what: by hand in a small record, in words that say it of honest clients and of junk."""

from pathlib import Path

import numpy as np
import pytest

from analysis.findings.base import MEASURED, REFUTED
from analysis.findings.imports import IMPORTS
from analysis.findings.payments import MONEY
from analysis.findings.rules.trade import TRADE, Trade, trades, who_was_paid
from analysis.page import theme
from analysis.run.market import ROLES as CODES
from analysis.run.records import Run, read_run
from tests.analysis.synthetic import METHODS, edit_market, section

MARKETS = ("ipfl/ipfl", "ipfl/ipfl-exact")


@pytest.fixture
def attacked(copy: Path) -> Run:
    """The run with an attacker (2) and a free-rider (4), whose models were bought as if they were honest."""
    roles = np.zeros((3, 6), np.uint8)
    roles[:, [2, 4]] = CODES.index("attacker"), CODES.index("free-rider")
    for method in METHODS:
        for seed in (0, 1):
            edit_market(copy, method, seed, roles=roles)
    return read_run(copy)


def test_what_an_importer_gained_is_divided_among_its_imports(attacked: Run):
    for one in trades(attacked):
        trace, alone = attacked.traces[one.method], attacked.traces["local"]
        for s, seed in enumerate(attacked.seeds):
            gained = 100 * (trace.accuracy[s, -1] - alone.accuracy[s, -1])
            np.testing.assert_allclose(one.gained[s], gained)
            bought = [attacked.market_round(one.method, seed, r + 1).imports for r in range(attacked.rounds)]
            brought = np.zeros(6)
            for i in (0, 1, 3, 5):
                total = sum(graph[i].sum() for graph in bought)
                for j in range(6):
                    brought[j] += gained[i] * sum(int(graph[i, j]) for graph in bought) / max(total, 1)
            np.testing.assert_allclose(one.brought[s], brought, atol=1e-12)
        np.testing.assert_allclose(one.received.sum(), trace.received.sum())
        np.testing.assert_array_equal(one.benign, np.tile([1, 1, 0, 1, 0, 1], (2, 1)))


def test_words_name_what_junk_is_paid_and_who_paid_for_nothing(attacked: Run):
    found = section(TRADE, attacked)
    assert "points of accuracy brought to others: under ipfl/ipfl honest clients earn" in found.answer
    assert "and attackers and free-riders earn" in found.answer
    assert found.answer.startswith("Paid for their models, per client and round: under ipfl/ipfl honest clients ")
    for one in trades(attacked):
        junk, buyers = [line for line in found.evidence if line.subject == one.method]
        assert junk.grade == (REFUTED if one.received[~one.benign].sum() > 1e-9 else MEASURED)
        worse = int((one.gained[one.buyers] < 0).sum())
        assert buyers.grade == (REFUTED if worse else MEASURED)
        assert f"{worse or 'none'} ended less accurate" in buyers.text
    assert found.evidence[0].grade == REFUTED  # the synthetic attackers do sell
    paid = found.drawings["paid"]()
    for k, one in enumerate(trades(attacked)):
        honest, junk = (float(one.received[there].mean()) for there in (one.benign, ~one.benign))
        marks = [line for line in paid.figure.axes[1].lines if list(line.get_ydata()) == [k]]
        assert [float(line.get_xdata()[0]) for line in marks] == pytest.approx([honest, junk])
        assert marks[1].get_color() == theme.JUNK
    drawn = found.drawings["trade"]()
    assert len(drawn.figure.axes) == 4
    assert "Crosses are attackers" in drawn.look
    assert len(drawn.table.rows) == len(drawn.points.rows) == 2 * 2 * 6
    assert [row[1] for row in paid.table.rows] == ["honest", "attackers, free-riders"] * 2


def test_honest_runs_name_no_junk_and_runs_without_training_alone_have_no_such_question(run: Run):
    found = section(TRADE, run)
    assert "free-riders" not in found.answer
    assert {line.subject for line in found.evidence} == set(MARKETS)
    assert "Crosses" not in found.drawings["trade"]().look
    assert not found.drawings["paid"]().figure.legends
    few = {name: trace for name, trace in run.traces.items() if name != "local"}
    without = Run(**{**vars(run), "methods": tuple(few), "traces": few})
    assert trades(without) is None


def test_who_was_paid_in_a_sentence():
    figures = {
        "local": {"accuracy_final": 0.9, "received_mean": 0.0},
        "ipfl/ipfl": {"accuracy_final": 0.8999, "received_mean": 1.5, "received_others": 2.5},
        "ipfl-effective/clock-price": {"accuracy_final": 0.91, "received_mean": 1.0, "received_others": 0.0},
    }
    assert who_was_paid(figures, list(figures)[1:]) == (
        "Paid for their models, per client and round: under ipfl/ipfl honest clients 1.5, attackers and free-riders "
        "2.5, for +0.0 points of final accuracy over local; under ipfl-effective/clock-price honest clients 1, "
        "attackers and free-riders 0, for +1.0 points of final accuracy over local."
    )
    assert who_was_paid({"ipfl": {"accuracy_final": 0.5, "received_mean": 0.25}}, ["ipfl"]).endswith("clients 0.25.")
    assert who_was_paid({"ipfl": {"accuracy_final": 0.5}}, ["ipfl"]) == ""
    assert who_was_paid(figures, []) == ""


def test_a_correlation_of_what_does_not_vary_is_unknown():
    every = np.ones((1, 3), bool)
    paid = np.array([[1.0, 2.0, 3.0]])
    one = Trade("x", paid, paid, 2.0 * paid, paid, every)
    assert one.correlation == pytest.approx(1.0)
    assert Trade("x", 0 * paid, paid, paid, paid, every).correlation is None
    assert Trade("x", paid, paid, 0 * paid, paid, every).correlation is None
    assert Trade("x", paid, paid, paid, paid, every & False).correlation is None


def test_attackers_have_their_own_colour_in_graph_and_matrices(attacked: Run, run: Run):
    money = section(MONEY, attacked).drawings["money-2"]()
    assert "purple diamonds" in money.look
    assert "purple" not in section(MONEY, run).drawings["money-2"]().look
    matrix = money.figure.axes[1]
    flagged = {label.get_text() for label in matrix.get_yticklabels() if label.get_color() == theme.JUNK}
    assert flagged == {"2", "4"}
    graph = money.figure.axes[0]
    diamonds = [part for part in graph.collections if len(part.get_offsets()) == 2]
    assert len(diamonds) == 1
    imports = section(IMPORTS, attacked).drawings["imports"]()
    assert {
        label.get_text() for label in imports.figure.axes[1].get_xticklabels() if label.get_color() == theme.JUNK
    } == {"2", "4"}
    assert "Bold purple" in imports.look
