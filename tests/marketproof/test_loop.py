"""The round loop: in which order it asks, what it accounts with, and what it draws."""

import numpy as np
import pytest

from marketproof.running.loop import play_round, types_of
from marketproof.running.methods import Method, parse
from marketproof.running.populations import uniform
from marketproof.running.recorder import Unit
from marketproof.running.sections import MarketSection
from mechanism import InvalidMarketError, Market, Types, UnknownNameError, account, market_mechanism
from mechanism.errors import MarketProofError
from tests.marketproof.fake_trainer import FakeTrainer


class Watched(FakeTrainer):
    """Writes down what it is asked."""

    def __init__(self, unit):
        super().__init__(unit)
        self.asked = []

    def __getattribute__(self, name):
        if name in ("train", "differences", "implied_imports", "aggregate", "evaluate"):
            self.asked.append(name)
        return super().__getattribute__(name)


TYPES = Types([100, 300, 300, 50], [0.8, 1.1, 1.0, 0.6], [36000, 50000, 0, 9000])


def test_a_round_asks_in_the_order_of_the_contract():
    trainer = Watched(Unit(Method("ipfl", "ipfl", "ipfl-exact"), 0))
    play_round(trainer, TYPES, 0.5, "ipfl-exact", 1)
    assert trainer.asked == ["train", "differences", "evaluate", "implied_imports", "aggregate", "evaluate"]


def test_the_market_clears_on_the_measured_differences():
    trainer = FakeTrainer(Unit(Method("ipfl", "ipfl", "ipfl"), 0))
    record = play_round(trainer, TYPES, 0.5, "ipfl", 1)
    twin = FakeTrainer(Unit(Method("ipfl", "ipfl", "ipfl"), 0))
    twin.train(1)
    market = Market(twin.differences()[0], 0.5)
    expected = market_mechanism("ipfl").clear(TYPES.truthful(), market)
    assert np.array_equal(record.outcome.imports, expected.imports)
    assert np.array_equal(record.outcome.prices, expected.prices)
    assert expected.imports.any()
    assert record.objective <= record.optimal_objective + 1e-12


def test_an_implied_graph_is_paid_for_by_nobody_and_costs_what_it_costs():
    record = play_round(FakeTrainer(Unit(Method("fedavg", "fedavg", None), 0)), TYPES, 0.5, None, 1)
    assert record.outcome.imports.sum() == 12
    assert not record.outcome.prices.any()
    assert np.array_equal(account(TYPES, record.outcome).cost, 3 * TYPES.cost)


def test_types_are_the_same_for_every_method_and_drawn_inside_their_range():
    market = MarketSection(lam=1.0, eta=5.0, cost=[0.5, 1.0], gain=7.0)
    types = types_of(market, np.array([10, 20, 30]), seed=4)
    again = types_of(market, np.array([10, 20, 30]), seed=4)
    other = types_of(market, np.array([10, 20, 30]), seed=5)
    assert np.array_equal(types.cost, again.cost)
    assert not np.array_equal(types.cost, other.cost)
    assert ((types.cost >= 0.5) & (types.cost <= 1.0)).all()
    assert (types.gain == 7.0).all()


def test_a_draw_does_not_depend_on_how_many_clients_there_are():
    assert np.array_equal(uniform(1, "cost", 3, 0, 1), uniform(1, "cost", 9, 0, 1)[:3])
    assert not np.array_equal(uniform(1, "cost", 3, 0, 1), uniform(1, "gain", 3, 0, 1))


def test_methods_take_their_mechanism_after_a_slash_or_the_default():
    methods = parse(["local", "ipfl/ipfl", "ipfl"], "exact-marginal")
    assert [(m.name, m.algorithm, m.mechanism) for m in methods] == [
        ("local", "local", None),
        ("ipfl/ipfl", "ipfl", "ipfl"),
        ("ipfl", "ipfl", "exact-marginal"),
    ]
    assert Unit(methods[1], 7).key == "ipfl__ipfl-7"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["sgd"], "unknown method 'sgd'; known: local"),
        (["local/ipfl"], "local has no market to clear"),
        (["ipfl/vcg"], "unknown market mechanism 'vcg'"),
        (["ipfl-effective/vcg"], "on measured sizes also ipfl-exact-earned"),
        (["ipfl-effective/clock-price-effective"], "name 'clock-price'"),
        (["ipfl/"], "unknown market mechanism ''"),
        (["ipfl", "local", "ipfl"], "'ipfl' stands twice"),
        ([], "no method is named"),
    ],
)
def test_wrong_methods(names, expected):
    with pytest.raises(MarketProofError) as caught:
        parse(names, "ipfl-exact")
    assert expected in str(caught.value)


def test_differences_that_are_no_differences_stop_the_run():
    class Broken(FakeTrainer):
        def differences(self):
            return np.full((4, 4), np.nan), np.zeros(4, bool)

    with pytest.raises(InvalidMarketError):
        play_round(Broken(Unit(Method("ipfl", "ipfl", "ipfl"), 0)), TYPES, 0.5, "ipfl", 1)


def test_an_unknown_mechanism_is_told_before_anything_is_trained():
    with pytest.raises(UnknownNameError):
        parse(["ipfl"], "nothing")
