"""A large clearing on disk: blocks as they are cleared, then two tables. A kill leaves what is needed to go on.

Each block is written beside its place, flushed and renamed; what is not there under its own name never happened. The
tables are made from the blocks alone, so that a clearing that was interrupted writes the same files, to the byte.
"""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from marketproof.large.blocks import Block
from mechanism.errors import InputError, shown
from mechanism.market.large.books import SparseOutcome
from mechanism.reading import read_json
from mechanism.writing import dumps, partial, refuse_unwritable, sync_folder, write

if TYPE_CHECKING:
    from polars import DataFrame

WORK, SETTINGS = ".clearing", "settings.json"
PAYMENTS, ACCOUNTS, RESULT = "payments.parquet", "accounts.parquet", "clear.json"

_ROWS = 1 << 20  # of a row group of payments
_ARRAYS = ("indptr", "sellers", "prices", "samples", "penalties", "gap")
_NUMBERS = ("first", "clients", "computed", "nodes", "optimal", "optimal_gap")
_MOST_SETTINGS = 2**20


class Stored:
    """The blocks of one clearing in ``folder/.clearing``; ``settings``: all that decides its numbers, plain JSON.

    `InputError` if there is an interrupted clearing and ``resume`` is not asked for, or none and it is, or one of other
    settings; or the folder cannot be written.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], *, resume: bool) -> None:
        self.folder, self.work = folder, folder / WORK
        there = (self.work / SETTINGS).is_file()
        if there and not resume:
            raise InputError(
                f"a clearing into {shown(folder)} was interrupted; add --resume to go on, or name another folder"
            )
        if resume and not there:
            raise InputError(f"no interrupted clearing is in {shown(folder)}; leave out --resume")
        if there:
            told = read_json(self.work / SETTINGS, _MOST_SETTINGS, "the settings of a clearing")
            held = told if isinstance(told, dict) else {}
            changed = [name for name in settings if held.get(name) != settings[name]]
            if changed:
                raise InputError(
                    f"{shown(folder)} holds a clearing with another {', another '.join(changed)}; resume with what it "
                    "was begun with, or name another folder"
                )
            return
        refuse_unwritable(folder, PAYMENTS)
        self.work.mkdir(parents=True, exist_ok=True)
        write(self.work / SETTINGS, dumps(dict(settings)))

    def _place(self, first: int) -> Path:
        return self.work / f"block-{first:010d}.npz"

    def has(self, first: int) -> bool:
        """Say whether the block that begins with importer ``first`` is done."""
        return self._place(first).is_file()

    def keep(self, block: Block) -> None:
        """Write a block."""
        told, content = block.outcome, io.BytesIO()
        numbers = [told.first, told.clients, told.computed, told.nodes, block.optimal, block.optimal_gap]
        arrays = {name: getattr(told, name) for name in _ARRAYS}
        np.savez(content, numbers=np.array(numbers, dtype=np.float64), **arrays)
        write(self._place(told.first), content.getvalue())

    def read(self, first: int) -> Block:
        """Return a block; `InputError` if its file is damaged."""
        path = self._place(first)
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
                told = dict(zip(_NUMBERS, held["numbers"].tolist(), strict=True))
                arrays: dict[str, Any] = {name: held[name] for name in _ARRAYS}
            whole: dict[str, Any] = {name: int(told[name]) for name in _NUMBERS[:4]}
            lengths = {len(arrays[name]) for name in _ARRAYS[1:5]}
            if whole["first"] != first or lengths != {int(arrays["indptr"][-1])}:
                raise ValueError("its parts do not fit each other")
        except (OSError, ValueError, KeyError, IndexError, EOFError, OverflowError, zipfile.BadZipFile):
            raise InputError(f"{shown(path)} is damaged; delete it, and --resume clears its importers again") from None
        return Block(SparseOutcome(**whole, **arrays), told["optimal"], told["optimal_gap"])

    def firsts(self) -> list[int]:
        """Return the first importers of all blocks, rising."""
        return sorted(int(path.stem.removeprefix("block-")) for path in self.work.glob("block-*.npz"))

    def blocks(self) -> Iterator[Block]:
        """Yield all blocks in the order of their importers."""
        return (self.read(first) for first in self.firsts())

    def finish(self, names: tuple[str, ...], accounts: DataFrame, result: bytes) -> None:
        """Write payments and accounts as Parquet, and the ``result`` as JSON, then drop the blocks.

        Payments are put together from a file a block, row group by row group: they are never in memory as a whole.
        """
        import polars as pl

        client = pl.Series(names, dtype=pl.String)
        pieces = []
        for first in self.firsts():
            told = self.read(first).outcome
            columns = {"from": client.gather(told.importer()), "to": client.gather(told.sellers), "amount": told.prices,
                       "samples": told.samples, "penalty": told.penalties}  # fmt: skip
            pieces.append(self.work / f"rows-{first:010d}.parquet")
            pl.DataFrame(columns).write_parquet(pieces[-1])
        target = partial(self.folder / PAYMENTS)
        rows = pl.scan_parquet(pieces, glob=False, hive_partitioning=False)
        rows.sink_parquet(target, compression="zstd", row_group_size=_ROWS, maintain_order=True)
        accounts.write_parquet(partial(self.folder / ACCOUNTS), compression="zstd", row_group_size=_ROWS)
        partial(self.folder / RESULT).write_bytes(result)
        for name in (PAYMENTS, ACCOUNTS, RESULT):
            waiting = partial(self.folder / name)
            with open(waiting, "rb") as file:
                os.fsync(file.fileno())
            os.replace(waiting, self.folder / name)
        sync_folder(self.folder)
        shutil.rmtree(self.work)
