"""The command `clear`: the worked examples of the theory, the JSON contract, and where it writes."""

import json
import os

import numpy as np
import pytest

from mechanism import Market, Types, account, market_mechanism, objective
from mechanism.catalogue import MARKET_ENTRIES

EXAMPLE = ("buyer,100,0,3600", "dear,300,1.1,0", "cheap,300,1.0,0")


def cleared(cli, tmp_path, *arguments):
    file = tmp_path / "result.json"
    answer = cli("clear", *arguments, "--json", file, "--quiet")
    assert (answer.status, answer.out, answer.err) == (0, "", "")
    return json.loads(file.read_text())


def sales_to(result, buyer):
    return {row["from"] + "<" + row["to"]: row["amount"] for row in result["payments"] if row["from"] == buyer}


@pytest.mark.parametrize(
    ("dear", "rule", "sales"),
    [
        ("1.1", "ipfl", {"buyer<cheap": 3.0}),  # the marginal contribution
        ("0.9", "ipfl", {"buyer<dear": 3.0}),  # understating its cost wins the sale
        ("1.1", "ipfl-exact", {"buyer<cheap": 1.1}),  # what the rival would have asked
    ],
)
def test_who_sells_at_what_price(cli, table, tmp_path, dear, rule, sales):
    market = table("buyer,100,0,3600", f"dear,300,{dear},0", "cheap,300,1.0,0")
    assert sales_to(cleared(cli, tmp_path, market, "--mechanism", rule), "buyer") == pytest.approx(sales, abs=1e-9)


@pytest.mark.parametrize("rule", MARKET_ENTRIES)
def test_a_single_client_has_nobody_to_trade_with(cli, tmp_path, rule):
    (alone := tmp_path / "one.csv").write_text("client,size,cost,gain\na,100,1,3600\n")
    assert "Nobody imports anything" in cli("clear", alone, "--mechanism", rule).out


def test_the_exact_rule_is_the_default_and_no_lie_about_a_cost_pays_under_it(cli, table, tmp_path):
    result = cleared(cli, tmp_path, table(*EXAMPLE))
    assert result["mechanism"] == "ipfl-exact"
    assert result["clients_accounts"]["buyer"]["utility"] == pytest.approx(1.9, abs=1e-9)
    assert result["audit"]["best_lie"]["cost"]["gain"] == 0.0


def test_reference_rule_can_leave_empty_handed_where_the_optimum_is_two(cli, table, tmp_path):
    market = table("buyer,100,0,3600", "big,10000,7,0", "small,300,1,0")
    reference = cleared(cli, tmp_path, market, "--mechanism", "ipfl")
    assert sales_to(reference, "buyer") == {}
    assert reference["objective"] == pytest.approx(0.0, abs=1e-9)
    assert reference["optimal_objective"] == pytest.approx(2.0, abs=1e-9)
    assert reference["gap"] == pytest.approx(2.0, abs=1e-9)
    exact = cleared(cli, tmp_path, market)
    assert exact["welfare"] == pytest.approx(2.0, abs=1e-9)
    assert exact["gap"] == pytest.approx(0.0, abs=1e-9)


def test_audit_finds_the_lie_of_the_theory_under_the_reference_rule(cli, table, tmp_path):
    result = cleared(cli, tmp_path, table(*EXAMPLE), "--mechanism", "ipfl")
    lie = result["audit"]["best_lie"]["cost"]
    assert lie["client"] == "dear"
    assert lie["gain"] == pytest.approx(1.9, abs=1e-9)
    assert lie["report"] <= 1.0
    assert any("A lie pays: dear" in sentence for sentence in result["audit"]["words"])
    assert "one clearing" in result["audit"]["scope"]


