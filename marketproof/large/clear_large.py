"""A large market from its files to its tables: block by block, with progress, and what is said of it at the end."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from marketproof.clearing import ACCOUNT, Audited
from marketproof.exits import Interrupted
from marketproof.large.blocks import Block, BlockWork, cleared_here, cleared_on_cluster
from marketproof.large.sampled_audit import sampled_lies
from marketproof.large.stored import Stored
from mechanism.errors import InputError
from mechanism.market.clients import Types
from mechanism.market.large.books import Tally
from mechanism.market.large.clearing import BLOCK, RULES
from mechanism.market.large.sparse import LargeMarket
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.rule import MarketMechanism
from mechanism.market.settling import promised
from mechanism.wording import number, percent

if TYPE_CHECKING:
    from rich.console import Console

    from marketproof.files.market_tables import ClientTable
    from marketproof.terminal.console import Tell


@dataclass(frozen=True, eq=False)
class LargeCleared(Audited):
    """A clearing of a large market: models bought and sold, and effort.

    ``nodes`` of all searches; ``computed``: differences worked out from vectors.
    """

    market: LargeMarket
    tally: Tally
    nodes: int
    computed: int


def rule_of(mechanism: str) -> MarketMechanism:
    """Return a mechanism that clears large markets; `InputError` for others."""
    rule = market_mechanism(mechanism)
    if not isinstance(rule, MarketMechanism) or mechanism not in RULES:
        raise InputError(f"--mechanism {mechanism} does not clear large markets; expected {', '.join(RULES)}")
    return rule


def clear_large_market(
    table: ClientTable,
    market: LargeMarket,
    mechanism: str,
    *,
    stored: Stored | None = None,
    cluster: str | None = None,
    tell: Tell | None = None,
    block: int = BLOCK,
) -> LargeCleared:
    """Clear a large market, taking the numbers of the table as true and as reported.

    ``stored``: where blocks are kept, and found again where a clearing was interrupted; at the end its tables are
    written. ``cluster``: see `cleared_on_cluster`; else all cores of this machine. ``block``: importers of a block.
    `InputError` for a rule that is none for large markets; `Interrupted` says how to go on.
    """
    types = Types(table.size, table.cost, table.gain)
    work = BlockWork.of(types, market, rule_of(mechanism))
    spans = [(first, min(first + block, types.clients)) for first in range(0, types.clients, block)]
    tally = Tally(types, market)
    optimal, optimal_gap, largest, nodes, computed, done = 0.0, 0.0, 0.0, 0, 0, 0
    try:
        for made in _each(work, spans, stored, cluster):
            tally.add(made.outcome)
            optimal, optimal_gap = optimal + made.optimal, optimal_gap + made.optimal_gap
            largest = max(largest, float(made.outcome.gap.max(initial=0.0)))
            nodes, computed = nodes + made.outcome.nodes, computed + made.outcome.computed
            done += made.outcome.importers
            if tell is not None:
                tell("importers cleared", done, types.clients)
    except KeyboardInterrupt:
        where = f"interrupted after {done} of {types.clients} importers"
        if stored is None:
            raise Interrupted(f"{where}; with --out DIR a clearing can be resumed") from None
        raise Interrupted(
            f"{where}; resume with the same command, --out {shlex.quote(str(stored.folder))} --resume"
        ) from None
    accounts = tally.accounts()
    net = np.array([math.fsum([*accounts.paid, *-accounts.received])])
    promises = promised(accounts, net, tally.objective, optimal, optimal_gap)
    lies = sampled_lies(work.clearing, types)
    return LargeCleared(
        table.names, types, market, mechanism, accounts, promises, lies, largest, tally, nodes, computed
    )


def _each(work: BlockWork, spans: list[tuple[int, int]], stored: Stored | None, cluster: str | None) -> Iterator[Block]:
    """Yield all blocks in their order; those that are stored are read, the others cleared and stored."""
    todo = [span for span in spans if stored is None or not stored.has(span[0])]
    made = cleared_here(work, todo) if cluster is None else cleared_on_cluster(work, todo, cluster)
    waiting = set(todo)
    for span in spans:
        if span not in waiting and stored is not None:
            yield stored.read(span[0])
            continue
        found = next(made)
        if stored is not None:
            stored.keep(found)
        yield found


def frame_of(cleared: LargeCleared) -> Any:
    """Return every client's account as a table: `ACCOUNT`, and how many models it bought and sold."""
    import polars as pl

    columns = {part: getattr(cleared.accounts, part) + 0.0 for part in ACCOUNT}
    return pl.DataFrame(
        {"client": pl.Series(cleared.names, dtype=pl.String), **columns, "bought": cleared.tally.imports,
         "sold": cleared.tally.exports}
    )  # fmt: skip


def as_json(cleared: LargeCleared) -> dict[str, Any]:
    """Return the JSON of a large clearing: that of ``clear --json`` without what is said of each client or import.

    Instead of those stand ``number_of_clients`` and ``number_of_imports``; the rest is in the tables.
    """
    return {
        "mechanism": cleared.mechanism,
        "number_of_clients": len(cleared.names),
        "number_of_imports": int(cleared.tally.imports.sum()),
        "nodes": cleared.nodes,
        "differences_computed": cleared.computed,
        **cleared.worth(),
    }


def show(cleared: LargeCleared, console: Console) -> None:
    """Print how much is traded, and how many differences that took."""
    m, tally = len(cleared.names), cleared.tally
    imports = int(tally.imports.sum())
    console.print(
        f"{imports} imports, {number(imports / m)} for each client, at {number(tally.paid.sum() / max(1, imports))} "
        f"on average; {int((tally.imports > 0).sum())} clients buy, {int((tally.exports > 0).sum())} sell"
    )
    if cleared.market.vectors is not None:
        share = cleared.computed / max(1, m * (m - 1))
        console.print(f"{cleared.computed} differences were worked out, {percent(share, 2)} of all pairs")
