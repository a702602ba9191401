"""What the market on effective data leaves to gain: to a seller by what it uploads, to a buyer by lying about its e.

    python -m docs.effective.lies        # some minutes; digits-skew and digits-cluster, scale reduced, five seeds

Seller: the client with the lowest cost uploads something else in every round than the model that it trained, and uses
its own; what it sells and receives a round over the whole run, and in its second half alone, beside its honest self's.
(Twice and half: all its parameters.)
Buyer: in each recorded round each client's row of e is replaced (all of it multiplied, single sellers struck out, or
all but one), the market is cleared again on that, and the client's utility is reckoned with the e that was measured.
Sellers are paid their costs at least, so no lie about e leaves a buyer more than the best set of models at cost: what
that is more than the truth brings is the bound beside it.

Writes docs/results/effective_lies.json.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.run.market import MarketRecord
from docs.effective.units import RESULTS, deviation, made
from learning.algorithms.algorithm import LocalSpec
from learning.local import TrainTask, train_client
from learning.streams import stream
from learning.trainer import HELD, Trainer
from marketproof.running.config import load_task, resolve
from marketproof.running.execution import plan_of
from marketproof.running.loop import play_round, types_of
from mechanism.market.accounting import account
from mechanism.market.clients import Market
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.settling import clear_and_settle

TASKS, SEEDS = ("digits-skew", "digits-cluster"), range(5)
RULES = ("ipfl-exact", "pooled-price", "clock-price")
ADAPTIVE = ("then noise", "then stale")
UPLOADS = ("honest", "noise", "twice", "half", "overfitted", "another's", "another's last", *ADAPTIVE)
MULTIPLES = (0.0, 0.25, 0.5, 0.75, 1.25, 1.5, 2.0, 4.0)
OUT = RESULTS / "effective_lies.json"


class Choosing(Trainer):
    """A trainer whose client ``seller`` uploads what ``upload`` names.

    It may send on the model of one client of its group, ``other``, of this round or of the last, to everybody; or be
    honest up to the round ``turns``, so that buyers know it, then send noise or its own model of that round for ever.
    """

    upload, seller, other, turns = "honest", 0, 1, 0
    last: torch.Tensor | None = None
    stale: torch.Tensor | None = None

    def train(self, round_index: int, present: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Train as always, then put something else in the place of the seller's upload."""
        losses = super().train(round_index, present)
        rows, k = self.state.rows, self.seller
        own = self.state.slots[HELD][k]
        before, self.last = self.last, rows[self.other].clone()
        if round_index <= self.turns:
            self.stale = own.clone()
        if self.upload == "noise" or (self.upload == "then noise" and round_index > self.turns):
            draws = stream(self.seed, "lie", round_index).standard_normal(len(own), dtype=np.float32)
            rows[k] = torch.from_numpy(draws) * own.std()
        elif self.upload == "overfitted":
            rows[k] = own
            further = LocalSpec(3 * self.plan.steps, whole=True)
            train_client(self._backend.work, TrainTask(k, 1000 + round_index, further))
        else:
            sent = {"honest": own, "twice": 2 * own, "half": own / 2, "another's": rows[self.other]}
            older = {"another's last": before, "then stale": self.stale}.get(self.upload)
            rows[k] = sent.get(self.upload, own if older is None else older)
        return losses


