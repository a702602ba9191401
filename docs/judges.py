"""Judges of claims: each works a verdict out from the committed records, and says so where its record is missing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.findings.several.statistics import FEWEST, Difference, holm, paired
from mechanism.market.accounting import MONEY
from mechanism.wording import listed, number, percent, plural

HOLDS, NOT, NOISE, UNTESTED, MISSING = "holds", "does not hold", "within noise", "not tested", "not run yet"
PARTLY = "holds where it was run"

PAPERS, REPAIRED = "ipfl/ipfl", "ipfl/ipfl-exact"
TASKS = 11
Figures = Mapping[str, Mapping[str, Mapping[int, Mapping[str, float]]]]
"""By task, method and seed: the figures of a unit."""


@dataclass(frozen=True)
class Verdict:
    """A verdict, and the evidence in a sentence or several."""

    word: str
    evidence: str


class Records:
    """The committed records, by the name of their file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.named: list[str] = []
        """The files that `units` took figures from."""

    def get(self, name: str) -> Any:
        """Return what ``NAME.json`` holds, None where there is none."""
        path = self._folder / f"{name}.json"
        return json.loads(path.read_text()) if path.is_file() else None

    def studies(self, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the records of a study, on whatever task: the file and what it holds."""
        for path in sorted(self._folder.glob("*.json")):
            told = json.loads(path.read_text())
            if isinstance(told, dict) and told.get("study") == name and "rows" in told:
                yield path.name, told

    def units(self) -> Figures:
        """Return the figures of study performance; of a task that it lacks those of ``fashion.json``."""
        found: dict[str, dict[str, dict[int, Mapping[str, float]]]] = {}
        told = (self.get("performance") or {"units": []})["units"]
        self.named = ["performance.json"] if told else []
        for unit in told:
            found.setdefault(unit["task"], {}).setdefault(unit["method"], {})[unit["seed"]] = unit
        for task, record in (self.get("fashion") or {}).items():
            if task not in found or len(found[task].get(PAPERS, ())) < len(record["seeds"]):
                self.named = list(dict.fromkeys([*self.named, "fashion.json"]))
                found[task] = {
                    name: {int(seed): figures for seed, figures in by_seed.items()}
                    for name, by_seed in record["by_seed"].items()
                }
        return found

    def cell(self, mechanism: str, prop: str) -> Mapping[str, Any]:
        """Return the verdict on a property in ``matrix.json``."""
        cells = self.get("matrix")["cells"]
        return next(cell for cell in cells if (cell["mechanism"], cell["property"]) == (mechanism, prop))


def of_formula(mechanism: str, *properties: str) -> Callable[[Records], Verdict]:
    """Return a judge of properties by the matrix of verdicts."""

    def judge(records: Records) -> Verdict:
        cells = [records.cell(mechanism, prop) for prop in properties]
        said = "; ".join(f"`{cell['property']}` is {cell['grade']} (matrix.json){_because(cell)}" for cell in cells)
        word = HOLDS if all(cell["holds"] for cell in cells) else NOT
        return Verdict(word, f"Of `{mechanism}`, the rule in the authors' code with exact roots: {said}.")

    return judge


def _because(cell: Mapping[str, Any]) -> str:
    """Return of what a verdict in the matrix was proved, or the market that refutes it."""
    why = (cell["witness"] or {}).get("sentence") or (cell["evidence"] or {}).get("words")
    return f": {why}" if why else ""


Rows = Sequence[Mapping[str, Any]]


def lies(told: Mapping[str, Any]) -> tuple[str, str]:
    """Judge whether lies about a cost or a size paid: one case refutes that none does."""
    rows = [row for row in told["rows"] if row["method"] == PAPERS and row["lie"] in ("cost", "size")]
    paying = [row for row in rows if row["share_paying"] > 0]
    each = [
        f"{row['factor']:g} times one's {row['lie']} paid in {percent(row['share_paying'], 0)} of "
        f"{row['liars'] * told['rounds']} rounds of {plural(row['liars'], 'liar')}, at most "
        f"{number(row['gain_best'], 3)}"
        for row in paying or rows
    ]
    return (NOT if paying else HOLDS) if rows else MISSING, "; ".join(each)


def strangers(told: Mapping[str, Any]) -> tuple[str, str]:
    """Judge whether attackers and free-riders earn less than honest clients."""
    rows = by_seed(told)
    each = {row["population"][0]: paired(row["utility_others"], row["utility_honest"]) for row in rows}
    said = "; ".join(f"{name} {'+' * (one.mean > 0)}{number(one.mean, 3)}{_reach(one)}" for name, one in each.items())
    return _by_differences(each.values(), less=True), f"what they earn less what honest clients do, a round: {said}"


def _reach(one: Difference, back: Callable[[float], float] = float) -> str:
    """Return a difference's interval in brackets, with its ends put ``back`` to the scale that is shown."""
    if one.low is None or one.high is None:
        return " (one seed, nobody knows the noise)"
    return f" ({number(back(one.low), 3)} to {number(back(one.high), 3)}{'' if one.seen else ', within noise'})"


def _by_differences(each: Iterable[Difference], *, less: bool) -> str:
    """Return the verdict on a claim that all differences are below (``less``) or above zero: as in `over_tasks`."""
    found = list(each)
    raised = holm([1.0 if one.p is None else one.p for one in found])
    wrong = [one for one, p in zip(found, raised, strict=True) if one.kept(p) and (one.mean > 0) == less]
    right = all(one.seen and one.pairs >= FEWEST and (one.mean < 0) == less for one in found)
    return MISSING if not found else NOT if wrong else HOLDS if right else NOISE


def roles(told: Mapping[str, Any]) -> tuple[str, str]:
    """Judge whether every role gains in the inclusive market, under every seed, and loses in no round."""
    mine = [row for row in by_seed(told) if row["role"][0] != "attacker"]
    small = {id(row): MONEY * max(1.0, *map(abs, row["utility"])) for row in mine}
    losing = [r for r in mine if min(r["utility_lowest"]) < -small[id(r)] or min(r["utility"]) <= small[id(r)]]
    said = "; ".join(
        f"{row['role'][0]} ({row['population'][0]}) {number(sum(row['utility']) / len(row['utility']), 3)} a round, "
        f"lowest {number(min(row['utility_lowest']), 3)}"
        for row in mine
    )
    return MISSING if not mine else NOT if losing else HOLDS, f"{said}; gains by the law"


def staying(told: Mapping[str, Any]) -> tuple[str, str]:
    """Judge whether clients stay that may leave when they lose: in the worst seed."""
    rows = by_seed(told)
    gone = [row for row in rows if min(row["left"]) < row["clients"][0]]
    said = "; ".join(f"{row['population'][0]}: {min(row['left']):g} of {row['clients'][0]} stay" for row in rows)
    return MISSING if not rows else NOT if gone else HOLDS, said


def gain_law(told: Mapping[str, Any]) -> tuple[str, str]:
    """Judge whether clients to whom the gain law promises more gain more accuracy over training alone.

    By the mean of Fisher's z = artanh r over seeds, whose interval stays within -1 and 1 as correlations.
    """
    each: dict[str, Difference] = {}
    alike = []
    for row in by_seed(told):
        seeds = [math.atanh(max(-_SURE, min(_SURE, r))) for r in row["law_correlation"] if r is not None]
        if seeds:
            each[row["task"][0]] = paired(seeds, [0.0] * len(seeds))
        else:
            alike.append(row["task"][0])
    said = "; ".join(f"{task} {number(math.tanh(one.mean), 3)}{_reach(one, math.tanh)}" for task, one in each.items())
    none = f"; none on {listed(alike)}, where the law promises all clients the same" if alike else ""
    heads = (
        f"correlation over clients of gain by law and accuracy over local (Fisher's z, 95 % intervals): {said}{none}"
    )
    return _by_differences(each.values(), less=False), heads


_SURE = 1.0 - 1e-12  # a correlation whose Fisher's z is still a number


def by_seed(told: Mapping[str, Any]) -> Rows:
    """Return the rows of the paper's method with the numbers of each seed; none where they were not recorded."""
    return [row for row in told.get("by_seed", []) if row["method"][0] == PAPERS and not row.get("apart")]


def of_study(name: str, one: Callable[[Mapping[str, Any]], tuple[str, str]]) -> Callable[[Records], Verdict]:
    """Return a judge of every record of a study: a single one that speaks against a claim is enough."""

    def judge(records: Records) -> Verdict:
        found = {
            f"{file} ({told['task']}, {plural(len(told['seeds']), 'seed')})": one(told)
            for file, told in records.studies(name)
        }
        found = {where: verdict for where, verdict in found.items() if verdict[0] != MISSING}
        if not found:
            return Verdict(MISSING, f"No record of study {name} with the numbers of each seed.")
        word = next(word for word in (NOT, NOISE, HOLDS) if any(word == each for each, _ in found.values()))
        said = " ".join(f"{where}: {said}." for where, (_, said) in found.items())
        return Verdict(PARTLY if word == HOLDS else word, said)  # on the tasks of the records, no others

    return judge


def solves(records: Records) -> Verdict:
    """Judge whether the choice reaches the best objective, and say how much it missed on recorded markets."""
    one = of_formula("ipfl", "efficiency")(records)
    found = [
        max(lost) for _, told in records.studies("market") for row in by_seed(told)
        if (lost := [share for share in row["objective_lost"] if share is not None])
    ]  # fmt: skip
    if not found:
        return one
    missed = f"{percent(min(found), 2)} to {percent(max(found), 2)} of the best objective of a run"
    where = f"on {plural(len(found), 'task')} in the worst seed of each (market.json)"
    return Verdict(one.word, f"{one.evidence} In training it missed {missed}, {where}.")


def background(why: str) -> Callable[[Records], Verdict]:
    """Return a judge of what no record of ours could decide."""
    return lambda records: Verdict(UNTESTED, why)
