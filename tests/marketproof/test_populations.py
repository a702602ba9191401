"""Who takes part: how many of each role, what they have, what they say, and who is there when."""

import json

import numpy as np
import pytest

from analysis.run.files import changes, dotted
from learning.algorithms import ALGORITHMS
from marketproof.running.config import load_task, overridden, populate, resolve, schedule_of
from marketproof.running.execution import plan_of
from marketproof.running.loop import participants_of, types_of
from marketproof.running.populations import (
    AWAY,
    BENIGN,
    POPULATIONS,
    ROLES,
    STINGY,
    Attendance,
    away,
    draw,
    usual_schedule,
)
from mechanism import Market, Types, account, market_mechanism
from mechanism.market.mechanisms import _RULES as MECHANISMS
from mechanism.market.settling import clear_and_settle

COST, GAIN = (0.25, 1.0), (1e4, 3e4)


def counts(name, m, seed=0, share=0.0):
    roles = draw(name, share, 2.0, m, seed).roles
    assert len(roles) == m
    assert set(roles) <= set(ROLES)
    return {role: roles.count(role) for role in ROLES if role in roles}


def config(**options):
    given = {"seed": 0, "seeds": 1, "methods": ["local"], "mechanism": "ipfl-exact"}
    return resolve("digits-niid", load_task("digits-niid"), {**given, **options})


@pytest.mark.parametrize(
    ("name", "m", "expected"),
    [
        ("benign", 5, {"honest": 5}),
        ("inclusive", 12, {"trader": 4, "buyer": 4, "seller": 4}),
        ("inclusive", 10, {"trader": 3, "buyer": 4, "seller": 3}),
        ("inclusive", 5, {"trader": 2, "buyer": 1, "seller": 2}),
        ("inclusive", 2, {"trader": 1, "seller": 1}),
        ("inclusive-attacked", 12, {"trader": 3, "buyer": 3, "seller": 3, "attacker": 3}),
        ("inclusive-attacked", 10, {"trader": 2, "buyer": 3, "seller": 3, "attacker": 2}),
        ("inclusive-attacked", 5, {"trader": 1, "buyer": 1, "seller": 2, "attacker": 1}),
        ("attackers-shuffle", 10, {"honest": 8, "attacker": 2}),
        ("attackers-flip", 12, {"honest": 10, "attacker": 2}),
        ("free-riders-ones", 5, {"honest": 4, "free-rider": 1}),
        ("free-riders-noise", 2, {"honest": 1, "free-rider": 1}),
        ("liars-cost", 10, {"honest": 9, "liar": 1}),
        ("liars-size", 12, {"honest": 11, "liar": 1}),
        ("liars-gain", 2, {"honest": 1, "liar": 1}),
        ("dropout-strict", 10, {"honest": 10}),
        ("arrivals", 10, {"honest": 10}),
    ],
)
def test_how_many_there_are_of_each_role(name, m, expected):
    assert counts(name, m) == expected
    assert counts(name, m, seed=9) == expected


def test_a_share_replaces_the_usual_one_where_there_is_one_to_replace():
    assert counts("attackers-flip", 10, share=0.5) == {"honest": 5, "attacker": 5}
    assert counts("liars-cost", 10, share=1.0) == {"liar": 10}
    assert counts("attackers-flip", 10, share=0.01) == {"honest": 9, "attacker": 1}
    assert counts("benign", 10, share=0.5) == {"honest": 10}
    assert counts("inclusive", 12, share=0.5) == {"trader": 4, "buyer": 4, "seller": 4}


def test_who_is_what_is_drawn_by_seed_and_the_same_for_every_method():
    seen = {draw("inclusive", 0, 2.0, 12, seed).roles for seed in range(20)}
    assert len(seen) > 15
    often = np.mean([[role == "attacker" for role in draw("attackers-flip", 0, 2, 10, s).roles] for s in range(400)], 0)
    assert ((often > 0.1) & (often < 0.3)).all()
    one = config(population="attackers-flip")
    for method in ALGORITHMS:
        other = config(population="attackers-flip", methods=[method])
        assert participants_of(one, 3).roles == participants_of(other, 3).roles
        sizes = np.arange(10) + 20
        mine, theirs = (types_of(c.market, sizes, 3, participants_of(c, 3)) for c in (one, other))
        assert np.array_equal(mine.cost, theirs.cost)
        assert plan_of(one, 3).conduct == plan_of(other, 3).conduct == participants_of(one, 3).conduct


