"""Studies inclusive and dropout: who takes part: buyers, sellers and attackers, those who stay and those who leave."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.findings.several.studies import over_rounds
from marketproof.studies.performance import ALL_METHODS, CENTRE_NOTE, MONEY_NOTE, lowest
from marketproof.studies.study import (
    METHOD,
    ONE_BY_ONE,
    POPULATION,
    Case,
    Column,
    Row,
    Seen,
    Study,
    best_accuracy,
    dots,
    has_market,
    mean_of,
    populations,
    stands,
    text,
)
from mechanism.market.accounting import MONEY
from mechanism.wording import number, percent

# Inclusive: a row for each role of traders, buyers, sellers and attackers in one market.

# fmt: off
ROLE = text("role", "trader, buyer (cost 1000: nobody buys), seller (wants nothing), attacker", lambda one: one.role)
OF_ROLE = text("clients", "clients of the role", lambda one: int(one.clients.sum()), "count")
OWN = Column("utility", "utility", "true utility of such a client per round", lambda one: one.utility.mean())
OWN_LOWEST = Column("utility_lowest", "lowest", "of any such client in any round of any seed; below 0 it loses",
                    lowest, min)
PAID = Column("paid", "paid", "money that such a client paid other clients per round",
              lambda one: one.accounts.paid[:, one.clients].mean())
RECEIVED = Column("received", "received", "money that such a client received from other clients per round",
                  lambda one: one.accounts.received[:, one.clients].mean())
# fmt: on


def _inclusive_words(rows: Sequence[Row]) -> list[str]:
    """Say under which methods a role loses, and what attackers earn beside sellers."""
    said = []
    for population, method in dict.fromkeys((row[POPULATION], row[METHOD]) for row in rows if has_market(row)):
        own = {row[ROLE]: row for row in rows if (row[POPULATION], row[METHOD]) == (population, method)}
        scale = max(abs(row[OWN]) for row in own.values())
        losing = [f"{role}s" for role, row in own.items() if row[OWN_LOWEST] < -MONEY * max(1.0, scale)]
        each = ", ".join(f"{role}s {number(row[OWN])}" for role, row in own.items())
        outcome = "no role ever loses" if not losing else f"a loss in some round for {', '.join(losing)}"
        said.append(f"{method}, {population}: {outcome}; per client and round {each}.")
        if "attacker" in own and "seller" in own:
            word = stands(own["attacker"].seeds[OWN], own["seller"].seeds[OWN])
            said.append(f"{method}, {population}: attackers earn {word} honest sellers.")
    if without := [row for row in rows if not has_market(row) and row[OWN] < 0]:
        worst = min(without, key=OWN)
        said.append(
            f"Without a market some roles carry the others: under {worst[METHOD]} ({worst[POPULATION]}) a "
            f"{worst[ROLE]} has {number(worst[OWN])} per round."
        )
    return said


def _utility_by_role(rows: Sequence[Row]) -> dict[str, Figure]:
    unit = "money per client and round"
    return dots(
        "utility-by-role", filter(has_market, rows), OWN, "utility", unit=unit, panel=POPULATION,
        band=lambda row: f"{row[ROLE]}s",
    )  # fmt: skip


INCLUSIVE = Study(
    "Traders, buyers and sellers in one market",
    "whether every kind of client gains, with attackers among the sellers or without",
    populations("inclusive", "inclusive-attacked"),
    (POPULATION, METHOD, ROLE, OF_ROLE, OWN, OWN_LOWEST, PAID, RECEIVED),
    _inclusive_words,
    _utility_by_role,
    (
        "Gain parameters are a hundred times the task's and lambda is 1, as in the paper (K = 5e7 there); a buyer's "
        "cost of 1000 keeps others from importing its model in a market, while a method that averages all models makes "
        "it bear that cost for each export.",
        ONE_BY_ONE,
        MONEY_NOTE,
        CENTRE_NOTE,
    ),
    ALL_METHODS,
    roles=("trader", "buyer", "seller", "attacker"),
)

# Dropout: a row is about those who are still there in the end, beside those who left.


def _first_leaves(one: Seen) -> int | None:
    leaves = one.record.leaving.any(axis=1)
    return int(leaves.argmax()) + 1 if leaves.any() else None


def _leaving(one: Seen) -> list[dict[str, Any]]:
    return [
        {"population": one.name, "method": one.method, "seed": one.seed, "round": number + 1, "client": client}
        for number, client in np.argwhere(one.record.leaving).tolist()
    ]


# fmt: off
HOW = text("population", "strict: who has a negative utility leaves; else with a chance", lambda one: one.name)
AT_START = text("clients", "clients at the start", lambda one: len(one.clients), "count")
LEFT = Column("left", "still there", "clients that are still there after the last round", lambda one: one.clients.sum())
FIRST = Column("first_leaves", "first leaves", "first round after which anybody leaves, in any seed (-: nobody)",
               _first_leaves, min, "count")
STAY_ACCURACY = Column("accuracy_staying", "stay: accuracy", "best accuracy of those who are left",
                       lambda one: best_accuracy(one.record, one.clients), kind="share")
LEAVE_ACCURACY = Column("accuracy_leaving", "leave: accuracy",
                        "best accuracy, while they were there, of those who left",
                        lambda one: best_accuracy(one.record, ~one.clients), kind="share")
STAY_UTILITY = Column("utility_staying", "stay: utility", "true utility per round of those who are left",
                      lambda one: mean_of(one.utility))
LEAVE_UTILITY = Column("utility_leaving", "leave: utility", "true utility per round there of those who left",
                       lambda one: mean_of(one.accounts.utility[one.record.present & ~one.clients]))
THERE = Column("there", "", "how many are there in each round [R]",
               lambda one: one.record.present.sum(axis=1).astype(float))
LEAVING = Column("leaving", "", "who leaves after which round", _leaving)
# fmt: on


def _dropout_words(rows: Sequence[Row]) -> list[str]:
    """Say under which methods everybody stays, and what the others are left with."""
    said = []
    for population in dict.fromkeys(row[HOW] for row in rows):
        own = [row for row in rows if row[HOW] == population]
        if stay := [row[METHOD] for row in own if row[LEFT] == row[AT_START]]:
            said.append(f"{population}: nobody leaves under {', '.join(stay)}.")
        for row in own:
            if row[LEFT] < row[AT_START]:
                rest = "nobody stays"
                if row[STAY_ACCURACY] is not None:
                    reached = percent(row[STAY_ACCURACY])
                    rest = f"those who stay reach {reached} and earn {number(row[STAY_UTILITY])}"
                said.append(
                    f"{population}: under {row[METHOD]} {row[LEFT]:.3g} of {row[AT_START]} are left (the first leave "
                    f"after round {row[FIRST]}); {rest} a round."
                )
    return said


def _clients_there(rows: Sequence[Row]) -> dict[str, Figure]:
    panels: dict[str, dict[str, Any]] = {}
    for row in rows:
        panels.setdefault(row[HOW], {})[row[METHOD]] = np.stack(row.seeds[THERE])
    return {"clients-there": over_rounds(panels, "clients there")}


DROPOUT = Study(
    "Clients that leave when they lose",
    "who leaves when, and how those do who stay",
    (Case("strict", "dropout-strict"), Case("probabilistic", "dropout-probabilistic")),
    (HOW, METHOD, AT_START, LEFT, FIRST, STAY_ACCURACY, LEAVE_ACCURACY, STAY_UTILITY, LEAVE_UTILITY),
    _dropout_words,
    _clients_there,
    (
        "A client that has left keeps its model, and its models are no longer for sale; it never comes back.",
        "'-' stands where there is nobody of that kind.",
        MONEY_NOTE,
        CENTRE_NOTE,
    ),
    ALL_METHODS,
    clients=lambda record: np.logical_not(record.leaving.any(axis=0)),
    hidden=(THERE, LEAVING),
    more=lambda rows: {"leaving": [one for row in rows for seed in row.seeds[LEAVING] for one in seed]},
)
