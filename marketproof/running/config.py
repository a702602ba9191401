"""What a run is: a task (data, split, model, training, market) at a scale, and who is compared on it.

A task is a TOML file, one of ours (``marketproof list tasks``) or the user's own. A `RunConfig` is a task with its
scale chosen and the options of the command line put over it; it is what a run folder records and what a resumed run
is compared with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from analysis.run.files import changes, dotted
from marketproof.records.warm import start_digest
from marketproof.running.methods import digests_of_own
from marketproof.running.own_data import EACH, apportioned, costs_of, owned
from marketproof.running.populations import POPULATIONS, unplayable, usual_schedule
from marketproof.running.sections import (
    Data,
    MarketSection,
    Network,
    Population,
    Privacy,
    Section,
    Split,
    Task,
    Training,
)
from mechanism.errors import InputError, one_line, shown
from mechanism.own_code import is_file
from mechanism.reading import read_bytes, read_toml, validated

DEFAULT_METHODS = "local,fedavg,ipfl/ipfl,ipfl/ipfl-exact,ipfl-effective/clock-price"
DEFAULT_MECHANISM = "ipfl-exact"


def split_names(text: str) -> list[str]:
    """Return the comma-separated names of an option."""
    return [name.strip() for name in text.split(",") if name.strip()]


TASKS = Path(__file__).parent.parent / "tasks"
SCALES = ("smoke", "reduced", "paper")
VALUATIONS = ("size", "measured", "fitted")

LAST_SEED = 2**62 - 1
"""The largest seed that everything which reads a run accepts."""


class RunConfig(Section):
    """A resolved run; everything that decides its numbers. ``code``: digests of the files of one's own, by path.

    ``federation``: by what name its clients, on machines of their own, know the run; "" where there are none.
    """

    task: str
    scale: str
    seed: Annotated[int, Field(ge=0, le=LAST_SEED)]
    seeds: Annotated[int, Field(ge=1, le=10_000)]
    rounds: Annotated[int, Field(ge=1, le=100_000)]
    steps: Annotated[int, Field(ge=1, le=10_000_000)]
    methods: list[str]
    mechanism: str
    data: Data
    split: Split
    model: Network
    training: Training
    market: MarketSection
    population: Population = Population()
    privacy: Privacy = Privacy()
    valuation: str = "size"
    start_from: str = ""
    code: dict[str, str] = Field(default={})
    federation: Annotated[str, Field(pattern=r"^[0-9a-f]{0,32}$")] = ""

    @property
    def seed_list(self) -> list[int]:
        """The seeds S … S+N-1."""
        return list(range(self.seed, self.seed + self.seeds))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for fault in _faults(self):
            raise ValueError(fault)
        return self


def _faults(config: RunConfig) -> Iterator[str]:
    """Yield what values that are each within their bounds have against each other."""
    who, clients = config.population, config.data.clients
    if config.seed_list[-1] > LAST_SEED:
        yield (
            f"{config.seeds} seeds from {config.seed} end at {config.seed_list[-1]}; expected at most {LAST_SEED} "
            "(2**62 - 1): take a smaller --seed or fewer --seeds"
        )
    if who.name not in POPULATIONS:
        yield f"unknown population {shown(who.name)}; known: {', '.join(POPULATIONS)}"
    if config.valuation not in VALUATIONS:
        yield f"unknown valuation {shown(config.valuation)}; known: {', '.join(VALUATIONS)}"
    if config.privacy.noise and not config.privacy.epsilon:
        noise = f"{config.privacy.noise:g}"
        yield f"privacy.noise is {noise}, but there is no privacy without a budget; give --dp-epsilon E"
    if (config.model.base or config.model.targets) and config.model.name != "lora":
        yield (
            f"model.base is {shown(config.model.base)}, but network {shown(config.model.name)} adapts no language "
            'model; expected network "lora": take task finance or cofinance, or drop --base-model and --lora-targets'
        )
    if fault := unplayable(who.name, who.share, who.factor, clients):
        yield fault
    for head in EACH:
        if len(column := getattr(config.market, f"each_{head}")) not in (0, clients):
            yield f"market.each_{head} has {len(column)} entries; expected {clients}, one for each client"
    for (name, first, last), (client, _, _) in zip(who.schedule, schedule_of(config), strict=False):
        if not 0 <= client < clients or first < 1 or (last and last < first):
            yield (
                f"schedule [{one_line(name)}, {first}, {last}] is no interval of a client; expected [client, first "
                f"round, last round], clients from 0 to {clients - 1}, rounds from 1, 0 as last for the end"
            )


def task_names() -> list[str]:
    """Return the names of the tasks that come with the package."""
    return sorted(path.stem for path in TASKS.glob("*.toml"))


def load_task(name: str) -> Task:
    """Return a task by its name, or by the path of a TOML file.

    `InputError` if there is no such task, or the file says something that a task cannot hold; one line names file, key
    and expectation.
    """
    if name in task_names():
        path = TASKS / f"{name}.toml"
    elif name.endswith(".toml"):
        path = Path(name)
    else:
        raise InputError(
            f"unknown task {shown(name)}; known: {', '.join(task_names())}; or give the path of a .toml file"
        )
    task = validated(Task, read_toml(path, "a task file"), one_line(path))
    data, model = task.data, task.model  # files of one's own are named as the file of settings sees them
    if data.file or data.split_file:
        told = {
            key: str(path.parent / value)
            for key in ("file", "test_file", "split_file")
            if (value := getattr(data, key))
        }
        data = data.model_copy(update=told)
    if is_file(model.name):
        model = model.model_copy(update={"name": str(path.parent / model.name)})
    market = task.market
    if market.costs:
        market = market.model_copy(update={"costs": str(path.parent / market.costs)})
    return task.model_copy(update={"data": data, "model": model, "market": market})


def resolve(name: str, task: Task, options: Mapping[str, Any]) -> RunConfig:
    """Put the command line's options (None: not given) over a task at a scale.

    `InputError` if the task has no such scale, or an option's value is outside its range.
    """
    scale = options.get("scale") or ("reduced" if "reduced" in task.scale else next(iter(task.scale), ""))
    if scale not in task.scale:
        raise InputError(f"task {shown(name)} has no scale {shown(scale)}; it has {', '.join(task.scale) or 'none'}")
    values: dict[str, Any] = task.model_dump(exclude={"title", "scale"})
    size = task.scale[scale]
    values |= {"task": name, "scale": scale, "rounds": size.rounds, "steps": size.steps}
    for section, key, given in (
        ("training", "batch", size.batch),
        ("training", "lr", size.lr),
        ("data", "test", size.test),
        ("model", "length", size.length),
    ):
        if given:
            values[section][key] = given
    if values["data"]["file"]:
        values = owned(values)
        if values["data"]["names"] and options.get("clients") not in (None, values["data"]["clients"]):
            raise InputError(
                f"{values['data']['file']} has {values['data']['clients']} owners, each a client; drop --clients"
            )
    elif file := options.get("split_file") or values["data"]["split_file"]:
        values = apportioned(values, file, options.get("clients"))
    populate(values, options.get("population") or values["population"]["name"])
    return overridden(values, options)


def populate(values: dict[str, Any], name: str) -> None:
    """Put a population over a task's values, in place; `InputError` if there is none of that name."""
    if name not in POPULATIONS:
        raise InputError(f"unknown population {shown(name)}; known: {', '.join(POPULATIONS)}")
    values["population"]["name"] = name
    for key, value in POPULATIONS[name].settings.items():
        section, _, inner = key.partition(".")
        if inner:
            values[section][inner] = value
        else:  # a factor of the task's
            low, high = values["market"][key]
            values["market"][key] = (low * value, high * value)


