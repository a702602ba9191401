"""Every mechanism against every property that applies to it, each verdict beside what theory says."""

import multiprocessing
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from mechanism.catalogue import CATALOGUE, direct_mechanism
from mechanism.entry import PROPERTIES
from proofs_checks.evidence.agreeing import HINTED, agreed, expected
from proofs_checks.evidence.verdict import Verdict
from proofs_checks.evidence.verify import check_mechanism, verdict
from proofs_checks.proofs.kernel_record import kernel_refutations, kernel_theorem
from proofs_checks.properties.registry import PROPERTY, premises

SECONDS = 0.8
"""Default search time for one cell; a witness is shrunk beyond it."""


@dataclass(frozen=True)
class Cell:
    """One verdict and what the catalogue says: ``truth`` "yes…", "no…", or None where nothing is known."""

    mechanism: str
    verdict: Verdict
    truth: str | None

    @property
    def agrees(self) -> bool | None:
        """Whether evidence and theory say the same, None where theory says nothing."""
        return None if self.truth is None else self.truth.startswith("yes") == self.verdict.holds

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; certificates are left out, they are made again from their ids.

        ``kernel``: the theorem that proves the cell of the formula, or refutes it, by Coq's kernel.
        """
        told = self.verdict.to_dict()
        told["evidence"] = {k: v for k, v in told["evidence"].items() if k != "certificate"}
        if "certificate" in told["evidence"].get("code", {}):
            told["evidence"]["code"] = {k: v for k, v in told["evidence"]["code"].items() if k != "certificate"}
        kernel = named(self.mechanism, self.verdict.property)
        return {"mechanism": self.mechanism, "truth": self.truth, "agrees": self.agrees, "kernel": kernel, **told}


def named(mechanism: str, prop: str) -> str | None:
    """Return the theorem of the property, or of one that it follows from; else one that refutes it, or a consequence.

    Monotonicity in one number follows from dsic only where there is no other: it needs a theorem of its own.
    """
    grounds = (prop,) if prop == "monotonicity" else (prop, *premises(PROPERTY[prop]))
    for ground in grounds:
        if (theorem := kernel_theorem(mechanism, ground)) is not None:
            return theorem.name
    refuted = {other: name for (of, other), name in kernel_refutations().items() if of == mechanism}
    return refuted.get(prop) or next((refuted[other] for other in refuted if prop in premises(PROPERTY[other])), None)


def row(name: str, seconds: float = SECONDS, seed: int = 0) -> list[Cell]:
    """Return the verdicts of all properties that apply to one mechanism of the catalogue."""
    mechanism = direct_mechanism(name)
    check_mechanism(mechanism, seed)
    truths = CATALOGUE[name].truths
    asked = [prop for prop in PROPERTY.values() if prop.missing(mechanism) is None]
    found = [verdict(mechanism, prop, seconds, "auto", seed) for prop in asked]
    found = agreed(mechanism, expected(mechanism, found, HINTED * seconds, seed))
    return [Cell(name, answer, truths.get(prop.id)) for prop, answer in zip(asked, found, strict=True)]


def matrix(
    names: Iterable[str] | None = None,
    *,
    seconds: float = SECONDS,
    seed: int = 0,
    workers: int = 2,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Cell]:
    """Return the cells of all mechanisms, in the order of the catalogue and of the properties.

    ``workers`` processes share the mechanisms; ``progress`` is called with (mechanism, done, of how many).
    """
    chosen = list(CATALOGUE) if names is None else list(names)
    found: dict[str, list[Cell]] = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=workers, mp_context=context) as pool:
        jobs = {pool.submit(row, name, seconds, seed): name for name in chosen}
        for done, job in enumerate(as_completed(jobs)):
            found[jobs[job]] = job.result()
            if progress is not None:
                progress(jobs[job], done + 1, len(jobs))
    return [cell for name in chosen for cell in found[name]]


def to_json(cells: list[Cell], started: float) -> dict[str, Any]:
    """Return the whole matrix as plain data; ``started``: `time.perf_counter` at its beginning."""
    return {
        "mechanisms": list(dict.fromkeys(c.mechanism for c in cells)),
        "properties": [p for p in PROPERTIES if any(c.verdict.property == p for c in cells)],
        "disagreements": [[c.mechanism, c.verdict.property] for c in cells if c.agrees is False],
        "seconds": round(time.perf_counter() - started, 1),
        "cells": [c.to_dict() for c in cells],
    }
