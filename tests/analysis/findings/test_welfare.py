"""Welfare taken apart adds up, and its bars are the parts."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.findings.money import flow_table, money_flow, payments_table
from analysis.findings.optimum import OPTIMUM
from analysis.findings.payments import MONEY, money_graph, money_matrix
from analysis.findings.scores import welfare
from analysis.findings.welfare import WELFARE, parts_table, welfare_bars, welfare_parts
from analysis.run.records import Run, read_run
from mechanism.wording import typeset
from tests.analysis.synthetic import section, write_run


def test_welfare_is_gain_less_cost_and_payments_cancel(run: Run):
    parts = welfare_parts(run)
    np.testing.assert_allclose(parts.gain - parts.cost - parts.centre, parts.welfare, atol=1e-9)
    np.testing.assert_allclose(parts.welfare, welfare(run).values)
    np.testing.assert_allclose(parts.centre, 0.0, atol=1e-9)
    moved = [money_flow(run, m, s).turnover for m in run.methods for s in run.seeds]
    np.testing.assert_allclose(parts.moved.ravel(), moved)


def test_bars_are_the_parts_and_the_ring_is_welfare(run: Run):
    parts = welfare_parts(run)
    ax = welfare_bars(parts)
    gain, cost, moved = ([bar.get_width() for bar in group] for group in ax.containers[:3])
    assert gain == pytest.approx(list(parts.gain.mean(axis=1)))
    assert cost == pytest.approx(list(-parts.cost.mean(axis=1)))
    assert moved == pytest.approx(list(parts.moved.mean(axis=1)))
    rings = np.asarray(ax.collections[-1].get_offsets())[:, 0]
    assert list(rings) == pytest.approx(list(parts.welfare.mean(axis=1)))
    assert len(ax.containers) == 4  # whiskers, because there are two seeds
    assert "±" in ax.texts[0].get_text()


def test_table_and_words(run: Run):
    rows = parts_table(welfare_parts(run)).rows
    assert rows[0] == ("local", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    drawn = section(WELFARE, run).drawings["welfare"]()
    for method in run.methods:
        assert f"{method}: gain" in drawn.alt


@pytest.fixture(scope="module")
def two_sided(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with a rule under which the centre keeps money, and one under which no money passes it."""
    methods = {"two": "vcg-two-sided", "one": "ipfl-exact"}
    return read_run(write_run(tmp_path_factory.mktemp("two") / "run", methods=methods))


def test_what_the_centre_keeps_is_part_of_the_sum(two_sided: Run):
    parts = welfare_parts(two_sided)
    assert parts.centred
    assert np.abs(parts.centre[0]).min() > 0.1
    assert parts.centre[1].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(parts.surplus - parts.centre, parts.welfare, atol=1e-9)
    np.testing.assert_allclose(parts.welfare, welfare(two_sided).values)
    for row in parts_table(parts).rows:
        gain, cost, _, centre, left = (float(cell) for cell in row[1:6])
        assert gain - cost - centre == pytest.approx(left, abs=1e-9)
    ax = welfare_bars(parts)
    kept = next(group for group in ax.containers if group.get_label() == "to the centre")
    assert [abs(bar.get_width()) for bar in kept] == pytest.approx([abs(float(parts.centre[0].mean()))])
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "welfare: gain − cost − to the centre" in labels


def test_the_centre_is_one_of_those_who_pay_and_are_paid(two_sided: Run):
    flow, other = (money_flow(two_sided, name) for name in two_sided.methods)
    assert flow.labels == ("0", "1", "2", "3", "4", "5", "centre")
    assert other.labels == ("0", "1", "2", "3", "4", "5")
    np.testing.assert_array_equal(flow.net, -flow.net.T)
    assert flow.earned.sum() == pytest.approx(0.0, abs=1e-9)
    assert flow.earned[-1] == pytest.approx(flow.kept) == pytest.approx(flow.collected - flow.handed_out)
    trace = two_sided.traces["two"]
    accounts = (trace.utility - trace.gain + trace.cost)[0].sum(axis=0)  # what a client has of money
    np.testing.assert_allclose(flow.earned[:-1], accounts, atol=1e-8)
    table = flow_table(flow)
    assert table.columns[3] == "to the centre"
    assert table.rows[-1][0] == "centre"
    assert sum(float(row[-1]) for row in table.rows) == pytest.approx(0.0, abs=1e-9)
    assert len(payments_table(flow).rows) == 7 * 6
    assert money_matrix(flow).get_xticklabels()[-1].get_text() == "centre"
    assert any(text.get_text().startswith("centre: ") for text in money_graph(flow).texts)


def test_words_say_that_money_passes_the_centre_only_where_it_does(two_sided: Run):
    one, two = (section(MONEY, two_sided).drawings[name]().look for name in ("money-1", "money-0"))
    assert "nothing comes from outside" in one
    assert "centre" not in one
    assert "clients pay the centre" in two
    assert "nothing comes from outside" not in two
    said = section(MONEY, two_sided).answer
    assert "Under two clients pay the centre" in said
    assert "no money changes hands" not in said
    parts = welfare_parts(two_sided)
    assert (
        f"the centre adds {typeset(-float(parts.centre[0].mean()))} from outside" in section(WELFARE, two_sided).answer
    )
    assert "the centre keeps" in WELFARE.answer(two_sided, replace(parts, centre=-parts.centre))
    assert "less what goes to the centre" in section(OPTIMUM, two_sided).drawings["optimum"]().look
