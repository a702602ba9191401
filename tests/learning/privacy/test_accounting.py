"""ε is dp-accounting's and Opacus's, exact before a round, the same after a resume; the noise spends the target."""

import json
import logging
import math
import warnings

import pytest

from learning.errors import LearningError
from learning.privacy import LARGEST_EPSILON, accounting, noise
from learning.privacy.accounting import Ledger, composed, default_delta, epsilon, interval, sampling_rate
from learning.privacy.noise import noises_for

SETTINGS = [(0.1, 1.1, 20, 1e-5), (64 / 6000, 2.0, 500, 1e-5), (1.0, 8.0, 30, 1e-6)]


@pytest.mark.parametrize(("rate", "noise", "steps", "delta"), SETTINGS)
def test_epsilon_is_what_dp_accountings_own_accountant_says(rate, noise, steps, delta):
    import dp_accounting
    from dp_accounting.pld import PLDAccountant

    step = dp_accounting.GaussianDpEvent(noise)
    accountant = PLDAccountant()
    accountant.compose(dp_accounting.PoissonSampledDpEvent(rate, step) if rate < 1 else step, steps)
    ledger = Ledger(noise, delta, rate)
    ledger.record(steps)
    theirs = accountant.get_epsilon(delta)  # on a grid of 1e-4; steps that are not sampled in closed form
    assert theirs - 1e-9 <= ledger.epsilon() <= theirs + 3e-4


@pytest.mark.parametrize(("rate", "noise", "steps", "delta"), SETTINGS)
def test_epsilon_is_what_opacus_prv_accountant_bounds(rate, noise, steps, delta):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from opacus.accountants import PRVAccountant, RDPAccountant

        accountants = PRVAccountant(), RDPAccountant()
        for accountant in accountants:
            accountant.history = [(noise, rate, steps)]
        upper = accountants[0].get_epsilon(delta, eps_error=5e-4, delta_error=delta * 1e-5)
        rough = accountants[1].get_epsilon(delta)
    found = epsilon(((rate, noise, steps),), delta)
    assert found == pytest.approx(upper, abs=1e-3)
    assert found <= rough  # Rényi's is an upper bound too, and a wider one


def test_epsilon_of_the_gaussian_mechanism_is_the_closed_form():
    """Balle and Wang (ICML 2018): δ(ε) = Φ(1/2σ − εσ) − e^ε Φ(−1/2σ − εσ), where T steps are one of σ/√T."""
    noise, steps = 4.0, 9
    found, sigma = epsilon(((1.0, noise, steps),), 1e-5), noise / math.sqrt(steps)

    def phi(z):
        return 0.5 * math.erfc(-z / math.sqrt(2.0))

    delta = phi(0.5 / sigma - found * sigma) - math.exp(found) * phi(-0.5 / sigma - found * sigma)
    assert delta == pytest.approx(1e-5, rel=1e-3)


def test_a_client_pays_for_its_own_rate_and_for_every_stream():
    ledgers = [Ledger(1.5, 1e-5, rate) for rate in (0.05, 0.2, 0.2)]
    for ledger in ledgers[:2]:
        ledger.record(10)
    assert 0.0 == ledgers[2].epsilon() < ledgers[0].epsilon() < ledgers[1].epsilon()
    ledgers[0].record(10)  # the second stream of Ditto
    assert ledgers[0].epsilon() == epsilon(((0.05, 1.5, 20),), 1e-5)


@pytest.mark.parametrize("rate", [0.05, 0.1])
def test_would_exceed_is_exact_at_the_boundary(rate):
    ledger = Ledger(1.0, 1e-5, rate)
    budget = ledger.epsilon(37)
    for _ in range(7):
        assert not ledger.would_exceed(5, budget)
        ledger.record(5)
    assert not ledger.would_exceed(2, budget)
    assert ledger.would_exceed(3, budget)
    assert not ledger.would_exceed(3, math.nextafter(ledger.epsilon(3), math.inf))
    assert not ledger.would_exceed(0, budget)