def test_audit_finds_that_a_buyer_gains_by_understating_its_gain_and_that_sizes_invite_lies(cli, table, tmp_path):
    # theory.md 4: the marginal payment leaves the truthful buyer nothing; K = 900 is charged 1.5 less for the same set
    market = table("buyer,100,0,3600", "seller,300,1.0,0")
    lies = cleared(cli, tmp_path, market, "--mechanism", "ipfl")["audit"]["best_lie"]
    assert set(lies) == {"cost", "gain", "size"}
    assert (lies["gain"]["client"], lies["gain"]["utility_truthful"]) == ("buyer", pytest.approx(0.0, abs=1e-9))
    assert lies["gain"]["gain"] == pytest.approx(1.5, abs=1e-9)
    assert lies["gain"]["report"] == pytest.approx(900.0)
    assert lies["size"]["gain"] > 0.1
    assert not lies["gain"]["exact"]


def test_json_is_the_accounting_identity_with_gross_payments(cli, table, tmp_path):
    rows = ("a,100,0.5,90000", "b,400,0.7,50000", "c,250,0.2,0", "d,80,0.9,70000")
    d = tmp_path / "d.csv"
    d.write_text("client,a,b,c,d\na,0,.2,.4,.6\nb,.2,0,.1,.3\nc,.4,.1,0,.5\nd,.6,.3,.5,0\n")
    result = cleared(cli, tmp_path, table(*rows), "--differences", d)
    names = result["clients"]
    assert names == ["a", "b", "c", "d"]
    assert list(result) == [
        "mechanism", "clients", "imports", "payments", "centre", "clients_accounts", "welfare", "objective",
        "optimal_objective", "gap", "audit",
    ]  # fmt: skip
    types = Types([100, 400, 250, 80], [0.5, 0.7, 0.2, 0.9], [90000, 50000, 0, 70000])
    market = Market([[0, 0.2, 0.4, 0.6], [0.2, 0, 0.1, 0.3], [0.4, 0.1, 0, 0.5], [0.6, 0.3, 0.5, 0]], 1.0)
    outcome = market_mechanism("ipfl-exact").clear(types.truthful(), market)
    accounts = account(types, outcome)
    assert {i: set(js) for i, js in result["imports"].items()} == {
        name: {names[j] for j in outcome.imports[k].nonzero()[0]} for k, name in enumerate(names)
    }
    assert len(result["payments"]) == outcome.imports.sum()
    for k, name in enumerate(names):
        told = result["clients_accounts"][name]
        assert told["paid"] == pytest.approx(sum(r["amount"] for r in result["payments"] if r["from"] == name))
        assert told["received"] == pytest.approx(sum(r["amount"] for r in result["payments"] if r["to"] == name))
        assert told["utility"] == pytest.approx(accounts.utility[k], abs=1e-12)
        assert told["utility"] == pytest.approx(
            told["gain"] - told["cost"] - told["paid"] + told["received"] - result["centre"][name]
        )
    assert result["welfare"] == pytest.approx(sum(t["utility"] for t in result["clients_accounts"].values()))
    assert result["objective"] == pytest.approx(float(objective(types, outcome.imports, market)), abs=1e-12)


def test_lambda_defaults_to_one_with_differences_and_rows_may_stand_in_any_order(cli, table, tmp_path):
    market = table(*EXAMPLE)
    straight, shuffled = tmp_path / "d.csv", tmp_path / "e.csv"
    straight.write_text("client,buyer,dear,cheap\nbuyer,0,0.1,0.9\ndear,0.1,0,0.3\ncheap,0.9,0.3,0\n")
    shuffled.write_text("client,cheap,buyer,dear\ncheap,0,0.9,0.3\n\nbuyer,0.9,0,0.1\ndear,0.3,0.1,0\n")
    first = cleared(cli, tmp_path, market, "--differences", straight)
    assert first == cleared(cli, tmp_path, market, "--differences", shuffled, "--lam", "1")
    assert first["imports"]["buyer"] == ["dear"]  # its penalty 0.3 is smaller than cheap's 2.7
    without = cleared(cli, tmp_path, market, "--differences", straight, "--lam", "0")
    assert without == cleared(cli, tmp_path, market)


