"""What `verify` shows: a line for each property, then each witness as a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from marketproof.console import stderr, table

if TYPE_CHECKING:
    from mechanism.direct import DirectMechanism
    from proofs_checks.engine.verdict import Verdict

_HOLDS = {True: "yes", False: "no", None: "-"}


def domain_of(name: str, mechanism: DirectMechanism) -> str:
    """Return the domain in words: the catalogue's, and the bounds of every private number."""
    from mechanism.catalogue import CATALOGUE

    space = mechanism.space
    bounds = ", ".join(
        f"{n} in [{space.low[:, c].min():g}, {space.high[:, c].max():g}]"
        for c, n in enumerate(space.names)
        if space.private[:, c].any()
    )
    known = CATALOGUE.get(name)
    head = f"{known.domain}; " if known is not None else ""
    return f"{head}{space.agents} agents, private {bounds}"


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """Show a bar over the properties on a terminal's stderr."""
    import sys

    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=stderr(quiet=quiet), transient=True) as bar:
        task = bar.add_task("verifying", total=None)

        def tell(name: str, done: int, total: int) -> None:
            bar.update(task, description=name, completed=done, total=total)

        yield tell


def show(name: str, domain: str, verdicts: Sequence[Verdict], console: Console, *, executed: bool) -> None:
    """Print the verdicts."""
    rows = [(v.property, str(v.grade), _HOLDS[v.holds], _why(v)) for v in verdicts]
    console.print(table(name, ("property", "grade", "holds", "because"), rows, left=4))
    console.print(f"Domain: {domain}")
    if executed:
        console.print("The file was executed.")
    if any(v.witness is not None for v in verdicts):
        console.print("--json FILE or --witnesses DIR keeps what refutes; 'marketproof replay' recomputes it.")


def _why(verdict: Verdict) -> str:
    evidence = verdict.evidence
    if verdict.witness is not None:
        return verdict.witness.sentence
    if "words" in evidence:
        return (
            f"certificate: {evidence['scope']}; the code agrees with the formula on {evidence['conformance_samples']} "
            f"profiles, {_count(evidence['tried'])} tried besides"
        )
    if "reason" in evidence:
        return str(evidence["reason"])
    if verdict.share is not None:
        sure = (
            f"at 99 % confidence at most {verdict.share:.2g} of uniform profiles hold one that these probes would find"
        )
        return f"{_count(evidence['tried'])} tried, none found; {sure}"
    return f"{_count(evidence['tried'])} tried, none found; {verdict.bound}"


def _count(number: int) -> str:
    return f"{number / 1e6:.3g} million" if number >= 1e6 else f"{number:,}".replace(",", " ")
