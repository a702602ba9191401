"""`verify` and `replay` end to end: verdicts, the JSON contract, exit statuses, witnesses that replay or do not."""

import json
import re

import pytest

from mechanism.catalogue import EFFECTIVE_ENTRIES
from tests.marketproof.conftest import rules

OWN = rules(pay_your_bid="wins * bids")


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(OWN)
    return path


def verified(cli, tmp_path, *arguments):
    file = tmp_path / "verdicts.json"
    answer = cli("verify", *arguments, "--json", file, "--quiet")
    assert (answer.status, answer.out, answer.err) == (0, "", "")
    return json.loads(file.read_text())


def test_the_json_contract(cli, tmp_path):
    told = verified(cli, tmp_path, "second-price", "--property", "dsic", "--property", "budget-balance", "--budget", 2)
    assert list(told) == ["mechanism", "domain", "seed", "code", "verdicts"]
    assert told["mechanism"] == "second-price"
    assert "[0, 1]" in told["domain"]
    keys = ["property", "grade", "holds", "statement", "evidence", "bound", "witness", "seconds"]
    assert [list(v) for v in told["verdicts"]] == [keys, keys]
    proved, refuted = told["verdicts"]
    assert (proved["grade"], proved["holds"], proved["witness"]) == ("proved", True, None)
    assert (refuted["grade"], refuted["holds"]) == ("refuted", False)
    assert refuted["witness"]["violation"] > 0.1


def test_a_table_and_the_witness_in_words(cli):
    answer = cli("verify", "first-price", "--property", "dsic", "--budget", 2)
    assert answer.status == 0
    assert "refuted" in answer.out
    assert "takes its utility from 0 to" in " ".join(answer.out.split())


@pytest.mark.parametrize("name", EFFECTIVE_ENTRIES)
def test_what_is_refuted_of_a_market_on_effective_sizes_replays_and_checks(cli, tmp_path, name):
    told = tmp_path / "v.json"
    assert cli("verify", name, "--property", "core", "--budget", 20, "--json", told).status == 0
    (verdict,) = json.loads(told.read_text())["verdicts"]
    assert (verdict["grade"], verdict["witness"]["mechanism"]) == ("refuted", name)
    assert cli("replay", told).status == 0
    assert cli("check", told).status == 0


def test_a_variant_is_asked_for_by_name_and_stands_beside_its_property(cli, tmp_path):
    """A second bidder helps the winner and gains nothing itself: that breaks the strong property, not the weak one."""
    folder = tmp_path / "found"
    asked = ("second-price", "--property", "group-dsic", "--property", "group-dsic=weak")
    strong, weak = verified(cli, tmp_path, *asked, "--budget", 4, "--witnesses", folder)["verdicts"]
    assert [(v["property"], v["holds"]) for v in (strong, weak)] == [("group-dsic", False), ("group-dsic=weak", True)]
    assert "all of it gain" in weak["statement"]
    assert [file.name for file in folder.iterdir()] == ["group-dsic.json"]


def test_the_witness_of_a_variant_has_a_file_of_its_own_and_replays(cli, tmp_path):
    folder = tmp_path / "found"
    asked = ("ipfl", "--property", "split-proof=half", "--budget", 5, "--witnesses", folder)
    answer = cli("verify", *asked)
    assert "each name at half the cost" in " ".join(answer.out.replace("│", " ").split())
    [file] = folder.iterdir()
    assert file.name == "split-proof=half.json"
    told = json.loads(file.read_text())
    assert (told["property"], told["variant"]) == ("split-proof", {"cost_rule": "half"})
    again = cli("replay", file)
    assert again.status == 0
    assert "reproduced to the bit" in again.out


def test_require_exits_1_only_where_a_property_fails(cli):
    fails = cli("verify", "first-price", "--property", "dsic", "--budget", 2, "--require", "--quiet")
    assert fails.status == 1
    assert fails.err == "marketproof: first-price: dsic fails\n"
    assert cli("verify", "second-price", "--property", "dsic", "--budget", 2, "--require", "--quiet").status == 0
    undecided = cli("verify", "median-vote", "--property", "ir", "--budget", 1, "--require")
    assert undecided.status == 0
    assert "Not decided: ir; --require counts only what fails." in undecided.out


def test_clients_sets_the_number_of_agents(cli, tmp_path):
    assert (
        "5 agents"
        in verified(cli, tmp_path, "second-price", "--property", "ir", "--clients", 5, "--budget", 1)["domain"]
    )


def test_grade_exhausted_names_the_grid(cli, tmp_path):
    told = verified(cli, tmp_path, "second-price", "--property", "dsic", "--grade", "exhausted")
    verdict = told["verdicts"][0]
    assert (verdict["grade"], verdict["holds"]) == ("exhausted", True)
    assert "nothing is said of types off the grid" in verdict["bound"]


