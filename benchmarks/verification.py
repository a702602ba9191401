"""Verification: how many deviations a second the public engine tries, and a finite grid against mechaudit.

(a) Truthfulness of auctions of three bidders, and of `ipfl` and `ipfl-exact` in cost, five clients. A deviation is a
    truth and a report whose utilities were compared, the others' reports as drawn. `verify` ends a search at the first
    lie; where the rule is not truthful that is its first probe, so that no rate can be read from it. Hence every rate
    is of `Search`, the object that `verify` runs, stepped for the same seconds, lie or not; what `verify` says of
    itself is printed beside it.
(b) Truthfulness on one finite grid: `exhaust` against mechaudit 0.1.0 (a development dependency), the same rule, types
    and reports. Verdict, number of deviations and largest gain must agree. Ours asks the rule itself; mechaudit gets
    its environment and tables ready made, outside the clock.

Run as a script; exit status 1 if a target is missed.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from clearing import seconds, warm
from figure import Figure, told

from mechanism.catalogue import direct_mechanism
from proofs_checks.evidence.exhaustive import exhaust
from proofs_checks.evidence.verify import verify
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.grids import Grid, even_grid
from proofs_checks.search.searching import Search

SECONDS = 4.0

RATES = (
    ("second-price", 3, "dsic", 5e6),
    ("first-price", 3, "dsic", 5e6),
    ("all-pay", 3, "dsic", 5e6),
    ("ipfl", 5, "dsic-cost", 5e5),
    ("ipfl-exact", 5, "dsic-cost", 1e5),
)
"""Mechanism, agents, property, least deviations a second."""


def rate(name: str, agents: int, property_id: str, target: float) -> Figure:
    """Deviations a second of one property's search, beside what `verify` says of itself."""
    mechanism = direct_mechanism(name, agents)
    verdict = verify(mechanism, [property_id], budget=SECONDS, grade="searched")[0]
    words = f"{verdict.evidence['tried']:,} deviations in {verdict.seconds:.2f} s"
    told = f"refuted after {words}, shrinking included" if verdict.holds is False else f"nothing found by {words}"
    search = Search(mechanism, PROPERTY[property_id])
    deadline = time.perf_counter() + SECONDS
    while time.perf_counter() < deadline:
        search.step()
    return Figure(
        f"{name}, {agents} agents, {property_id}", search.tried / search.seconds, target, "deviations/s", True,
        f"{search.tried:,} in {search.probes} steps", f"verify: {told}",
    )  # fmt: skip


def peer(name: str, grid: Grid) -> tuple[Any, Any, Any]:
    """Return mechaudit's environment, mechanism and requirement for a one-item auction on a grid."""
    import mechaudit

    agents = len(grid.counts)
    values = [rows[:, 0].tolist() for rows in grid.types]
    outcomes: Any = mechaudit.single_item_outcomes(range(agents))

    def worth(agent: Any, value: Any, outcome: Any) -> Any:
        return value if outcome["winner"] == agent else 0.0

    environment = mechaudit.FiniteEnvironment(
        agents={i: values[i] for i in range(agents)}, outcomes=outcomes, values=mechaudit.PrivateValues(worth)
    )
    deal: Any = direct_mechanism(name, agents).outcome(grid.rows(0, grid.profiles))
    winners = [o["winner"] for o in outcomes]
    shares = [1.0 - deal.allocation.sum(axis=1) if w is None else deal.allocation[:, w] for w in winners]
    tables = mechaudit.DirectMechanism.from_arrays(np.stack(shares, axis=1), deal.payment, environment=environment)
    return environment, tables, mechaudit.DSIC()


def against_mechaudit(name: str, agents: int = 3, points: int = 9) -> list[Figure]:
    """Part (b): at least 50 times sooner, with the same answer."""
    import mechaudit

    mechanism = direct_mechanism(name, agents)
    grid = even_grid(mechanism.space, points)
    ours = exhaust(mechanism, grid, "dsic")
    spent = seconds(lambda: exhaust(mechanism, grid, "dsic"), repeat=5)
    environment, tables, requirement = peer(name, grid)
    reports: list[Any] = []

    def audit() -> None:
        reports.append(mechaudit.audit_mechanism(environment=environment, mechanism=tables, requirements=[requirement]))

    other = seconds(audit, repeat=2)
    checks = [c for c in reports[0].checks if c.family == "dsic"]
    verdict = all(c.passed for c in checks)
    gain = max(0.0, *(-float(c.slack) for c in checks))
    same = verdict == ours.holds and len(checks) == ours.deviations and abs(gain - max(0.0, float(ours.worst))) < 1e-12
    title = f"{name} on a grid of {points}^{agents}, against mechaudit"
    return [
        Figure(
            f"{title}, ratio", other / spent, 50.0, "x", True,
            f"exhaust {spent * 1e3:.2f} ms: {'holds' if ours.holds else 'fails'}, largest gain {float(ours.worst):g}, "
            f"{ours.deviations:,} deviations",
            f"mechaudit {other * 1e3:.0f} ms: {'holds' if verdict else 'fails'}, largest gain {gain:g}, "
            f"{len(checks):,} deviations",
        ),
        Figure(f"{title}, verdicts that agree", float(same), 1.0, "", True, "", ""),
    ]  # fmt: skip


def main() -> int:
    """Measure everything, print a line each, return 1 if a target is missed."""
    warm()
    for name, agents, property_id, _ in RATES:  # compilation and first calls are in no figure
        Search(direct_mechanism(name, agents), PROPERTY[property_id]).step()
    auctions = ("second-price", "first-price")
    return told([*(rate(*row) for row in RATES), *(f for name in auctions for f in against_mechaudit(name))])


if __name__ == "__main__":
    sys.exit(main())
