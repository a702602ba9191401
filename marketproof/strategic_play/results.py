"""What ``strategic`` found, as typed results; `Played.to_json` and `RunPlayed.to_json` are what is written."""

from dataclasses import asdict, dataclass
from typing import Any

from proofs_checks.play.anarchy import Price
from proofs_checks.play.shading import LOOSE


@dataclass(frozen=True)
class WorstFound:
    """The worst equilibria seen, also from ``starts`` random starts, over the games in which there was one."""

    starts: int
    games: int
    welfare: float | None
    price_of_anarchy: Price | None


@dataclass(frozen=True)
class Unsettled:
    """Mean welfare of the games that do not settle, where play ends in them; ``ratio``: optimum over it."""

    games: int
    truthful: float | None
    played: float | None
    optimal: float | None
    ratio: Price | None
    ratio_truthful: Price | None


@dataclass(frozen=True)
class Welfare:
    """Mean welfare per game, of the games that settle; None: the optimum is unknown, or no game settles."""

    measure: str
    games: int
    truthful: float | None
    equilibrium: float | None
    optimal: float | None
    price_of_anarchy: Price | None
    price_truthful: Price | None
    worst: WorstFound | None
    unsettled: Unsettled | None


@dataclass(frozen=True)
class Paid:
    """What all pay to the centre per game: where play settles (the first two), and over all games."""

    truthful: float | None
    equilibrium: float | None
    truthful_everywhere: float
    played: float


@dataclass(frozen=True)
class Misreports:
    """The shares of reports below and above the truth, and by how much on average."""

    below: float
    mean_below: float
    above: float
    mean_above: float


@dataclass(frozen=True)
class Settling:
    """Best responses: how many games came to rest, went in circles, or did neither before the rounds ran out.

    ``left``, ``left_mean``: what the best of all reports would add to a client where play settled, at most and on
    average; ``left_games``: in how many games it adds more than an equilibrium allows. None where nobody can say.
    """

    settled: int
    circling: int
    unfinished: int
    longest_cycle: int
    rounds_played: int
    deviations: int
    left: float | None = None
    left_mean: float | None = None
    left_games: int | None = None


@dataclass(frozen=True)
class Matching:
    """Regret matching: what a single report, or one for another, would have given more per period."""

    external_regret: float
    external_regret_mean: float
    conditional_regret: float
    deviations: int


@dataclass(frozen=True)
class Strategy:
    """One agent's strategy report = s(type) on a grid, and the straight line nearest to it."""

    agent: int
    types: list[float]
    reports: list[float]
    slope: float
    intercept: float
    misfit: float


@dataclass(frozen=True)
class Place:
    """An agent and its true number."""

    agent: int
    truth: float


@dataclass(frozen=True)
class Compared:
    """How far play is from the equilibrium that theory knows, over the grid of types; None is a report that is free."""

    words: str
    source: str
    reports: list[list[float | None]]
    furthest: float
    furthest_at: Place
    mean: float


@dataclass(frozen=True)
class Shading:
    """Play in strategies; ``left``: what another report would add at most, ``left_share`` as a share of the utility."""

    strategies: tuple[Strategy, ...]
    truthful: bool
    furthest: float
    left: float
    left_at_any_type: float
    left_share: float | None
    rounds_played: int
    deviations: int
    known: Compared | None

    @property
    def loose(self) -> bool:
        """Whether another report would still add more than an equilibrium allows."""
        return self.left_share is None or self.left_share > LOOSE


@dataclass(frozen=True)
class AgentRow:
    """One line of the table of agents; ``known``: the report of the known equilibrium, None where it is free."""

    agent: int
    truth: float
    report: float
    utility_truthful: float
    utility: float
    known: float | None = None
    role: str | None = None


@dataclass(frozen=True)
class Played:
    """The play of a mechanism."""

    mechanism: str
    dynamics: str
    coordinate: str
    told_truthfully: list[str]
    clients: int
    rounds: int
    profiles: int
    seed: int
    found: Settling | Matching | Shading
    misreports: Misreports
    agents: tuple[AgentRow, ...]
    welfare: Welfare | None
    payments: Paid
    sentence: str = ""

    @property
    def theory(self) -> Compared | None:
        """The equilibrium that theory knows, and how far from it play is."""
        return self.found.known if isinstance(self.found, Shading) else None

    @property
    def loose(self) -> bool:
        """Whether strategies were found from which another report would still add more than an equilibrium allows."""
        return isinstance(self.found, Shading) and self.found.loose

    @property
    def settling(self) -> str:
        """What the place is called that welfare and payments are told of."""
        return "in play" if isinstance(self.found, Matching) or self.loose else "at equilibrium"

    @property
    def ends_at(self) -> str:
        """What the place is called that agents are told of: an equilibrium only if play came to rest everywhere."""
        moving = isinstance(self.found, Settling) and (self.found.circling or self.found.unfinished)
        return "where play ends" if moving else self.settling

    @property
    def sides(self) -> bool:
        """Whether there are buyers and sellers."""
        return any(row.role for row in self.agents)

    def to_json(self) -> dict[str, Any]:
        """Return what is written: ``known`` and ``role`` of agents only where there is such a thing."""
        told = asdict(self)
        told["found"] |= told.pop("misreports")
        absent = {"known": self.theory is None, "role": not self.sides}
        told["agents"] = [{k: v for k, v in row.items() if not absent.get(k)} for row in told["agents"]]
        return told


@dataclass(frozen=True)
class Pooled:
    """How the markets of a run were played, all together: as `Settling` and `Misreports`."""

    settled: int
    circling: int
    unfinished: int
    deviations: int
    below: float
    mean_below: float
    above: float
    mean_above: float


@dataclass(frozen=True)
class Sums:
    """Utilities over all markets: all truthful, what the best lie alone adds, where play ends, honest among players."""

    utility_truthful: float
    best_lie_gain: float
    utility_played: float
    utility_honest: float


@dataclass(frozen=True)
class MethodPlayed:
    """The play of all recorded markets of one method; ``clients``: the sums of each, ``totals`` of all.

    ``cases``: clients and markets in which a lie was looked for; ``lies_that_pay`` of them were found.
    """

    mechanism: str
    markets: int
    found: Pooled
    clients: tuple[Sums, ...]
    totals: Sums
    lies_that_pay: int
    lies_exact: bool
    deviations: int
    welfare: Welfare | None
    cases: int
    sentence: str = ""


@dataclass(frozen=True)
class RunPlayed:
    """The play of a recorded run by its methods; None is a method without a market."""

    run: str
    seeds: list[int]
    methods: dict[str, MethodPlayed | None]

    def to_json(self) -> dict[str, Any]:
        """Return what is written."""
        told = asdict(self)
        for method in filter(None, told["methods"].values()):
            del method["cases"]
            method["clients"] = [{"client": k, **row} for k, row in enumerate(method["clients"])]
        return {"run": self.run, "dynamics": "best-response", "coordinate": "cost", **told}
