"""Recorded clearings as one object, and the tensors that they are written as. All else of a run follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, get_type_hints

import numpy as np
from numpy.typing import NDArray

from mechanism.market.accounting import Accounts, CentralOutcome, Outcome, account
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.gains import GainLaw, SqrtGain, law_from_arrays
from mechanism.space import Floats

Flags = NDArray[np.bool_]

ROLES = ("honest", "trader", "buyer", "seller", "attacker", "free-rider", "liar")
"""Roles by their code in a record."""
HARMFUL = ("attacker", "free-rider")
"""Roles whose own accuracy and utility nobody averages."""

VALUATION = "valuation_"
"""What the names of the tensors of measured gains begin with; they stand behind the rounds."""
EFFECTIVE, GAINED = f"{VALUATION}effective", f"{VALUATION}gained"
"""Effective data e [.., m, m] in samples of the importer; gains [.., m] in money that were measured and settled on."""
BROUGHT, SURPRISE = f"{VALUATION}brought", f"{VALUATION}surprise"
"""Fall of the loss, nats [.., m], that imports brought; by how much that is more than expected, where settled on."""
ATTACK_SUCCESS = f"{VALUATION}attack_success"
"""Share [.., m] of test samples with a backdoor's trigger that a client's model answers as the attacker wants."""
PER_CLIENT = (GAINED, BROUGHT, SURPRISE, ATTACK_SUCCESS)
"""Those of them that are numbers of clients."""
_LAW = ("kind", "exponent", "knots")


@dataclass(frozen=True)
class Tensor:
    """One tensor of a record: its axes (R rounds, m clients) and how it is written.

    ``absent``: what older records mean without it, a number or what the tensor of that name holds; None: it must be
    there. ``finite`` False: training that diverged may have left infinities.
    """

    axes: str
    written: str = "float64"
    absent: float | str | None = None
    finite: bool = True


@dataclass(frozen=True, eq=False)
class MarketRecord:
    """Recorded clearings of m clients: all rounds of a unit with a leading axis R, or one round without.

    Money, samples and flags by client: ``size``, ``cost``, ``gain`` true, ``reported_…`` as said; ``differences``,
    ``imports``, ``prices`` from row i to column j; ``centre`` what i pays the centre, ``sales`` what it pays i, ``gap``
    how far i's selection may be from its optimum. ``objective``, ``optimal_objective``, ``optimal_gap``: V_lambda of
    the reports, the largest possible, and how far that may be from the optimum. ``accuracy`` in [0, 1] and ``loss`` of
    the models by which the method is judged, ``…_trained`` of those after local training, ``…_aggregated`` of those
    after the server's step (losses are infinite where training diverged). ``unmoved``: the model still equals the
    common start, so its differences are 1. ``present``: takes part; who does not stands there with a cost of 1e11 and
    no wish for models. ``roles``: places in `ROLES`. ``leaving``: for good, after the round. ``epsilon``: what the
    training of each client has spent in all, 0 without privacy. ``valuation``: what was measured of gains, effective
    data or a backdoor, tensors by name without `VALUATION`, empty where nothing was.
    """

    differences: Annotated[Floats, Tensor("Rmm")]
    size: Annotated[Floats, Tensor("Rm")]
    cost: Annotated[Floats, Tensor("Rm")]
    gain: Annotated[Floats, Tensor("Rm")]
    reported_size: Annotated[Floats, Tensor("Rm")]
    reported_cost: Annotated[Floats, Tensor("Rm")]
    reported_gain: Annotated[Floats, Tensor("Rm")]
    imports: Annotated[Flags, Tensor("Rmm", "uint8")]
    prices: Annotated[Floats, Tensor("Rmm")]
    centre: Annotated[Floats, Tensor("Rm")]
    sales: Annotated[Floats, Tensor("Rm", absent=0)]
    gap: Annotated[Floats, Tensor("Rm")]
    objective: Annotated[Floats, Tensor("R")]
    optimal_objective: Annotated[Floats, Tensor("R")]
    optimal_gap: Annotated[Floats, Tensor("R", absent=0)]
    accuracy: Annotated[Floats, Tensor("Rm")]
    loss: Annotated[Floats, Tensor("Rm", finite=False)]
    accuracy_trained: Annotated[Floats, Tensor("Rm", absent="accuracy")]
    loss_trained: Annotated[Floats, Tensor("Rm", absent="loss", finite=False)]
    accuracy_aggregated: Annotated[Floats, Tensor("Rm", absent="accuracy")]
    loss_aggregated: Annotated[Floats, Tensor("Rm", absent="loss", finite=False)]
    training_loss: Annotated[Floats, Tensor("Rm", absent=0, finite=False)]
    unmoved: Annotated[Flags, Tensor("Rm", "uint8", absent=0)]
    present: Annotated[Flags, Tensor("Rm", "uint8", absent=1)]
    roles: Annotated[NDArray[np.uint8], Tensor("Rm", "uint8", absent=0)]
    leaving: Annotated[Flags, Tensor("Rm", "uint8", absent=0)]
    lam: Annotated[float, Tensor("")]
    epsilon: Annotated[Floats, Tensor("m", absent=0)]
    valuation: Mapping[str, Floats]

    @classmethod
    def of(
        cls,
        types: Types,
        reports: Reports,
        market: Market,
        outcome: Outcome,
        *,
        valuation: Mapping[str, Floats] | None = None,
        **told: Any,
    ) -> MarketRecord:
        """Return a record from its parts, of a round or, with a leading axis, of several.

        Of what is not ``told`` stands what older records mean by its absence, or 0.

        ``valuation``: tensors by their names in a file, which begin with `VALUATION`.
        """
        rounds, m = types.batch, types.clients
        given: dict[str, Any] = {"lam": market.lam}
        given |= {} if market.differences is None else {"differences": market.differences}
        given |= {"sales": outcome.sales} if isinstance(outcome, CentralOutcome) else {}
        given |= {name: getattr(types, name) for name in ("size", "cost", "gain")}
        given |= {f"reported_{name}": getattr(reports, name) for name in ("size", "cost", "gain")}
        given |= {name: getattr(outcome, name) for name in ("imports", "prices", "centre", "gap")}
        given |= told
        for name, tensor in TENSORS.items():
            shape = (*(rounds if "R" in tensor.axes else ()), *(m for axis in tensor.axes if axis == "m"))
            meant = given[tensor.absent] if isinstance(tensor.absent, str) else np.full(shape, tensor.absent or 0)
            given[name] = typed(name, given.get(name, meant))
        measured = {name.removeprefix(VALUATION): array for name, array in (valuation or {}).items()}
        return cls(**given, valuation=measured)

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return len(self.objective)

    @property
    def clients(self) -> int:
        """Number of clients m."""
        return int(self.size.shape[-1])

    @cached_property
    def types(self) -> Types:
        """True types ``[..., m]``."""
        return Types(self.size, self.cost, self.gain)

    @cached_property
    def reports(self) -> Reports:
        """What was said ``[..., m]``."""
        return Reports(self.reported_size, self.reported_cost, self.reported_gain)

    @cached_property
    def law(self) -> GainLaw:
        """The public gain law, the same in all rounds of a unit: the paper's, or the one that was measured."""
        if not set(_LAW) <= set(self.valuation):
            return SqrtGain()
        kind, exponent, knots = (self.valuation[name][0 if self.objective.ndim else ...] for name in _LAW)
        return law_from_arrays(float(kind), float(exponent), knots)

    @cached_property
    def market(self) -> Market:
        """What is public: differences, λ, the gain law, and effective data where they were measured."""
        return Market(self.differences, self.lam, self.law, self.valuation.get("effective"))

    @property
    def gained(self) -> Floats | None:
        """Gains ``[..., m]``, money, as measured after the models were combined; None where the law says them."""
        return self.valuation.get("gained")

    @property
    def settled_on(self) -> Floats | None:
        """What prices of this market were settled on ``[..., m]``: `gained`, or surprises; None where on nothing."""
        return self.valuation.get("surprise", self.gained)

    @cached_property
    def outcome(self) -> CentralOutcome:
        """What was decided."""
        return CentralOutcome(self.imports, self.prices, self.centre, self.gap, self.sales)

    @cached_property
    def accounts(self) -> Accounts:
        """The true accounts ``[..., m]``, money."""
        return account(self.types, self.outcome, self.market, self.gained)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the record as named tensors, as they are written."""
        own = {name: np.asarray(getattr(self, name), dtype=tensor.written) for name, tensor in TENSORS.items()}
        return own | {VALUATION + name: np.asarray(array) for name, array in self.valuation.items()}


TENSORS: dict[str, Tensor] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(MarketRecord, include_extras=True).items()
    if hasattr(hint, "__metadata__")
}
"""The tensors of a record by name: the description by which they are stacked, written, checked and read."""


def stack(rounds: Sequence[MarketRecord]) -> MarketRecord:
    """Return rounds in their order with a leading axis; what is of the whole unit is that of the last."""
    last = rounds[-1]
    own: dict[str, Any] = {
        name: np.stack([getattr(one, name) for one in rounds]) if "R" in tensor.axes else getattr(last, name)
        for name, tensor in TENSORS.items()
    }
    told = {name: np.stack([one.valuation[name] for one in rounds]) for name in last.valuation}
    return replace(last, **own, valuation=told)


def encode(record: MarketRecord) -> bytes:
    """Return a record as one safetensors file: the same record gives the same bytes."""
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(array).reshape(array.shape) for name, array in record.tensors().items()})


def typed(name: str, array: Any) -> Any:
    """Return a tensor as records hold it in memory: numbers as float64, flags as bool, roles as their codes."""
    if not TENSORS[name].axes:
        return float(array)
    if name == "roles":
        return np.array(array, dtype=np.uint8)
    return np.array(array, dtype=np.float64 if TENSORS[name].written == "float64" else np.bool_)
