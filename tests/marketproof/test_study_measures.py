"""What the studies measure, on records made by hand where the answer is known."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest

from marketproof.clearing.settling import clear_and_settle
from marketproof.errors import InputError
from marketproof.running.populations import ROLES
from marketproof.running.records import MarketRecord
from marketproof.strategic_play.run_play import play_method
from marketproof.studies import study_dropout, study_inclusive, study_liars, study_performance, study_robustness
from marketproof.studies.study_findings import best_accuracy, compare, over_seeds
from mechanism.market.accounting import account
from mechanism.market.clients import Market, Types
from mechanism.market.mechanisms import market_mechanism

ROUNDS, CLIENTS = 3, 5


def record(mechanism, lie=(), factor=2.0, roles=(), seed=0, accuracy=None, present=None):
    """A recorded market of five clients; ``lie`` lists (client, number)."""
    rng = np.random.default_rng(seed)
    shape = (ROUNDS, CLIENTS)
    types = Types(rng.integers(50, 300, shape), rng.uniform(0.5, 1.0, shape), np.full(shape, 1.5e4))
    reports = types.truthful()
    for client, number in lie:
        values = np.array(getattr(reports, number))
        values[:, client] *= factor
        reports = reports.replace(**{number: values})
    d = rng.uniform(0.0, 1.0, (ROUNDS, CLIENTS, CLIENTS))
    d[:, np.arange(CLIENTS), np.arange(CLIENTS)] = 0.0
    market = Market(d, 1.0)
    outcome = clear_and_settle(market_mechanism(mechanism), reports, types, market)
    codes = np.array([ROLES.index(role) for role in (roles or ["honest"] * CLIENTS)], dtype=np.uint8)
    nothing = np.zeros(ROUNDS)
    accuracy = np.zeros(shape) if accuracy is None else np.array(accuracy)
    there = np.ones(shape, bool) if present is None else np.array(present, bool)
    return MarketRecord(
        types, reports, market, outcome, nothing, nothing, nothing, accuracy, 1.0 - accuracy, there,
        np.tile(codes, (ROUNDS, 1)), np.zeros(CLIENTS),
    )  # fmt: skip


def liars(*clients):
    return ["liar" if k in clients else "honest" for k in range(CLIENTS)]


@pytest.mark.parametrize("number", ["cost", "size", "gain"])
def test_the_gain_of_a_lie_is_that_of_clearing_again_with_its_truth(number):
    rule = market_mechanism("ipfl")
    seen = record("ipfl", [(1, number), (3, number)], 0.5, liars(1, 3))
    lying, honest = study_liars.gains(rule, seen)
    assert lying.shape == honest.shape == (ROUNDS, 2)
    for column, liar, other in ((0, 1, 3), (1, 3, 1)):
        for r in range(ROUNDS):  # one clearing at a time, from the true types, the other liar lying still
            types = Types(seen.types.size[r], seen.types.cost[r], seen.types.gain[r])
            said = np.array(getattr(types, number))
            said[other] *= 0.5
            market = Market(seen.market.differences[r], 1.0)
            outcome = rule.clear(types.report(**{number: said}), market)
            assert honest[r, column] == pytest.approx(account(types, outcome).utility[liar], abs=1e-12)
            assert lying[r, column] == account(seen.types, seen.outcome).utility[r, liar]
    assert np.abs(lying - honest).max() > 1e-3


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_no_lie_about_a_cost_pays_under_the_repaired_rule(factor):
    """The theorem of the repaired mechanism, on the study's own measure."""
    for seed in range(20):
        seen = record("ipfl-exact", [(2, "cost")], factor, liars(2), seed)
        lying, honest = study_liars.gains(market_mechanism("ipfl-exact"), seen)
        assert (lying - honest).max() <= 1e-9


def test_understating_a_cost_pays_under_the_papers_rule():
    best = max(
        float(np.subtract(*study_liars.gains(market_mechanism("ipfl"), seen)).max())
        for seen in (record("ipfl", [(2, "cost")], 0.5, liars(2), seed) for seed in range(20))
    )
    assert best > 0.1


