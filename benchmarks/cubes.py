"""Cubes: a copy of the catalogue's second-price auction whose payment or allocation is off in a tiny cube of the types.

For shares 1e-3 to 1e-8 of the types, four cubes each, at other places, for other agents: what regions in exact
arithmetic say (`prove_code`), and with ``--budget`` what `verify` says in so many seconds. Exit status 1 if a cube is
proved, or not refuted by regions within five seconds.

Then, with ``--catalogue``, what of the catalogue is proved by regions for 2 to ``--agents`` agents.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

import numpy as np

from mechanism.auctions.auction import Auction
from mechanism.auctions.one_item.second_price import second_price
from mechanism.catalogue import AUCTION_ENTRIES
from mechanism.direct import Floats
from proofs_checks import PROPERTY, verify
from proofs_checks.evidence.verdict import Grade
from proofs_checks.symbolic.prove import CodeProof, CodeRefutation, prove_code

SHARES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
DEFECTS = ("winner pays 0.1 more", "loser pays 0.1", "loser gets the item too", "one pays 0.1 less")
SECONDS = 5.0


def cube(share: float, number: int, agents: int = 3) -> tuple[Auction, tuple[str, ...]]:
    """Return the auction with defect ``number``, in a random cube in which agent order is what it is at its corner.

    And the properties that fail.
    """
    rng, base = np.random.default_rng([number, round(-np.log10(share))]), second_price(agents)
    side = share ** (1 / agents)
    low = np.sort(rng.random(agents) * (1 - side - 0.1 * agents)) + 0.1 * np.arange(agents)  # nobody overtakes in it
    low = low[rng.permutation(agents)]
    loser, winner = int(low.argmin()), int(low.argmax())

    def rule(bids: Floats) -> tuple[Floats, Floats]:
        allocation, payment = (part.copy() for part in base.rule(bids))
        inside = ((bids >= low) & (bids <= low + side)).all(axis=-1)
        if number == 2:
            allocation[inside, loser] = 1.0
        else:
            payment[inside, winner if number == 0 else loser] += -0.1 if number == 3 else 0.1
        return np.asarray(allocation), np.asarray(payment)

    return replace(base, rule=rule), ("dsic", "ir") if number == 1 else ("dsic",)


def cubes(budget: float | None) -> bool:
    """Print a line for each cube and return whether all were refuted, none proved."""
    fine = True
    for share in SHARES:
        for number, defect in enumerate(DEFECTS):
            mechanism, fails = cube(share, number)
            words = []
            for prop in fails:
                started = time.perf_counter()
                found = prove_code(mechanism, prop, 60.0)
                spent = time.perf_counter() - started
                fine &= isinstance(found, CodeRefutation) and spent <= SECONDS
                words.append(f"{prop} {type(found).__name__} {spent:.2f} s")
            if budget is not None:
                for verdict in verify(mechanism, ["dsic", "ir", "bic"], budget=budget):
                    fine &= verdict.grade is not Grade.PROVED or verdict.property not in (*fails, "bic")
                    words.append(f"verify: {verdict.property} {verdict.grade} {verdict.seconds:.2f} s")
            print(f"share {share:.0e}, {defect:24}: {'; '.join(words)}", flush=True)
    return fine


def catalogue(most: int, seconds: float) -> None:
    """Print for each rule of the catalogue and number of agents what is proved, in how many regions and seconds."""
    for name, entry in AUCTION_ENTRIES.items():
        for agents in range(max(2, entry.fewest), most + 1):
            mechanism, words = entry.build(agents), []
            for prop in ("ir", "weak-budget-balance", "budget-balance", "efficiency", "monotonicity", "dsic"):
                if PROPERTY[prop].missing(mechanism) is None:
                    started = time.perf_counter()
                    found = prove_code(mechanism, prop, seconds)
                    spent = f"{time.perf_counter() - started:.2f} s"
                    if isinstance(found, CodeProof):
                        pairs = f", {found.pairs} pairs" if found.pairs else ""
                        words.append(f"{prop} proved ({found.regions} regions{pairs}, {spent})")
                    else:
                        why = "refuted" if isinstance(found, CodeRefutation) else f"gave up ({found.reason})"
                        words.append(f"{prop} {why} in {spent}")
            print(f"{name}, n = {agents}: {'; '.join(words)}", flush=True)


def main() -> int:
    """Print, and return 1 if a cube is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--budget", type=float, help="ask verify too, with so many seconds for each cube")
    parser.add_argument("--catalogue", action="store_true", help="ask about the catalogue's rules")
    parser.add_argument("--agents", type=int, default=4, help="with --catalogue: up to so many agents (default 4)")
    parser.add_argument("--seconds", type=float, default=10.0, help="with --catalogue: seconds for each property")
    given = parser.parse_args()
    fine = cubes(given.budget)
    print("all refuted by regions, none proved" if fine else "MISSED")
    if given.catalogue:
        catalogue(given.agents, given.seconds)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
