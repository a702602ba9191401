"""`strategic` end to end: auctions, markets, the user's own files, and recorded runs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from marketproof.records import read_market
from mechanism import account, market_mechanism
from tests.marketproof.conftest import command

OWN = """
from mechanism import single_parameter
import numpy as np

@single_parameter(agents=2)
def pay_half(bids):
    wins = np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None]
    return wins, wins * bids / 2

@single_parameter(agents=2)
def broken(bids):
    raise RuntimeError("no such luck")
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "smoke"
    methods = "local,ipfl/ipfl,ipfl/ipfl-exact"
    answer = command("run", "digits-niid", "--scale", "smoke", "--methods", methods, "--backend", "rows",
                     "--out", folder, "--quiet")  # fmt: skip
    assert answer.status == 0, answer.err
    return folder


def played(tmp_path, *arguments):
    file = tmp_path / "played.json"
    answer = command("strategic", *arguments, "--json", file)
    assert (answer.status, answer.err) == (0, "")
    return json.loads(file.read_text()), answer.out


def test_first_price_with_three_is_shaded_by_a_third(tmp_path):
    result, out = played(tmp_path, "first-price", "--clients", 3)
    assert (result["dynamics"], result["coordinate"], result["clients"]) == ("shading", "value", 3)
    for line in result["found"]["strategies"]:
        assert line["slope"] == pytest.approx(2 / 3, abs=0.02)
    at_one = [row for row in result["agents"] if row["truth"] == 1.0]
    assert len(at_one) == 3
    assert all(row["report"] < 0.75 and row["utility"] > 0.25 for row in at_one)
    assert result["welfare"]["price_of_anarchy"]["low"] >= 1.0 - 1e-9
    assert result["payments"]["equilibrium"] < result["payments"]["truthful"]
    for words in ("true value", "report at equilibrium", "price of anarchy", result["sentence"][:40]):
        assert words in out


def test_second_price_is_played_truthfully(tmp_path):
    result, out = played(tmp_path, "second-price", "--clients", 2)
    assert result["found"]["truthful"] is True
    assert result["found"]["furthest"] == 0.0
    assert "The truth is an equilibrium" in " ".join(out.split())
    assert result["welfare"]["price_of_anarchy"]["value"] == 1.0


def test_costs_are_understated_under_ipfl_only(tmp_path):
    loose, out = played(tmp_path, "ipfl", "--profiles", 60)
    exact, said = played(tmp_path, "ipfl-exact", "--profiles", 60)
    assert (loose["dynamics"], loose["coordinate"]) == ("best-response", "cost")
    assert loose["found"]["below"] > 0.1
    assert loose["found"]["above"] == 0.0
    assert loose["told_truthfully"] == ["size", "gain"]
    assert "Chosen is the report of cost only; size, gain as they are" in out
    assert loose["found"]["settled"] + loose["found"]["circling"] + loose["found"]["unfinished"] == 60
    assert all(row["report"] < row["truth"] for row in loose["agents"])
    price = loose["welfare"]["price_of_anarchy"]
    assert 1.0 < price["low"] <= price["value"] <= price["high"]
    assert (exact["found"]["below"], exact["found"]["settled"]) == (0.0, 60)
    assert exact["found"]["left"] == 0.0
    assert exact["welfare"]["price_of_anarchy"]["value"] == pytest.approx(1.0, abs=1e-9)
    assert [row["truth"] for row in exact["agents"]] == [row["truth"] for row in loose["agents"]]
    assert "below the true cost" in " ".join(out.split())
    assert "Every report is the true cost" in " ".join(said.split())


def test_regret_matching_tells_its_regret(tmp_path):
    result, out = played(tmp_path, "first-price", "--dynamics", "regret-matching", "--rounds", 300, "--profiles", 5)
    assert 0.0 <= result["found"]["external_regret"] < 0.1
    assert result["found"]["conditional_regret"] < 0.1
    assert "After 300 periods" in out


def test_the_seed_decides(tmp_path):
    first, _ = played(tmp_path, "ipfl", "--profiles", 10, "--seed", 4)
    again, _ = played(tmp_path, "ipfl", "--profiles", 10, "--seed", 4)
    other, _ = played(tmp_path, "ipfl", "--profiles", 10, "--seed", 5)
    assert first == again
    assert first["agents"] != other["agents"]


def test_an_unbounded_price_is_null_in_the_file_and_a_word_on_the_screen(tmp_path):
    result, out = played(tmp_path, "no-payment", "--profiles", 20)
    assert result["welfare"]["price_of_anarchy"]["value"] is None
    assert "unbounded" in out


