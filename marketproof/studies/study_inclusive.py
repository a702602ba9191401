"""Study inclusive: traders, buyers and sellers in one market, with attackers among the sellers or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from marketproof.running.methods import uses_market
from marketproof.running.records import MarketRecord
from marketproof.studies.study_findings import Column, Findings, Row, compare, over_seeds, utilities, who
from marketproof.studies.study_runs import Recorded
from mechanism.tolerance import MONEY
from mechanism.wording import number

PLACES = ("trader", "buyer", "seller", "attacker")

COLUMNS = (
    Column("population", "population", "who takes part", "text"),
    Column("method", "method", "learning algorithm, and the mechanism of its market after a slash", "text"),
    Column("role", "role", "trader, buyer (cost 1000: nobody buys), seller (wants nothing), attacker", "text"),
    Column("clients", "clients", "clients of the role", "count"),
    Column("utility", "utility", "true utility of such a client per round"),
    Column("utility_lowest", "lowest", "of any such client in any round of any seed; below 0 it loses"),
    Column("paid", "paid", "money that such a client paid per round"),
    Column("received", "received", "money that such a client received per round"),
)

NOTES = (
    "Gain parameters are a hundred times the task's and lambda is 1, as in the paper (K = 5e7 there); a buyer's cost "
    "of 1000 keeps others from importing its model in a market, while a method that averages all models makes it "
    "bear that cost for each export.",
)


def findings(cases: Mapping[str, Recorded]) -> Findings:
    """Return utility by role per method and population, and a figure of it."""
    from analysis.findings.several.studies import marks, side_by_side

    rows: list[Row] = []
    panels = {}
    for population, case in cases.items():
        drawn: dict[str, dict[str, list[float | None]]] = {}
        for method, records in case.markets().items():
            for role in PLACES:
                if not any(who(record, role).any() for record in records):
                    continue
                seen = [_one(record, role) for record in records]
                row: Row = {"population": population, "method": method, "role": role}
                row["clients"] = int(who(records[0], role).sum())
                for key in ("utility", "paid", "received"):
                    row |= over_seeds(key, [one[key] for one in seen])
                row["utility_lowest"] = min(one["lowest"] for one in seen)
                rows.append(row)
                if uses_market(method.partition("/")[0]):
                    drawn.setdefault(method, {})[f"{role}s"] = [one["utility"] for one in seen]
        if drawn:
            panels[population] = side_by_side("utility", "money per client and round", drawn)
    figures = {"utility-by-role": marks(panels)} if panels else {}
    return Findings(COLUMNS, rows, words(rows), NOTES, figures)


def _one(record: MarketRecord, role: str) -> dict[str, float]:
    """Return one seed's figures of a role: mean and lowest utility, money paid and received, per client and round."""
    from mechanism.market.accounting import account

    clients = who(record, role)
    accounts = account(record.types, record.outcome, record.market.law)
    mine = utilities(record)[:, clients]
    return {
        "utility": float(mine.mean()) + 0.0,
        "lowest": float(mine.min()) + 0.0,
        "paid": float(accounts.paid[:, clients].mean()) + 0.0,
        "received": float(accounts.received[:, clients].mean()) + 0.0,
    }


def words(rows: Sequence[Row]) -> list[str]:
    """Say under which methods a role loses, and what attackers earn beside sellers."""
    said = []
    for population, method in dict.fromkeys((row["population"], row["method"]) for row in rows):
        if not uses_market(method.partition("/")[0]):
            continue
        own = {row["role"]: row for row in rows if (row["population"], row["method"]) == (population, method)}
        scale = max(abs(row["utility"]) for row in own.values())
        losing = [f"{role}s" for role, row in own.items() if row["utility_lowest"] < -MONEY * max(1.0, scale)]
        each = ", ".join(f"{role}s {number(row['utility'])}" for role, row in own.items())
        outcome = "no role ever loses" if not losing else f"a loss in some round for {', '.join(losing)}"
        said.append(f"{method}, {population}: {outcome}; per client and round {each}.")
        if "attacker" in own and "seller" in own:
            bad, good = own["attacker"]["utility"], own["seller"]["utility"]
            said.append(f"{method}, {population}: attackers earn {compare(bad, good)} honest sellers.")
    without = [row for row in rows if not uses_market(row["method"].partition("/")[0]) and row["utility"] < 0]
    if without:
        worst = min(without, key=lambda row: row["utility"])
        said.append(
            f"Without a market some roles carry the others: under {worst['method']} ({worst['population']}) a "
            f"{worst['role']} has {number(worst['utility'])} per round."
        )
    return said
