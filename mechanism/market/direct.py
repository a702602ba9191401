"""Every market mechanism as a direct mechanism, rows of reports in, so that it can be verified; and its entry."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mechanism.direct import Space
from mechanism.entry import CatalogueEntry
from mechanism.errors import InvalidMechanismError
from mechanism.market.accounting import Accounts, CentralOutcome, Outcome, account, objective
from mechanism.market.allocation.selection import optimal_objective
from mechanism.market.clients import Market, Types
from mechanism.market.gains import GainLaw, SqrtGain
from mechanism.market.rules.rule import Clearing
from mechanism.market.settling import TwoStage, settled
from mechanism.space import Floats

COORDINATES = ("size", "cost", "gain")
"""The private coordinates; pen_0 … pen_{m-1} follow, public."""

LOW, HIGH = (50.0, 0.0, 0.0), (1000.0, 3.0, 20_000.0)
"""Default bounds of size (samples), cost (money) and gain parameter: most random markets under them trade."""

LARGEST_PENALTY = 0.5
"""Default upper bound of lambda · d_ij, money."""


ON_EFFECTIVE = "-effective"
"""Ends the catalogue's ids of markets on effective sizes."""


@dataclass(frozen=True, eq=False)
class MarketDirect:
    """A market mechanism over profiles ``[batch, m, 3 + m]``, or ``[batch, m, 3 + 2m]`` with effective sizes.

    Client i's row is (size, cost, gain, pen_0, …, pen_{m-1}) with pen_j = lambda · d_ij, money, public, in
    [0, ``largest_penalty``] (at most 2), its own entry 0; what an import of j costs i's objective is pen_j n_j / n_i.
    With ``effective``, the largest effective size, e_0, …, e_{m-1} follow, public, in [0, ``effective``], own entry 0:
    what j's model counts for i in the place of n_j (`Market.effective`). None: sizes as reported.
    ``low``, ``high``: bounds of (size, cost, gain), the same for all. Utilities are accounted with the true types: the
    gain of data that was delivered at its true size, bought on reports; a two-stage mechanism is settled on it too.

    ``sizes``: what others' lies about their sizes mean when truthfulness is asked with others' reports arbitrary.
    "delivered" (default): the data that was reported is there, so that their true sizes are as reported. "private": it
    may not be, and then a buyer's gain depends on it. ``people``: the clients' names, for sentences.

    False identities (`split`, `merge`): only sales are split or merged, the new identities want no model (gain 0). What
    they earn is what the seller's side of the identity earns, and is to be compared with the seller's part before.
    """

    mechanism: Clearing
    agents: int
    low: ArrayLike = LOW
    high: ArrayLike = HIGH
    largest_penalty: float = LARGEST_PENALTY
    law: GainLaw = field(default_factory=SqrtGain)
    sizes: str = "delivered"
    effective: float | None = None
    people: tuple[str, ...] = ()
    own: str = field(default="cost", init=False)
    role: str = field(default="seller", init=False)
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        m, reach = self.agents, self.largest_penalty
        if m < 2:
            raise InvalidMechanismError(f"a market has at least two clients; got {m}")
        if not 0.0 <= reach <= 2.0:
            raise InvalidMechanismError(f"largest_penalty is {reach}; expected a number in [0, 2]")
        if self.sizes not in ("delivered", "private"):
            raise InvalidMechanismError(f"sizes is {self.sizes!r}; expected 'delivered' or 'private'")
        public = {"pen": reach} if self.effective is None else {"pen": reach, "e": self.effective}
        names = (*COORDINATES, *(f"{name}_{j}" for name in public for j in range(m)))
        low, high = np.zeros((m, len(names))), np.empty((m, len(names)))
        low[:, :3], high[:, :3] = self.low, self.high
        high[:, 3:] = np.kron(np.array(list(public.values())), 1.0 - np.eye(m))
        private = np.arange(len(names)) < 3
        object.__setattr__(self, "space", Space(m, names, low, high, private, called="client", people=self.people))

    @property
    def name(self) -> str:
        """The mechanism's id, by which its formula's theorems are known."""
        return self.mechanism.id

    @property
    def listed_as(self) -> str:
        """The id by which a catalogue lists it: with effective sizes it is another market, whose verdicts differ."""
        return self.name if self.effective is None else self.name + ON_EFFECTIVE

    @property
    def interdependent(self) -> tuple[str, ...]:
        """Coordinates of others that matter to a client's utility.

        Their gains where these are measured and settled on, their sizes where delivered data may differ from reports.
        Effective sizes are what was delivered: then others' sizes matter only where gains are settled on.
        """
        staged = isinstance(self.mechanism, TwoStage)
        after = ("gain",) if staged else ()
        given = self.sizes == "delivered" if staged or self.effective is None else True
        return after if given else ("size", *after)

    @property
    def affine_in_own(self) -> bool:
        """Utility falls by the exports per unit of the true cost, unless payments are settled on it."""
        return not isinstance(self.mechanism, TwoStage)

    def types(self, profiles: Floats) -> Types:
        """Return sizes, costs and gains of profiles."""
        return Types(profiles[..., 0], profiles[..., 1], profiles[..., 2])

    def market(self, profiles: Floats) -> Market:
        """Return the public data of profiles: lambda · d as differences at lambda = 1, or nothing if all are 0."""
        pens, effective = self.matrices(profiles)
        return Market(pens if pens.any() else None, 1.0, self.law, effective)

    def matrices(self, profiles: Floats) -> tuple[Floats, Floats | None]:
        """Return the public columns of profiles, ``[..., m, m]`` each: differences, and effective sizes if any."""
        m = profiles.shape[-2]
        return profiles[..., 3 : 3 + m], None if self.effective is None else profiles[..., 3 + m :]

    def _columns(self, profiles: Floats, places: NDArray[np.intp]) -> Floats:
        """Return profiles in which the public columns are those of these clients, in this order."""
        m = profiles.shape[-2]
        kept = [np.arange(3), *(start + places for start in range(3, profiles.shape[-1], m))]
        return np.asarray(profiles[..., np.concatenate(kept)])

    def outcome(self, reports: Floats) -> Outcome:
        """Clear every reported market of the batch."""
        return self.mechanism.clear(self.types(reports).truthful(), self.market(reports))

    def accounts(self, types: Floats, outcome: Outcome) -> Accounts:
        """Account for an outcome at the true profiles; a two-stage mechanism is settled on them first."""
        true = self.types(types)
        return account(true, settled(self.mechanism, outcome, true), self._books(types))

    def _books(self, types: Floats) -> Market:
        """Return the part of the public data that accounts need."""
        return Market(law=self.law, effective=self.matrices(types)[1])

    def utility(self, types: Floats, outcome: Outcome) -> Floats:
        """U_i ``[batch, m]`` at the true profiles."""
        return self.accounts(types, outcome).utility

    def payments(self, outcome: Outcome) -> Floats:
        """What each client pays the centre ``[batch, m]``; zero in bilateral mechanisms.

        Of a two-stage mechanism: what it pays if what is measured is what was reported.
        """
        return outcome.centre

    def parts(self, types: Floats, outcome: Outcome) -> dict[str, Floats]:
        """Utility by role ``[batch, m]`` each: gain less what imports cost, and receipts less the cost of exports."""
        true = self.types(types)
        final = settled(self.mechanism, outcome, true)
        books = account(true, final, self._books(types))
        sales = final.sales if isinstance(final, CentralOutcome) else 0.0
        return {"buyer": np.asarray(books.buyer - sales), "seller": np.asarray(books.seller + sales)}

    def welfare(self, types: Floats, outcome: Outcome) -> Floats:
        """V_lambda ``[batch]`` of the outcome's imports at these types: welfare less penalties."""
        return objective(self.types(types), outcome.imports, self.market(types))

    def optimal_welfare(self, types: Floats) -> Floats:
        """Return the largest V_lambda ``[batch]`` over all graphs, with the gap of the search (usually 0) added."""
        value, gap = optimal_objective(self.types(types).truthful(), self.market(types))
        return np.asarray(value + gap)

    def allocation(self, outcome: Outcome) -> Floats:
        """Return how many models each client sells ``[batch, m]``."""
        return np.asarray(outcome.imports.sum(axis=-2), dtype=np.float64)

    def consequences(self, outcome: Outcome) -> Floats:
        """Everything that touches a client ``[batch, m, 3m + 1]``: imports, exports, net payments, centre."""
        bought = outcome.imports.astype(np.float64)
        return np.concatenate(
            [bought, np.swapaxes(bought, -1, -2), outcome.payments, outcome.centre[..., None]], axis=-1
        )

    def permuted(self, profiles: Floats, order: ArrayLike) -> Floats:
        """Relabel: client q of the result is client order[q] of ``profiles``, public columns included."""
        places = np.asarray(order)
        return self._columns(profiles, places)[..., places, :]

    def resized(self, agents: int) -> Self:
        """Return the same mechanism and bounds for another number of clients."""
        return replace(self, agents=agents, people=())

    def split(self, types: Floats, agent: int, share: float = 0.5, cost_rule: str = "twice") -> Floats:
        """Return profiles of m + 1 clients in which ``agent`` is two: itself and a last client.

        The first keeps ``share`` of the samples, effective ones too, the last has the rest; both have the agent's
        differences, none between themselves. ``cost_rule`` "twice": each pays the agent's cost per export (the work is
        done twice); "half": half.
        """
        if not 0.0 < share < 1.0:
            raise InvalidMechanismError(f"share is {share}; expected a number between 0 and 1, such as 0.5")
        if cost_rule not in ("twice", "half"):
            raise InvalidMechanismError(f"cost_rule is {cost_rule!r}; expected 'twice' or 'half'")
        m = types.shape[-2]
        places = np.append(np.arange(m), agent)
        result = self._columns(types, places)[..., places, :]
        result[..., agent, 0] *= share
        result[..., m, 0] = types[..., agent, 0] - result[..., agent, 0]
        for half in (agent, m):
            result[..., half, 1] *= 1.0 if cost_rule == "twice" else 0.5
            result[..., half, 2] = 0.0
        if self.effective is not None:
            e = result[..., 4 + m :]
            e[..., agent] *= share
            e[..., m] = types[..., places, 3 + m + agent] - e[..., agent]
        return result

    def merge(self, types: Floats, a: int, b: int, cost_rule: str = "sum") -> Floats:
        """Return profiles of m - 1 clients in which client a is a and b together; those behind b move up by one.

        Samples are added, effective ones too; differences are averaged, weighted by samples (the penalties of buying
        both add up).
        ``cost_rule`` "sum": an export costs what both cost; "min": what the cheaper one costs.
        """
        m = types.shape[-2]
        if a == b or m < 3:
            raise InvalidMechanismError("merging needs two different clients and at least one other")
        if cost_rule not in ("sum", "min"):
            raise InvalidMechanismError(f"cost_rule is {cost_rule!r}; expected 'sum' or 'min'")
        size, cost = types[..., [a, b], 0], types[..., [a, b], 1]
        weight = size / size.sum(axis=-1, keepdims=True)
        whole = np.array(types)
        whole[..., a, 0] = size.sum(axis=-1)
        whole[..., a, 1] = cost.sum(axis=-1) if cost_rule == "sum" else cost.min(axis=-1)
        whole[..., a, 2] = 0.0
        whole[..., 3 + a] = (types[..., [3 + a, 3 + b]] * weight[..., None, :]).sum(axis=-1)
        whole[..., a, 3:] = (types[..., [a, b], 3:] * weight[..., :, None]).sum(axis=-2)
        whole[..., a, 3 + a] = 0.0
        if self.effective is not None:
            whole[..., 3 + m + a] = types[..., 3 + m + a] + types[..., 3 + m + b]
            whole[..., a, 3 + m + a] = 0.0
        rows = np.delete(np.arange(m), b)
        return self._columns(whole, rows)[..., rows, :]

    def payoffs(self, types: Floats, outcome: Outcome) -> Floats:
        """Utility less the penalties of one's own imports ``[batch, m]``: what the core compares."""
        pens = self.market(types).penalties(self.types(types).size)
        return np.asarray(self.utility(types, outcome) - (outcome.imports * pens).sum(axis=-1))

    def coalition_value(self, types: Floats, members: ArrayLike) -> Floats:
        """Return what a coalition can have on its own ``[batch]``: sum_{i in T} W_i(T without i).

        ``members``: indices of the clients of T.
        """
        inside = np.unique(np.asarray(members, dtype=np.intp))
        part = self._columns(types, inside)[..., inside, :]
        value, _ = optimal_objective(self.types(part).truthful(), self.market(part))
        return value


