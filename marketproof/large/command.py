"""What `clear` is told of a market: with matrices for a small one, in rows for a large one; and the large one's way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from marketproof.files import long_tables, market_tables
from marketproof.files.long_tables import DENSE
from mechanism.errors import InputError, shown
from mechanism.writing import dumps, refuse_overwriting, write_all

if TYPE_CHECKING:
    from mechanism.market.large.sparse import LargeMarket

_USUAL = 1.0  # difference of models that nothing is known of


@dataclass(frozen=True)
class Public:
    """The files that a market is read from, and how differences count; `InputError` where they contradict."""

    clients: Path
    differences: Path | None
    effective: Path | None
    vectors: Path | None
    lam: float | None
    unlisted: float | None

    def __post_init__(self) -> None:
        if self.vectors is not None and self.differences is not None:
            raise InputError("differences come from --differences or from --vectors; leave one out")
        if self.unlisted is not None and not long_tables.is_long(self.differences):
            raise InputError("--unlisted is for --differences that list pairs (importer,exporter,difference)")

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are read."""
        return tuple(path for path in (self.clients, self.differences, self.effective, self.vectors) if path)

    @cached_property
    def table(self) -> market_tables.ClientTable:
        """The clients."""
        return long_tables.market_clients(self.clients)

    @property
    def large(self) -> bool:
        """Whether there are too many clients for matrices."""
        return len(self.table.names) > DENSE

    @property
    def weight(self) -> float:
        """Weight of the differences."""
        given = self.differences is not None or self.vectors is not None
        return self.lam if self.lam is not None else (1.0 if given else 0.0)

    def matrices(self) -> tuple[NDArray[np.float64] | None, float, NDArray[np.float64] | None]:
        """Return differences [m, m], their weight, effective sizes [m, m], None for what is not given."""
        names, found = self.table.names, self._listed()
        d = found.dense(len(names)).differences
        if d is None and self.differences is not None:
            d = market_tables.read_differences(self.differences, names)
        if found.effective is None and self.effective is not None:
            return d, self.weight, market_tables.read_amounts(self.effective, names, "samples")
        return d, self.weight, found.dense(len(names)).effective

    def listed(self) -> LargeMarket:
        """Return what is public without a matrix; `InputError` if a file holds one."""
        for option, path in (("differences", self.differences), ("effective", self.effective)):
            if path is not None and not long_tables.is_long(path):
                column = "samples" if option == "effective" else "difference"
                raise InputError(
                    f"--{option} {shown(path)} is a table of everyone against everyone; for more than {DENSE} clients "
                    f"list pairs, importer,exporter,{column}{', or give --vectors' if option == 'differences' else ''}"
                )
        return self._listed()

    def _listed(self) -> LargeMarket:
        from mechanism.market.large.sparse import LargeMarket

        names = self.table.names
        pairs = worth = None
        if self.differences is not None and long_tables.is_long(self.differences):
            rest = _USUAL if self.unlisted is None else self.unlisted
            pairs = long_tables.listed_pairs(self.differences, names, long_tables.DIFFERENCE, rest)
        if self.effective is not None and long_tables.is_long(self.effective):
            worth = long_tables.listed_pairs(self.effective, names, long_tables.SAMPLES)
        vectors = None if self.vectors is None else long_tables.client_vectors(self.vectors, len(names))
        return LargeMarket(self.weight, vectors=vectors, pairs=pairs, effective=worth)

    def refuse_small_only(self, options: Iterable[str]) -> None:
        """Raise `InputError` that names the first of some options that large markets do not have."""
        for option in options:
            m = len(self.table.names)
            raise InputError(f"{option} is for markets of at most {DENSE} clients, here are {m}; leave it out")


def clear_files(
    public: Public,
    mechanism: str,
    out: Path | None,
    json: Path | None,
    cluster: str | None,
    *,
    resume: bool,
    quiet: bool,
) -> None:
    """Clear a large market from its files, write its tables and its JSON, and show what came of it."""
    from marketproof.large.clear_large import as_json, clear_large_market, frame_of, rule_of, show
    from marketproof.large.stored import ACCOUNTS, PAYMENTS, RESULT, Stored, digest
    from marketproof.terminal.console import bar, stderr, stdout

    rule_of(mechanism)
    if resume and out is None:
        raise InputError("--resume needs --out DIR, where the interrupted clearing is")
    results = () if out is None else (out / RESULT, out / PAYMENTS, out / ACCOUNTS)
    refuse_overwriting((*results, json), public.paths)
    market = public.listed()
    stored = None
    if out is not None:
        told = {name: value for name, value in asdict(public).items() if name in ("lam", "unlisted")}
        files = {name: digest(getattr(public, name)) for name in ("clients", "differences", "effective", "vectors")}
        stored = Stored(out, {"mechanism": mechanism, **told, **files}, resume=resume)
    with bar("importers cleared", quiet=quiet) as tell:
        cleared = clear_large_market(
            public.table, market, mechanism, stored=stored, cluster=cluster, tell=tell
        )  # fmt: skip
    result = dumps(as_json(cleared))
    write_all({} if json is None else {json: result})
    if stored is not None:
        stored.finish(cleared.names, frame_of(cleared), result)
    if public.weight and market.vectors is None and market.pairs is None:
        stderr(quiet=quiet).print(f"note: --lam {public.weight:g} has no effect: no differences are given")
    console = stdout(quiet=quiet)
    show(cleared, console)
    if json is not None:
        console.print(f"JSON: {shown(json)}")
    if out is not None:
        console.print(f"tables: {shown(out)} ({RESULT}, {ACCOUNTS}, {PAYMENTS})")
    else:
        console.print("--out DIR keeps every client's account and every import")
