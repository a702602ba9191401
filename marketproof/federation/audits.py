"""What each client is told when all is over: what was checked of its own part, its own rounds, nobody else's report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.run.files import read_manifest, unit_key
from analysis.run.records import open_markets
from learning.federation.messages import Audit
from marketproof.federation.bills import COLUMNS, run_name
from marketproof.running.finish import valuations
from mechanism.market.accounting import MONEY, scale
from mechanism.wording import number, plural

if TYPE_CHECKING:
    from analysis.run.market import MarketRecord
    from analysis.run.results import Audit as RunAudit
    from analysis.run.results import MethodAudit

Parts = list[tuple[Audit, dict[str, NDArray[np.float64]]]]


def audits_of(folder: Path, audit: RunAudit, names: Sequence[str], federation: str) -> Iterator[Parts]:
    """Yield of each training of a finished run every client's audit with its rounds, in the order of the clients.

    They name the run as the clients' bills of that training do.
    """
    manifest = read_manifest(folder)
    files = open_markets(folder, manifest.methods, manifest.seeds, manifest.digests)
    for method in manifest.methods:
        checked = audit.methods[method]
        for seed in manifest.seeds:
            record = files[method, seed].read()
            run = run_name(f"{federation}-{unit_key(method, seed)}")
            about = {"method": method, "seed": seed, "mechanism": checked.mechanism, "scope": audit.scope}
            found = []
            for k, name in enumerate(names):
                rounds = _rounds(record, k)
                told = about | {"rounds": record.rounds, **_told(record, k, rounds, checked)}
                found.append((Audit(run, k, name, told), {"rounds": rounds}))
            yield found


def _rounds(record: MarketRecord, k: int) -> NDArray[np.float64]:
    accounts = record.accounts
    columns: dict[str, Any] = {
        name: getattr(accounts, name)[:, k] for name in ("paid", "received", "gain", "cost", "utility")
    }
    columns |= {"imports": record.imports[:, k].sum(axis=-1), "exports": record.imports[:, :, k].sum(axis=-1)}
    columns |= {name: getattr(record, name)[:, k] for name in ("present", "centre", "accuracy")}
    rows = np.stack([np.asarray(columns[name], dtype=np.float64) for name in COLUMNS], axis=1)
    rows[~record.present[:, k]] = 0.0  # who is away has no account
    return rows


def _told(record: MarketRecord, k: int, rounds: NDArray[np.float64], checked: MethodAudit) -> dict[str, Any]:
    """Return numbers and sentences about client k's part."""
    row = dict(zip(COLUMNS, rounds.T, strict=True))
    there = np.flatnonzero(row["present"])
    accounts = record.accounts
    small = MONEY * scale(np.concatenate([accounts.gain, accounts.cost, accounts.paid], axis=-1).ravel())
    utility = row["utility"][there]
    lowest = float(utility.min()) if len(there) else 0.0
    bounds = [premise for one in valuations(record) if (premise := one.premise()) is not None]
    regret = max((float(bound.regret[k]) for bound in bounds), default=None) if checked.premise else None
    lies = {  # of somebody else's lie no amount: it follows from what that one reported
        coordinate: {"pays": lie.pays, "reports_tried": lie.deviations, "exhaustive": lie.exact}
        | ({"yours": lie.sentence, "gain": lie.gain} if lie.client == k and lie.pays else {})
        for coordinate, lie in checked.lies.items()
    }
    words = [
        f"You were there in {len(there)} of {plural(record.rounds, 'round')}."
        + (f" Your lowest utility was {number(lowest)}, alone it is 0." if len(there) else ""),
        *(_lie(coordinate, told) for coordinate, told in lies.items()),
    ]
    if checked.reproduced is not None:
        same = "gives" if checked.reproduced else "does NOT give"
        words.append(f"Clearing the recorded reports again {same} the recorded imports and prices.")
    if checked.certified is not None:
        words.append(f"{checked.certified.proved} of {checked.certified.checked} clearings are proved by certificate.")
    if regret is not None:
        words.append(f"Where the gain law is off what was measured, a lie gains you at most {number(regret)}.")
    return {
        "there": len(there),
        "lowest_utility": lowest,
        "individually_rational": bool(lowest >= -small),
        "totals": {name: float(row[name].sum()) for name in COLUMNS[1:-1]},
        "accuracy": float(row["accuracy"][there[-1]]) if len(there) else 0.0,
        "epsilon": float(record.epsilon[k]),
        "lies": lies,
        "regret_bound": regret,
        "reproduced": checked.reproduced,
        "certified": None
        if checked.certified is None
        else {name: getattr(checked.certified, name) for name in ("clearings", "checked", "proved", "largest_gap")},
        "words": words,
    }


def _lie(coordinate: str, told: dict[str, Any]) -> str:
    if "yours" in told:
        return f"A lie of yours about {coordinate} would have paid: {told['yours']}"
    tried = f"({plural(told['reports_tried'], 'report')} tried)"
    if told["pays"]:
        return f"A lie about {coordinate} was found that pays another client, none that would pay you more {tried}."
    return f"No lie about {coordinate} was found to pay anybody {tried}."
