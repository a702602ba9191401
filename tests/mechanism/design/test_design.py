"""Designed mechanisms against Myerson, Myerson and Satterthwaite, and brute force."""

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mechanism import SolverError
from mechanism.design import Designed, Impossible, check_design, design, parse_spec
from mechanism.design.programme import build
from mechanism.design.solve import maximise
from mechanism.direct import DirectMechanism
from tests.checks import fresh
from tests.mechanism.design.specs import auction, spec_text, trade


def virtual_revenue(bidders, values, prior):
    """E[max(0, highest virtual value)], Myerson's optimum for a regular prior on a grid."""
    tail = [sum(prior[k + 1 :]) for k in range(len(values))]
    up = [*values[1:], values[-1]]
    virtual = [v - (u - v) * t / p for v, u, t, p in zip(values, up, tail, prior, strict=True)]
    assert virtual == sorted(virtual)
    total = Fraction(0)
    for draw in itertools.product(range(len(values)), repeat=bidders):
        chance = np.prod([prior[k] for k in draw])
        total += chance * max(0, *(virtual[k] for k in draw))
    return total


@pytest.mark.parametrize(("incentive", "rationality"), [("bic", "interim"), ("dsic", "ex-post")])
@pytest.mark.parametrize(
    ("bidders", "values", "prior"),
    [
        (1, (1, 2, 3, 4), None), (2, (1, 2, 3, 4), None), (3, (1, 2, 3), None), (2, (2, 4, 5), None),
        (2, (1, 2, 3), (Fraction(1, 5), Fraction(1, 5), Fraction(3, 5))),
    ],
)  # fmt: skip
def test_revenue_is_myersons(bidders, values, prior, incentive, rationality):
    """Myerson 1981; with independent private values dominant strategies cost nothing."""
    best = design(parse_spec(auction(bidders, values, prior, incentive=incentive, rationality=rationality)))
    uniform = (Fraction(1, len(values)),) * len(values)
    assert best.value == virtual_revenue(bidders, values, prior or uniform)
    assert best.exact
    assert check_design(best) == []


def test_one_buyer_faces_the_best_posted_price_even_if_irregular():
    """Riley and Zeckhauser 1983: no lottery beats a price, whatever the prior."""
    values, prior = (1, 4, 5, 9), (Fraction(4, 10), Fraction(1, 10), Fraction(3, 10), Fraction(2, 10))
    best = design(parse_spec(auction(1, values, prior)))
    assert best.value == max(v * sum(prior[k:]) for k, v in enumerate(values))


def test_the_four_by_four_auction_by_hand():
    """Values 1..4, uniform: virtual values -2, 0, 2, 4; E[max+] = 4·7/16 + 2·5/16."""
    assert design(parse_spec(auction(2, (1, 2, 3, 4)))).value == Fraction(19, 8)


@pytest.mark.parametrize(
    ("values", "costs", "words", "welfare"),
    [
        # first best 7/4; virtual budget: 5 - 3 q(1,0) - 3 q(5,4) >= 0 leaves 5/3 of the two smaller trades
        ((1, 5), (0, 4), {}, Fraction(5, 3)),
        ((1, 3), (0, 2), {"rationality": "ex-post", "budget": "exact", "budget_when": "ex-post"}, Fraction(5, 4)),
        ((1, 3), (0, 2), {"incentive": "dsic", "rationality": "ex-post", "budget": "exact", "budget_when": "ex-post"},
         Fraction(9, 8)),
        ((1, 5), (0, 4), {"rationality": "none"}, Fraction(7, 4)),  # expected externality: truth and balance
        ((1, 5), (0, 4), {"budget": "none"}, Fraction(7, 4)),  # Clarke: truth and rationality, a deficit
    ],
)  # fmt: skip
def test_second_best_trade(values, costs, words, welfare):
    """Myerson and Satterthwaite 1983: the first best (7/4, 5/4) is reached exactly where theory allows it."""
    best = design(parse_spec(trade(values, costs, **words)))
    assert best.value == welfare
    assert best.exact


def test_what_must_be_traded_at_a_loss_is_impossible():
    answer = design(parse_spec(trade((1, 5), (0, 4), ("trade",), rationality="ex-post", budget_when="ex-post")))
    assert isinstance(answer, Impossible)
    assert check_design(answer) == []
    (sentence,) = answer.sentences()
    assert "contradict" in sentence
    assert "individual rationality of seller" in sentence
    assert "no deficit" in sentence
    for name in answer.multipliers:
        rest = {key: y for key, y in answer.multipliers.items() if key != name}
        assert check_design(replace(answer, multipliers=rest))


def test_a_changed_answer_is_not_confirmed():
    best = design(parse_spec(auction(2, (1, 2))))
    assert check_design(replace(best, value=best.value + Fraction(1, 100)))
    for name, value in best.point.items():
        assert check_design(replace(best, point={**best.point, name: value + Fraction(1, 7)}))
    for name in best.multipliers:
        assert check_design(replace(best, multipliers={k: y for k, y in best.multipliers.items() if k != name}))