def run(task: str, seed: int, rule: str, upload: str) -> tuple[int, list[MarketRecord]]:
    """Return the rounds of a run in which the cheapest client, the first returned, uploads what ``upload`` names."""
    options = {"scale": "reduced", "methods": ["local"], "mechanism": rule, "seeds": 1, "seed": seed}
    config = resolve(task, load_task(task), options)
    m = config.data.clients
    seller = int(types_of(config.market, np.ones(m), seed).cost.argmin())
    conduct = tuple("shuffle" if k == seller else "honest" for k in range(m))  # so that its own model is kept apart
    plan = replace(plan_of(config, seed), conduct=conduct)
    trainer = Choosing(plan, "ipfl-effective", "rows", seed=seed)
    trainer.upload, trainer.seller = upload, seller
    trainer.other = seller - 1 if seller in (m // 2 - 1, m - 1) else seller + 1
    trainer.turns = config.rounds // 2
    with trainer:
        types = types_of(config.market, trainer.sizes, seed)
        rounds = range(1, config.rounds + 1)
        return seller, [play_round(trainer, types, config.market.lam, rule, number) for number in rounds]


def lies(row: NDArray[np.float64], i: int) -> NDArray[np.float64]:
    """Return other rows of e that client i may say [lies, m]: multiples, one seller struck out, all but one struck."""
    others = np.delete(np.eye(len(row)), i, axis=0)
    return np.concatenate([np.multiply.outer(MULTIPLES, row), row * (1.0 - others), row * others])


def buyers(record: MarketRecord, rule: str) -> tuple[float, float, float, float]:
    """Return the most that a client of a round gains by a lie about e, its utility and bound, and the highest bound."""
    market, types = record.market, record.types
    e = market.effective
    assert e is not None
    best, highest = (0.0, 0.0, 0.0), 0.0
    for i in np.flatnonzero(e.any(axis=1)).tolist():
        said = lies(e[i], i)
        told = np.repeat(e[None], len(said), axis=0)
        told[:, i] = said
        outcome = clear_and_settle(
            market_mechanism(rule), record.reports, types, Market(market.differences, market.lam, effective=told)
        )
        lied = account(types, outcome, market).utility[:, i].max()
        sellers = np.flatnonzero(e[i])
        sets = np.array(list(product((0.0, 1.0), repeat=len(sellers))))
        gains = market.law.value(types.gain[i], types.size[i], types.size[i] + sets @ e[i, sellers])
        most = (gains - sets @ types.cost[sellers]).max() - record.accounts.buyer[i]
        honest = record.accounts.utility[i]
        best, highest = max(best, (float(lied - honest), float(honest), float(most))), max(highest, float(most))
    return *best, highest


def shown(sellers: list[dict[str, Any]]) -> None:
    """Print uploads as a table: utility, its spread over seeds in brackets; models sold; income; all per round."""
    found = {(row["upload"], row["task"], row["rule"]): row for row in sellers}
    columns = list(product(TASKS, RULES))
    print("\n| utility; sold; income | " + " | ".join(f"{task}, `{rule}`" for task, rule in columns) + " |")
    print("|---" * 7 + "|")
    for late, uploads in (("", UPLOADS), ("_late", ("honest", *ADAPTIVE))):
        for upload in uploads:
            cells = []
            for row in (found[upload, task, rule] for task, rule in columns):
                spread = "" if late else f" ({row['utility_spread']:.2f})"
                cells.append(
                    f"{row['utility' + late]:.2f}{spread}; {row['sold' + late]:.2f}; {row['income' + late]:.2f}"
                )
            print(f"| {upload}{', second half' if late else ''} | " + " | ".join(cells) + " |")


def main() -> int:
    """Run all, write and print."""
    found: dict[str, Any] = {"seller": [], "buyer": []}
    for task, rule in product(TASKS, RULES):
        runs = {(upload, seed): run(task, seed, rule, upload) for upload, seed in product(UPLOADS, SEEDS)}
        for upload in UPLOADS:
            every = []
            for seed in SEEDS:
                k, records = runs[upload, seed]
                of = [(r.imports[:, k].sum(), r.accounts.received[k], r.accounts.utility[k]) for r in records]
                every.append([np.mean(told) for some in (of, of[len(of) // 2 :]) for told in zip(*some, strict=True)])
            sold, income, utility, sold_late, income_late, utility_late = np.mean(every, axis=0).tolist()
            row = {
                "task": task, "rule": rule, "upload": upload, "sold": sold, "income": income, "utility": utility,
                "utility_spread": deviation(one[2] for one in every),
                "sold_late": sold_late, "income_late": income_late, "utility_late": utility_late,
            }  # fmt: skip
            found["seller"].append(row)
            print(
                f"{task:15} {rule:13} uploads {upload:15} utility {utility:5.2f} ± {row['utility_spread']:.2f}  sells "
                f"{sold:4.2f}  receives {income:5.2f}; in the second half {sold_late:4.2f}, {income_late:5.2f}",
                flush=True,
            )
        lied = [buyers(record, rule) for seed in SEEDS for record in runs["honest", seed][1]]
        gain, honest, bound, _ = max(lied)
        mean, most = float(np.mean([one[0] for one in lied])), max(one[3] for one in lied)
        found["buyer"].append(
            {
                "task": task,
                "rule": rule,
                "best": gain,
                "utility": honest,
                "bound": bound,
                "mean_best": mean,
                "bound_most": most,
            }
        )
        print(
            f"{task:15} {rule:13} a false e gains at most {gain:.3g} on {honest:.3g} (bound {bound:.3g}, the most "
            f"of any {most:.3g}); the best of "
            f"a round, mean over rounds: {mean:.3g}",
            flush=True,
        )
    shown(found["seller"])
    OUT.write_text(json.dumps({"made": made(), **found}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
