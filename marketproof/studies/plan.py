"""The paper's experiments by name, and what each of them runs: configurations of its populations on one task."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from learning.data.files.places import find, hub
from learning.data.sets.fashion import DEBIAN, HUB, LAYOUTS
from learning.errors import DataError
from marketproof.running.config import DEFAULT_MECHANISM, RunConfig, load_run, load_task, resolve
from marketproof.running.methods import parse
from marketproof.running.recorder import CONFIG, read_progress, recorded_config
from marketproof.studies.liars import LIARS_STUDY, MARKETS
from marketproof.studies.markets import MARKET
from marketproof.studies.performance import PERFORMANCE, POISONING, ROBUSTNESS
from marketproof.studies.planned import Plan
from marketproof.studies.study import Recorded, Study
from marketproof.studies.taking_part import DROPOUT, INCLUSIVE
from marketproof.studies.units import Units
from mechanism.errors import InputError, shown

STUDIES: Mapping[str, Study] = {
    "performance": PERFORMANCE,
    "robustness": ROBUSTNESS,
    "poisoning": POISONING,
    "inclusive": INCLUSIVE,
    "liars": LIARS_STUDY,
    "dropout": DROPOUT,
    "market": MARKET,
}
"""Every study by its name."""

FALLBACK_TASK = "digits-niid"

SMOKE_SEEDS, USUAL_SEEDS = 1, 3
"""Seeds where none are asked for: at scale smoke, and else."""


def plan_study(
    name: str,
    *,
    task: str | None = None,
    scale: str | None = None,
    seed: int = 0,
    seeds: int | None = None,
    methods: Sequence[str] | None = None,
    data_dir: Path | None = None,
) -> Plan:
    """Return the runs of a study; what is None is chosen as usual.

    `InputError` if there is no such study, or a task, scale, method or number is wrong.
    """
    study = _known(name)
    chosen = f"{task}, as asked for"
    if task is None:
        task, chosen = usual_task(data_dir)
    names = list(study.methods if methods is None else methods)
    parsed = parse(names, DEFAULT_MECHANISM)
    without = next((one.name for one in parsed if one.mechanism is None and one.name != study.against), None)
    if study.markets and without is not None:
        raise InputError(f"study {name}: nobody reports anything under {without}; name methods such as {MARKETS[0]}")
    loaded = load_task(task)
    configs = {}
    for case in study.cases:
        options = {"scale": scale, "seed": seed, "seeds": seeds or USUAL_SEEDS, "methods": names}
        config = resolve(task, loaded, {**options, "mechanism": DEFAULT_MECHANISM, "population": case.population})
        if seeds is None and config.scale == "smoke":
            config = config.model_copy(update={"seeds": SMOKE_SEEDS})
        if case.factor:
            told = config.population.model_copy(update={"factor": case.factor})
            config = config.model_copy(update={"population": told})
        configs[case.name] = config
    return Plan(name, study, configs, chosen)


def _known(name: str) -> Study:
    if name not in STUDIES:
        raise InputError(f"unknown study {shown(name)}; known: {', '.join(STUDIES)}")
    return STUDIES[name]


def of_records(name: str, folders: Sequence[Path]) -> tuple[Plan, dict[str, Recorded]]:
    """Return a study of runs that are recorded already, one of each task, and these runs by their tasks.

    `InputError` if the study compares several runs, a folder holds no finished run, or two are of one task.
    """
    study = _known(name)
    if len(study.cases) > 1:
        single = [known for known, one in STUDIES.items() if len(one.cases) == 1]
        raise InputError(f"study {name} compares several runs of its own; --runs is for {' and '.join(single)}")
    cases: dict[str, Recorded] = {}
    for folder in folders:
        config = _finished(folder)
        if config.task in cases:
            raise InputError(f"{shown(folder)} is a second run of {config.task}; name one run of each task")
        cases[config.task] = Recorded(folder, config)
    configs = {task: case.config for task, case in cases.items()}
    told = {
        task: config.model_dump(include={"scale", "seed", "seeds", "rounds", "steps"})
        for task, config in configs.items()
    }
    methods = dict.fromkeys(method for config in configs.values() for method in config.methods)
    more = {"task": ", ".join(configs), "methods": list(methods), "records": told}
    return Plan(name, study, configs, "as recorded", more), cases


def _finished(folder: Path) -> RunConfig:
    """Return the settings of a finished run; of a task of study performance those of the seeds that are whole."""
    if (folder / CONFIG).is_file() and read_progress(folder).complete:
        return recorded_config(folder)
    beside = folder.with_name(f"{folder.name}.toml")
    if beside.is_file() and not (folder / CONFIG).is_file():
        config = load_run(beside)
        units = Units({folder.name: config}, folder.parent)
        there = [all(units.file(folder.name, method, seed).is_file() for method in config.methods)
                 for seed in config.seed_list]  # fmt: skip
        whole = [*there, False].index(False)
        if whole:
            return config.model_copy(update={"seeds": whole})
    raise InputError(
        f"{shown(folder)} holds no finished run; expected a folder that marketproof run wrote, or that of a task of "
        "study performance --tasks"
    )


def usual_task(data_dir: Path | None) -> tuple[str, str]:
    """Return the task of a study where none is named, and why: Fashion-MNIST if it is there, else digits."""
    try:
        found = find("Fashion-MNIST", data_dir, LAYOUTS, hub(HUB), (DEBIAN,))
    except DataError:
        return FALLBACK_TASK, f"{FALLBACK_TASK}, because Fashion-MNIST was not found; --task names another"
    return "fashion-niid", f"fashion-niid, because Fashion-MNIST lies in {shown(found.folder)}; --task names another"
