"""Judges of claims on training under all methods, from the units of study performance."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import numpy as np

from analysis.findings.several.statistics import FEWEST, Difference, holm, paired
from docs.judges import HOLDS, MISSING, NOISE, NOT, PAPERS, PARTLY, TASKS, UNTESTED, Figures, Records, Verdict
from mechanism.market.accounting import MONEY
from mechanism.wording import listed, number, percent, plural

BASELINES = ("local", "fedavg", "fedprox", "ditto", "fedamp", "cfl", "fedfomo", "pfedgraph")

MARGIN = 0.01
"""Accuracy that counts as comparable: a point behind, our choice, since the paper names none."""

LEARNT = 0.25
"""How far the best method has to be from one answer for everything towards no error, for accuracies to be judged."""

BY_LAW = (
    "Utility is what the gain law says, at the samples of the models taken, less costs and payments: what a model did "
    "for anybody's accuracy is no part of it, and the eight methods take models without looking at costs."
)


def differences(units: Figures, key: str, least: float) -> Iterator[tuple[str, dict[str, Difference]]]:
    """Yield each task with what the paper's method has more than each baseline less ``least``, over common seeds."""
    for task, methods in units.items():
        each = {}
        for name in BASELINES:
            seeds = sorted(set(methods.get(PAPERS, {})) & set(methods.get(name, {})))
            if seeds:
                mine, other = ([methods[one][seed][key] for seed in seeds] for one in (PAPERS, name))
                each[name] = paired([value + least for value in mine], other)
        if each:
            yield task, each


def over_tasks(
    records: Records, key: str, write: Callable[[float], str], least: float, aside: Mapping[str, str]
) -> Verdict:
    """Judge whether the paper's method has more of a figure than every baseline less ``least``, on every task.

    For that each interval has to lie above: no correction, all have to (intersection-union). Against it a single
    interval below is enough, so that Holm's correction is over all baselines and tasks. Neither is said of a task with
    fewer seeds than `FEWEST`. ``aside``: tasks that do not count, and why.
    """
    units = records.units()
    every = list(differences(units, key, least))
    found = [(task, each) for task, each in every if task not in aside]
    left = "; ".join(f"{task} ({aside[task]})" for task, _ in every if task in aside)
    left = f" Not counted: {left}." if left else ""
    if not found:
        return Verdict(MISSING, f"No record of study performance that counts.{left}")
    flat = [(task, name, one) for task, each in found for name, one in each.items()]
    raised = holm([1.0 if one.p is None else one.p for _, _, one in flat])
    behind = [
        (task, name, one) for (task, name, one), p in zip(flat, raised, strict=True)
        if one.kept(p) and one.mean < 0
    ]  # fmt: skip
    open_ = [(task, name) for task, name, one in flat if one.pairs < FEWEST or one.low is None or one.low <= 0.0]
    fewest = {task: min(one.pairs for one in each.values()) for task, each in found}
    clear = [task for task, _ in found if not any(where == task for where, _ in open_)]
    where = f" ({listed(clear)})" if clear else ""
    said = [
        f"Seen on {len(clear)} of {plural(len(found), 'task')} run{where}: {_range(fewest.values(), 'seed')}, paired "
        f"95 % intervals, against {_range((len(each) for _, each in found), 'method')} ({' and '.join(records.named)})."
    ]
    if behind:
        said.append(
            "Seen to be behind: "
            + "; ".join(f"{name} on {task} by {write(least - one.mean)}" for task, name, one in behind) + "."
        )  # fmt: skip
    unclear: dict[str, list[str]] = {}
    for task, name in open_:
        if (task, name) not in {(a, b) for a, b, _ in behind}:
            unclear.setdefault(task, []).append(name)
    if unclear:
        each = (f"{t} ({plural(fewest[t], 'seed')})" if fewest[t] < FEWEST else f"{t} against {listed(names)}"
                for t, names in unclear.items())  # fmt: skip
        said.append(f"Not decided: {'; '.join(each)}.")
    if same := [task for task in clear if fewest[task] > 1 and _same(units[task][PAPERS], key)]:
        said.append(f"On {listed(same)} the figure is the same under every seed, as of a single market.")
    word = NOT if behind else NOISE if unclear else HOLDS if len(found) == TASKS else PARTLY
    return Verdict(word, " ".join(said) + left)


def _range(numbers: Iterable[int], what: str) -> str:
    """Return how many there are of something, from the fewest to the most."""
    low, high = min(of := list(numbers)), max(of)
    return plural(low, what) if low == high else f"{low} to {high} {what}s"


