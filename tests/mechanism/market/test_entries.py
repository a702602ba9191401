"""Every truth of the catalogue against a search: what is said to hold is not broken, what is said to fail breaks.

Random markets of the default domain, with and without penalties; random lies, and for costs the break points as well.
"""

import itertools

import numpy as np
import pytest

from mechanism.market.allocation.breakpoints import cost_breakpoints
from mechanism.market.mechanisms import MARKET_ENTRIES
from tests.mechanism.market import draws

IDS = sorted(MARKET_ENTRIES)
SLACK = 1e-8
ROWS = 4000


def holds(name, prop):
    """True, False, or None where the catalogue is silent."""
    truth = MARKET_ENTRIES[name].truths.get(prop)
    return None if truth is None else truth.startswith("yes")


def agrees(name, prop, worst):
    """Assert that the worst violation found says what the catalogue says."""
    known = holds(name, prop)
    assert known is None or known == (worst <= SLACK), (name, prop, worst)


def cases(name, seed, count=ROWS):
    for penalties in (True, False):
        direct = draws.direct(name, 4)
        rows = draws.profiles(seed, direct, count, penalties=penalties)
        yield direct, rows, direct.outcome(rows)


def lies(direct, rows, agent, coordinate, rng, count=6):
    """Profiles in which one agent says something else: near the truth, and anywhere within the bounds."""
    c = direct.space.index(coordinate)
    low, high = direct.space.low[agent, c], direct.space.high[agent, c]
    for turn in range(count):
        said = rows.copy()
        near = np.clip(rows[:, agent, c] * rng.uniform(0.8, 1.25, len(rows)), low, high)
        said[:, agent, c] = near if turn % 2 else rng.uniform(low, high, len(rows))
        yield said


def test_every_mechanism_has_an_entry_that_speaks_of_nearly_everything():
    assert len(IDS) == 11
    for name in IDS:
        assert len(MARKET_ENTRIES[name].truths) >= 22
        assert {t.split()[0] for t in MARKET_ENTRIES[name].truths.values()} <= {"yes", "no"}
        assert MARKET_ENTRIES[name].build(4).mechanism.id == name


@pytest.mark.parametrize("name", IDS)
def test_rationality_balance_and_efficiency_at_truth(name):
    lowest = {"ir": 0.0, "ir-buyer": 0.0, "ir-seller": 0.0}
    budget, deficit, short = 0.0, 0.0, 0.0
    for direct, rows, outcome in cases(name, 31):
        parts = direct.parts(rows, outcome) | {"": direct.utility(rows, outcome)}
        for role, part in parts.items():
            prop = f"ir-{role}".rstrip("-")
            lowest[prop] = min(lowest[prop], part.min())
        total = outcome.payments.sum(axis=(1, 2)) + direct.payments(outcome).sum(axis=1)
        budget, deficit = max(budget, np.abs(total).max()), max(deficit, -total.min())
        short = max(short, (direct.optimal_welfare(rows) - direct.welfare(rows, outcome)).max())
    for prop, low in lowest.items():
        agrees(name, prop, -low)
    agrees(name, "budget-balance", budget)
    agrees(name, "weak-budget-balance", deficit)
    agrees(name, "efficiency", short)


@pytest.mark.parametrize("coordinate", ["cost", "gain", "size"])
@pytest.mark.parametrize("name", IDS)
def test_truthfulness_with_others_truthful(name, coordinate):
    """And for rules with private values, with it against all reports."""
    rng = np.random.default_rng(32)
    best = 0.0
    for direct, rows, outcome in cases(name, 33):
        truth = direct.utility(rows, outcome)
        for agent in range(2):
            for said in lies(direct, rows, agent, coordinate, rng):
                best = max(best, (direct.utility(rows, direct.outcome(said)) - truth)[:, agent].max())
    agrees(name, f"expost-{coordinate}", best)
    if not name.startswith("realised"):
        agrees(name, f"dsic-{coordinate}", best)


@pytest.mark.parametrize("name", ["ipfl", "ipfl-exact", "exact-marginal", "vcg-two-sided", "realised-bilateral"])
def test_truthfulness_in_costs_at_every_break_point(name):
    best = 0.0
    for direct, rows, outcome in cases(name, 34, 300):
        truth = direct.utility(rows, outcome)
        types, market = direct.types(rows), direct.market(rows)
        points = cost_breakpoints(direct.mechanism.allocation, types.truthful(), market)[:, 1]
        for report in itertools.chain.from_iterable((p * (1 - 1e-7), p * (1 + 1e-7)) for p in points.T):
            said = rows.copy()
            said[:, 1, 1] = report
            best = max(best, (direct.utility(rows, direct.outcome(said)) - truth)[:, 1].max())
    agrees(name, "dsic-cost" if name != "realised-bilateral" else "expost-cost", best)


@pytest.mark.parametrize("name", IDS)
def test_monotone_in_cost(name):
    """A dearer seller sells no more; a monotone rule of one number is cyclically monotone."""
    rise = 0.0
    rng = np.random.default_rng(35)
    for direct, rows, outcome in cases(name, 36):
        sold = direct.allocation(outcome)[:, 1]
        for _ in range(6):
            dearer = rows.copy()
            dearer[:, 1, 1] += rng.uniform(0, 1, len(rows))
            rise = max(rise, (direct.allocation(direct.outcome(dearer))[:, 1] - sold).max())
    agrees(name, "monotonicity", rise)
    agrees(name, "cyclic-monotonicity", rise)


