"""What the studies measure, on records made by hand where the answer is known."""

from __future__ import annotations

import json
from dataclasses import astuple

import numpy as np
import pytest

from analysis.run.market import MarketRecord
from marketproof.running.populations import ROLES
from marketproof.strategic_play.run_play import play_method
from marketproof.studies import liars as study_liars
from marketproof.studies.carried_out import markdown
from marketproof.studies.findings import found, measured
from marketproof.studies.performance import (
    BEST,
    HONEST,
    IF_HONEST,
    LOWEST,
    OTHERS,
    PERFORMANCE,
    ROBUSTNESS,
    UTILITY,
    WELFARE,
    WITH,
    WITHOUT,
)
from marketproof.studies.study import METHOD, Column, Row, best_accuracy, compare
from marketproof.studies.taking_part import (
    AT_START,
    DROPOUT,
    FIRST,
    INCLUSIVE,
    LEAVE_ACCURACY,
    LEAVE_UTILITY,
    LEFT,
    OF_ROLE,
    OWN,
    OWN_LOWEST,
    ROLE,
    STAY_ACCURACY,
    STAY_UTILITY,
)
from mechanism.errors import InputError
from mechanism.market.accounting import account, fixed_outcome
from mechanism.market.clients import Market, Types
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.settling import clear_and_settle

ROUNDS, CLIENTS = 3, 5


def record(mechanism, lie=(), factor=2.0, roles=(), seed=0, accuracy=None, present=None, leaving=None):
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
    accuracy = np.zeros(shape) if accuracy is None else np.array(accuracy)
    there = np.ones(shape, bool) if present is None else np.array(present, bool)
    return MarketRecord.of(
        types, reports, market, outcome,
        accuracy=accuracy, loss=1.0 - accuracy, present=there, roles=np.tile(codes, (ROUNDS, 1)),
        leaving=np.zeros(shape) if leaving is None else leaving,
    )  # fmt: skip


def row_of(told):
    """A row of a study's table with what one seed gave, by column."""
    return Row({column: [value] for column, value in told.items()})


def liars(*clients):
    return ["liar" if k in clients else "honest" for k in range(CLIENTS)]


@pytest.mark.parametrize("number", ["cost", "size", "gain"])
def test_the_gain_of_a_lie_is_that_of_clearing_again_with_its_truth(number):
    rule = market_mechanism("ipfl")
    seen = record("ipfl", [(1, number), (3, number)], 0.5, liars(1, 3))
    lies = study_liars.gains(rule, seen)
    lying, honest = lies.lying, lies.honest
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
        assert study_liars.gains(market_mechanism("ipfl-exact"), seen).gain.max() <= 1e-9


def test_understating_a_cost_pays_under_the_papers_rule():
    best = max(
        float(study_liars.gains(market_mechanism("ipfl"), seen).gain.max())
        for seen in (record("ipfl", [(2, "cost")], 0.5, liars(2), seed) for seed in range(20))
    )
    assert best > 0.1


def test_words_on_lies_name_where_they_pay():
    columns = (METHOD, study_liars.MEAN, study_liars.BEST, study_liars.PAYING, study_liars.CASES)
    rows = [
        row_of({study_liars.LIE: "cost", study_liars.FACTOR: 0.5, **dict(zip(columns, told, strict=True))})
        for told in (("a", 2.0, 3.0, 0.25, 4), ("b", -1.0, 0.0, 0.0, 2))
    ]
    assert study_liars.LIARS_STUDY.words(rows) == [
        "Reporting 0.5 times one's cost: pays under a in 25% of 4 cases (mean gain of all cases 2, at most 3); "
        "pays under b in none of 2 cases."
    ]


class Recorded:
    """Stands for a finished run with these records under as many seeds."""

    def __init__(self, markets, first=0):
        self._markets = markets
        many = len(next(iter(markets.values())))
        self.config = type("Config", (), {"seed_list": list(range(first, first + many))})

    def markets(self):
        return self._markets