def test_a_property_that_does_not_apply_is_unknown_and_says_why(cli, tmp_path):
    verdict = verified(cli, tmp_path, "first-price", "--property", "core")["verdicts"][0]
    assert (verdict["grade"], verdict["holds"]) == ("unknown", None)
    assert "does not apply" in verdict["evidence"]["reason"]


def test_own_code_is_verified_and_its_witness_replays(cli, tmp_path, own):
    name = f"{own}:pay_your_bid"
    folder = tmp_path / "found"
    answer = cli("verify", name, "--property", "dsic", "--budget", 2, "--witnesses", folder)
    assert answer.status == 0
    assert "The file was executed." in answer.out
    witness = folder / "dsic.json"
    again = cli("replay", witness, name)
    assert (again.status, again.err) == (0, "")
    assert "reproduced to the bit" in again.out
    assert "name its code as FILE.py:NAME" in cli("replay", witness).line()


@pytest.mark.parametrize(
    "edit",
    [
        lambda w: w["numbers"]["utility_after"].__setitem__(1, 0.97),
        lambda w: w.__setitem__("violation", w["violation"] + 1e-6),
        lambda w: w["after"][1].__setitem__(0, 0.5),
        lambda w: w["types"][1].__setitem__(0, 0.9),
        lambda w: w.__setitem__("sentence", "b cheats"),
    ],
)
def test_an_edited_witness_exits_1(cli, tmp_path, edit):
    file = tmp_path / "verdicts.json"
    cli("verify", "first-price", "--property", "dsic", "--budget", 2, "--json", file, "--quiet")
    told = json.loads(file.read_text())
    assert cli("replay", file).status == 0
    edit(told["verdicts"][0]["witness"])
    file.write_text(json.dumps(told))
    answer = cli("replay", file)
    assert answer.status == 1
    assert "not reproduced" in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize("name", ["ipfl", "exact-marginal"])
def test_market_witnesses_have_at_most_three_clients_and_three_digits(cli, tmp_path, name):
    told = verified(cli, tmp_path, name, "--property", "dsic-cost", "--property", "dsic-gain", "--budget", 20)
    for verdict in told["verdicts"]:
        witness = verdict["witness"]
        assert len(witness["types"]) <= 3
        for table in (witness["types"], witness["before"], witness["after"]):
            for row in table:
                assert all(float(f"{x:.3g}") == pytest.approx(x, rel=1e-12) for x in row)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nonesuch",), "unknown mechanism 'nonesuch'"),
        (("first-price", "--property", "dsicc"), "unknown property 'dsicc'; did you mean 'dsic'"),
        (("first-price", "--property", "split-proof=third"), "did you mean 'split-proof"),
        (("first-price", "--grade", "sure"), "--grade is 'sure'"),
        (("first-price", "--budget", "0"), "--budget is 0"),
        (("first-price", "--clients", "0"), "--clients is 0"),
        (("mcafee", "--clients", "2"), "needs at least 4 agents"),
        (("nothere.py:rule",), "there is no file"),
        (("nothere.py",), "write nothere.py:NAME"),
    ],
)
def test_wrong_arguments_are_one_line(cli, arguments, words):
    assert words in cli("verify", *arguments).line()


def test_a_proof_is_not_searched_for_long_beside(cli, tmp_path):
    [verdict] = verified(cli, tmp_path, "second-price", "--property", "dsic", "--budget", 300)["verdicts"]
    assert verdict["grade"] == "proved"
    assert verdict["evidence"]["tried"] > 1000
    assert verdict["seconds"] < 20


def test_that_ties_are_left_aside_stands_where_anonymity_holds(cli):
    shown = " ".join(cli("verify", "second-price", "--property", "anonymity", "--budget", 1).out.split())
    assert "exact ties are left" in shown
    shown = " ".join(cli("verify", "second-price", "--property", "ir", "--budget", 1).out.split())
    assert "exact ties are left" not in shown


@pytest.mark.parametrize(("prop", "reports"), [("interim-ir", 1), ("bic", 12)])
def test_what_was_tried_in_expectation_is_types_times_reports_times_draws(cli, tmp_path, prop, reports):
    asked = ("second-price", "--property", prop, "--budget", 1, "--grade", "searched")
    [verdict] = verified(cli, tmp_path, *asked)["verdicts"]
    types, draws = (int(word) for word in re.findall(r"(\d+) (?:types|draws)", verdict["bound"]))
    assert types == 12 * verdict["evidence"]["probes"]
    assert types * reports * draws <= verdict["evidence"]["tried"] < types * reports * (draws + 1)