_NESTED = {
    "clients": ("data", "clients"),
    "population": ("population", "name"),
    "dp_epsilon": ("privacy", "epsilon"),
    "dp_noise": ("privacy", "noise"),
    "base_model": ("model", "base"),
    "lora_targets": ("model", "targets"),
    "costs": ("market", "costs"),
    "split_file": ("data", "split_file"),
    "join_ratio": ("population", "join_ratio"),
    "epochs": ("training", "epochs"),
}
"""Options that stand in a section, by section and key."""


def overridden(values: dict[str, Any], options: Mapping[str, Any]) -> RunConfig:
    """Return a run's configuration with the given options in place of its values.

    `InputError` if a value is outside its range.
    """
    given = {key: value for key, value in options.items() if value is not None}
    for option, (section, key) in _NESTED.items():
        if option in given:
            values = {**values, section: {**values[section], key: given.pop(option)}}
    values = {**values, **given}
    market = values["market"]
    if market["costs"] and (options.get("costs") or not any(market[f"each_{head}"] for head in EACH)):
        values["market"] = {**market, **costs_of(market["costs"], values["data"])}
    digests = digests_of_own(values["methods"], values["mechanism"], values["model"]["name"], values["data"]["file"])
    if (file := values["data"]["split_file"]) and not values["data"]["file"]:
        digests[file] = sha256(read_bytes(Path(file), 1 << 28, "a table or .npz")).hexdigest()
    digests |= start_digest(values["start_from"]) if values.get("start_from") else {}
    return validated(RunConfig, {**values, "code": digests}, "options")


def schedule_of(config: RunConfig) -> list[list[int]]:
    """Return who is there when: the schedule given, else the population's usual one."""
    if config.population.schedule or config.population.name != "arrivals":
        number = {name: k for k, name in enumerate(config.data.names)}
        return [
            [who if isinstance(who, int) else number.get(who, -1), first, last]
            for who, first, last in config.population.schedule
        ]
    return usual_schedule(config.data.clients, config.rounds)


def load_run(path: Path) -> RunConfig:
    """Return the configuration that a run folder's ``config.toml`` records."""
    return validated(RunConfig, read_toml(path, "a recorded config.toml"), one_line(path))


def differences(recorded: RunConfig, wanted: RunConfig) -> list[str]:
    """Return each setting in which two configurations differ, as ``key: recorded -> wanted``."""
    before, now = dotted(recorded.model_dump()), dotted(wanted.model_dump())
    if not wanted.privacy.delta:  # not asked for: as recorded, by older versions always as 1e-5
        now["privacy.delta"] = before["privacy.delta"]
    return changes(before, now)
