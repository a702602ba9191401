"""`strategic` end to end: auctions, markets, the user's own files, and recorded runs."""

import json

import numpy as np
import pytest

from analysis.run.records import read_market
from marketproof.strategic_play.welfare import welfare_of
from mechanism import account, market_mechanism
from mechanism.wording import ratio
from tests.marketproof.conftest import command, rules

OWN = (
    rules(2, pay_half="wins * bids / 2")
    + """
@single_parameter(agents=2)
def broken(bids):
    raise RuntimeError("no such luck")
"""
)


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
    known = result["found"]["known"]
    assert known["furthest"] < 0.02
    assert known["reports"][0][-1] == pytest.approx(2 / 3)
    assert all(row["known"] == pytest.approx(2 / 3 * row["truth"]) for row in result["agents"])
    assert result["found"]["left_share"] < 0.05
    said = " ".join(out.split())
    for words in ("true value", "report at equilibrium", "known equilibrium", "price of anarchy",
                  "every bidder reports (n-1)/n of its value, 2/3 of it with n = 3", "straight lines"):  # fmt: skip
        assert words in said


def test_strategies_that_are_no_equilibrium_yet_and_no_line_are_not_called_so(tmp_path):
    result, out = played(tmp_path, "all-pay", "--clients", 2, "--rounds", 6)
    found, said = result["found"], " ".join(out.split())
    assert found["rounds_played"] == 6  # what the user said
    assert found["left_share"] > 0.05
    assert "at equilibrium" not in out
    assert "play has not come to an equilibrium" in said
    assert "no straight line" in said
    assert "Reports rise" not in said
    assert "1/2 v^2 with n = 2" in said
    assert "the ratio of optimum to welfare at the strategies found" in said


def test_sellers_have_costs_and_free_reports_are_not_compared(tmp_path):
    result, out = played(tmp_path, "k-double-auction", "--clients", 2, "--rounds", 20)
    assert [row["role"] for row in result["agents"]] == ["buyer"] * 5 + ["seller"] * 5
    assert result["agents"][0]["known"] is None
    assert result["agents"][4]["known"] == pytest.approx(0.75)
    assert result["agents"][5 + 2]["known"] == pytest.approx(2 / 3 * 0.5 + 0.25)
    assert "seller b" in out
    assert "Chatterjee, Samuelson 1983" in " ".join(out.split())
    four, _ = played(tmp_path, "k-double-auction", "--rounds", 3, "--profiles", 20)
    assert four["found"]["known"] is None  # it is known for one pair only


def test_a_price_of_anarchy_needs_an_equilibrium_and_an_interval_ten_draws(tmp_path):
    one, out = played(tmp_path, "ipfl", "--profiles", 1)
    assert one["found"]["circling"] == 1
    assert one["welfare"]["price_of_anarchy"] is None
    assert one["welfare"]["equilibrium"] is None
    assert one["welfare"]["unsettled"]["games"] == 1
    assert one["payments"]["equilibrium"] is None
    said = " ".join(out.split())
    assert "no equilibrium and no price of anarchy" in said
    assert "In the one game that does not settle" in said
    assert "at equilibrium" not in said
    few, out = played(tmp_path, "ipfl-exact", "--profiles", 9)
    price = few["welfare"]["price_of_anarchy"]
    assert (price["low"], price["high"], price["confidence"], price["games"]) == (None, None, None, 9)
    assert "no interval" in " ".join(out.split())


def test_what_the_rule_loses_is_told_beside_what_play_loses(tmp_path):
    result, out = played(tmp_path, "posted-price", "--profiles", 40)
    price, honest = result["welfare"]["price_of_anarchy"], result["welfare"]["price_truthful"]
    assert price["value"] == honest["value"] > 1.1
    assert price["resampled"] == "true profiles"
    assert f"truthful {price['value']:.3f}, at equilibrium {price['value']:.3f}" in " ".join(out.split())


