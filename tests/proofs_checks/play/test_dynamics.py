"""Small games by brute force: where best responses end, when they circle, and what regret matching comes to."""

from itertools import product

import numpy as np
import pytest

from mechanism import single_parameter
from mechanism.catalogue import direct_mechanism
from mechanism.direct import Space
from mechanism.errors import InvalidMechanismError
from proofs_checks.play.dynamics import best_report, best_responses, regret_matching
from proofs_checks.play.game import Play, even_levels, own_coordinate

LEVELS = np.array([[0.0, 0.25, 0.5, 0.75, 1.0]] * 3)


class Matrix:
    """A two-by-two game: reports 0 and 1 choose a row and a column, types play no part."""

    own = "choice"

    def __init__(self, first, second):
        self.space = Space(2, ("choice",), np.asarray(0.0), np.asarray(1.0))
        self.tables = np.asarray(first, float), np.asarray(second, float)

    def outcome(self, reports):
        return reports[..., 0].round().astype(int)

    def utility(self, types, outcome):
        return np.stack([table[outcome[:, 0], outcome[:, 1]] for table in self.tables], axis=1)

    def payments(self, outcome):
        return np.zeros(outcome.shape)


PENNIES = Matrix([[1, -1], [-1, 1]], [[-1, 1], [1, -1]])
CHICKEN = Matrix([[6, 2], [7, 0]], [[6, 7], [2, 0]])
CHOICES = np.array([[0.0, 1.0]] * 2)


def matrix_play(game):
    return Play(game, np.zeros((2, 1)), CHOICES)


def brute_equilibria(play, game=0):
    """All profiles of options of a game from which nobody gains by another option."""
    options = play.options[game]
    found = []
    for said in product(*options):
        said = np.array([said])
        now = play.utilities(said, np.array([game]))[0]
        best = [play.payoffs(said, i, options[i][None], np.array([game])).max() for i in range(play.agents)]
        if (np.array(best) <= now + 1e-9).all():
            found.append(tuple(said[0]))
    return found


def test_payoffs_are_those_of_asking_the_mechanism_one_report_at_a_time():
    mechanism = direct_mechanism("ipfl", 3)
    rng = np.random.default_rng(0)
    types = mechanism.space.low + (mechanism.space.high - mechanism.space.low) * rng.random((4, 3, 6))
    play = Play(mechanism, types)
    reports = rng.uniform(0, 3, (4, 3))
    found = play.payoffs(reports, 1, play.options[:, 1])
    for game, level in product(range(4), (0, 7, 20)):
        said = types[game].copy()
        said[:, 1] = reports[game]
        said[1, 1] = play.options[game, 1, level]
        alone = mechanism.utility(types[game][None], mechanism.outcome(said[None]))[0, 1]
        assert found[game, level] == pytest.approx(alone, abs=1e-12)


@pytest.mark.parametrize("name", ["first-price", "second-price", "all-pay", "proportional-share"])
def test_where_best_responses_settle_is_an_equilibrium_by_brute_force(name):
    mechanism = direct_mechanism(name, 3)
    types = np.random.default_rng(1).random((12, 3, 1))
    play = Play(mechanism, types, LEVELS)
    done = best_responses(play)
    for game in range(play.games):
        equilibria = brute_equilibria(play, game)
        if done.settled[game]:
            assert tuple(done.reports[game]) in equilibria
        else:
            assert done.cycle[game] > 1
    assert done.settled.any() == (name != "all-pay")  # which has no equilibrium without chance


def test_truthful_rules_stay_at_the_truth_at_once():
    types = np.random.default_rng(2).random((50, 3, 1))
    done = best_responses(Play(direct_mechanism("second-price", 3), types))
    assert done.settled.all()
    assert done.rounds == 1
    assert (done.reports == types[..., 0]).all()


def test_matching_pennies_go_in_a_circle_of_four_states():
    done = best_responses(matrix_play(PENNIES))
    assert not done.settled[0]
    # both answer within a round, so the state after a round changes twice before it comes back
    assert done.cycle[0] == 2
    assert len(done.reached.reports) == 2
    assert done.reached.weights.tolist() == [0.5, 0.5]
    assert {tuple(r) for r in done.reached.reports} <= set(product((0.0, 1.0), repeat=2))


def test_rounds_that_run_out_are_told():
    done = best_responses(matrix_play(PENNIES), rounds=1)
    assert (bool(done.settled[0]), int(done.cycle[0])) == (False, 0)


def test_equal_reports_fall_to_the_nearest_to_the_truth_then_to_the_first():
    payoffs = np.array([[1.0, 2.0, 2.0, 2.0 - 1e-12], [0.0, 3.0, 3.0, 1.0]])
    said = np.array([[0.5, 0.9, 0.2, 0.6], [0.5, 0.25, 0.75, 0.4]])
    pick, value = best_report(payoffs, said, np.array([0.5, 0.5]))
    assert pick.tolist() == [3, 1]
    assert value == pytest.approx([2.0, 3.0])