def test_a_file_of_the_users_own_is_played_without_an_optimum(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(OWN)
    result, out = played(tmp_path, f"{path}:pay_half", "--clients", 3)
    # a first price at half the bid: two thirds of the value are paid, so that 4/3 of it are bid, until at some type the
    # highest bid allowed is worth a leap
    assert result["found"]["above"] > 0.9
    line = np.array(result["found"]["strategies"][0]["reports"])
    types = np.array(result["found"]["strategies"][0]["types"])
    assert np.polyfit(types[:18], line[:18], 1)[0] == pytest.approx(4 / 3, abs=0.06)
    assert line[-1] > 0.97
    assert result["welfare"]["price_of_anarchy"] is None
    assert result["welfare"]["optimal"] is None
    assert "declare an optimum" in out
    assert "The file was executed." in out
    assert "no such luck" in command("strategic", f"{path}:broken").line()
    before = path.read_bytes()
    assert "would overwrite" in command("strategic", f"{path}:pay_half", "--json", path).line()
    assert path.read_bytes() == before


def test_a_recorded_run_is_played_method_by_method(recorded, tmp_path):
    result, out = played(tmp_path, recorded)
    assert result["methods"]["local"] is None
    loose, exact = result["methods"]["ipfl/ipfl"], result["methods"]["ipfl/ipfl-exact"]
    for name, told in (("ipfl", loose), ("ipfl-exact", exact)):
        record = read_market(recorded / "markets" / f"ipfl__{name}-0.safetensors")
        cleared = market_mechanism(name).clear(record.types.truthful(), record.market)
        true = account(record.types, cleared, record.market.law).utility.sum(axis=0)
        assert [c["utility_truthful"] for c in told["clients"]] == pytest.approx(true, abs=1e-9)
        assert told["markets"] == record.rounds
        for key in ("utility_truthful", "best_lie_gain", "utility_played", "utility_honest"):
            assert told["totals"][key] == pytest.approx(sum(c[key] for c in told["clients"]))
    audit = json.loads((recorded / "audit.json").read_text())["methods"]["ipfl/ipfl"]["best_lie"]["cost"]
    assert loose["totals"]["best_lie_gain"] >= audit["gain"] > 0.0  # the audit's best one is among them
    assert loose["lies_that_pay"] > 0
    assert loose["lies_exact"] is True
    assert loose["found"]["below"] > 0.0
    assert exact["totals"]["best_lie_gain"] == 0.0
    assert exact["lies_that_pay"] == 0
    assert exact["found"]["settled"] == exact["markets"]
    assert [c["utility_honest"] for c in exact["clients"]] == [c["utility_truthful"] for c in exact["clients"]]
    assert exact["welfare"]["price_of_anarchy"]["value"] == pytest.approx(1.0, abs=1e-9)
    for words in (
        "best lie alone adds",
        "honest among players",
        "nobody reports anything here",
        "Under ipfl-exact, no lie",
    ):
        assert words in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such-rule"], "unknown mechanism 'no-such-rule'"),
        (["ipfl", "--dynamics", "chess"], "expected one of best-response, regret-matching, shading"),
        (["ipfl", "--dynamics", "shading"], "use best-response dynamics"),
        (["ipfl", "--rounds", 0], "--rounds is 0; expected a whole number from 1"),
        (["ipfl", "--profiles", -3], "--profiles is -3; expected a whole number from 1"),
        (["ipfl", "--clients", 1], "needs at least 2"),
        (["missing.py:rule"], "missing.py"),
    ],
)
def test_wrong_input_is_one_line(arguments, words):
    assert words in command("strategic", *arguments).line()


def test_wrong_runs_are_one_line(recorded, tmp_path):
    assert "name a complete run folder" in command("strategic", tmp_path).line()
    assert "best-response only" in command("strategic", recorded, "--dynamics", "shading").line()
    assert "--clients does not apply" in command("strategic", recorded, "--clients", 3).line()
    (tmp_path / "manifest.json").write_text('{"mechanisms": {"local": null}, "seeds": [0]}')
    assert "has no method with a market" in command("strategic", tmp_path).line()


def test_quiet_says_nothing(tmp_path):
    answer = command("strategic", "second-price", "--clients", 2, "--profiles", 5, "--quiet")
    assert (answer.status, answer.out, answer.err) == (0, "", "")