def test_words_on_lies_name_where_they_pay():
    rows = [
        {"method": "a", "gain_mean": 2.0, "gain_best": 3.0, "share_paying": 0.25, "cases": 4},
        {"method": "b", "gain_mean": -1.0, "gain_best": 0.0, "share_paying": 0.0, "cases": 2},
    ]
    rows = [{"lie": "cost", "factor": 0.5} | row for row in rows]
    said = study_liars.words(rows)
    assert said == [
        "Reporting 0.5 times one's cost: pays under a in 25% of 4 cases (mean gain of all cases 2, at most 3); "
        "pays under b in none of 2 cases."
    ]


class Recorded:
    """Stands for a finished run with these records under two seeds."""

    def __init__(self, markets, arrays=None, seeds=(0, 1)):
        self._markets, self._arrays = markets, arrays
        self.config = type("Config", (), {"seed_list": list(seeds)})

    def markets(self):
        return self._markets

    def arrays(self):
        return self._arrays


def test_robustness_compares_the_same_clients_and_says_where_attackers_earn_more():
    up, down = np.full((ROUNDS, CLIENTS), 0.8), np.full((ROUNDS, CLIENTS), 0.6)
    up[:, 4] = 0.1  # the attacker: not one of those compared
    calm = [record("ipfl-exact", seed=seed, accuracy=up) for seed in (0, 1)]
    roles = ["honest"] * 4 + ["attacker"]
    bad = [record("ipfl-exact", roles=roles, seed=seed, accuracy=down) for seed in (0, 1)]
    found = study_robustness.findings({"benign": Recorded({"ipfl/ipfl-exact": calm}),
                                       "attackers-flip": Recorded({"ipfl/ipfl-exact": bad})})  # fmt: skip
    (row,) = found.rows
    assert (row["accuracy_without"], row["accuracy_with"]) == (pytest.approx(0.8), pytest.approx(0.6))
    money = np.stack([account(r.types, r.outcome).utility for r in bad])
    assert row["utility_others"] == pytest.approx(money[:, :, 4].mean())
    assert row["utility_honest"] == pytest.approx(money[:, :, :4].mean())
    assert row["utility_others_std"] == pytest.approx(money[:, :, 4].mean(axis=1).std(ddof=1))
    assert row["utility_others_if_honest"] == row["utility_others"]  # the same market: nothing else changed
    less = row["utility_others"] < row["utility_honest"]
    assert found.words[0] == (
        "ipfl/ipfl-exact: attackers and free-riders earn less than honest clients in every population."
        if less
        else "ipfl/ipfl-exact: they do NOT earn less than honest clients in attackers-flip."
    )
    assert f"{'less than' if less else 'MORE than'} the" in found.words[1]


def test_inclusive_keeps_the_roles_apart_and_names_those_who_lose():
    roles = ["trader", "trader", "buyer", "seller", "attacker"]
    seen = record("ipfl-exact", roles=roles)
    found = study_inclusive.findings({"inclusive-attacked": Recorded({"ipfl/ipfl-exact": [seen]})})
    assert [row["role"] for row in found.rows] == ["trader", "buyer", "seller", "attacker"]
    utility = account(seen.types, seen.outcome).utility
    for row in found.rows:
        mine = utility[:, [role == row["role"] for role in roles]]
        assert row["utility"] == pytest.approx(mine.mean())
        assert row["utility_lowest"] == pytest.approx(mine.min())
        assert row["clients"] == mine.shape[1]
    assert "no role ever loses" in found.words[0]
    rows = [dict(row) for row in found.rows]
    rows[2]["utility_lowest"] = -1.0
    assert "a loss in some round for sellers" in study_inclusive.words(rows)[0]


def test_dropout_tells_who_leaves_when_and_how_the_others_do():
    accuracy = np.full((ROUNDS, CLIENTS), 0.5)
    accuracy[2, 1] = 0.9  # after it has left: does not count
    present = np.ones((ROUNDS, CLIENTS))
    present[1:, 1] = 0
    leaving = np.zeros((ROUNDS, CLIENTS), np.uint8)
    leaving[0, 1] = leaving[2, 3] = 1
    seen = record("ipfl", accuracy=accuracy, present=present)
    case = Recorded({"fedavg": [seen]}, {"fedavg": [{"leaving": leaving}]}, seeds=[7])
    found = study_dropout.findings({"strict": case})
    (row,) = found.rows
    assert (row["left"], row["clients"], row["first_leaves"]) == (3, 5, 1)
    assert row["accuracy_leaving"] == pytest.approx(0.5)
    utility = account(seen.types, seen.outcome).utility
    assert row["utility_staying"] == pytest.approx(utility[:, [0, 2, 4]].mean())
    there = np.concatenate([utility[:1, 1], utility[:, 3]])
    assert row["utility_leaving"] == pytest.approx(there.mean())
    assert found.more["leaving"] == [
        {"population": "strict", "method": "fedavg", "seed": 7, "round": 1, "client": 1},
        {"population": "strict", "method": "fedavg", "seed": 7, "round": 3, "client": 3},
    ]


