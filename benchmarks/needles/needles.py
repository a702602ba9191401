"""Needles: mechanisms with a small planted defect, and sound ones, none of which the search has seen.

The truth is known by construction: sound rules by the argument beside them (`needle_rules`), defects by a case that
breaks the property (`needle_defects`). Half are drawn from seed 1, half from a seed that is drawn when it is measured.
Each defect is searched through the public `verify` with 20 seconds; at least 95 % must be refuted and no sound rule
accused. Run as a script; exit status 1 if either is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from needle_cases import Needle
from needle_defects import PLANTS
from needle_forms import domain
from needle_rules import FAMILIES

from proofs_checks.evidence.verify import verify
from proofs_checks.evidence.witness import replay

TARGET = 0.95
SOUND_SHARE = 3  # every third needle is sound


def needles(seed: int, count: int) -> list[Needle]:
    """Draw ``count`` needles, every third sound; families and kinds take turns from the seed on, all else is random."""
    rng = np.random.default_rng([seed, 7])
    found: list[Needle] = []
    sound = planted = seed  # whose turn it is
    while len(found) < count:
        if len(found) % SOUND_SHARE == 0:
            rule = FAMILIES[sound % len(FAMILIES)](rng, domain(rng))
            name = rule.mechanism.name.split("-")[0]  # type: ignore[attr-defined]
            found.append(Needle(rule.mechanism, "", True, f"sound, {name}", rule.words, rule.holds))
            sound += 1
            continue
        plant, needle = PLANTS[planted % len(PLANTS)], None
        while needle is None:
            needle = plant(rng)
        found.append(needle)
        planted += 1
    return found


@dataclass(frozen=True)
class Result:
    """One needle's verdict: found (a defect refuted, or a sound rule accused), after how many seconds."""

    needle: Needle
    found: bool
    seconds: float
    seed: int
    words: str = ""


def measured(needle: Needle, seed: int, budget: float, *, everything: bool = False) -> Result:
    """Search one needle; ``everything``: all properties at once, and the one that fails must be among the refuted."""
    ids = None if everything else list(needle.holds) if needle.sound else [needle.property]
    started = time.perf_counter()
    verdicts = verify(needle.mechanism, ids, budget=budget, grade="searched")
    spent = time.perf_counter() - started
    asked = set(needle.holds) if needle.sound else {needle.property}
    no = [v for v in verdicts if v.holds is False and v.property in asked]
    unreplayed = [v for v in no if v.witness is None or not replay(v.witness, needle.mechanism).reproduces]
    if not needle.sound and unreplayed:
        return Result(needle, False, spent, seed, "the witness does not replay")
    words = "; ".join(f"{v.property}: {v.witness.sentence}" for v in no if v.witness is not None)
    return Result(needle, bool(no), spent, seed, words)


def table(results: list[Result]) -> list[str]:
    """Return lines by kind: count, how many were found, median and largest seconds of those found, share of volume."""
    kinds: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        kinds[result.needle.kind].append(result)
    lines = [f"{'kind':34} {'count':>5} {'found':>5} {'median s':>9} {'max s':>7}  least share of the types"]
    for kind, rows in sorted(kinds.items()):
        times = [r.seconds for r in rows if r.found]
        middle, most = (f"{statistics.median(times):.2f}", f"{max(times):.2f}") if times else ("-", "-")
        share = "" if rows[0].needle.sound else f"{min(r.needle.share for r in rows):.1e}"
        lines.append(f"{kind:34} {len(rows):5d} {len(times):5d} {middle:>9} {most:>7}  {share}")
    return lines


def complaint(result: Result) -> str | None:
    """Return a line on a defect that was not found or a sound rule that was accused, else None."""
    if result.found != result.needle.sound:
        return None
    what = "ACCUSED" if result.needle.sound else "MISSED"
    return f"{what} (seed {result.seed}) {result.needle.kind}: {result.needle.description}; {result.words}"


def report(results: list[Result]) -> bool:
    """Print tables of what was found and return whether both targets are met."""
    defects = [r for r in results if not r.needle.sound]
    sound = [r for r in results if r.needle.sound]
    print("\n".join(table(defects)))
    print("\n".join(table(sound)))
    share = sum(r.found for r in defects) / max(1, len(defects))
    accused = sum(r.found for r in sound)
    met = share >= TARGET and accused == 0
    print(
        f"{len(defects)} defects, refuted {share:.1%} (target at least {TARGET:.0%}); {len(sound)} sound rules, "
        f"accused {accused} (target 0): {'met' if met else 'MISSED'}"
    )
    return met


def main(arguments: list[str] | None = None) -> int:
    """Draw, search, print; return 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("seed", nargs="?", type=int, help="the second seed (default: from the operating system)")
    parser.add_argument("--count", type=int, default=108, help="needles of each seed (default 108)")
    parser.add_argument("--budget", type=float, default=20.0, help="seconds for each defect")
    parser.add_argument("--sound-budget", type=float, default=2.0, help="seconds for each sound rule, all properties")
    parser.add_argument("--all", action="store_true", help="ask for all properties at once, within the same seconds")
    parser.add_argument("--kind", default="", help="only kinds whose name contains this")
    given = parser.parse_args(arguments)
    unseen = int.from_bytes(os.urandom(4), "little") if given.seed is None else given.seed
    print(f"seeds 1 and {unseen}; {given.budget:g} s for a defect, {given.sound_budget:g} s for a sound rule")
    results = []
    for seed in (1, unseen):
        for needle in needles(seed, given.count):
            if given.kind in needle.kind:
                budget = given.sound_budget if needle.sound else given.budget
                results.append(measured(needle, seed, budget, everything=given.all))
                if line := complaint(results[-1]):
                    print(line, flush=True)
    return 0 if report(results) else 1


if __name__ == "__main__":
    sys.exit(main())