def test_columns_may_stand_in_any_order_in_capitals_with_spaces_and_a_byte_order_mark(cli, tmp_path, table):
    plain = cleared(cli, tmp_path, table(*EXAMPLE))
    marked, other, d = tmp_path / "marked.csv", tmp_path / "other.csv", tmp_path / "d.csv"
    marked.write_bytes(
        "\ufeffgain,client,cost,size\r\n3600,buyer,0,100\r\n0,dear,1.1,3e2\r\n0,cheap,1.0,300\r\n".encode()
    )
    assert cleared(cli, tmp_path, marked) == plain
    table(*EXAMPLE, name="other.csv", header=" Client , SIZE,Cost ,Gain")
    assert cleared(cli, tmp_path, other) == plain
    d.write_text("Client,buyer,dear,cheap\nbuyer,0,0,0\ndear,0,0,0\ncheap,0,0,0\n")
    assert cleared(cli, tmp_path, other, "--differences", d) == plain


def test_help_tells_how_a_table_is_read(cli):
    text = " ".join(cli("clear", "--help").out.replace("│", " ").split())
    for told in ("Row 1 of CLIENTS.csv is the header", "in any order", "separated by commas, semicolons"):
        assert told in text


def test_terminal_shows_who_buys_and_the_scope_of_the_claim(cli, table):
    answer = cli("clear", table(*EXAMPLE))
    assert answer.status == 0
    assert answer.err == ""
    for text in ("buyer", "cheap", "1.1", "Nobody loses", "the books balance", "one clearing"):
        assert text in answer.out


def test_markup_in_names_is_shown_and_not_obeyed(cli, table):
    answer = cli("clear", table("[bold],100,0,3600", ":smile:,300,1,0"))
    assert "[bold]" in answer.out
    assert ":smile:" in answer.out


def test_posted_prices_as_number_and_as_table(cli, table, tmp_path):
    market = table(*EXAMPLE)
    result = cleared(cli, tmp_path, market, "--mechanism", "posted-price", "--price", "1.05")
    assert sales_to(result, "buyer") == pytest.approx({"buyer<cheap": 1.05})
    prices = tmp_path / "p.csv"
    prices.write_text("client,buyer,dear,cheap\nbuyer,0,1.2,9\ndear,0,0,0\ncheap,0,0,0\n")
    result = cleared(cli, tmp_path, market, "--mechanism", "posted-price", "--price", prices)
    assert sales_to(result, "buyer") == pytest.approx({"buyer<dear": 1.2})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--price", "1"), "--price belongs to"),
        (("--pool", "1"), "--pool belongs to"),
        (("--mechanism", "pooled-price", "--pool", "2"), "at least 4 clients"),
        (("--mechanism", "posted-price", "--price", "much"), "not a number"),
        (("--mechanism", "vickrey"), "vickrey"),
        (("--mechanism", "vickrey"), "ipfl-exact"),
        *((("--lam", lam), "lam") for lam in ("-1", "nan", "inf", "1e16")),
    ],
)
def test_wrong_options_are_one_line(cli, table, options, words):
    assert words in cli("clear", table(*EXAMPLE), *options).line()


def test_money_to_a_centre_stands_in_the_accounts(cli, table, tmp_path):
    result = cleared(cli, tmp_path, table(*EXAMPLE), "--mechanism", "vcg-two-sided")
    assert result["centre"] == pytest.approx({"buyer": 1.0, "dear": 0.0, "cheap": -1.1})
    assert result["audit"]["budget_imbalance"] == pytest.approx(0.1)
    assert result["audit"]["lowest_utility"]["seller"] == 0.0
    assert "to centre" in cli("clear", table(*EXAMPLE), "--mechanism", "vcg-two-sided").out


@pytest.mark.parametrize("mechanism", ["vcg-two-sided", "realised"])
def test_what_the_centre_pays_in_explains_the_objective_and_there_is_no_price(cli, table, mechanism):
    text = " ".join(cli("clear", table(*EXAMPLE), "--mechanism", mechanism).out.split())
    assert "Welfare 2.1 (sum of utilities) · objective 2 (welfare less the 0.1 that the centre pays in" in text
    assert "the centre pays in 0.1." in text
    assert "│ buyer │ cheap │ - │" in text
    assert "settles with the centre" in text


