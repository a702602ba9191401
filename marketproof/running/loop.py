"""The round loop: train, measure differences, decide the graph, aggregate, evaluate, record.

Where a trainer or a mechanism computes is not the loop's business; it asks a trainer, in each round and in this order:
`train`, `measure` where gains are valued, `differences`, `effective`, `evaluate`, `implied_imports`, `joint` or
`brought` where payments follow from it, `measure` of what was bought, `judge`, `aggregate`, and `evaluate` again where
that changed the models that clients use. Who goes away before the models are combined trades nothing: the market is
cleared again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.run.market import ATTACK_SUCCESS, BROUGHT, EFFECTIVE, GAINED, SURPRISE, VALUATION, MarketRecord
from learning.valuation.curves import Curve
from learning.valuation.laws import value
from learning.valuation.peers import Peers
from learning.valuation.valuation import Valuation
from marketproof.running.config import RunConfig, schedule_of
from marketproof.running.populations import Attendance, Participants, away, draw
from marketproof.running.recorder import Recorder, Unit
from marketproof.running.sections import MarketSection
from mechanism.market.accounting import MONEY, Outcome, account, fixed_outcome, scale
from mechanism.market.clients import Market, Reports, Types
from mechanism.market.gains import SqrtGain
from mechanism.market.mechanisms import market_mechanism
from mechanism.market.rules.earned import Earned
from mechanism.market.settling import TwoStage, clear_and_settle, objectives
from mechanism.space import Floats

if TYPE_CHECKING:
    from learning.trainer import Trainer


class Valuer:
    """Finds the public gain law once, from the models of the first round, and keeps it.

    A law that changed from round to round would be moved by what clients do; one that is fixed before they trade again
    is public data, as the theorems want it. In every round the departure of what is measured then from the law is
    recorded: the regret bound of the audit rests on it.
    """

    def __init__(self, kind: str, seed: int) -> None:
        self._kind, self._seed = kind, seed
        self._first: Valuation | None = None

    def value(self, types: Types, measure: Callable[[], Curve]) -> Valuation:
        """Return the round's valuation; ``types`` hold the task's gain parameters."""
        curve = measure()
        if self._first is None:
            self._first = value(self._kind, types.gain, curve, self._seed, types.size)
            return self._first
        return self._first.against(curve)

    def restore(self, first: Mapping[str, NDArray[Any]]) -> None:
        """Go on from the tensors of the first round."""
        self._first = Valuation.from_arrays(first)


MakeTrainer = Callable[[Unit], "Trainer"]
Watch = Callable[[Unit, int, MarketRecord, Sequence[str]], None]


def participants_of(config: RunConfig, seed: int, clients: int = 0) -> Participants:
    """Return who takes part in a run under one seed; ``clients`` if they are not as many as configured."""
    section = config.population
    return draw(section.name, section.share, section.factor, clients or config.data.clients, seed)


def types_of(market: MarketSection, sizes: NDArray[Any], seed: int, participants: Participants | None = None) -> Types:
    """Return the true types: measured sizes, costs and gains given or drawn for this seed (same for every method)."""
    who = participants if participants is not None else draw("benign", 0.0, 1.0, len(sizes), seed)
    drawn, usual = who.types(sizes, market.cost, market.gain, seed), np.isin(who.roles, ("honest", "liar"))
    cost = np.where(usual, market.each_cost, drawn.cost) if market.each_cost else drawn.cost
    gain = np.where(usual, market.each_gain, drawn.gain) if market.each_gain else drawn.gain
    return Types(drawn.size, cost, gain)


def gained(trainer: Trainer, truth: Types, imports: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the gains [m], money, that imports were measured to bring: the law's of what all are worth together."""
    return np.asarray(SqrtGain().value(truth.gain, truth.size, truth.size + trainer.joint(imports)))


