"""The sentences and grades of the report say what the record says, in every case that changes them."""

from dataclasses import replace
from pathlib import Path

from analysis.findings.achieved import ACHIEVED, headline, methods_table
from analysis.findings.base import Evidence
from analysis.findings.optimum import OPTIMUM
from analysis.findings.payments import MONEY
from analysis.findings.rules.truthfulness import LIES
from analysis.findings.scores import best_accuracy, final_accuracy, leading
from analysis.findings.waterline import WATERLINE, waterline
from analysis.run.records import Run, read_run
from mechanism.wording import listed, typeset
from tests.analysis.synthetic import section, write_run


def altered(run: Run, method: str, **changes: object) -> Run:
    """The run with some entries of a method's audit changed."""
    entry = run.audit.methods[method].model_copy(update=changes)
    return replace(run, audit=run.audit.model_copy(update={"methods": {**run.audit.methods, method: entry}}))


def grades(lines: tuple[Evidence, ...]) -> dict[str, str]:
    return {line.subject: line.grade for line in lines}


def test_lists_of_words() -> None:
    assert [listed(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_the_exact_market_leads_then_any_market_then_the_most_accurate(run: Run) -> None:
    assert leading(run) == "ipfl/ipfl-exact"
    assert leading(replace(run, mechanisms=run.mechanisms | {"ipfl/ipfl-exact": None})) == "ipfl/ipfl"
    alone = replace(run, mechanisms=dict.fromkeys(run.methods))
    assert leading(alone) == run.methods[best_accuracy(run).mean.argmax()]


def test_headline(run: Run) -> None:
    text = headline(run)
    assert text.startswith("With ipfl/ipfl-exact, 6 clients reach")
    assert "no client loses over the run" in text
    assert "100 % of the best possible objective" in text
    assert "No lie about a cost pays" in text
    assert "Under ipfl/ipfl a lie wins" in text
    assert "% personal accuracy, each in its best round, and gain" in text
    assert "At the end" not in text  # accuracy rises to the last round


def test_headline_names_a_final_accuracy_far_below_the_best_round(run: Run) -> None:
    name = leading(run)
    accuracy = run.traces[name].accuracy.copy()
    accuracy[:, -1] -= 0.4
    fallen = replace(run, traces={**run.traces, name: replace(run.traces[name], accuracy=accuracy)})
    k = run.methods.index(name)
    final = typeset(float(final_accuracy(fallen).mean[k]))
    assert f"At the end accuracy is only {final} %: the best round was not the last." in headline(fallen)


def test_where_no_trade_is_best_nothing_is_boasted_of(tmp_path: Path) -> None:
    """Penalties above every gain: the best is no trade, and 0 of 0 is no share; a rule that trades all loses."""
    rules = {"ipfl/ipfl-exact": "ipfl-exact", "local": None, "ipfl/no-payment": "no-payment"}
    run = read_run(write_run(tmp_path / "run", lam=1e5, methods=rules))
    assert "; no client loses over the run. No trade is best, and none was made." in headline(run)
    assert "best possible" not in headline(run)
    found = section(OPTIMUM, run)
    assert found.answer == (
        "Of the best objective possible on its own markets: ipfl/no-payment is below zero. "
        "Under ipfl/ipfl-exact and local no trade is best, and none was made."
    )
    drawn = found.drawings["optimum"]()
    assert "ipfl/ipfl-exact: no trade is best; local: no trade is best; ipfl/no-payment: below 0." in drawn.alt
    assert [row[3] for row in drawn.table.rows] == [None] * 3
    table = methods_table(run)
    assert [row[table.columns.index("of optimum (%)")] for row in table.rows] == [None] * 3


def test_headline_of_an_objective_below_zero_gives_no_percentage(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run", lam=8.0, methods={"ipfl/no-payment": "no-payment"}))
    table = methods_table(run)
    assert table.rows[0][table.columns.index("of optimum (%)")] < -100.0
    assert "Its objective is below zero: worse than no trade." in headline(run)
    assert "best possible" not in headline(run)


def test_headline_says_what_money_follows(run: Run) -> None:
    for kind, said in (
        ("size", "follows a law of sample sizes, not the accuracy measured."),
        ("fitted", "exponent was fitted to measured accuracy."),
        ("measured", "was measured, by the accuracy that it adds."),
    ):
        assert headline(replace(run, config={**run.config, "valuation": kind})).endswith(said)


def test_who_loses_is_named(run: Run) -> None:
    text = section(WATERLINE, run).answer
    assert text.startswith("Under local, ipfl/ipfl and ipfl/ipfl-exact nobody does.")
    line = waterline(run, "fedavg")
    assert f"Under fedavg {line.below} of 12 clients lose" in text


def test_money_and_lies_without_a_market(run: Run) -> None:
    alone = replace(run, mechanisms=dict.fromkeys(run.methods))
    assert section(MONEY, alone).answer.startswith("Nobody pays anybody")
    assert section(LIES, alone).answer.startswith("Nobody reports a cost")


def test_rationality_is_refuted_by_one_loss_beyond_rounding(run: Run) -> None:
    assert grades(section(WATERLINE, run).evidence) == {
        "local": "measured", "fedavg": "refuted", "ipfl/ipfl": "measured", "ipfl/ipfl-exact": "measured",
    }  # fmt: skip
    name = "ipfl/ipfl-exact"
    for loss, grade in ((-1e-15, "measured"), (-1e-3, "refuted")):
        utility = run.traces[name].utility.copy()
        utility[0, 0, 0] = loss
        trace = replace(run.traces[name], utility=utility)
        changed = replace(run, traces={**run.traces, name: trace})
        assert grades(section(WATERLINE, changed).evidence)[name] == grade


def test_balance_and_efficiency_follow_the_audit(run: Run) -> None:
    assert grades(section(MONEY, run).evidence) == {"ipfl/ipfl": "measured", "ipfl/ipfl-exact": "measured"}
    assert grades(section(MONEY, altered(run, "ipfl/ipfl", budget_imbalance=0.5)).evidence)["ipfl/ipfl"] == "refuted"
    assert grades(section(OPTIMUM, run).evidence) == {"ipfl/ipfl": "refuted", "ipfl/ipfl-exact": "measured"}


def test_truthfulness_is_searched_or_refuted_never_proved_by_a_run(run: Run) -> None:
    found = section(LIES, run).evidence
    assert grades(found) == {"ipfl/ipfl": "refuted", "ipfl/ipfl-exact": "searched"}
    assert "252 reports tried on this run's own markets" in found[1].text
    assert "the best one there is" not in found[1].text
    lie = run.audit.methods["ipfl/ipfl-exact"].lies["cost"].model_copy(update={"exact": True})
    sure = section(LIES, altered(run, "ipfl/ipfl-exact", best_lie={"cost": lie})).evidence
    assert sure[1].grade == "searched"
    assert "the best one there is" in sure[1].text


def test_the_report_says_by_which_models_accuracy_is(run: Run) -> None:
    both = {m: "aggregated" if m == "fedavg" else "trained" for m in run.methods}
    for judged, said in (
        (dict.fromkeys(run.methods, "trained"), "the models after local training, before aggregation."),
        (both, "before aggregation under local, ipfl/ipfl and ipfl/ipfl-exact, and after aggregation under fedavg."),
    ):
        assert section(ACHIEVED, replace(run, judged=judged)).answer.endswith(said)
