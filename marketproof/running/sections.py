"""The sections of a task file and of a recorded run: what may stand in them, and within which bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from learning.privacy import LARGEST_EPSILON
from mechanism.market.clients import LARGEST


def _amount(value: object) -> tuple[float, float]:
    """Read a number or a pair [low, high] as a range; a number is the range of itself."""
    pair = value if isinstance(value, list | tuple) else [value, value]
    numbers = [v for v in pair if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(pair) != 2 or len(numbers) != 2 or not 0.0 <= numbers[0] <= numbers[1] <= LARGEST:
        raise ValueError(f"expected a number or [low, high], 0 <= low <= high <= {LARGEST:g}")
    return float(numbers[0]), float(numbers[1])


def _budget(value: float) -> float:
    """Refuse a privacy budget that promises nothing."""
    if value > LARGEST_EPSILON:
        raise ValueError(
            f"expected at most {LARGEST_EPSILON:g}: more is no privacy; take 1 to 10, or 0 to train without"
        )
    return value


DIVISIONS = (".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".npz")
"""Of a file that divides."""

Amount = Annotated[tuple[float, float], BeforeValidator(_amount)]
Triple = Annotated[list[Annotated[int, Field(ge=0, le=10_000_000)]], Field(min_length=3, max_length=3)]
Whole = Annotated[int, Field(ge=0, le=10_000_000)]
Interval = Annotated[
    tuple[Whole | Annotated[str, Field(max_length=100)], Whole, Whole],
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def is_division(kind: object) -> bool:
    """Tell whether the kind of a split is the name of a file that says who has what."""
    return isinstance(kind, str) and kind.lower().endswith(DIVISIONS)


class Section(BaseModel):
    """A closed set of keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Data(Section):
    """Which data, how many clients share it, and how many test samples are used (0: all).

    Or a ``file`` of one's own (a table, .npz, a folder, FILE.py:NAME), of tables with the columns of owners and classes
    and those that are ignored. Its owners are the clients, by their ``names``, but for those with fewer than ``least``
    samples, who are ``left_out``. ``test_file`` is tested on in the place of a share held out; ``size``: pixels a side.
    ``split_file``: a table with a column owner, whose each sample is, in their order; of a data set of ours a table or
    .npz of row and client, whose ``names`` are then the clients'. ``classes``, ``columns``, ``channels`` and ``size``
    say how clients of a federation read data of their own (`learning.data.agreed`).
    """

    dataset: str = ""
    clients: Annotated[int, Field(ge=2, le=1000)] = 10
    test: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    file: str = ""
    owner: str = ""
    target: str = ""
    ignored: list[str] = []
    names: list[str] = []
    test_file: str = ""
    split_file: str = ""
    classes: list[str] = []
    columns: list[list[str | float]] = []
    channels: Annotated[int, Field(ge=0, le=3)] = 0
    least: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    size: Annotated[int, Field(ge=0, le=512)] = 0
    left_out: list[str] = []

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.classes or self.columns or self.channels:
            if not self.classes or self.dataset != "own" or self.file or self.owner or self.ignored or self.test_file:
                raise ValueError('classes are of a federation\'s own data: expected dataset = "own", classes, no file')
        elif not self.file and (self.owner or self.target or self.ignored or self.test_file or not self.dataset):
            raise ValueError("expected a dataset, or a file of your own with its columns: file, owner and target")
        if self.file and self.dataset not in ("", "own"):
            raise ValueError(f"expected a dataset or a file, not both: drop {self.dataset!r}")
        return self


class Split(Section):
    """How the data is divided (``marketproof list tasks`` names the kinds); ``beta`` of the Dirichlet distribution.

    ``shares`` of the kind ``mixed``: [source, clients, samples of each], one per source.
    """

    kind: str
    beta: Positive = 0.1
    shares: list[Triple] = []


