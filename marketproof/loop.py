"""The round loop: train, measure differences, decide the graph, aggregate, evaluate, record.

The loop knows a trainer by the few calls below and a mechanism by `clear`; where either computes is not its business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from marketproof.config import MarketSection, RunConfig
from marketproof.draws import uniform
from marketproof.recorder import Recorder, Unit
from marketproof.records import RoundRecord
from marketproof.settling import clear_and_settle
from mechanism.market.accounting import account, objective
from mechanism.market.clients import Market, Types
from mechanism.market.mechanisms import fixed_outcome, market_mechanism, optimal_objective


class Trains(Protocol):
    """What the loop asks of a trainer (`learning.trainer.Trainer`)."""

    sizes: NDArray[np.int64]
    backend: str
    device: str

    def train(self, round_index: int) -> NDArray[np.float64]:
        """Local work of a round on every client; mean training loss [m]."""
        ...

    def differences(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Model differences [m, m], and which clients still equal the start [m]."""
        ...

    def implied_imports(self) -> NDArray[np.bool_] | None:
        """The graph that the method implies [m, m]; None where the market decides."""
        ...

    def aggregate(self, imports: NDArray[np.bool_]) -> None:
        """The server's step."""
        ...

    def evaluate(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Personal accuracy and test loss [m]."""
        ...

    def save(self, path: Path) -> None:
        """Write all state to one file."""
        ...

    def load(self, path: Path) -> None:
        """Go on from a file of `save`."""
        ...

    def close(self) -> None:
        """End worker processes."""
        ...


MakeTrainer = Callable[[Unit], Trains]
Watch = Callable[[Unit, int, RoundRecord], None]


def types_of(market: MarketSection, sizes: NDArray[Any], seed: int) -> Types:
    """Return the true types: measured sizes, costs and gains given or drawn for this seed (same for every method)."""
    m = len(sizes)
    cost = uniform(seed, "market-cost", m, *market.cost)
    gain = uniform(seed, "market-gain", m, *market.gain)
    return Types(np.asarray(sizes, dtype=np.float64), cost, gain)


def play_round(trainer: Trains, types: Types, lam: float, mechanism: str | None, number: int) -> RoundRecord:
    """Play round ``number`` (from 1) and return what happened; everyone reports the truth."""
    training_loss = trainer.train(number)
    matrix, unmoved = trainer.differences()
    market, reports = Market(matrix, lam), types.truthful()
    implied = trainer.implied_imports()
    if implied is None:
        if mechanism is None:
            raise ValueError("the method's graph is decided by the market, and no mechanism was chosen")
        outcome = clear_and_settle(market_mechanism(mechanism), reports, types, market)
    else:
        outcome = fixed_outcome(implied)
    trainer.aggregate(outcome.imports)
    accuracy, loss = trainer.evaluate()
    optimal, optimal_gap = optimal_objective(reports, market)
    reached = float(objective(reports, outcome.imports, market))
    return RoundRecord(
        types, reports, market, outcome, reached, float(optimal), float(optimal_gap),
        accuracy, loss, training_loss, unmoved,
    )  # fmt: skip


def run_unit(recorder: Recorder, unit: Unit, trainer: Trains, watch: Watch) -> None:
    """Play a unit's remaining rounds, recording each, and write its final files."""
    config = recorder.config
    types = types_of(config.market, trainer.sizes, unit.seed)
    done = recorder.rounds_done(unit)
    if done:
        trainer.load(recorder.state(unit, done))
    for number in range(done + 1, config.rounds + 1):
        began = time.perf_counter()
        record = play_round(trainer, types, config.market.lam, unit.method.mechanism, number)
        recorder.keep(unit, number, record, trainer.save, time.perf_counter() - began)
        watch(unit, number, record)
    recorder.finish(unit, trainer.save)


def utility(record: RoundRecord) -> NDArray[np.float64]:
    """Return each client's true utility in a round, money [m]."""
    return account(record.types, record.outcome, record.market.law).utility


def run_units(recorder: Callable[[Trains], Recorder], units: Sequence[Unit], make: MakeTrainer, watch: Watch) -> None:
    """Run every unit that is not finished, one trainer each.

    ``recorder`` opens (or returns) the recorder; it is called with the first trainer, so that settings which no
    trainer accepts leave no folder behind.
    """
    for unit in units:
        trainer = make(unit)
        try:
            run_unit(recorder(trainer), unit, trainer, watch)
        finally:
            trainer.close()


def units_of(config: RunConfig, methods: Sequence[Any]) -> list[Unit]:
    """Return the units of a run: every method under every seed, methods outermost."""
    return [Unit(method, seed) for method in methods for seed in config.seed_list]
