"""What a run is: a task (data, split, model, training, market) at a scale, and who is compared on it.

A task is a TOML file, one of ours (``marketproof list tasks``) or the user's own. A `RunConfig` is a task with its
scale chosen and the options of the command line put over it; it is what a run folder records and what a resumed run
is compared with.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from marketproof.errors import InputError, one_line, shown
from marketproof.toml_files import read_toml
from mechanism.market.clients import LARGEST

TASKS = Path(__file__).parent / "tasks"
SCALES = ("smoke", "reduced", "paper")


def _amount(value: object) -> tuple[float, float]:
    """Read a number or a pair [low, high] as a range; a number is the range of itself."""
    pair = value if isinstance(value, list | tuple) else [value, value]
    numbers = [v for v in pair if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(pair) != 2 or len(numbers) != 2 or not 0.0 <= numbers[0] <= numbers[1] <= LARGEST:
        raise ValueError(f"expected a number or [low, high], 0 <= low <= high <= {LARGEST:g}")
    return float(numbers[0]), float(numbers[1])


Amount = Annotated[tuple[float, float], BeforeValidator(_amount)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Data(_Section):
    """Which images, and how many clients share them."""

    dataset: str
    clients: Annotated[int, Field(ge=2, le=1000)] = 10


class Split(_Section):
    """How the data is divided: ``niid``, ``cluster`` or ``skew``; ``beta`` of the Dirichlet distribution."""

    kind: str
    beta: Positive = 0.1


class Network(_Section):
    """Which network every client trains."""

    name: str


class Training(_Section):
    """Stochastic gradient descent on each client, between two rounds of the market."""

    batch: Annotated[int, Field(ge=1, le=100_000)] = 64
    lr: Positive = 0.01
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: NotNegative = 1e-5


class MarketSection(_Section):
    """What models are worth: weight of differences, step of the proximal target, cost and gain parameter.

    ``cost`` (money per exported model) and ``gain`` (the parameter K) are one number for all clients, or [low, high]:
    drawn uniformly for each client from a stream of the seed.
    """

    lam: Annotated[float, Field(ge=0, le=LARGEST)]
    eta: Positive
    cost: Amount
    gain: Amount


class Scale(_Section):
    """How long a run is: rounds, and local steps in each."""

    rounds: Annotated[int, Field(ge=1, le=100_000)]
    steps: Annotated[int, Field(ge=1, le=10_000_000)]


class Task(_Section):
    """One task file."""

    title: str = ""
    data: Data
    split: Split
    model: Network
    training: Training = Training()
    market: MarketSection
    scale: dict[str, Scale]


class RunConfig(_Section):
    """A resolved run; everything that decides its numbers."""

    task: str
    scale: str
    seed: Annotated[int, Field(ge=0, lt=2**63)]
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

    @property
    def seed_list(self) -> list[int]:
        """The seeds S … S+N-1."""
        return list(range(self.seed, self.seed + self.seeds))


def task_names() -> list[str]:
    """Return the names of the tasks that come with the package."""
    return sorted(path.stem for path in TASKS.glob("*.toml"))


def load_task(name: str) -> Task:
    """Return a task by its name, or by the path of a TOML file.

    Raises
    ------
    InputError
        If there is no such task, or the file says something that a task cannot hold; one line names file, key and
        expectation.
    """
    if name in task_names():
        path = TASKS / f"{name}.toml"
    elif name.endswith(".toml"):
        path = Path(name)
    else:
        raise InputError(
            f"unknown task {shown(name)}; known: {', '.join(task_names())}; or give the path of a .toml file"
        )
    return _validated(Task, read_toml(path), one_line(path))


def _validated(model: type[Any], values: Mapping[str, Any], source: str) -> Any:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        all_errors = error.errors(include_url=False)
        first = next((e for e in all_errors if e["type"] == "extra_forbidden"), all_errors[0])
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            siblings = _keys(model, first["loc"][:-1])
            raise InputError(f"{source}: unknown key {shown(key)}; expected one of {', '.join(siblings)}") from None
        if first["type"] == "missing":
            raise InputError(f"{source}: key {shown(key)} is missing; add it") from None
        what = str(first["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
        raise InputError(f"{source}: {key} is {one_line(repr(first['input']))[:60]}; {what}") from None


def _keys(model: type[Any], where: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the section at ``where`` knows."""
    for part in where:
        annotation = model.model_fields[str(part)].annotation if str(part) in model.model_fields else Scale
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else Scale
    return list(model.model_fields)


def resolve(name: str, task: Task, options: Mapping[str, Any]) -> RunConfig:
    """Put the command line's options (None: not given) over a task at a scale.

    Raises
    ------
    InputError
        If the task has no such scale, or an option's value is outside its range.
    """
    scale = options.get("scale") or ("reduced" if "reduced" in task.scale else next(iter(task.scale), ""))
    if scale not in task.scale:
        raise InputError(f"task {shown(name)} has no scale {shown(scale)}; it has {', '.join(task.scale) or 'none'}")
    values: dict[str, Any] = task.model_dump(exclude={"title", "scale"})
    values |= {"task": name, "scale": scale, **task.scale[scale].model_dump()}
    return overridden(values, options)


def overridden(values: dict[str, Any], options: Mapping[str, Any]) -> RunConfig:
    """Return a run's configuration with the given options in place of its values.

    Raises
    ------
    InputError
        If a value is outside its range.
    """
    given = {key: value for key, value in options.items() if value is not None}
    clients = given.pop("clients", None)
    if clients is not None:
        values = {**values, "data": {**values["data"], "clients": clients}}
    config: RunConfig = _validated(RunConfig, {**values, **given}, "options")
    return config


def load_run(path: Path) -> RunConfig:
    """Return the configuration that a run folder's ``config.toml`` records."""
    config: RunConfig = _validated(RunConfig, read_toml(path), one_line(path))
    return config


def differences(recorded: RunConfig, wanted: RunConfig) -> list[str]:
    """Return each setting in which two configurations differ, as ``key: recorded -> wanted``."""
    before, now = flat(recorded.model_dump()), flat(wanted.model_dump())
    return [
        f"{key}: {before.get(key)} -> {now.get(key)}" for key in sorted(before | now) if before.get(key) != now.get(key)
    ]


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings with dotted keys."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            out |= flat(value, f"{prefix}{key}.")
        else:
            out[f"{prefix}{key}"] = value
    return out