def test_what_the_centre_keeps_is_called_that_and_adds_up(cli, table, tmp_path):
    market, d = table("buyer,100,0,90000", "one,300,1,0", "other,300,1,0"), tmp_path / "d.csv"
    d.write_text("client,buyer,one,other\nbuyer,0,.5,.5\none,.5,0,.5\nother,.5,.5,0\n")
    arguments = (market, "--mechanism", "vcg-two-sided", "--differences", d)
    result = cleared(cli, tmp_path, *arguments)
    weighed = Market(np.full((3, 3), 0.5) * ~np.eye(3, dtype=bool), 1.0).penalties(np.array([100.0, 300.0, 300.0]))
    penalties = sum(weighed[0, result["clients"].index(row["to"])] for row in result["payments"])
    kept = sum(result["centre"].values())
    assert kept > 0.1
    assert result["welfare"] + kept - penalties == pytest.approx(result["objective"])
    text = " ".join(cli("clear", *arguments).out.split())
    assert f"(welfare and the {kept:.6g} that the centre keeps, less penalties)" in text
    assert f"The books miss balance: the centre keeps {kept:.6g}." in text


def test_prices_between_two_stay_prices(cli, table):
    for mechanism in ("realised-bilateral", "no-payment"):
        text = cli("clear", table(*EXAMPLE), "--mechanism", mechanism).out
        assert "centre" not in text
        assert "(welfare less penalties)" in text
        assert "│     - │" not in text


def test_a_weight_without_differences_is_said_to_have_no_effect(cli, table, tmp_path):
    market = table(*EXAMPLE)
    plain = cleared(cli, tmp_path, market)
    answer = cli("clear", market, "--lam", "0.5", "--json", tmp_path / "o.json")
    assert answer.status == 0
    assert answer.err == "note: --lam 0.5 has no effect: it weighs --differences, and none are given\n"
    assert json.loads((tmp_path / "o.json").read_text()) == plain
    assert cli("clear", market, "--lam", "0.5", "--quiet").err == ""
    assert cli("clear", market, "--lam", "0").err == ""


def test_a_report_just_beside_another_ones_number_is_called_that(cli, table, tmp_path):
    rows = ("ann,100,1.0,3600", "bob,300,0.9,0", "cat,300,1.0,0")
    lie = cleared(cli, tmp_path, table(*rows), "--mechanism", "ipfl")["audit"]["best_lie"]["cost"]
    assert lie["report"] < 0.9
    assert "cat, whose cost is 1, gains 2 by saying just under 0.9 (" in lie["sentence"]


def test_out_folder_holds_json_and_tables(cli, table, tmp_path):
    out = tmp_path / "new" / "folder"
    assert cli("clear", table(*EXAMPLE), "--out", out, "--quiet").status == 0
    assert sorted(p.name for p in out.iterdir()) == ["accounts.csv", "clear.json", "payments.csv"]
    assert (out / "payments.csv").read_text() == "from,to,amount\nbuyer,cheap,1.1\n"
    assert json.loads((out / "clear.json").read_text())["clients"] == ["buyer", "dear", "cheap"]


def test_what_was_written_where_is_told_in_one_line(cli, table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    market = table(*EXAMPLE).name
    told = "JSON: 'x.json' · tables: 'made' (clear.json, accounts.csv, payments.csv) · new folder: 'made'"
    assert cli("clear", market, "--json", "x.json", "--out", "made").out.endswith(f"\n{told}\n")
    last = cli("clear", market, "--json", "no/such/x.json").out.splitlines()[-1]
    assert last == "JSON: 'no/such/x.json' · new folder: 'no/such'"
    assert "new folder" not in cli("clear", market, "--json", "no/such/x.json").out
    assert "JSON" not in cli("clear", market).out
    assert cli("clear", market, "--json", "x.json", "--quiet").out == ""


def test_wrong_places_to_write_leave_nothing_behind(cli, table, tmp_path):
    market = table(*EXAMPLE)
    (tmp_path / "file").write_text("kept")
    before = sorted(tmp_path.rglob("*"))
    assert "is a folder" in cli("clear", market, "--json", tmp_path).line()
    assert "cannot write" in cli("clear", market, "--json", tmp_path / "file" / "x.json").line()
    assert "cannot write" in cli("clear", market, "--out", tmp_path / "file").line()
    assert "cannot write" in cli("clear", market, "--json", tmp_path / "ok.json", "--out", tmp_path / "file").line()
    assert "is the input itself" in cli("clear", market, "--json", market).line()
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "file").read_text() == "kept"