def test_robustness_compares_the_same_clients_and_says_where_attackers_earn_more():
    up, down = np.full((ROUNDS, CLIENTS), 0.8), np.full((ROUNDS, CLIENTS), 0.6)
    up[:, 4] = 0.1  # the attacker: not one of those compared
    calm = [record("ipfl-exact", seed=seed, accuracy=up) for seed in (0, 1)]
    roles = ["honest"] * 4 + ["attacker"]
    bad = [record("ipfl-exact", roles=roles, seed=seed, accuracy=down) for seed in (0, 1)]
    cases = {"benign": Recorded({"ipfl/ipfl-exact": calm}), "attackers-flip": Recorded({"ipfl/ipfl-exact": bad})}
    told = measured(ROBUSTNESS, cases)
    (row,) = told.rows
    assert (row[WITHOUT], row[WITH]) == (pytest.approx(0.8), pytest.approx(0.6))
    money = np.stack([account(r.types, r.outcome).utility for r in bad])
    assert row[OTHERS] == pytest.approx(money[:, :, 4].mean())
    assert row[HONEST] == pytest.approx(money[:, :, :4].mean())
    assert row.spread(OTHERS) == pytest.approx(money[:, :, 4].mean(axis=1).std(ddof=1))
    assert row[IF_HONEST] == row[OTHERS]  # the same market: nothing else changed
    assert "attackers and free-riders earn within noise of honest clients in attackers-flip." in told.words[0]
    assert "within noise of the" in told.words[1]
    for shift, word in ((-1e3, "less than"), (1e3, "MORE than")):
        seeds = {**row.seeds, OTHERS: [value + shift for value in row.seeds[HONEST]]}
        assert f"{word} the" in ROBUSTNESS.words([Row(seeds)])[1]
        assert f"{word} the" in ROBUSTNESS.words([Row({c: values[:1] for c, values in seeds.items()})])[1]


def test_what_is_written_is_read_again_to_the_same_words_and_bytes():
    seeds = [record("ipfl-exact", roles=["honest"] * 4 + ["attacker"], seed=seed) for seed in (0, 1, 2)]
    cases = {name: Recorded({"ipfl/ipfl-exact": seeds}) for name in ("benign", "attackers-flip")}
    first = measured(ROBUSTNESS, cases)
    told = json.loads(json.dumps(first.to_json()))
    again = found(ROBUSTNESS, told)
    assert json.loads(json.dumps(again.to_json())) == told
    assert len(again.every) == 2 > len(again.rows)
    assert markdown(again, "t") == markdown(first, "t")
    assert list(again.figures) == list(first.figures)
    with pytest.raises(InputError, match="lacks numbers of each seed; run the study again"):
        found(ROBUSTNESS, {**told, "by_seed": [{"method": ["x"]}]})


def test_inclusive_keeps_the_roles_apart_and_names_those_who_lose():
    roles = ["trader", "trader", "buyer", "seller", "attacker"]
    seen = record("ipfl-exact", roles=roles)
    found = measured(INCLUSIVE, {"inclusive-attacked": Recorded({"ipfl/ipfl-exact": [seen]})})
    assert [row[ROLE] for row in found.rows] == ["trader", "buyer", "seller", "attacker"]
    utility = account(seen.types, seen.outcome).utility
    for row in found.rows:
        mine = utility[:, [role == row[ROLE] for role in roles]]
        assert row[OWN] == pytest.approx(mine.mean())
        assert row[OWN_LOWEST] == pytest.approx(mine.min())
        assert row[OF_ROLE] == mine.shape[1]
    assert "no role ever loses" in found.words[0]
    rows = list(found.rows)
    rows[2] = Row({**rows[2].seeds, OWN_LOWEST: [-1.0]})
    assert "a loss in some round for sellers" in INCLUSIVE.words(rows)[0]


