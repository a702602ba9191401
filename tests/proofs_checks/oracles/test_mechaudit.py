"""mechaudit on finite grids: the same verdicts on truthfulness, rationality and budget, and the same largest gain."""

import mechaudit
import numpy as np
import pytest

from mechanism.catalogue import direct_mechanism
from mechanism.direct import SingleParameter
from proofs_checks.evidence.exhaustive import exhaust
from proofs_checks.search.grids import even_grid

REQUIREMENTS = {
    "dsic": mechaudit.DSIC,
    "ir": mechaudit.ExPostIR,
    "budget-balance": mechaudit.StrongBudgetBalance,
    "weak-budget-balance": mechaudit.WeakBudgetBalance,
}


def table_rule(seed: int, agents: int, points: int) -> SingleParameter:
    """A rule given by a table of random halves: who gets the item with what chance, and what everybody pays."""
    rng = np.random.default_rng(seed)
    shape = (points,) * agents
    winner = rng.integers(-1, agents, shape)
    paid = rng.integers(-1 if seed % 2 else 0, 3, (*shape, agents)) / 2 * (rng.random((*shape, agents)) < 0.5)

    def rule(bids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        at = tuple(np.rint(bids * (points - 1)).astype(int).T)
        return winner[at][:, None] == np.arange(agents), paid[at]

    return SingleParameter(rule, agents, name=f"table {seed}")


def posted(agents: int) -> SingleParameter:
    """The first agent is offered the item at one half, then the second, …: truthful, rational, no deficit."""

    def rule(bids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        wants = bids >= 0.5
        takes = wants & (np.cumsum(wants, axis=1) == 1)
        return takes, 0.5 * takes

    return SingleParameter(rule, agents, name="posted")


def theirs(mechanism: SingleParameter, points: int, property_id: str) -> tuple[bool, float]:
    """Return mechaudit's verdict and the largest violation."""
    grid = even_grid(mechanism.space, points)
    agents = mechanism.agents
    outcomes = mechaudit.single_item_outcomes(range(agents))
    environment = mechaudit.FiniteEnvironment(
        agents={i: grid.types[i][:, 0].tolist() for i in range(agents)},
        outcomes=outcomes,
        values=mechaudit.PrivateValues(lambda agent, value, outcome: value if outcome["winner"] == agent else 0.0),
    )
    deal = mechanism.outcome(grid.rows(0, grid.profiles))
    winners = [o["winner"] for o in outcomes]
    shares = [1.0 - deal.allocation.sum(axis=1) if w is None else deal.allocation[:, w] for w in winners]
    tables = mechaudit.DirectMechanism.from_arrays(np.stack(shares, axis=1), deal.payment, environment=environment)
    report = mechaudit.audit_mechanism(
        environment=environment, mechanism=tables, requirements=[REQUIREMENTS[property_id]()]
    )
    family = REQUIREMENTS[property_id]().family
    checks = [c for c in report.checks if c.family == family]
    assert checks
    off = [abs(float(c.residual)) if c.slack is None else -float(c.slack) for c in checks]  # an equality has a residual
    return all(c.passed for c in checks), max(0.0, *off)


MECHANISMS = [*(direct_mechanism(name, 3) for name in ("second-price", "first-price", "all-pay")), posted(3)]
MECHANISMS += [table_rule(seed, 2, 5) for seed in range(10)]


@pytest.mark.parametrize("property_id", REQUIREMENTS)
@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda m: m.name)
def test_verdicts_agree(mechanism: SingleParameter, property_id: str) -> None:
    ours = exhaust(mechanism, even_grid(mechanism.space, 5), property_id)
    holds, worst = theirs(mechanism, 5, property_id)
    assert ours.holds == holds
    assert max(0.0, float(ours.worst)) == pytest.approx(worst, abs=1e-12)


def test_the_tables_hold_both_verdicts_of_everything() -> None:
    for property_id in REQUIREMENTS:
        found = {exhaust(m, even_grid(m.space, 5), property_id).holds for m in MECHANISMS}
        assert found == ({True, False} if property_id != "budget-balance" else {False})