def _cleared(
    trainer: Trainer,
    mechanism: str | None,
    said: Reports,
    truth: Types,
    market: Market,
    present: NDArray[np.bool_],
    peers: Peers | None,
) -> tuple[Outcome, dict[str, Floats]]:
    """Return what the market, or the method, decides among those who are there, and what was measured to pay by."""
    implied = trainer.implied_imports(said.size)
    if implied is not None:
        return fixed_outcome(implied & present[:, None] & present[None, :]), {}
    if mechanism is None:
        raise ValueError("the method's graph is decided by the market, and no mechanism was chosen")
    rule = market_mechanism(mechanism)
    if market.effective is None or not isinstance(rule, TwoStage):
        return clear_and_settle(rule, said, truth, market, present), {}
    if not isinstance(rule, Earned):
        outcome = clear_and_settle(rule, said, truth, market, present, lambda imports: gained(trainer, truth, imports))
        return outcome, {GAINED: gained(trainer, truth, outcome.imports)}
    if peers is None:
        raise ValueError("what is earned depends on what was found in earlier rounds, and no peers were given")

    def surprise(imports: NDArray[np.bool_]) -> Floats:
        return peers.surprise(trainer.brought(imports), imports)

    outcome = clear_and_settle(rule, said, truth, market, present, surprise)
    return outcome, {BROUGHT: trainer.brought(outcome.imports), SURPRISE: surprise(outcome.imports)}


def play_round(
    trainer: Trainer,
    types: Types,
    lam: float | Floats,
    mechanism: str | None,
    number: int,
    participants: Participants | None = None,
    attendance: Attendance | None = None,
    valuer: Valuer | None = None,
    peers: Peers | None = None,
) -> MarketRecord:
    """Play round ``number`` (from 1) and return what happened.

    Everybody reports the truth but for the liars among the ``participants``, and is there but for those whom
    ``attendance`` or the trainer keeps out: the market of the round is that of those who are there, the others keep
    what they have. Where importers weigh differences by a ``lam`` [m] of their own, the market's is the largest, and
    their differences are those that give the same penalties. What clients elsewhere say in the place of ``types`` is
    known after training: they may come while a run goes on. ``peers``: by whom it is known what was to be expected, for
    a market whose prices are earned; they learn from the round.
    """
    training_loss = trainer.train(number, None if attendance is None else attendance.present(number))
    types = trainer.types() or types
    m = types.clients
    valuation = None if valuer is None else valuer.value(types, trainer.measure)
    law = SqrtGain() if valuation is None else valuation.law
    types = types if valuation is None else Types(types.size, types.cost, valuation.gain)
    matrix, unmoved = trainer.differences()
    largest = float(np.max(lam))
    if largest > 0.0 and np.ndim(lam):
        matrix = matrix * (np.asarray(lam) / largest)[:, None]
    effective = trainer.effective()
    market = Market(matrix, largest, law, effective)
    trained = (*trainer.evaluate(), trainer.attack_success)
    while True:
        present = trainer.present.copy()
        truth = Types(*away(types, present))
        said = Reports(*away(truth.truthful() if participants is None else participants.reports(types), present))
        outcome, paid_by = _cleared(trainer, mechanism, said, truth, market, present, peers)
        bought = None if valuation is None else trainer.measure(outcome.imports)
        trainer.judge(outcome.imports)
        if np.array_equal(present, trainer.present):
            break  # else somebody went away who was to trade: nobody trades with it
    if valuation is not None and bought is not None:  # the bound on what a buyer may lose rests on what was bought
        valuation = valuation.seen(bought)
    moved = trainer.aggregate(outcome.imports, said.size)
    aggregated = (*trainer.evaluate(), trainer.attack_success) if moved else trained
    accuracy, loss, attack_success = aggregated if trainer.judged == "aggregated" else trained
    reached, optimal, optimal_gap = objectives(said, outcome.imports, market, present)
    measured = {} if valuation is None else dict(valuation.arrays())
    measured |= {} if effective is None else {EFFECTIVE: effective}
    measured |= {} if attack_success is None else {ATTACK_SUCCESS: attack_success}
    measured |= paid_by
    if peers is not None and BROUGHT in paid_by:
        peers.seen(paid_by[BROUGHT], outcome.imports)
    codes = np.zeros(m, dtype=np.uint8) if participants is None else participants.codes
    leaving = np.zeros(m, dtype=bool)
    if attendance is not None:
        money = account(truth, outcome, market, paid_by.get(GAINED))
        small = MONEY * scale(np.concatenate([money.gain, money.cost, money.paid]))
        leaving = attendance.decide(number, present, money.utility, small)
    return MarketRecord.of(
        truth, said, market, outcome,
        objective=reached, optimal_objective=optimal, optimal_gap=optimal_gap,
        accuracy=accuracy, loss=loss, accuracy_trained=trained[0], loss_trained=trained[1],
        accuracy_aggregated=aggregated[0], loss_aggregated=aggregated[1], training_loss=training_loss,
        unmoved=unmoved, present=present, roles=codes, leaving=leaving,
        valuation=measured,
    )  # fmt: skip


