"""What one round of a market leaves behind, and how the rounds of a run are stacked into one file.

Names and shapes of a stacked file (R rounds, m clients, float64 unless said): ``differences [R,m,m]``,
``size cost gain [R,m]`` true, ``reported_size reported_cost reported_gain [R,m]``, ``imports [R,m,m]`` uint8,
``prices [R,m,m]``, ``centre sales gap training_loss [R,m]``, ``accuracy loss [R,m]`` of the models by which the method
is judged, ``accuracy_trained loss_trained accuracy_aggregated loss_aggregated [R,m]`` of those after local training and
of those after the server's step, ``unmoved [R,m]`` uint8 (the client's model
still equals the common start, so its differences are 1), ``present [R,m]`` uint8 (takes part; who does not stands there
with a cost of 1e11 and no wish for models), ``roles [R,m]`` uint8 (codes of `marketproof.running.populations.ROLES`),
``leaving [R,m]`` uint8 (leaves for good after the round), ``objective optimal_objective optimal_gap [R]``, ``lam`` one
number, ``epsilon [m]`` what each client's training has spent (0 without privacy). Where gains were measured there are
also the arrays of `learning.valuation.Valuation` with a leading axis of rounds; the law is the same in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learning.valuation.valuation import Valuation
from marketproof.errors import InputError, one_line
from mechanism.market.accounting import CentralOutcome, Outcome
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.gains import SqrtGain

Arrays = dict[str, NDArray[np.generic]]
Judgement = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Personal accuracy and test loss [m]."""


@dataclass(frozen=True, eq=False)
class RoundRecord:
    """One round: true types, what was reported, the public market, what was decided, and how well the models do."""

    types: Types
    reports: Reports
    market: Market
    outcome: Outcome
    objective: float
    optimal: float
    optimal_gap: float
    accuracy: NDArray[np.float64]
    loss: NDArray[np.float64]
    training_loss: NDArray[np.float64]
    trained: Judgement
    aggregated: Judgement
    unmoved: NDArray[np.bool_]
    present: NDArray[np.bool_]
    roles: NDArray[np.uint8]
    leaving: NDArray[np.bool_]
    valuation: Valuation | None = None
    notices: tuple[str, ...] = ()

    def arrays(self) -> Arrays:
        """Return the round as named arrays without the leading axis of rounds."""
        m = self.types.clients
        d = self.market.differences
        return {
            "differences": np.zeros((m, m)) if d is None else np.array(d),
            "size": np.array(self.types.size),
            "cost": np.array(self.types.cost),
            "gain": np.array(self.types.gain),
            "reported_size": np.array(self.reports.size),
            "reported_cost": np.array(self.reports.cost),
            "reported_gain": np.array(self.reports.gain),
            "imports": self.outcome.imports.astype(np.uint8),
            "prices": np.array(self.outcome.prices),
            "centre": np.array(self.outcome.centre),
            "sales": np.array(self.outcome.sales) if isinstance(self.outcome, CentralOutcome) else np.zeros(m),
            "gap": np.array(self.outcome.gap),
            "accuracy": np.asarray(self.accuracy, dtype=np.float64),
            "loss": np.asarray(self.loss, dtype=np.float64),
            "accuracy_trained": np.asarray(self.trained[0], dtype=np.float64),
            "loss_trained": np.asarray(self.trained[1], dtype=np.float64),
            "accuracy_aggregated": np.asarray(self.aggregated[0], dtype=np.float64),
            "loss_aggregated": np.asarray(self.aggregated[1], dtype=np.float64),
            "training_loss": np.asarray(self.training_loss, dtype=np.float64),
            "unmoved": np.asarray(self.unmoved).astype(np.uint8),
            "present": np.asarray(self.present).astype(np.uint8),
            "roles": np.asarray(self.roles, dtype=np.uint8),
            "leaving": np.asarray(self.leaving).astype(np.uint8),
            "objective": np.array(self.objective, dtype=np.float64),
            "optimal_objective": np.array(self.optimal, dtype=np.float64),
            "optimal_gap": np.array(self.optimal_gap, dtype=np.float64),
            "lam": np.array(self.market.lam, dtype=np.float64),
            **({} if self.valuation is None else self.valuation.arrays()),
        }