def test_ratios_are_told_with_two_digits_of_what_they_are_above_one():
    assert [ratio(v) for v in (1.0, 1.00013, 1.0000621, 1.38, 2.5, 31.25, None)] == [
        "1", "1.00013", "1.000062", "1.380", "2.500", "31.25", "unbounded",
    ]  # fmt: skip


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
    welfare, found = loose["welfare"], loose["found"]
    price = welfare["price_of_anarchy"]
    assert 1.0 < price["low"] <= price["value"] <= price["high"]
    # of games that settle, and of these alone
    assert price["games"] == welfare["games"] == found["settled"] < 60
    assert price["value"] == pytest.approx(welfare["optimal"] / welfare["equilibrium"])
    assert welfare["unsettled"]["games"] == 60 - found["settled"]
    assert welfare["worst"]["starts"] == 4
    assert welfare["worst"]["games"] >= found["settled"]
    assert "where play ends" in out
    assert "the worst found, also from 4 random starts" in " ".join(out.split())
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
        true = account(record.types, cleared, record.market).utility.sum(axis=0)
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
    assert exact["welfare"]["price_of_anarchy"]["low"] is None  # rounds of one seed are no independent draws
    assert loose["welfare"]["games"] == loose["found"]["settled"]
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
    assert "expected a complete run folder" in command("strategic", tmp_path).line()
    assert "best-response only" in command("strategic", recorded, "--dynamics", "shading").line()
    assert "--clients does not apply" in command("strategic", recorded, "--clients", 3).line()
    (tmp_path / "manifest.json").write_text(manifest(methods=["local"], mechanisms={"local": None}))
    assert "has no method with a market" in command("strategic", tmp_path).line()


def manifest(**entries):
    whole = {"methods": ["ipfl/ipfl"], "mechanisms": {"ipfl/ipfl": "ipfl"}, "seeds": [0], "clients": 3}
    return json.dumps(whole | entries)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (manifest(seeds=[]), "seeds is []"),
        (manifest(seeds=[0.5]), "seeds[0] is 0.5; expected a valid integer"),
        (manifest(mechanisms={"ipfl/ipfl": ["ipfl"]}), "mechanisms.ipfl/ipfl is ['ipfl']"),
        (manifest(mechanisms={"ipfl/ipfl": "chess"}), "unknown market mechanism 'chess'"),
        (manifest(methods=["../../etc"]), "mechanisms names other methods"),
        (manifest(methods=["../../etc"], mechanisms={"../../etc": "ipfl"}), "markets/..__..__etc-0.safetensors"),
        (manifest(mechanisms=[["a", "ipfl"]]), "mechanisms is [['a', 'ipfl']]"),
        ('{"mechanisms": ' + "[" * 100_000 + "]" * 100_000 + "}", "is no JSON"),
        ("[]", "expected a JSON object"),
        (manifest(), "ipfl__ipfl-0.safetensors"),
    ],
)
def test_damaged_manifests_are_one_line(tmp_path, text, words):
    (tmp_path / "manifest.json").write_text(text)
    assert words in command("strategic", tmp_path).line()


def test_intervals_of_a_run_resample_its_seeds():
    rng = np.random.default_rng(0)
    best, groups = np.ones(40), np.repeat(np.arange(10), 4)
    had = np.repeat(rng.uniform(0.5, 1.0, 10), 4)  # rounds of a seed are alike
    told = welfare_of("welfare", had, had, best, groups=groups, resampled="seeds of the run").price_of_anarchy
    wrong = welfare_of("welfare", had, had, best).price_of_anarchy
    assert told.value == wrong.value == pytest.approx(40 / had.sum())
    assert told.high - told.low > 1.4 * (wrong.high - wrong.low)
    assert told.resampled == "seeds of the run"


def test_quiet_says_nothing(tmp_path):
    answer = command("strategic", "second-price", "--clients", 2, "--profiles", 5, "--quiet")
    assert (answer.status, answer.out, answer.err) == (0, "", "")