def test_a_price_is_what_relaxing_its_demand_brings():
    """The economic statement, tested: a demand relaxed by a small ε moves the optimum by ε times its price."""
    programme = build(parse_spec(auction(2, (2, 3, 7), incentive="dsic", rationality="ex-post")))
    best = maximise(programme.system, programme.objective)
    step = Fraction(1, 1000)
    for k, row in enumerate(programme.system):
        if programme.demands[k].kind in ("rationality", "incentive") and k % 3 == 0:
            relaxed = (*programme.system[:k], replace(row, bound=row.bound - step), *programme.system[k + 1 :])
            rise = maximise(relaxed, programme.objective).value - best.value
            # concave in the bound: the price bounds the rise, and is it where the optimum is not at a kink
            assert 0 <= rise <= step * best.multipliers.get(row.name, Fraction(0)) + Fraction(1, 10**12)


def test_words_of_a_price():
    best = design(parse_spec(auction(1, (1, 3))))
    assert best.sentences()[0] == "the best expected revenue is 3/2 (1.5), proved optimal in fractions"
    assert any(
        "relaxing individual rationality of bidder 0 at its type v" in s and "would raise the expected revenue by" in s
        for s in best.sentences()
    )


def test_the_mechanism_keeps_its_promises_when_it_is_played():
    best = design(parse_spec(auction(2, (1, 2, 3), incentive="dsic", rationality="ex-post")))
    mechanism = best.mechanism()
    assert isinstance(mechanism, DirectMechanism)
    grid = np.array(list(itertools.product(range(3), repeat=2)), dtype=float)[..., None]
    truth = mechanism.utility(grid, mechanism.outcome(grid))
    assert truth.min() >= -1e-12
    for i, report in itertools.product(range(2), range(3)):
        said = grid.copy()
        said[:, i] = report
        assert (mechanism.utility(grid, mechanism.outcome(said))[:, i] <= truth[:, i] + 1e-12).all()
    outcome = mechanism.outcome(grid)
    assert mechanism.payments(outcome).sum(axis=1).mean() == pytest.approx(float(best.value))
    assert (mechanism.welfare(grid, outcome) <= mechanism.optimal_welfare(grid) + 1e-12).all()
    assert np.allclose(outcome.chances.sum(axis=1), 1.0)
    assert mechanism.consequences(outcome).shape == (9, 2, 4)


def test_bayesian_truth_is_an_average():
    best = design(parse_spec(trade((1, 5), (0, 4))))
    mechanism, half = best.mechanism(), np.full(2, 0.5)
    for t, report in itertools.product(range(2), repeat=2):
        rows = np.array([[[t], [c]] for c in range(2)], dtype=float)
        said = rows.copy()
        said[:, 0] = report
        honest = mechanism.utility(rows, mechanism.outcome(rows))[:, 0] @ half
        assert mechanism.utility(rows, mechanism.outcome(said))[:, 0] @ half <= honest + 1e-12
        assert honest >= -1e-12


def test_linear_objectives_include_revenue_and_welfare():
    linear = "\n[linear]\n{}"
    for objective, weights in (("revenue", "payments = [1, 1]"), ("welfare", "payments = [1, 1]\nutilities = [1, 1]")):
        named = design(parse_spec(auction(2, (1, 2, 3), objective=objective)))
        spelled = design(parse_spec(auction(2, (1, 2, 3), objective="linear") + linear.format(weights)))
        assert named.value == spelled.value
    kept = design(parse_spec(auction(2, (1, 2), objective="linear") + linear.format("outcomes = [5, 0, 0]")))
    assert kept.value == 5
    assert kept.tables()[0][..., 0].min() == 1.0


def test_numbers_that_rounding_does_not_find_are_solved_exactly():
    values = (Fraction(123, 1009), Fraction(457, 1013), Fraction(811, 1019))
    best = design(parse_spec(auction(2, values, (Fraction(5, 23), Fraction(7, 23), Fraction(11, 23)))))
    assert best.exact
    assert max(y.denominator for y in best.multipliers.values()) > 10**6


def test_revenue_without_rationality_has_no_bound():
    with pytest.raises(SolverError, match="no upper bound"):
        design(parse_spec(auction(1, (1, 2), rationality="none")))


def test_a_single_type_and_outcome_is_a_mechanism_too():
    best = design(parse_spec(spec_text(["sold"], {"a": {"x": [2]}})))
    assert isinstance(best, Designed)
    assert best.value == 2
    assert best.mechanism().space.high.tolist() == [[0.0]]


def test_the_solver_prints_nothing():
    code = "from mechanism.design import *\nfrom tests.mechanism.design.specs import auction\n"
    assert fresh(code + "design(parse_spec(auction(1, (1, 2))))") == ""
