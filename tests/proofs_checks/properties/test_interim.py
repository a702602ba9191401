"""Small expected gains: found beside the walls of a lie that pays, and nobody who is truthful on average accused."""

import json

import numpy as np
import pytest

from mechanism.catalogue import direct_mechanism
from mechanism.direct import SingleParameter, Space
from proofs_checks.evidence.verdict import Grade
from proofs_checks.evidence.verify import verify
from proofs_checks.evidence.witness import Witness, replay
from proofs_checks.properties import interim
from proofs_checks.properties.interim import interim_lie
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.cases import deviating
from tests.proofs_checks.rules import pay_second, winner

BIC = PROPERTY["bic"]
SIDE = 1e-5 ** (1 / 3)
PLACES = [((0.30, 0.55, 0.70), 0), ((0.62, 0.11, 0.35), 1), ((0.05, 0.48, 0.90), 2)]


def surcharged(corner, agent, rebate=None):
    """Second price, but in a cube of share 1e-5 an agent pays .1 more; ``rebate``: and less in another cube."""

    def inside(bids, at):
        return ((bids > at) & (bids < np.add(at, SIDE))).all(axis=1)

    def rule(bids):
        wins, pays = pay_second(bids)
        more = 0.1 * inside(bids, corner)
        if rebate is not None:
            more = more - 0.1 * inside(bids, rebate)
        return wins, pays + more[:, None] * (np.arange(3) == agent)

    return SingleParameter(rule, 3, name="surcharged")


def hint(rule, corner, agent):
    """A lie that pays: from the middle of the cube to above it."""
    types = (np.array(corner) + 0.5 * SIDE)[None, :, None]
    case = deviating(types, np.array([agent]), 0, types[0, agent] + SIDE)
    assert PROPERTY["dsic"].violation(rule, case).max() == pytest.approx(0.1)
    return case


@pytest.mark.parametrize(("corner", "agent"), PLACES[1:])
def test_a_cube_of_share_one_in_a_hundred_thousand_is_an_expected_gain(corner, agent):
    rule = surcharged(corner, agent)
    case, pairs = interim_lie(rule, BIC, hint(rule, corner, agent), 0)
    assert case is not None
    assert 1 < pairs <= 1 + 6 * interim._WALLS
    witness = Witness.from_dict(json.loads(json.dumps(Witness.of(rule, BIC, case).to_dict())))
    assert replay(witness, rule).bitwise
    (mean,), (least,) = witness.numbers["expected"], witness.numbers["at_least"]
    assert mean == pytest.approx(0.1 * SIDE**2, rel=0.3)
    assert 0.0 < least == witness.violation < mean
    inside, outside = case.types[0, agent, 0], case.reported[0, 0, agent, 0]
    walls = corner[agent], corner[agent] + SIDE
    assert walls[0] < inside < walls[1]
    assert not walls[0] < outside < walls[1]
    assert interim_lie(rule, BIC, hint(rule, corner, agent), 0, seconds=1e-3)[0] is None


def test_verify_refutes_bic_where_it_refutes_dsic_by_a_cube():
    dsic, bic = verify(surcharged(*PLACES[0]), ["dsic", "bic"], budget=30.0, probes=4)
    assert dsic.holds is False
    assert bic.grade is Grade.REFUTED
    assert "walls" in bic.evidence["method"]
    assert replay(bic.witness, surcharged(*PLACES[0])).bitwise


def test_a_surcharge_that_a_rebate_pays_for_is_truthful_on_average():
    corner, agent = PLACES[0]
    rule = surcharged(corner, agent, (corner[0], 0.1, 0.2))
    for seed in range(5):
        assert interim_lie(rule, BIC, hint(rule, corner, agent), seed)[0] is None


@pytest.mark.parametrize("agents", [3, 4])
def test_agv_is_not_accused(agents):
    """Bayesian truthful, and a lie pays against most reports of the others."""
    rule, rng = direct_mechanism("agv", agents), np.random.default_rng(0)
    profiles = rng.random((200, *rule.space.low.shape)) * (rule.space.high - rule.space.low) + rule.space.low
    lies = rng.uniform(rule.space.low[0, 0], rule.space.high[0, 0], 200)
    cases = deviating(profiles, np.zeros(200, dtype=np.intp), 0, lies)
    gains = PROPERTY["dsic"].violation(rule, cases)[:, 0]
    for seed, place in enumerate(np.argsort(-gains)[:6]):
        assert gains[place] > 0.01
        assert interim_lie(rule, BIC, cases.one(int(place)), seed)[0] is None
    assert verify(rule, ["dsic", "bic"], budget=30.0, probes=4)[1].holds is not False


class WholeAgv:
    """Expected-externality rule of two agents on whole numbers 0 to ``top``: an expectation is a sum."""

    name = "agv on whole numbers"

    def __init__(self, top):
        self.space = Space(2, ("value",), 0, top, integer=True)
        v = np.arange(top + 1)
        self.worth = [np.array([np.where(beats, v, 0).mean() for beats in (v > r for r in v)])]
        self.worth.append(np.array([np.where(v >= r, v, 0).mean() for r in v]))

    def outcome(self, reports):
        said = np.rint(reports[..., 0]).astype(int)
        a, b = self.worth[0][said[:, 0]], self.worth[1][said[:, 1]]
        return winner(reports[..., 0]).astype(float), np.stack([b - a, a - b], axis=1)

    def utility(self, types, outcome):
        return outcome[0] * types[..., 0] - outcome[1]

    def payments(self, outcome):
        return outcome[1]


@pytest.mark.parametrize("top", [5, 300])
def test_agv_on_whole_numbers_is_not_accused(top):
    rule, rng = WholeAgv(top), np.random.default_rng(1)
    profiles = rng.integers(0, top + 1, (100, 2, 1)).astype(float)
    cases = deviating(profiles, np.zeros(100, dtype=np.intp), 0, rng.integers(0, top + 1, 100).astype(float))
    gains = PROPERTY["dsic"].violation(rule, cases)[:, 0]
    for place in np.argsort(-gains)[:3]:
        assert gains[place] > 0.1
        assert interim_lie(rule, BIC, cases.one(int(place)), 0)[0] is None