def test_would_exceed_is_epsilon_against_the_budget_whatever_was_asked_before():
    ledger = Ledger(1.0, 1e-5, 0.1)
    ledger.restore([{"rate": 0.3, "noise": 2.0, "steps": 4}])
    for steps in (50, 1, 30, 7, 12, 0, 11, 13, 200, 12):
        assert ledger.would_exceed(steps, 3.0) == (ledger.epsilon(steps) > 3.0)


def test_asking_every_round_composes_few_times(monkeypatch):
    asked = []
    monkeypatch.setattr(accounting, "epsilon", lambda rows, delta: asked.append(rows) or 1e-3 * rows[0][2])
    ledger, rounds = Ledger(1.0, 1e-5, 0.1), 0
    while not ledger.would_exceed(20, 7.0):
        ledger.record(20)
        rounds += 1
    assert rounds == 350
    assert len(asked) < 30


def test_a_ledger_written_as_json_and_read_again_is_the_same_to_the_bit():
    ledger, again = Ledger(1.1, 1e-5, 64 / 601), Ledger(1.1, 1e-5, 64 / 601)
    ledger.restore([{"rate": 0.25, "noise": 3.0, "steps": 5}])
    ledger.record(20)
    again.restore(json.loads(json.dumps(ledger.rows())))
    assert again.rows() == ledger.rows()
    composed.cache_clear()
    assert again.epsilon() == ledger.epsilon() > Ledger(1.1, 1e-5, 64 / 601).epsilon(20)


@pytest.mark.parametrize(
    "row",
    [
        {}, {"client": 0, "rate": 0.1, "noise": 1.0, "steps": 1}, {"rate": 1.5, "noise": 1.0, "steps": 1},
        {"rate": 0.1, "noise": 0.0, "steps": 1}, {"rate": 0.1, "noise": math.nan, "steps": 1},
        {"rate": "0.1", "noise": 1.0, "steps": 1}, {"rate": 0.1, "noise": 1.0, "steps": -1},
        {"rate": 0.1, "noise": 1.0, "steps": 1.5}, {"rate": 0.1, "noise": 1.0, "steps": 10**30}, [1, 2],
    ],
)  # fmt: skip
def test_a_damaged_row_is_refused_and_changes_nothing(row):
    ledger = Ledger(1.0, 1e-5, 0.1)
    ledger.record(3)
    with pytest.raises(LearningError, match="expected"):
        ledger.restore([row])
    assert ledger.rows() == [{"rate": 0.1, "noise": 1.0, "steps": 3}]


def test_wrong_questions_are_refused():
    ledger = Ledger(1.0, 1e-5, 0.1)
    for ask in (
        lambda: ledger.record(-1), lambda: ledger.would_exceed(1, -1.0), lambda: ledger.would_exceed(1, math.nan),
        lambda: Ledger(0.0, 1e-5, 0.1), lambda: Ledger(1.0, 0.0, 0.1), lambda: Ledger(1.0, 1e-5, 0.0),
        lambda: sampling_rate(0, 5),
    ):  # fmt: skip
        with pytest.raises(LearningError, match="expected"):
            ask()


def test_losses_in_thousands_are_composed_on_a_coarser_grid_and_still_bounded_from_above():
    found = epsilon(((1.0, 0.02, 20),), 1e-5)
    mean = 20 / (2 * 0.02**2)
    assert mean < found < mean + 6 * math.sqrt(2 * mean)


@pytest.mark.parametrize("noise", [1e-3, 1e-200, 5e-324])
@pytest.mark.parametrize("rate", [0.25, 1.0])
def test_noise_that_protects_nothing_has_no_finite_epsilon(rate, noise):
    assert epsilon(((rate, noise, 10),), 1e-5) == math.inf