@pytest.mark.parametrize("name", ["inclusive", "inclusive-attacked"])
def test_costs_and_gains_of_the_inclusive_market_are_those_of_the_paper(name):
    """C and K are the upper ends: K_i ~ U[K/2, K] for who buys, c_i ~ U[C/2, C] for who trades."""
    seen = {role: ([], []) for role in ROLES}
    for seed in range(40):
        who = draw(name, 0.0, 2.0, 12, seed)
        types = who.types(np.full(12, 50), COST, GAIN, seed)
        assert types.size.tolist() == [50.0] * 12
        for k, role in enumerate(who.roles):
            seen[role][0].append(types.cost[k])
            seen[role][1].append(types.gain[k])
    cost, gain = np.array(seen["trader"][0]), np.array(seen["trader"][1])
    assert 0.5 <= cost.min() < 0.56
    assert 0.94 < cost.max() <= 1.0
    assert 1.5e4 <= gain.min() < 1.65e4
    assert 2.85e4 < gain.max() <= 3e4
    assert set(seen["buyer"][0]) == {STINGY} == {1000.0}
    assert 1.5e4 <= min(seen["buyer"][1]) < 1.65e4 < 2.85e4 < max(seen["buyer"][1]) <= 3e4
    for role in ("seller", "attacker"):
        assert not any(seen[role][0])
        assert not any(seen[role][1])


def test_settings_of_the_inclusive_market_go_over_the_tasks():
    one = config(population="inclusive")
    assert (one.data.clients, one.split.beta, one.market.lam, one.market.eta) == (12, 1.0, 1.0, 5.0)
    assert one.market.gain == (1.5e6, 1.5e6)
    paper = resolve("cifar10-niid", load_task("cifar10-niid"), {**one.model_dump(include={"methods", "mechanism"}),
                    "seed": 0, "seeds": 1, "scale": "paper", "population": "inclusive"})  # fmt: skip
    assert paper.market.gain == (5e7, 5e7)
    assert config(population="inclusive", clients=6).data.clients == 6
    assert config(population="attackers-flip").market == config().market


def test_strangers_outside_of_it_have_the_types_of_the_paper():
    attackers = draw("attackers-shuffle", 0, 2, 10, 1)
    types, odd = attackers.types(np.full(10, 50), COST, GAIN, 1), np.array(attackers.roles) == "attacker"
    assert not types.cost[odd].any()
    assert not types.gain[odd].any()
    assert (types.cost[~odd] >= 0.25).all()
    riders = draw("free-riders-ones", 0, 2, 10, 1)
    types, odd = riders.types(np.full(10, 50), COST, GAIN, 1), np.array(riders.roles) == "free-rider"
    assert not types.cost[odd].any()
    assert (types.gain >= 1e4).all()
    honest = draw("benign", 0, 2, 10, 1).types(np.full(10, 50), COST, GAIN, 1)
    assert np.array_equal(honest.cost[~odd], types.cost[~odd])  # the same participants, but for their role


@pytest.mark.parametrize("what", ["cost", "size", "gain"])
def test_a_liar_says_twice_of_one_number_and_the_truth_of_the_others(what):
    who = draw(f"liars-{what}", 0.3, 2.0, 10, 5)
    types = who.types(np.arange(10) + 30, COST, GAIN, 5)
    said, liar = who.reports(types), np.array(who.roles) == "liar"
    assert liar.sum() == 3
    for name in ("size", "cost", "gain"):
        factor = np.where(liar & (name == what), 2.0, 1.0)
        np.testing.assert_array_equal(getattr(said, name), getattr(types, name) * factor)
    assert who.conduct == ()
    other = draw(f"liars-{what}", 0.3, 0.5, 10, 5).reports(types)
    np.testing.assert_array_equal(getattr(other, what)[liar], getattr(types, what)[liar] / 2)