def test_dropout_tells_who_leaves_when_and_how_the_others_do():
    accuracy = np.full((ROUNDS, CLIENTS), 0.5)
    accuracy[2, 1] = 0.9  # after it has left: does not count
    present = np.ones((ROUNDS, CLIENTS))
    present[1:, 1] = 0
    leaving = np.zeros((ROUNDS, CLIENTS), np.uint8)
    leaving[0, 1] = leaving[2, 3] = 1
    seen = record("ipfl", accuracy=accuracy, present=present, leaving=leaving)
    found = measured(DROPOUT, {"strict": Recorded({"fedavg": [seen]}, 7)})
    (row,) = found.rows
    assert (row[LEFT], row[AT_START], row[FIRST]) == (3, 5, 1)
    assert row[LEAVE_ACCURACY] == pytest.approx(0.5)
    utility = account(seen.types, seen.outcome).utility
    assert row[STAY_UTILITY] == pytest.approx(utility[:, [0, 2, 4]].mean())
    there = np.concatenate([utility[:1, 1], utility[:, 3]])
    assert row[LEAVE_UTILITY] == pytest.approx(there.mean())
    assert found.more["leaving"] == [
        {"population": "strict", "method": "fedavg", "seed": 7, "round": 1, "client": 1},
        {"population": "strict", "method": "fedavg", "seed": 7, "round": 3, "client": 3},
    ]


def test_dropout_of_everybody_leaves_dashes():
    case = Recorded({"fedavg": [record("ipfl", leaving=np.ones((ROUNDS, CLIENTS)))]})
    found = measured(DROPOUT, {"strict": case})
    assert found.rows[0][STAY_ACCURACY] is None
    assert "nobody stays" in found.words[0]


def test_performance_names_the_best_and_those_who_lose():
    columns = (METHOD, BEST, UTILITY, WELFARE, LOWEST)
    told = (("local", 0.7, 0.0, 0.0, 0.0), ("fedavg", 0.9, 1.0, 5.0, -3.0), ("ipfl", 0.8, 2.0, 9.0, 0.5))
    said = PERFORMANCE.words([row_of(dict(zip(columns, row, strict=True))) for row in told])
    assert "Best accuracy: fedavg, 90.0% (one seed: nobody knows the noise). Highest utility per client and" in said[0]
    assert said[1] == "Somebody loses in some round under fedavg."
    assert "ipfl: 10.0 points of accuracy behind the best" in said[2]


def test_means_and_deviations_over_seeds():
    column = Column("a", "", "", None)

    def told(*values):
        return Row({column: values}).to_json([column])

    assert told(3.0) == {"a": 3.0}
    assert told(1.0, 3.0) == {"a": 2.0, "a_std": pytest.approx(np.sqrt(2.0))}
    assert told(None, 3.0) == {"a": 3.0, "a_std": None}
    assert told(None) == {"a": None}


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
    honest = study_liars.gains(rule, seen).honest
    expected = clear_and_settle(rule, seen.types.truthful(), seen.types, seen.market, there)
    assert honest[:, 0] == pytest.approx(account(seen.types, expected).utility[:, 1])
    whole = clear_and_settle(rule, seen.types.truthful(), seen.types, seen.market)
    assert honest[1:, 0] != pytest.approx(account(seen.types, whole).utility[1:, 1]), "absence must matter here"


def test_a_recorded_market_is_played_by_those_who_are_there():
    """Playing a record in which client 2 is never there is playing one that does not hold it."""
    rule, there = market_mechanism("ipfl"), np.ones((ROUNDS, CLIENTS), bool)
    there[:, 2] = False
    seen, here = record("ipfl", present=there), np.delete(np.arange(CLIENTS), 2)
    types, market = seen.types.take(here), seen.market.take(here)
    smaller = MarketRecord.of(types, types.truthful(), market, fixed_outcome(np.zeros_like(market.differences, bool)))
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