@pytest.mark.parametrize(
    ("rate", "noise", "steps"), [(0.25, 0.85, 10), (64 / 6000, 0.8, 800), (0.02, 1.73, 400), (0.1, 37.0, 40)]
)
def test_the_grid_adds_a_few_ten_thousandths_to_a_usual_epsilon(rate, noise, steps):
    row = ((rate, noise, steps),)
    exact, found = composed(row, 1e-5, min(1e-4, 0.5 * interval(row))), epsilon(row, 1e-5)
    assert exact <= found + 1e-9
    assert found <= exact + 3e-4 * min(1.0, 2.0 * exact)


def test_what_was_foreseen_is_not_composed_again(monkeypatch):
    ledger = Ledger(1.0, 1e-5, 0.1)
    budget = ledger.epsilon(100)
    assert ledger.foresee(100, budget)
    assert not ledger.foresee(101, budget)
    monkeypatch.setattr(accounting, "epsilon", lambda rows, delta: pytest.fail("composed again"))
    for _ in range(10):
        assert not ledger.would_exceed(10, budget)
        ledger.record(10)
    assert ledger.would_exceed(1, budget)
    assert not Ledger(1.0, 1e-5, 0.1).rows()


def test_sampling_rates_and_default_delta():
    assert sampling_rate(64, 256) == 0.25
    assert sampling_rate(64, 10) == 1.0
    assert default_delta([100, 200]) == 1e-5
    assert default_delta([100, 60_000]) == pytest.approx(1 / 600_000)


@pytest.mark.parametrize(
    ("target", "rate", "steps"),
    [(1.0, 0.02, 200), (4.0, 0.05, 20), (3.0, 1.0, 10), (0.05, 0.1, 40), (30.0, 0.25, 10), (LARGEST_EPSILON, 0.25, 10)],
)
def test_noise_for_spends_the_target_and_a_little_less_would_not(target, rate, steps):
    found = noises_for(target, 1e-5, [rate], steps)[rate]
    assert epsilon(((rate, found, steps),), 1e-5) <= target < epsilon(((rate, found * 0.998, steps),), 1e-5)


def test_the_noise_of_many_is_that_of_each_and_rises_with_the_rate(monkeypatch):
    looks = []
    real = noise.composed
    monkeypatch.setattr(noise, "composed", lambda rows, delta, grid: looks.append(rows) or real(rows, delta, grid))
    rates = [16 / n for n in (150, 160, 180, 190, 205, 230)]
    found = noises_for(5.0, 1e-5, rates, 12)
    assert len(looks) <= 4 * len(rates)  # each starts where the two before it point
    assert found == noises_for(5.0, 1e-5, rates[::-1], 12)
    assert set(found) == set(rates)
    ordered = [found[rate] for rate in sorted(rates)]
    assert ordered == sorted(ordered)
    for rate in rates:
        assert found[rate] == pytest.approx(noises_for(5.0, 1e-5, [rate], 12)[rate], rel=2e-3)
        assert epsilon(((rate, found[rate], 12),), 1e-5) <= 5.0


def test_where_hardly_any_noise_is_needed_it_is_the_least_there_is():
    assert noises_for(LARGEST_EPSILON, 0.5, [1e-4], 1)[1e-4] == pytest.approx(math.exp(-3.0))


@pytest.mark.parametrize("target", [0.0, -1.0, math.nan, math.inf, 1e300, 1.01 * LARGEST_EPSILON])
def test_a_target_that_promises_nothing_is_refused(target):
    with pytest.raises(LearningError, match="expected an epsilon above 0 and at most 500"):
        noises_for(target, 1e-5, [0.1], 5)[0.1]


def test_a_target_out_of_reach_is_told():
    with pytest.raises(LearningError, match="take fewer steps"):
        noises_for(1e-9, 1e-5, [1.0], 1000)[1.0]


def test_who_listens_hears_how_far_it_is(caplog):
    with caplog.at_level(logging.INFO, logger="learning"):
        noises_for(2.0, 1e-5, [0.1, 0.11], 3)
    assert [record.getMessage() for record in caplog.records] == [
        "choosing the noise, 1 of 2",
        "choosing the noise, 2 of 2",
    ]