class Network(Section):
    """Which network every client trains; ``base``: the language model that "lora" adapts, ``length``: tokens.

    ``targets``: the modules that it adapts; none: those of queries and values.
    """

    name: str
    base: str = ""
    targets: Annotated[list[Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]{0,99}$")]], Field(max_length=20)] = []
    length: Annotated[int, Field(ge=8, le=100_000)] = 512


class Training(Section):
    """Gradient descent on each client, between two rounds of the market.

    ``epochs``: passes of each client over its samples in a round, 0: the steps of the scale.
    ``optimizer`` sgd or adamw; with ``lr_end`` > 0 the rate falls to it by half a cosine over the rounds.
    """

    batch: Annotated[int, Field(ge=1, le=100_000)] = 64
    lr: Positive = 0.01
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: NotNegative = 1e-5
    optimizer: str = "sgd"
    epochs: Annotated[int, Field(ge=0, le=10_000)] = 0
    lr_end: NotNegative = 0.0


class Population(Section):
    """Who takes part (``marketproof list populations``).

    ``share`` of the strange ones, or of those who are called in a round where these are sampled (0: as usual),
    ``factor`` of a lie, ``chance`` with which an unhappy client leaves where that is a matter of chance, ``schedule``:
    [client, first round, last round (0: to the end)], the client by its number or, where it has one, its name.
    ``join_ratio``: the part of all clients, at least two, who are called in a round, drawn anew in each.
    """

    name: str = "benign"
    share: Annotated[float, Field(ge=0, le=1)] = 0.0
    factor: Annotated[float, Field(ge=0, le=1e6)] = 2.0
    chance: Annotated[float, Field(ge=0, le=1)] = 0.5
    schedule: list[Interval] = []
    join_ratio: Annotated[float, Field(gt=0, le=1)] = 1.0


class Privacy(Section):
    """Example-level differential privacy of each client's training; ``epsilon`` 0: none.

    ``noise``: the noise multiplier, 0: for each client the smallest that keeps the whole run within epsilon.
    ``delta``: 0: 1e-5, or a tenth of one in the samples of the largest client if that is less.
    """

    epsilon: Annotated[float, Field(ge=0, allow_inf_nan=False), AfterValidator(_budget)] = 0.0
    noise: NotNegative = 0.0
    clip: Positive = 1.0
    delta: Annotated[float, Field(ge=0, lt=1)] = 0.0


class MarketSection(Section):
    """What models are worth: weight of differences, step of the proximal target, cost and gain parameter.

    ``cost`` (money per exported model) and ``gain`` (the parameter K) are one number for all clients, or [low, high]:
    drawn uniformly for each client from a stream of the seed. ``costs`` names a table of client, cost, gain and lam
    (or some of them), ``each_cost``, ``each_gain`` and ``each_lam`` hold its columns in the order of the clients: of
    honest clients they stand in the place of what would be drawn. ``lam`` may be written ``lambda``, and be a list: one
    for each client, as ``each_lam``.
    """

    lam: Annotated[float, Field(ge=0, le=LARGEST)]
    eta: Positive
    cost: Amount
    gain: Amount
    costs: str = ""
    each_cost: list[NotNegative] = []
    each_gain: list[NotNegative] = []
    each_lam: list[NotNegative] = []

    @model_validator(mode="before")
    @classmethod
    def _lambda(cls, told: Any) -> Any:
        if not isinstance(told, Mapping):
            return told
        told = dict(told)
        if "lambda" in told:
            if "lam" in told:
                raise ValueError("lam and lambda are one; expected either")
            told["lam"] = told.pop("lambda")
        if isinstance(told.get("lam"), list):
            if told.get("each_lam"):
                raise ValueError("lam is a list, and so is each_lam; expected either")
            told |= {"each_lam": told["lam"], "lam": 1.0}  # the number plays no part where each has one
        return told


class Scale(Section):
    """How long a run is: rounds, and local steps in each; what else is smaller at this scale (0: as the task says)."""

    rounds: Annotated[int, Field(ge=1, le=100_000)]
    steps: Annotated[int, Field(ge=1, le=10_000_000)]
    batch: Annotated[int, Field(ge=0, le=100_000)] = 0
    test: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    length: Annotated[int, Field(ge=0, le=100_000)] = 0
    lr: NotNegative = 0.0


class Task(Section):
    """One task file."""

    title: str = ""
    data: Data
    split: Split
    model: Network
    training: Training = Training()
    market: MarketSection
    population: Population = Population()
    privacy: Privacy = Privacy()
    scale: dict[str, Scale]

    @model_validator(mode="before")
    @classmethod
    def _split(cls, told: Any) -> Any:
        """Read ``split = "KIND"`` as a section that says no more, and the file of a split as one of the data."""
        if not isinstance(told, Mapping):
            return told
        split = {"kind": told["split"]} if isinstance(told.get("split"), str) else told.get("split")
        if isinstance(split, Mapping) and isinstance(told.get("data"), Mapping) and is_division(split.get("kind")):
            told = {**told, "data": {**told["data"], "split_file": split["kind"]}}
            split = {**split, "kind": "owners"}
        return {**told, "split": split} if "split" in told else told