def test_conduct_is_that_of_the_strange_ones():
    for name, population in POPULATIONS.items():
        who = draw(name, 0, 2, 12, 0)
        odd = [role not in BENIGN for role in who.roles]
        expected = tuple(population.conduct if k else "honest" for k in odd) if any(odd) else ()
        assert who.conduct == expected
        assert [ROLES[code] for code in who.codes] == list(who.roles)


def test_who_is_away_trades_nothing_whatever_it_is_worth():
    types = Types([100, 300, 300, 50], [0.0, 0.0, 0.0, 0.0], [3.6e8, 5e8, 5e8, 9e8])
    present = np.array([True, False, True, True])
    market = Market(np.full((4, 4), 0.1) * ~np.eye(4, dtype=bool), 0.0)
    size, cost, gain = away(types, present)
    assert (cost[1], gain[1]) == (AWAY, 0.0)
    here = Types(size, cost, gain)
    for mechanism in ("ipfl-exact", "vcg-two-sided", "posted-price"):
        found = market_mechanism(mechanism).clear(here.truthful(), market)
        assert not found.imports[1].any(), mechanism
        assert not found.imports[:, 1].any(), mechanism
        assert account(here, found).utility[1] == 0.0
    whole = market_mechanism("ipfl-exact").clear(here.truthful(), market)
    few = np.flatnonzero(present)
    alone = market_mechanism("ipfl-exact").clear(
        Types(types.size[few], types.cost[few], types.gain[few]).truthful(),
        Market(market.differences[np.ix_(few, few)], 0.0),
    )
    assert alone.imports.any()
    assert np.array_equal(whole.imports[np.ix_(few, few)], alone.imports)
    assert np.array_equal(whole.prices[np.ix_(few, few)], alone.prices)


@pytest.mark.parametrize("mechanism", list(MECHANISMS))
@pytest.mark.parametrize(("lam", "cost"), [(0.0, 0.0), (0.5, 0.7)])
def test_no_mechanism_lets_who_is_away_trade(mechanism, lam, cost):
    """Neither the paper's rule, which hands out what costs nothing, nor the one that gives all models to all."""
    types = Types([100, 300, 300, 50], [cost] * 4, [3.6e6, 5e6, 5e6, 9e6])
    present = np.array([[True, False, True, True], [True, True, True, True], [False] * 4])
    parts = away(types, present)
    here = Types(np.broadcast_to(parts[0], (3, 4)), parts[1], parts[2])
    market = Market(np.full((4, 4), 0.1) * ~np.eye(4, dtype=bool), lam)
    found = clear_and_settle(market_mechanism(mechanism), here.truthful(), here, market, present)
    accounts = account(here, found)
    for money in (accounts.gain, accounts.cost, accounts.paid, accounts.received, accounts.centre, accounts.utility):
        assert not money[~present].any()
    assert found.imports[1].any()
    assert not found.imports[2].any()
    assert (np.abs(accounts.utility) < 1e6).all()
    again = clear_and_settle(market_mechanism(mechanism), here.truthful(), here, market, present)
    assert np.array_equal(again.prices, found.prices)


def test_attendance_follows_the_schedule():
    there = Attendance("", 0.5, [[1, 2, 3], [1, 6, 0], [3, 4, 4]], 5, 0)
    seen = np.array([there.present(number) for number in range(1, 8)])
    assert seen[:, 1].tolist() == [False, True, True, False, False, True, True]
    assert seen[:, 3].tolist() == [False, False, False, True, False, False, False]
    assert seen[:, [0, 2, 4]].all()


def test_a_part_of_the_clients_is_called_anew_in_each_round_by_the_seed_alone():
    there = Attendance("", 0.5, [], 200, 3, 0.1)
    seen = np.array([there.present(number) for number in range(1, 61)])
    assert (seen.sum(axis=1) == 20).all()
    assert not np.array_equal(seen[0], seen[1])
    assert abs(seen.mean(axis=0) - 0.1).max() < 6 * (0.09 / 60) ** 0.5
    np.testing.assert_array_equal(Attendance("", 0.5, [], 200, 3, 0.1).present(7), seen[6])
    gone = seen[8] & (np.cumsum(seen[8]) <= 5)
    there.leave(gone)
    np.testing.assert_array_equal(there.present(9), seen[8] & ~gone)
    assert Attendance("", 0.5, [], 3, 0, 0.01).present(1).sum() == 2


