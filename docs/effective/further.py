"""Two further questions: a hundred small clients, and what settling on measured gains leaves to whom.

    python -m docs.effective.further        # some ten minutes of one core; digits, scale reduced, five seeds

Many: digits-skew, 100 clients of 11 to 20 samples, 6 rounds: final accuracy by seed, the lead of each market on
measured data over the paper's, how many models the mean client buys a round, and how many buyers find nobody.
Settled: `ipfl-effective/realised`, the lowest utility of any client and round, how many clients lose in a round, and
the most that a centre paid in at a clearing. Written to docs/results/effective_further.json.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from analysis.findings.several.statistics import paired
from analysis.run.market import MarketRecord
from docs.effective.units import DIGITS, RESULTS, SEEDS, deviation, made, recorded_run, text_of
from marketproof.running.config import load_task, resolve
from mechanism.market.accounting import MONEY

OUT = RESULTS / "effective_further.json"
PAPER = "ipfl/ipfl"
MEASURED = ("ipfl-effective/ipfl-exact", "ipfl-effective/clock-price")


def run(task: str, method: str, seed: int, **options: int) -> MarketRecord:
    """Return the record of a run at scale reduced."""
    asked = {"scale": "reduced", "methods": [method], "mechanism": "ipfl-exact", "seeds": 1, "seed": seed, **options}
    return recorded_run(resolve(task, load_task(task), asked), method, seed)


def many() -> dict[str, Any]:
    """Return what a hundred small clients end at, in percent, and what they buy."""
    found: dict[str, Any] = {}
    for method in ("local", PAPER, *MEASURED):
        records = [run("digits-skew", method, seed, clients=100, rounds=6) for seed in SEEDS]
        final = [round(100.0 * float(record.accuracy[-1].mean()), 4) for record in records]
        bought = [record.imports.sum(axis=-1) for record in records]
        found[method] = {
            "final": float(np.mean(final)), "final_spread": deviation(final), "final_by_seed": final,
            "bought": float(np.mean(bought)),
        }  # fmt: skip
        if method in MEASURED:
            alone = [~record.market.effective.any(axis=-1) for record in records if record.market.effective is not None]
            found[method]["nobody_by_seed"] = [round(float(one.sum(axis=-1).mean()), 2) for one in alone]
        print(method, found[method], flush=True)
    for method in MEASURED:
        lead = paired(found[PAPER]["final_by_seed"], found[method]["final_by_seed"])
        found[method]["behind"] = [lead.mean, lead.low, lead.high]
        print(f"{PAPER} over {method}", found[method]["behind"])
    return found


def settled() -> dict[str, Any]:
    """Return of each split what `realised` leaves the poorest, and what it costs a centre; money."""
    found: dict[str, Any] = {}
    for task in DIGITS:
        records = [run(task, "ipfl-effective/realised", seed) for seed in SEEDS]
        lowest = [round(float(record.accounts.utility.min()), 6) for record in records]
        paid_in = [round(max(0.0, float(-record.centre.sum(axis=-1).min())), 6) for record in records]
        loses = [int((record.accounts.utility < -MONEY).any(axis=0).sum()) for record in records]
        found[task] = {"lowest_by_seed": lowest, "losing_clients_by_seed": loses, "centre_pays_in_by_seed": paid_in}
        print(task, found[task], flush=True)
    return found


def main() -> int:
    """Run both, print and write."""
    told = {"made": made(), "many": many(), "settled": settled()}
    OUT.write_text(text_of(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