def test_dropout_of_everybody_leaves_dashes():
    leaving = np.ones((ROUNDS, CLIENTS), np.uint8)
    case = Recorded({"fedavg": [record("ipfl")]}, {"fedavg": [{"leaving": leaving}]}, seeds=[0])
    found = study_dropout.findings({"strict": case})
    assert found.rows[0]["accuracy_staying"] is None
    assert "nobody stays" in found.words[0]


def test_performance_names_the_best_and_those_who_lose():
    rows = [
        {"method": "local", "accuracy_best": 0.7, "utility_mean": 0.0, "welfare": 0.0, "utility_lowest": 0.0},
        {"method": "fedavg", "accuracy_best": 0.9, "utility_mean": 1.0, "welfare": 5.0, "utility_lowest": -3.0},
        {"method": "ipfl", "accuracy_best": 0.8, "utility_mean": 2.0, "welfare": 9.0, "utility_lowest": 0.5},
    ]
    said = study_performance.words(rows)
    assert "Best accuracy: fedavg, 90.0%. Highest utility per client and round: ipfl, 2." in said[0]
    assert said[1] == "Somebody loses in some round under fedavg."
    assert "ipfl: 10.0 points of accuracy behind the best" in said[2]


def test_means_and_deviations_over_seeds():
    assert over_seeds("a", [3.0]) == {"a": 3.0}
    assert over_seeds("a", [1.0, 3.0]) == {"a": 2.0, "a_std": pytest.approx(np.sqrt(2.0))}
    assert over_seeds("a", [None, 3.0]) == {"a": 3.0, "a_std": None}
    assert over_seeds("a", [None]) == {"a": None}


def test_equal_amounts_are_neither_less_nor_more():
    assert (compare(1.0, 2.0), compare(2.0, 1.0)) == ("less than", "MORE than")
    assert compare(1.0, 1.0 + 1e-12) == "as much as"


def test_nobody_has_no_accuracy():
    assert best_accuracy(record("ipfl"), np.zeros(CLIENTS, bool)) is None


def test_the_truth_of_a_liar_is_cleared_among_those_who_are_there():
    rule = market_mechanism("pooled-price")
    there = np.ones((ROUNDS, CLIENTS), bool)
    there[1, 0] = there[2, 4] = False
    seen = record("pooled-price", [(1, "cost")], 2.0, liars(1), present=there)
    honest = study_liars.gains(rule, seen)[1]
    expected = clear_and_settle(rule, seen.types.truthful(), seen.types, seen.market, there)
    assert honest[:, 0] == pytest.approx(account(seen.types, expected).utility[:, 1])
    whole = clear_and_settle(rule, seen.types.truthful(), seen.types, seen.market)
    assert honest[1:, 0] != pytest.approx(account(seen.types, whole).utility[1:, 1]), "absence must matter here"


def test_a_recorded_market_is_played_by_those_who_are_there():
    """Playing a record in which client 2 is never there is playing one that does not hold it."""
    rule, there = market_mechanism("ipfl"), np.ones((ROUNDS, CLIENTS), bool)
    there[:, 2] = False
    seen, here = record("ipfl", present=there), np.delete(np.arange(CLIENTS), 2)
    smaller = replace(
        seen, types=seen.types.take(here), market=seen.market.take(here), present=np.ones((ROUNDS, CLIENTS - 1), bool)
    )
    found, alone = play_method(rule, [seen], 20), play_method(rule, [smaller], 20)
    assert alone.sentence == found.sentence
    assert found.welfare == alone.welfare
    assert [found.clients[k] for k in here] == list(alone.clients)
    assert set(astuple(found.clients[2])) == {0.0}


def test_a_run_in_which_nobody_meets_is_not_played():
    there = np.zeros((ROUNDS, CLIENTS), bool)
    there[:, 0] = True
    with pytest.raises(InputError, match="no two clients"):
        play_method(market_mechanism("ipfl"), [record("ipfl", present=there)], 20)