PAPER = "Zhang, Chai, Ye, Wang, Chen: Incentivizing Inclusive Contributions in Model Sharing Markets, 2025"

GIVEN = "yes (sizes as reported)"
AT_TRUTH = "yes (at truth)"

RATIONAL = {"ir": GIVEN, "ir_buyer": GIVEN, "ir_seller": "yes", "interim_ir": "yes"}
CENTRAL = {"budget_balance": "no (through the centre)", "weak_budget_balance": "no (a pivotal seller is a deficit)"}
SHAPED = {"monotonicity": "yes (in cost)", "cyclic_monotonicity": "yes (in cost)", "anonymity": "yes (ties aside)"}


def honest(cost: str, gain: str, size: str) -> dict[str, str]:
    """Truthfulness where values are private: what holds against all reports holds against truthful ones and back."""
    answers = {"cost": cost, "gain": gain, "size": size}
    false = [name for name, answer in answers.items() if answer.startswith("no")]
    return {
        "dsic": f"no ({', '.join(false)})" if false else "yes",
        **{f"dsic_{name}": answer for name, answer in answers.items()},
        **{f"expost_{name}": answer.replace(GIVEN, "yes") for name, answer in answers.items()},
    }


def market_entry(
    rule: Clearing, title: str, citation: str, truths: Mapping[str, str], fewest: int = 2, sizes: str = "delivered"
) -> CatalogueEntry:
    """Return the entry of a market mechanism; ``sizes``: whether delivered data is as reported (`MarketDirect`)."""
    domain = "market of models: size > 0, cost >= 0, gain >= 0, differences in [0, 2]"
    if sizes == "private":
        domain += "; what others deliver may differ from the sizes that they report"

    def build(agents: int) -> MarketDirect:
        return MarketDirect(rule, agents, sizes=sizes)

    return CatalogueEntry(rule.id, title, citation, domain, truths, build, agents=4, fewest=fewest)
