"""The command `claims`: table, JSON, exit status."""

from __future__ import annotations

import json

KEYS = {
    "id", "source", "statement", "expected", "holds", "agrees", "grade", "evidence", "witness", "words", "seconds",
}  # fmt: skip


def test_two_claims_are_shown_and_written(cli, tmp_path):
    file = tmp_path / "claims.json"
    answer = cli("claims", "--only", "rule-cost-example", "--only", "paper-truthful-cost", "--json", file)
    assert (answer.status, answer.err) == (0, "")
    assert "rule-cost-example" in answer.out
    assert "2 claims: 1 agree with their source, 1 correct it, 0 are open" in answer.out
    told = json.loads(file.read_text())["claims"]
    assert [row["id"] for row in told] == ["rule-cost-example", "paper-truthful-cost"]
    assert all(set(row) == KEYS for row in told)
    example, promise = told
    assert (example["holds"], example["agrees"], example["grade"]) == (True, "agrees", "exhausted")
    assert (promise["expected"], promise["holds"], promise["agrees"]) == (True, False, "corrects")
    assert promise["witness"]["sentence"].startswith(
        "b has cost 1.1; reporting cost 0.9 takes its utility from 0 to 1.9"
    )


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
    for word in ("Example", "--only", "--budget", "--seed", "--quiet", "--json"):
        assert word in answer.out
