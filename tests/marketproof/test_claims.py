"""The command `claims`: table, JSON, exit status."""

import json
from pathlib import Path

from marketproof.commands.claims import PAPER

KEYS = {
    "id", "source", "statement", "expected", "holds", "agrees", "grade", "evidence", "witness", "words", "seconds",
}  # fmt: skip


def test_two_claims_are_shown_and_written(cli, tmp_path):
    file = tmp_path / "claims.json"
    answer = cli("claims", "--only", "rule-cost-example", "--only", "paper-truthful-cost", "--json", file)
    assert (answer.status, answer.err) == (0, "")
    assert "rule-cost-example" in answer.out
    assert "2 claims: 1 agrees with its source, 1 corrects it, 0 are open" in answer.out
    assert answer.out.rstrip().endswith(PAPER)
    assert (Path(__file__).parents[2] / PAPER.split()[0]).is_file()
    told = json.loads(file.read_text())["claims"]
    assert [row["id"] for row in told] == ["rule-cost-example", "paper-truthful-cost"]
    assert all(set(row) == KEYS for row in told)
    example, promise = told
    assert (example["holds"], example["agrees"], example["grade"]) == (True, "agrees", "computed")
    assert (promise["expected"], promise["holds"], promise["agrees"]) == (True, False, "corrects")
    assert promise["witness"]["sentence"].startswith(
        "client b has cost 1.1; reporting cost 0.9 takes its utility from 0 to 1.9"
    )


def test_one_claim_says_what_agrees_with_what(cli):
    shown = " ".join(cli("claims", "--only", "rule-cost").out.split())
    assert "rule-cost: the source says no; evidence: no (refuted); they agree: " in shown
    assert "1 claim: 1 agrees with its source, 0 correct it, 0 are open" in shown


def test_a_proof_is_said_to_be_of_what_it_is(cli):
    """Of the market's formula, of a lemma, and on a grid of bilateral trade."""
    names = ("repair-truthful", "rule-marginals", "trade-15-04")
    shown = " ".join(cli("claims", *(word for name in names for word in ("--only", name))).out.split())
    assert "repair-truthful: the source says yes; evidence: yes (proved of the formula); they agree: " in shown
    assert "rule-marginals: the source says yes; evidence: yes (proved of the formula); they agree: " in shown
    assert "trade-15-04: the source says no; evidence: no (proved in fractions); they agree: " in shown


def test_only_those_that_differ_are_shown_and_all_are_written(cli, tmp_path):
    file = tmp_path / "claims.json"
    names = ("rule-cost-example", "paper-truthful-cost", "paper-utility")
    asked = [word for name in names for word in ("--only", name)]
    answer = cli("claims", *asked, "--differing", "--json", file)
    shown = " ".join(answer.out.split())
    assert answer.status == 0
    assert "rule-cost-example" not in shown
    assert "paper-truthful-cost: the source says yes; evidence: no (refuted); that corrects the source: " in shown
    assert "paper-utility: the source says yes; evidence: none; that is open: " in shown
    assert "3 claims: 1 agrees with its source, 1 corrects it, 1 is open" in shown
    assert len(json.loads(file.read_text())["claims"]) == 3
    assert cli("claims", "--only", "rule-cost", "--differing").out.startswith("1 claim: 1 agrees")


def test_all_claims_say_first_how_long_they_take(cli, monkeypatch):
    from proofs_checks import claims

    monkeypatch.setattr(claims, "run_claims", lambda *_, **__: [])
    answer = cli("claims", "--budget", 30)
    assert answer.err == f"Checking {len(claims.CLAIMS)} claims; this takes about 30 s (--budget).\n"
    assert cli("claims", "--quiet").err == ""


def test_quiet_prints_nothing_and_a_search_keeps_to_its_budget(cli, tmp_path):
    file = tmp_path / "claims.json"
    for _ in range(2):  # the first time, what is compiled on first use is not in the budget
        answer = cli("claims", "--only", "table-ipfl-exact-dsic-cost", "--budget", 2, "--quiet", "--json", file)
    assert (answer.status, answer.out, answer.err) == (0, "", "")
    [row] = json.loads(file.read_text())["claims"]
    assert (row["holds"], row["grade"], row["agrees"]) == (True, "proved", "agrees")
    assert row["seconds"] < 10


def test_wrong_input_is_one_line(cli):
    assert cli("claims", "--only", "rule-costs").line().startswith("unknown claim 'rule-costs'; known: rule-cost")
    assert cli("claims", "--budget", "0").line() == "--budget is 0.0; expected seconds > 0"
    assert cli("claims", "--budget", "nan").line() == "--budget is nan; expected seconds > 0"
    assert "-1 is not in the range" in cli("claims", "--seed", "-1").line()
    assert "No such option" in cli("claims", "--claim", "pooled-k").line()


def test_help_teaches_by_an_example(cli):
    answer = cli("claims", "--help")
    assert answer.status == 0
    for word in ("Example", "--only", "--differing", "--budget", "--seed", "--quiet", "--json"):
        assert word in answer.out