def run_unit(recorder: Recorder, unit: Unit, trainer: Trainer, watch: Watch) -> None:
    """Play a unit's remaining rounds, recording each, and write its final files."""
    config = recorder.config
    participants = participants_of(config, unit.seed, len(trainer.sizes))
    types = types_of(config.market, trainer.sizes, unit.seed, participants)
    population, section = participants.population, config.population
    attendance = Attendance(
        population.leaves, section.chance, schedule_of(config), len(trainer.sizes), unit.seed,
        min(section.join_ratio, section.share or population.called if population.called < 1.0 else 1.0),
    )  # fmt: skip
    lam = np.array(config.market.each_lam) if config.market.each_lam else config.market.lam
    valuer = None if config.valuation == "size" else Valuer(config.valuation, unit.seed)
    done = recorder.rounds_done(unit)
    if done:
        trainer.load(recorder.state(unit, done))
        if valuer is not None:
            valuer.restore(recorder.recorded(unit, 1).tensors())
    rule = None if unit.method.mechanism is None else market_mechanism(unit.method.mechanism)
    peers = Peers(len(trainer.sizes)) if isinstance(rule, Earned) else None
    for number in range(1, done + 1):
        earlier = recorder.recorded(unit, number)
        attendance.leave(earlier.leaving)
        brought = earlier.valuation.get(BROUGHT.removeprefix(VALUATION))
        if peers is not None and brought is not None:
            peers.seen(brought, earlier.imports)
    for number in range(done + 1, config.rounds + 1):
        began, told = time.perf_counter(), len(trainer.notices)
        record = play_round(trainer, types, lam, unit.method.mechanism, number, participants, attendance, valuer, peers)
        attendance.leave(record.leaving)
        notices = trainer.notices[told:]
        recorder.keep(unit, number, record, trainer.save, time.perf_counter() - began, notices)
        watch(unit, number, record, notices)
    recorder.finish(unit, trainer.save, trainer.epsilon)


def run_units(
    recorder: Callable[[Unit, Trainer], Recorder], units: Sequence[Unit], make: MakeTrainer, watch: Watch
) -> None:
    """Run every unit that is not finished, one trainer each.

    ``recorder`` opens (or returns) the recorder; it is called with the first trainer, so that settings which no
    trainer accepts leave no folder behind.
    """
    for unit in units:
        trainer = make(unit)
        try:
            run_unit(recorder(unit, trainer), unit, trainer, watch)
        finally:
            trainer.close()
            del trainer  # with its models, before those of the next unit are made


def units_of(config: RunConfig, methods: Sequence[Any]) -> list[Unit]:
    """Return the units of a run: every method under every seed, methods outermost."""
    return [Unit(method, seed) for method in methods for seed in config.seed_list]
