"""`design` end to end: the best auction on a grid, an impossibility, and wrong specifications."""

import json
from pathlib import Path

import pytest

SPECS = Path(__file__).resolve().parents[2] / "docs" / "specs"


@pytest.fixture
def designed(cli, tmp_path):
    """Design what a specification of ours asks for: what is written, and what is printed."""

    def run(name):
        answer = cli("design", SPECS / f"{name}.toml", "--json", tmp_path / "told.json")
        assert (answer.status, answer.err) == (0, "")
        return json.loads((tmp_path / "told.json").read_text()), answer.out

    return run


def test_the_auction_that_earns_most_charges_what_must_be_beaten(designed):
    told, out = designed("one-item")
    # Myerson: virtual values of 1 and 2, equally likely, are 0 and 2; E[max(0, highest)] = 3/4 · 2
    assert (told["possible"], told["value"], told["exact"]) == (True, "3/2", True)
    assert told["audit"]["wrong"] == []
    assert any(words.startswith("dsic holds") for words in told["audit"]["exhausted"])
    assert len(told["mechanism"]) == 4
    assert "proved optimal in fractions" in out


def test_trade_reaches_the_second_best_and_the_dual_says_what_stands_in_the_way(designed):
    told, _ = designed("bilateral-trade")
    assert (told["value"], told["exact"], told["audit"]["wrong"]) == ("5/3", True, [])  # the first best is 7/4
    assert any("balance of payments" in words for words in told["words"])


def test_an_impossibility_is_a_finding(designed):
    told, _ = designed("forced-trade")
    assert (told["possible"], told["mechanism"], told["exact"]) == (False, None, True)
    assert "contradict" in told["words"][0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("objective = 3\n", "objective"), ("title = [", "TOML"), ('objective = "revenue"\ncolour = 1\n', "colour"),
        (None, "spec.toml"),
    ],
)  # fmt: skip
def test_a_wrong_or_missing_specification_is_one_line(cli, tmp_path, text, words):
    path = tmp_path / "spec.toml"
    if text is not None:
        path.write_text(text)
    assert words in cli("design", path).line()
