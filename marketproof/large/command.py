"""`clear` of a market too large for matrices: from its files to its files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from marketproof.files.long_tables import refuse_too_many
from mechanism.errors import InputError, shown
from mechanism.writing import dumps, refuse_overwriting, write_all

if TYPE_CHECKING:
    from marketproof.clearing import Public


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
    from analysis.run.files import digest
    from marketproof.large.clear_large import as_json, clear_large_market, frame_of, rule_of, show
    from marketproof.large.stored import ACCOUNTS, PAYMENTS, RESULT, Stored
    from marketproof.terminal.console import bar, stderr, stdout

    rule_of(mechanism)
    if resume and out is None:
        raise InputError("--resume needs --out DIR, where the interrupted clearing is")
    results = () if out is None else (out / RESULT, out / PAYMENTS, out / ACCOUNTS)
    refuse_overwriting((*results, json), public.paths)
    refuse_too_many(len(public.table.names), public.clients)
    market = public.listed()
    stored = None
    if out is not None:
        told = {name: value for name, value in asdict(public).items() if name in ("lam", "unlisted")}
        given = {name: getattr(public, name) for name in ("clients", "differences", "effective", "vectors")}
        files = {name: "" if path is None else digest(path) for name, path in given.items()}
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
    cleared.show(console, lambda: show(cleared, console))
    if json is not None:
        console.print(f"JSON: {shown(json)}")
    if out is not None:
        console.print(f"tables: {shown(out)} ({RESULT}, {ACCOUNTS}, {PAYMENTS})")
    else:
        console.print("--out DIR keeps every client's account and every import")