@dataclass(frozen=True, eq=False)
class MarketRecord:
    """All rounds of one method under one seed, as read back: batch axis = rounds."""

    types: Types
    reports: Reports
    market: Market
    outcome: Outcome
    objective: NDArray[np.float64]
    optimal: NDArray[np.float64]
    optimal_gap: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    loss: NDArray[np.float64]
    trained: Judgement
    aggregated: Judgement
    present: NDArray[np.bool_]
    roles: NDArray[np.uint8]
    epsilon: NDArray[np.float64]
    leaving: NDArray[np.bool_]
    valuations: tuple[Valuation, ...] = ()

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return int(self.objective.shape[0])


def encode(arrays: Arrays) -> bytes:
    """Return arrays as one safetensors file: the same arrays give the same bytes."""
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()})


def decode(path: Path) -> Arrays:
    """Return the arrays of a safetensors file.

    Raises
    ------
    InputError
        If it is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(path.read_bytes()))
    except (SafetensorError, ValueError, KeyError) as error:
        raise InputError(f"{one_line(path)}: is damaged ({one_line(error)}); run again into a new folder") from None
    except OSError as error:
        raise InputError(f"{one_line(path)}: {error.strerror}; name a complete run folder") from None


def stack(rounds: Sequence[Arrays]) -> Arrays:
    """Return the rounds in order with a leading axis; ``lam`` stays one number."""
    stacked = {name: np.stack([one[name] for one in rounds]) for name in rounds[0] if name != "lam"}
    return {**stacked, "lam": rounds[0]["lam"]}


def read_market(path: Path) -> MarketRecord:
    """Return the market record in a file of ``markets/``.

    Raises
    ------
    InputError
        If the file is damaged or holds no market.
    """
    arrays = decode(path)
    try:
        real = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items() if name != "imports"}
        valuations = _valuations(arrays)
        return MarketRecord(
            Types(real["size"], real["cost"], real["gain"]),
            Reports(real["reported_size"], real["reported_cost"], real["reported_gain"]),
            Market(real["differences"], float(real["lam"]), valuations[0].law if valuations else SqrtGain()),
            CentralOutcome(
                arrays["imports"].astype(np.bool_), real["prices"], real["centre"], real["gap"], real["sales"]
            ),
            real["objective"],
            real["optimal_objective"],
            real["optimal_gap"],
            real["accuracy"],
            real["loss"],
            _stage(real, "trained"),
            _stage(real, "aggregated"),
            arrays.get("present", np.ones(real["size"].shape)).astype(np.bool_),  # runs of version 0.1 had no absence
            arrays.get("roles", np.zeros(real["size"].shape)).astype(np.uint8),
            real.get("epsilon", np.zeros(real["size"].shape[-1])),
            arrays.get("leaving", np.zeros(real["size"].shape)).astype(np.bool_),
            valuations,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{one_line(path)}: holds no market ({one_line(error)}); run again into a new folder"
        ) from None


def _stage(real: dict[str, NDArray[np.float64]], stage: str) -> Judgement:
    """Return accuracy and loss [R, m] at a stage of each round; runs of version 0.1 tested one only."""
    return real.get(f"accuracy_{stage}", real["accuracy"]), real.get(f"loss_{stage}", real["loss"])


def _valuations(arrays: Arrays) -> tuple[Valuation, ...]:
    """Return the valuation of each round, none where gains were not measured."""
    told = {name: array for name, array in arrays.items() if name.startswith("valuation_")}
    if not told:
        return ()
    return tuple(
        Valuation.from_arrays({name: array[k] for name, array in told.items()})
        for k in range(len(told["valuation_kind"]))
    )