def test_a_game_that_settles_weighs_one_state_beside_one_that_circles():
    class Both(Matrix):
        """Pennies if the first agent's type is 0, chicken if it is 1."""

        def utility(self, types, outcome):
            second = CHICKEN.utility(types, outcome)
            return np.where(types[:, :1, 0] > 0.5, second, PENNIES.utility(types, outcome))

    play = Play(Both(*PENNIES.tables), np.array([[[0.0], [0.0]], [[1.0], [0.0]]]), CHOICES)
    done = best_responses(play)
    assert done.settled.tolist() == [False, True]
    states = play.utilities(done.reached.reports, done.reached.games)
    mean = done.reached.mean(states, 2)
    assert mean[0].sum() == pytest.approx(0.0)
    assert sorted(mean[1]) == [2.0, 7.0]


def test_regret_matching_in_chicken_comes_to_a_correlated_equilibrium():
    play = matrix_play(CHICKEN)
    done = regret_matching(play, periods=4000, seed=3)
    share = np.zeros((2, 2))
    for (a, b), weight in zip(done.reached.reports.astype(int), done.reached.weights, strict=True):
        share[a, b] += weight
    assert share.sum() == pytest.approx(1.0)
    first, second = CHICKEN.tables
    for a in (0, 1):  # told to play a, the other choice must not be better: the definition
        assert (share[a] * (first[1 - a] - first[a])).sum() <= 0.03
        assert (share[:, a] * (second[:, 1 - a] - second[:, a])).sum() <= 0.03
    assert done.external.max() <= 0.05
    told = max((share[a] * (first[1 - a] - first[a])).sum() for a in (0, 1))
    assert done.conditional[0, 0] == pytest.approx(max(0.0, told), abs=1e-9)


def test_regret_matching_in_matching_pennies_plays_each_side_half_the_time():
    done = regret_matching(matrix_play(PENNIES), periods=4000, seed=0)
    mean = done.reached.mean(done.reached.reports, 1)
    assert mean[0] == pytest.approx([0.5, 0.5], abs=0.06)
    assert done.external.max() <= 0.06


def test_regret_matching_is_repeated_by_its_seed_and_by_the_slow_way(monkeypatch):
    types = np.random.default_rng(4).random((2, 3, 1))
    play = Play(direct_mechanism("first-price", 3), types, LEVELS)
    first = regret_matching(play, periods=60, seed=1)
    monkeypatch.setattr("proofs_checks.play.dynamics._TABLE", 0)
    second = regret_matching(play, periods=60, seed=1)
    assert np.array_equal(first.reached.reports, second.reached.reports)
    assert np.array_equal(first.reached.weights, second.reached.weights)
    assert np.array_equal(first.external, second.external)
    other = regret_matching(play, periods=60, seed=2)
    assert not np.array_equal(first.reached.weights, other.reached.weights)


def test_external_regret_is_what_the_best_single_report_would_have_given():
    play = Play(direct_mechanism("first-price", 3), np.array([[0.3], [0.9], [0.6]]), LEVELS)
    done = regret_matching(play, periods=200, seed=0)
    reached = done.reached
    got = reached.mean(play.utilities(reached.reports, reached.games), 1)[0]
    for agent in range(3):
        options = np.repeat(play.options[:, agent], len(reached.reports), axis=0)
        would = reached.mean(play.payoffs(reached.reports, agent, options, reached.games), 1)[0]
        assert done.external[0, agent] == pytest.approx(max(0.0, would.max() - got[agent]), abs=1e-9)


def test_levels_are_whole_where_only_whole_numbers_are_taken_and_within_bounds():
    space = Space(2, ("rank",), np.asarray(0.0), np.asarray(4.0), integer=np.asarray(True))
    levels = even_levels(space, 0, 9)
    assert (levels == np.rint(levels)).all()
    assert (levels.min(), levels.max()) == (0.0, 4.0)


def test_what_cannot_be_played_is_refused():
    @single_parameter(agents=2)
    def rule(bids):
        return bids * 0, bids * 0

    with pytest.raises(InvalidMechanismError, match=r"expected \[games, 2, 1\]"):
        Play(rule, np.zeros((3, 1)))
    with pytest.raises(InvalidMechanismError, match="pen_0 is public"):
        own_coordinate(direct_mechanism("ipfl"), "pen_0")
    assert own_coordinate(direct_mechanism("ipfl")) == 1
    assert own_coordinate(direct_mechanism("ipfl"), "gain") == 2