@pytest.mark.parametrize("name", IDS)
def test_bossiness(name):
    rng = np.random.default_rng(37)
    worst = 0.0
    for direct, rows, outcome in cases(name, 38):
        before = direct.consequences(outcome)
        for coordinate in ("cost", "gain", "size"):
            for said in lies(direct, rows, 1, coordinate, rng, 4):
                moved = np.abs(direct.consequences(direct.outcome(said)) - before).max(axis=-1)
                others = np.delete(moved, 1, axis=1).max(axis=1)
                worst = max(worst, others[moved[:, 1] <= 1e-12].max(initial=0.0))
    if holds(name, "non-bossiness") is None:  # silent, but nothing was found
        assert worst <= SLACK
    agrees(name, "non-bossiness", worst)


@pytest.mark.parametrize("name", IDS)
def test_groups_of_two(name):
    """None of the two loses and one gains."""
    rng = np.random.default_rng(39)
    best = 0.0
    for direct, rows, outcome in cases(name, 40):
        truth = direct.utility(rows, outcome)[:, :2]
        for _ in range(25):
            said = rows.copy()
            factor = np.where(rng.random((ROWS, 2, 2)) < 0.5, 1.0, rng.uniform(0.5, 1.5, (ROWS, 2, 2)))
            said[:, :2, 1:3] *= factor
            change = direct.utility(rows, direct.outcome(said))[:, :2] - truth
            best = max(best, change.max(axis=1)[change.min(axis=1) >= -1e-10].max(initial=0.0))
    agrees(name, "group-dsic", best)


@pytest.mark.parametrize("name", IDS)
def test_false_identities(name):
    """Split with the cost paid twice, merged with the sum of the costs; the seller's part."""
    split = merged = 0.0
    for direct, rows, outcome in cases(name, 41):
        before = direct.parts(rows, outcome)["seller"]
        more, fewer = direct.resized(5), direct.resized(3)
        for share in (0.5, 0.3):
            halves = direct.split(rows, 1, share)
            after = more.parts(halves, more.outcome(halves))["seller"]
            split = max(split, (after[:, 1] + after[:, 4] - before[:, 1]).max())
        whole = direct.merge(rows, 1, 2)
        after = fewer.parts(whole, fewer.outcome(whole))["seller"]
        merged = max(merged, (after[:, 1] - before[:, 1] - before[:, 2]).max())
    agrees(name, "split-proof", split)
    agrees(name, "merge-proof", merged)


@pytest.mark.parametrize("name", IDS)
def test_core(name):
    blocked = 0.0
    for direct, rows, outcome in cases(name, 42, 2000):
        payoffs = direct.payoffs(rows, outcome)
        found = 0.0
        for size in (1, 2, 3, 4):
            for members in itertools.combinations(range(4), size):
                better = direct.coalition_value(rows, members) - payoffs[:, list(members)].sum(axis=1)
                found = max(found, better.max())
        blocked = max(blocked, found)
        if not rows[..., 3:].any() and name in ("vcg-two-sided", "realised"):
            assert found <= SLACK  # without penalties nobody blocks: the centre pays the difference
    agrees(name, "core", blocked)


@pytest.mark.parametrize("name", IDS)
def test_in_expectation(name):
    """At chosen types, the others uniform on the bounds: a violation is one beyond five standard errors."""
    direct = draws.direct(name, 4)
    rows = draws.profiles(43, direct, 20_000)
    better, worse = -np.inf, -np.inf
    for truth, report in (
        ((300, 0.2, 0), (900, 0.2, 0)), ((300, 0.2, 0), (300, 0.1, 0)), ((300, 0.2, 0), (300, 0.5, 0)),
        ((300, 1.0, 0), (300, 0.8, 0)), ((300, 1.0, 15_000), (300, 1.0, 7000)),
        ((300, 1.0, 5000), (300, 1.0, 20_000)),
    ):  # fmt: skip
        rows[:, 1, :3] = truth
        said = rows.copy()
        said[:, 1, :3] = report
        honest = direct.utility(rows, direct.outcome(rows))[:, 1]
        change = direct.utility(rows, direct.outcome(said))[:, 1] - honest
        better = max(better, change.mean() - 5 * change.std() / np.sqrt(len(rows)))
        worse = max(worse, -honest.mean() - 5 * honest.std() / np.sqrt(len(rows)))
    agrees(name, "bic", better)
    agrees(name, "interim-ir", worse)


@pytest.mark.parametrize("name", ["posted-price", "vcg-two-sided", "pooled-price", "ipfl-exact"])
def test_truthful_in_cost_in_expectation_and_the_reference_rule_is_not(name):
    """Costs from {1.0, 1.1}: the example of theory.md; sellers of 300, a buyer of 100 with K = 3600."""

    def expected(rule, cost, report):
        direct = draws.direct(rule, 3)
        total = 0.0
        for other in (1.0, 1.1):
            rows = draws.one([100, 300, 300], [0, cost, other], [3600, 0, 0])
            said = rows.copy()
            said[0, 1, 1] = report
            total += direct.utility(rows, direct.outcome(said))[0, 1] / 2
        return total

    for cost, report in ((1.0, 1.1), (1.1, 1.0)):
        assert expected(name, cost, report) <= expected(name, cost, cost) + 1e-12
    assert expected("ipfl", 1.1, 1.0) > expected("ipfl", 1.1, 1.1) + 0.9