def _same(by_seed: Mapping[int, Mapping[str, float]], key: str) -> bool:
    values = np.array([figures[key] for figures in by_seed.values()])
    return bool(np.ptp(values) <= MONEY * max(1.0, float(np.abs(values).max())))


def stand_ins(records: Records) -> dict[str, str]:
    """Return the tasks whose model is none of the paper's, and what it is."""
    told = records.get("performance") or {"tasks": {}}
    why = "a tiny random model in the place of the paper's"
    return {task: why for task, size in told["tasks"].items() if size["network"] == "lora" and not size["base"]}


def unlearnt(records: Records) -> dict[str, str]:
    """Return the tasks on which no method has learnt enough for accuracies to say something, and how much they have."""
    found, units = {}, records.units()
    for task, answers in (records.get("performance") or {}).get("one_answer", {}).items():
        each = [[figures["accuracy_best"] for seed, figures in of.items() if str(seed) in answers]
                for of in units.get(task, {}).values()]  # fmt: skip
        best = max((float(np.mean(some)) for some in each if some), default=1.0)
        one = float(np.mean(list(answers.values())))
        if best - one < LEARNT * (1.0 - one):
            found[task] = f"little is learnt: {percent(best)} by the best method, {percent(one)} by always one answer"
    return found


def utility(records: Records) -> Verdict:
    """Judge the highest utility."""
    one = over_tasks(records, "utility_mean", lambda x: f"{number(x, 3)} money a round", 0.0, stand_ins(records))
    return one if one.word == MISSING else Verdict(one.word, f"{one.evidence} {BY_LAW}")


def accuracy(records: Records) -> Verdict:
    """Judge an accuracy that is better or comparable."""
    aside = unlearnt(records) | stand_ins(records)
    one = over_tasks(records, "accuracy_best", lambda x: f"{100 * x:.1f} points", MARGIN, aside)
    seen = samples_seen(records, {task for task, of in records.units().items() if PAPERS in of} - set(aside))
    return Verdict(one.word, f"{one.evidence} Training saw {seen} that it sees at the paper's scale.") if seen else one


def samples_seen(records: Records, tasks: Collection[str]) -> str:
    """Return which share of the samples that training sees at the paper's scale it saw here, "" where nobody knows."""
    sizes = (records.get("performance") or {"tasks": {}})["tasks"]
    seen = sorted(sizes[task]["of_paper"] for task in tasks if sizes.get(task, {}).get("of_paper"))
    share = " to ".join(dict.fromkeys(percent(of, 2) for of in (seen[:1] + seen[-1:])))
    return f"{share} of the samples" if seen else ""


def eleven(records: Records) -> Verdict:
    """Judge whether all eleven tasks were run with all methods."""
    units = {task: m for task, m in records.units().items() if {*BASELINES, PAPERS} <= set(m)}
    told = records.get("performance")
    other = [task for task in stand_ins(records) if task in units]
    word = MISSING if len(units) < TASKS else PARTLY if other else HOLDS
    seeds = _range((len(methods[PAPERS]) for methods in units.values()), "seed") if units else "no seeds"
    said = f"{len(units)} of eleven tasks are recorded with the nine methods, at {seeds}"
    seen = samples_seen(records, units)
    scale = f", with {seen} that training sees at the paper's" if seen else ""
    where = "[performance](performance.md)" if told else "fashion.json"
    other_ = f" On {listed(other)} it is {stand_ins(records)[other[0]]}." if other else ""
    return Verdict(word, f"{said}; scales are reduced{scale}, and said in {where}.{other_}")


def language(records: Records) -> Verdict:
    """Judge what was found of language models."""
    told = records.get("performance") or {"units": [], "tasks": {}}
    trained = {unit["task"] for unit in told["units"]}
    tasks = {name: size for name, size in told["tasks"].items() if size["network"] == "lora" and name in trained}
    if not tasks:
        return Verdict(MISSING, "No record of finance or cofinance.")
    base = listed(dict.fromkeys(str(size["base"] or "a tiny random model") for size in tasks.values()))
    return Verdict(UNTESTED, f"{listed(tasks)} were run with {base}, not with the paper's Llama-2-7B.")


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
    said = (
        f"The lowest utility in any round of {plural(len(units), 'run')} of `{PAPERS}` is {number(lowest, 3)}, gains "
        "by the law, everybody truthful."
    )
    where = listed(dict.fromkeys(task for task, _ in losing))
    tasks = listed(dict.fromkeys(task for task, _, _ in units))
    if losing:
        return Verdict(NOT, f"{said} Somebody loses on {where}.")
    whole = len({task for task, _, _ in units} - set(stand_ins(records))) == TASKS
    return Verdict(HOLDS if whole else PARTLY, f"{said} On {tasks}.")