def test_nobody_leaves_a_market_whose_population_stays():
    there = Attendance("", 1.0, [], 4, 0)
    assert not there.decide(1, np.ones(4, bool), np.full(4, -5.0), 0.0).any()


def test_strictly_who_is_there_and_loses_leaves_for_good():
    there = Attendance("strict", 0.0, [], 5, 0)
    present = np.array([True, True, True, True, False])
    gone = there.decide(1, present, np.array([1.0, 0.0, -1e-12, -0.5, -9.0]), 1e-9)
    assert gone.tolist() == [False, False, False, True, False]
    assert there.present(2).all()  # a decision is only made so by leaving: a killed round decides again
    there.leave(gone)
    for number in (1, 2, 50):
        assert there.present(number).tolist() == [True, True, True, False, True]


@pytest.mark.parametrize("chance", [0.0, 0.3, 0.5, 1.0])
def test_by_chance_so_many_leave_and_the_draws_are_their_own(chance):
    m, rounds = 50, 40
    there = Attendance("chance", chance, [], m, 7)
    everybody, losing = np.ones(m, bool), np.full(m, -1.0)
    gone = np.array([there.decide(number, everybody, losing, 0.0) for number in range(1, rounds + 1)])
    deviation = (chance * (1 - chance) / gone.size) ** 0.5
    assert abs(gone.mean() - chance) <= 4 * deviation
    assert np.array_equal(there.decide(3, everybody, losing, 0.0), gone[2])
    some = losing * (np.arange(m) % 2)
    assert np.array_equal(there.decide(3, everybody, some, 0.0), gone[2] & (np.arange(m) % 2 == 1))
    other = Attendance("chance", chance, [], m, 8).decide(1, everybody, losing, 0.0)
    assert np.array_equal(other, gone[0]) == (chance in (0.0, 1.0))


@pytest.mark.parametrize("m", [2, 3, 4, 12])
@pytest.mark.parametrize("rounds", [1, 2, 3, 4, 5, 9, 50])
def test_the_usual_schedule_leaves_a_market_in_every_round(m, rounds):
    entries = usual_schedule(m, rounds)
    assert all(0 <= client < m and first >= 1 and (last == 0 or last >= first) for client, first, last in entries)
    there = Attendance("", 0.0, entries, m, 0)
    seen = np.array([there.present(number) for number in range(1, rounds + 1)])
    assert seen.any(axis=1).all()
    assert seen[:, : max(0, m - 3)].all()
    if rounds >= 3 and m >= 3:
        assert seen[:, m - 1].tolist() == sorted(seen[:, m - 1].tolist())  # comes late and stays
        assert not seen[0, m - 1]
        assert seen[:, m - 2].tolist() == sorted(seen[:, m - 2].tolist(), reverse=True)  # leaves for good
        assert not seen[-1, m - 2]
        assert seen[0, m - 3]
        assert seen[-1, m - 3]
        assert not seen[:, m - 3].all()  # and one is away in between


def test_arrivals_have_the_usual_schedule_unless_one_is_given():
    assert schedule_of(config(population="arrivals", rounds=6, clients=5)) == usual_schedule(5, 6)
    assert schedule_of(config()) == []
    given = config(population="arrivals").model_dump()
    given["population"]["schedule"] = [[0, 2, 0]]
    assert schedule_of(overridden(given, {})) == [[0, 2, 0]]


def test_the_list_tells_what_a_population_changes_in_a_task(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    assert cli("list", "populations", "--json", tmp_path / "list.json").status == 0
    rows = {
        row["id"]: row["changes in the task"] for row in json.loads((tmp_path / "list.json").read_text())["populations"]
    }
    for name, population in POPULATIONS.items():
        before, after = (load_task("digits-niid").model_dump() for _ in range(2))
        populate(after, name)
        changed = {line.partition(":")[0] for line in changes(dotted(before), dotted(after))} - {"population.name"}
        assert all(key in rows[name] for key in changed), name
        assert (rows[name] == "-") == (not population.settings)
    assert "market.gain × 100" in rows["inclusive"]
    screen = cli("run", "--help").out
    for words in ("split.beta", "market.lam", "market.eta", "market.gain (× 100)"):
        assert words in screen