def test_a_device_is_written_to_and_never_replaced(cli, table):
    assert cli("clear", table(*EXAMPLE), "--json", "/dev/null", "--quiet").status == 0
    assert not os.path.isfile("/dev/null")


def test_one_client_alone_has_nothing_to_buy(cli, table, tmp_path):
    result = cleared(cli, tmp_path, table("alone,10,1,100"))
    assert (result["imports"], result["payments"], result["welfare"]) == ({"alone": []}, [], 0.0)


def test_effective_sizes_decide_who_is_worth_its_price(cli, table, tmp_path):
    """The cheap seller's model is worth nothing to the buyer, the dear one's as much as 300 of its own samples."""
    e = tmp_path / "E.csv"
    e.write_text("client,buyer,cheap,dear\ndear,5,5,5\nbuyer,7,0,300\ncheap,0,0,0\n")
    result = cleared(cli, tmp_path, table(*EXAMPLE), "--effective", e)
    assert result["payments"] == [{"from": "buyer", "to": "dear", "amount": pytest.approx(3.0), "effective": 300.0}]
    assert result["audit"]["best_lie"]["size"]["client"] == "buyer"  # no seller's size is read
    folder = tmp_path / "out"
    shown = cli("clear", table(*EXAMPLE), "--effective", e, "--out", folder)
    assert "worth in samples" in shown.out
    assert (folder / "payments.csv").read_text().splitlines()[0] == "from,to,amount,effective"


def test_on_effective_sizes_the_scope_says_what_they_are_measured_on(cli, table, tmp_path):
    """And speaks of differences only where there are some that count."""
    e, d = tmp_path / "E.csv", tmp_path / "D.csv"
    e.write_text("client,buyer,dear,cheap\nbuyer,0,300,300\ndear,0,0,0\ncheap,0,0,0\n")
    d.write_text("client,buyer,dear,cheap\nbuyer,0,1,0.5\ndear,1,0,1\ncheap,0.5,1,0\n")
    on = ("--effective", e)
    for options, differ in ((on, False), ((*on, "--differences", d), True), ((*on, "--lam", "1"), False)):
        audit = cleared(cli, tmp_path, table(*EXAMPLE), *options)["audit"]
        assert audit["words"][-1] == audit["scope"]
        assert f"with the effective sizes{' and the model differences' * differ} given" in audit["scope"]
        assert "on data that buyers hold out" in audit["scope"]
        assert ("differences" in audit["scope"]) == differ
    assert "effective" not in cleared(cli, tmp_path, table(*EXAMPLE))["audit"]["scope"]


def test_effective_sizes_as_reported_change_nothing(cli, table, tmp_path):
    e = tmp_path / "E.csv"
    e.write_text("client,buyer,dear,cheap\nbuyer,1,300,300\ndear,100,1,300\ncheap,100,300,1\n")
    plain = cleared(cli, tmp_path, table(*EXAMPLE))
    same = cleared(cli, tmp_path, table(*EXAMPLE), "--effective", e)
    assert same["payments"] == [row | {"effective": 300.0} for row in plain["payments"]]
    assert same["clients_accounts"] == plain["clients_accounts"]


def test_a_negative_effective_size_is_refused(cli, table, tmp_path):
    e = tmp_path / "E.csv"
    e.write_text("client,buyer,dear,cheap\nbuyer,1,-3,300\ndear,100,1,300\ncheap,100,300,1\n")
    line = cli("clear", table(*EXAMPLE), "--effective", e).line()
    assert "row 2" in line
    assert "from 0 to 1e+15 (samples)" in line
