"""`verify --types`: one's own finitely many types and how likely they are."""

import json

import pytest

from tests.marketproof.conftest import rules
from tests.mechanism.design.specs import types_text

EVEN = types_text([0, 1])
FIRST = types_text(([0, 0.5, 1], ["1/4", "1/4", "1/2"]))
SURE = types_text(([0, 0.5], [0, 1]))
TOGETHER = types_text([0, 1], joint=[((0, 0), "1/2"), ((1, 1), "1/2")])


@pytest.fixture
def asked(cli, tmp_path):
    def ask(name, text, *properties, clients=2):
        file, out = tmp_path / "types.toml", tmp_path / "verdicts.json"
        file.write_text(text)
        options = [x for p in properties for x in ("--property", p)]
        answer = cli("verify", name, "--types", file, "--clients", clients, *options, "--json", out, "--budget", 10)
        assert answer.status == 0, answer.err
        told = json.loads(out.read_text())
        assert "types.toml" in told["domain"]
        return {v["property"]: v for v in told["verdicts"]}

    return ask


def test_a_prior_decides_what_is_expected(asked):
    """Who is worth 1/2 and meets 0, 1/2, 1 with chances 1/4, 1/4, 1/2 bids 0: it wins a half with 1/4 at most."""
    told = asked("first-price", FIRST, "bic", "ir", "interim-ir")
    assert [told[p]["grade"] for p in ("bic", "ir", "interim-ir")] == ["refuted", "exhausted", "exhausted"]
    assert "summed over all types of the others" in told["bic"]["witness"]["sentence"]


def test_a_point_prior_is_what_everybody_expects(asked):
    """Both are worth 1/2 for sure: a bid of 0 loses what a bid of 1/2 pays in full, and wins nothing against it."""
    told = asked("first-price", SURE, "bic", "dsic")
    assert (told["bic"]["grade"], told["dsic"]["grade"]) == ("exhausted", "refuted")


def test_types_that_come_together_are_conditioned_on(asked, cli, tmp_path):
    """A bidder of 1 that bids 0 wins for nothing where the other has 0, which by the joint table never comes."""
    assert asked("first-price", TOGETHER, "bic")["bic"]["holds"] is True
    assert asked("first-price", EVEN, "bic")["bic"]["holds"] is False
    told = asked("all-pay", TOGETHER, "interim-ir", "bic")
    assert told["interim-ir"]["holds"] is False
    again = cli("replay", tmp_path / "verdicts.json")
    assert again.status == 0
    assert "reproduced to the bit" in again.out


def test_wrong_types_are_refused_in_one_line(cli, tmp_path):
    file = tmp_path / "types.toml"
    for text, said in (
        (EVEN.replace("1]", "2]"), "outside the mechanism's bounds"), (EVEN.replace("1]", "[1, 2]]"), "types"),
        ("[[agents]]\ntypes = [[0, 1]]", "one number each"),
    ):  # fmt: skip
        file.write_text(text)
        answer = cli("verify", "second-price", "--types", file)
        assert answer.status == 2
        assert said in answer.err
        assert answer.err.count("\n") == 1
    assert cli("verify", "second-price", "--types", tmp_path / "none.toml").status == 2
    file.write_text(EVEN)
    assert "leave it out" in cli("verify", "second-price", "--types", file, "--grade", "searched").err
    assert "input itself" in cli("verify", "second-price", "--types", file, "--json", file).err


COIN = rules(2, coin="wins * bids * (np.random.random((len(bids), 1)) < 0.5)")


def test_a_rule_that_draws_is_sampled_where_that_is_asked_for(cli, tmp_path):
    file, out = tmp_path / "coin.py", tmp_path / "verdicts.json"
    file.write_text(COIN)
    asked = ("verify", f"{file}:coin", "--property", "dsic", "--budget", 8)
    assert "--randomised" in cli(*asked).err
    assert cli(*asked, "--randomised", "--json", out).status == 0
    [verdict] = json.loads(out.read_text())["verdicts"]
    assert (verdict["grade"], verdict["evidence"]["method"]) == ("refuted", "sampled")
    assert cli("replay", out, f"{file}:coin").status == 0
    assert "leave out --grade" in cli(*asked, "--randomised", "--grade", "proved").err
