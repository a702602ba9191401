"""What `verify` shows: a line for each property, then each witness as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from marketproof.terminal.console import table
from mechanism.wording import count

if TYPE_CHECKING:
    from mechanism.direct import DirectMechanism
    from proofs_checks.evidence.verdict import Verdict

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


def show(name: str, domain: str, verdicts: Sequence[Verdict], console: Console, *, executed: bool) -> None:
    """Print the verdicts."""
    rows = [(v.property, str(v.grade), _HOLDS[v.holds], _why(v) + _aside(v)) for v in verdicts]
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
            f"profiles, {count(evidence['tried'])} tried besides"
        )
    if "reason" in evidence:
        return str(evidence["reason"])
    if verdict.share is not None:
        sure = (
            f"at 99 % confidence at most {verdict.share:.2g} of uniform profiles hold one that these probes would find"
        )
        return f"{count(evidence['tried'])} tried, none found; {sure}"
    return f"{count(evidence['tried'])} tried, none found; {verdict.bound}"


def _aside(verdict: Verdict) -> str:
    from proofs_checks.properties.registry import properties

    aside = properties([verdict.property])[0].aside if verdict.holds else ""
    return f"; {aside}" if aside else ""
