"""Judges of claims: each works a verdict out from the committed records, and says so where its record is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.findings.several.statistics import LEVEL, Difference, holm, paired
from mechanism.market.accounting import MONEY
from mechanism.wording import listed, number, percent, plural

HOLDS, NOT, NOISE, UNTESTED, MISSING = "holds", "does not hold", "within noise", "not tested", "not run yet"
PARTLY = "holds where it was run"

PAPERS, REPAIRED = "ipfl/ipfl", "ipfl/ipfl-exact"
BASELINES = ("local", "fedavg", "fedprox", "ditto", "fedamp", "cfl", "fedfomo", "pfedgraph")
TASKS = 11
MARGIN = 0.01
"""Accuracy that counts as comparable: a point behind, our choice, since the paper names none."""

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


def differences(units: Figures, key: str, mine: str = PAPERS) -> Iterator[tuple[str, dict[str, Difference]]]:
    """Yield each task with what ``mine`` has more of a figure than each baseline, over the seeds that both have."""
    for task, methods in units.items():
        each = {}
        for name in BASELINES:
            seeds = sorted(set(methods.get(mine, {})) & set(methods.get(name, {})))
            if seeds:
                each[name] = paired([methods[mine][s][key] for s in seeds], [methods[name][s][key] for s in seeds])
        if each:
            yield task, each


def over_tasks(records: Records, key: str, write: Callable[[float], str], least: float) -> Verdict:
    """Judge whether the paper's method has more of a figure than every baseline less ``least``, on every task.

    For that each interval has to lie above: no correction, all have to (intersection-union). Against it a single
    interval below is enough, so that Holm's correction is over all baselines and tasks.
    """
    found = list(differences(records.units(), key))
    if not found:
        return Verdict(MISSING, "No record of study performance.")
    flat = [(task, name, one) for task, each in found for name, one in each.items()]
    raised = holm([1.0 if one.p is None else one.p for _, _, one in flat])
    behind = [
        (task, name, one) for (task, name, one), p in zip(flat, raised, strict=True)
        if p < 1 - LEVEL and one.high is not None and one.high < -least
    ]  # fmt: skip
    open_ = [(task, name) for task, name, one in flat if one.low is None or one.low <= -least]
    fewest = {task: min(one.pairs for one in each.values()) for task, each in found}
    clear = [task for task, _ in found if not any(where == task for where, _ in open_)]
    low, high = min(fewest.values()), max(fewest.values())
    seeds = plural(low, "seed") if low == high else f"{low} to {high} seeds"
    where = f" ({listed(clear)})" if clear else ""
    said = [
        f"Seen on {len(clear)} of {plural(len(found), 'task')} that were run{where}: {seeds}, paired 95 % intervals, "
        f"against {len(BASELINES)} methods ({' and '.join(records.named)})."
    ]
    if behind:
        said.append(
            "Seen to be behind: "
            + "; ".join(f"{name} on {task} by {write(-one.mean)}" for task, name, one in behind) + "."
        )  # fmt: skip
    unclear = [(task, name) for task, name in open_ if (task, name) not in {(a, b) for a, b, _ in behind}]
    if unclear:
        by_task: dict[str, list[str]] = {}
        for task, name in unclear:
            by_task.setdefault(task, []).append(name)
        where = "; ".join(f"{task} against {listed(names)}" for task, names in by_task.items())
        said.append(f"Not decided: {where}.")
    word = NOT if behind else NOISE if unclear else HOLDS if len(found) == TASKS else PARTLY
    return Verdict(word, " ".join(said))


def utility(records: Records) -> Verdict:
    """Judge the highest utility."""
    return over_tasks(records, "utility_mean", lambda x: f"{number(x, 3)} money a round", 0.0)


def accuracy(records: Records) -> Verdict:
    """Judge an accuracy that is better or comparable."""
    return over_tasks(records, "accuracy_best", lambda x: f"{100 * x:.1f} points", MARGIN)


def eleven(records: Records) -> Verdict:
    """Judge whether all eleven tasks were run with all methods."""
    units = {task: m for task, m in records.units().items() if {*BASELINES, PAPERS} <= set(m)}
    word = HOLDS if len(units) >= TASKS else MISSING
    seeds = sorted({len(methods[PAPERS]) for methods in units.values()})
    said = f"{len(units)} of eleven tasks are recorded with every method, at {listed(map(str, seeds)) or 'no'} seeds"
    where = "[performance](performance.md)" if records.get("performance") else "fashion.json"
    return Verdict(word, f"{said}; scales are reduced, and said in {where}.")


def language(records: Records) -> Verdict:
    """Judge what was found of language models."""
    told = records.get("performance") or {"units": [], "tasks": {}}
    trained = {unit["task"] for unit in told["units"]}
    tasks = {name: size for name, size in told["tasks"].items() if size["network"] == "lora" and name in trained}
    if not tasks:
        return Verdict(MISSING, "No record of finance or cofinance.")
    base = listed(dict.fromkeys(str(size["base"] or "a tiny random model") for size in tasks.values()))
    return Verdict(UNTESTED, f"{listed(tasks)} were run with {base}, not with the paper's Llama-2-7B.")


def of_formula(mechanism: str, *properties: str) -> Callable[[Records], Verdict]:
    """Return a judge of properties by the matrix of verdicts."""

    def judge(records: Records) -> Verdict:
        cells = [records.cell(mechanism, prop) for prop in properties]
        said = "; ".join(f"`{cell['property']}` is {cell['grade']}" for cell in cells)
        word = HOLDS if all(cell["holds"] for cell in cells) else NOT
        where = "matrix.json, with the bounds of each search and a witness of each refutation"
        return Verdict(word, f"Of `{mechanism}`, the rule in the authors' code with exact roots: {said} ({where}).")

    return judge


def nobody_loses(records: Records) -> Verdict:
    """Judge individual rationality in training, round by round."""
    units = [
        (task, seed, unit)
        for task, methods in records.units().items()
        for seed, unit in methods.get(PAPERS, {}).items()
        if "utility_lowest" in unit
    ]
    if not units:
        return Verdict(MISSING, "No record of the lowest utility in study performance.")
    losing = [(t, s) for t, s, unit in units if unit["utility_lowest"] < -MONEY * max(1.0, abs(unit["welfare"]))]
    lowest = min(unit["utility_lowest"] for _, _, unit in units)
    said = f"The lowest utility in any round of {plural(len(units), 'run')} of `{PAPERS}` is {number(lowest, 3)}."
    where = listed(dict.fromkeys(task for task, _ in losing))
    tasks = listed(dict.fromkeys(task for task, _, _ in units))
    if losing:
        return Verdict(NOT, f"{said} Somebody loses on {where}.")
    return Verdict(HOLDS if len({task for task, _, _ in units}) == TASKS else PARTLY, f"{said} On {tasks}.")


Rows = Sequence[Mapping[str, Any]]


def lies(told: Mapping[str, Any]) -> tuple[str, str]:
    """Judge whether lies about a cost or a size paid: one case refutes that none does."""
    rows = [row for row in told["rows"] if row["method"] == PAPERS and row["lie"] in ("cost", "size")]
    paying = [row for row in rows if row["share_paying"] > 0]
    each = [
        f"{row['factor']:g} times one's {row['lie']} paid in {percent(row['share_paying'], 0)} of cases, at most "
        f"{number(row['gain_best'], 3)}"
        for row in paying or rows
    ]
    return (NOT if paying else HOLDS) if rows else MISSING, "; ".join(each)


def strangers(told: Mapping[str, Any]) -> tuple[str, str]:
    """Judge whether attackers and free-riders earn less than honest clients."""
    rows = by_seed(told)
    each = {row["population"][0]: paired(row["utility_others"], row["utility_honest"]) for row in rows}
    said = "; ".join(
        f"{name} {number(abs(one.mean), 3)} a round {'more' if one.mean > 0 else 'less'}"
        + ("" if one.seen else ", within noise") for name, one in each.items()
    )  # fmt: skip
    return _by_differences(each.values(), less=True), said


def _by_differences(each: Iterable[Difference], *, less: bool) -> str:
    """Return the verdict on a claim that all differences are below (``less``) or above zero: as in `over_tasks`."""
    found = list(each)
    raised = holm([1.0 if one.p is None else one.p for one in found])
    wrong = [one for one, p in zip(found, raised, strict=True) if p < 1 - LEVEL and (one.mean > 0) == less]
    right = all(one.seen and (one.mean < 0) == less for one in found)
    return MISSING if not found else NOT if wrong else HOLDS if right else NOISE


def roles(told: Mapping[str, Any]) -> tuple[str, str]:
    """Judge whether every role gains in the inclusive market."""
    mine = [row for row in by_seed(told) if row["role"][0] != "attacker"]
    losing = [row for row in mine if min(row["utility_lowest"]) < -MONEY * max(1.0, *map(abs, row["utility"]))]
    said = "; ".join(
        f"{row['role'][0]} ({row['population'][0]}) {number(sum(row['utility']) / len(row['utility']), 3)} a round, "
        f"lowest {number(min(row['utility_lowest']), 3)}"
        for row in mine
    )
    return MISSING if not mine else NOT if losing else HOLDS, said


def staying(told: Mapping[str, Any]) -> tuple[str, str]:
    """Judge whether clients stay that may leave when they lose: in the worst seed."""
    rows = by_seed(told)
    gone = [row for row in rows if min(row["left"]) < row["clients"][0]]
    said = "; ".join(f"{row['population'][0]}: {min(row['left']):g} of {row['clients'][0]} stay" for row in rows)
    return MISSING if not rows else NOT if gone else HOLDS, said


def gain_law(told: Mapping[str, Any]) -> tuple[str, str]:
    """Judge whether clients to whom the gain law promises more gain more accuracy over training alone."""
    each: dict[str, Difference] = {}
    for row in by_seed(told):
        seeds = [value for value in row["law_correlation"] if value is not None]
        if seeds:
            each[row["task"][0]] = paired(seeds, [0.0] * len(seeds))
    said = "; ".join(
        f"{task} {one.mean:.2f}" + ("" if one.low is None else f" ({one.low:.2f} to {one.high:.2f})")
        for task, one in each.items()
    )
    return _by_differences(each.values(), less=False), f"correlation of gain by law and accuracy over local: {said}"


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


def background(why: str) -> Callable[[Records], Verdict]:
    """Return a judge of what no record of ours could decide."""
    return lambda records: Verdict(UNTESTED, why)
