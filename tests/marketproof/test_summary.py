"""A run in a few numbers: over which rounds, clients and seeds each is counted."""

import numpy as np
import pytest

from analysis.run.files import Manifest, unit_key
from analysis.run.ledger import books, unit_figures
from analysis.run.market import MarketRecord
from analysis.run.results import summarise
from marketproof.running.populations import AWAY, ROLES
from mechanism import Market, Types, account
from mechanism.market.accounting import Outcome

HONEST, ATTACKER, RIDER, LIAR = (ROLES.index(role) for role in ("honest", "attacker", "free-rider", "liar"))
ACCURACY = np.array([[0.5, 0.1, 0.9, 0.3], [0.7, 0.2, 0.8, 0.6], [0.6, 0.9, 0.4, 0.1]])


def record(roles=(HONEST,) * 4, present=None, epsilon=None, accuracy=ACCURACY):
    """Three rounds of four clients; 0 imports from 1 in every round, 2 from 3 in the last, at a price of 1."""
    rounds, m = accuracy.shape
    there = np.ones((rounds, m), bool) if present is None else np.array(present, bool)
    size = np.tile([100.0, 300.0, 300.0, 50.0], (rounds, 1))
    cost = np.where(there, np.tile([0.5, 0.75, 1.0, 0.25], (rounds, 1)), AWAY)
    gain = np.where(there, 3600.0, 0.0)
    imports = np.zeros((rounds, m, m), bool)
    imports[:, 0, 1], imports[-1, 2, 3] = True, True
    imports &= there[:, :, None] & there[:, None, :]
    zeros = np.zeros((rounds, m))
    types = Types(size, cost, gain)
    outcome = Outcome(imports, imports * 1.0, zeros, zeros)
    return MarketRecord.of(
        types, types.truthful(), Market(np.zeros((rounds, m, m)), 1.0), outcome,
        accuracy=accuracy, loss=1 - accuracy, present=there, roles=np.tile(np.array(roles, np.uint8), (rounds, 1)),
        epsilon=np.zeros(m) if epsilon is None else epsilon,
    )  # fmt: skip


def test_figures_of_a_market_of_the_honest():
    told = unit_figures(record())
    utility = account(record().types, record().outcome).utility
    assert told == {
        "accuracy_best": pytest.approx((0.7 + 0.9 + 0.9 + 0.6) / 4),
        "accuracy_final": pytest.approx((0.6 + 0.9 + 0.4 + 0.1) / 4),
        "utility_total": pytest.approx(utility.sum()),
        "utility_mean": pytest.approx(utility.sum() / 12),
        "welfare": pytest.approx(3 * (6 - 3 - 0.75) + (np.sqrt(12) - np.sqrt(3600 / 350) - 0.25)),
        "received_mean": pytest.approx(account(record().types, record().outcome).received.sum() / 12),
    }


def test_attackers_and_free_riders_stand_apart_and_liars_do_not():
    roles = (HONEST, ATTACKER, LIAR, RIDER)
    told = unit_figures(record(roles))
    utility = account(record().types, record().outcome).utility
    assert told["accuracy_best"] == pytest.approx((0.7 + 0.9) / 2)
    assert told["accuracy_final"] == pytest.approx((0.6 + 0.4) / 2)
    assert told["utility_total"] == pytest.approx(utility[:, [0, 2]].sum())
    assert told["utility_mean"] == pytest.approx(utility[:, [0, 2]].mean())
    assert told["utility_others"] == pytest.approx(utility[:, [1, 3]].mean())
    received = account(record().types, record().outcome).received
    assert told["received_mean"] == pytest.approx(received[:, [0, 2]].mean())
    assert told["received_others"] == pytest.approx(received[:, [1, 3]].mean())
    assert told["accuracy_others"] == pytest.approx((0.9 + 0.6) / 2)
    assert told["welfare"] == pytest.approx(utility.sum())  # of everybody


def test_who_is_away_counts_with_what_it_had_while_it_was_there():
    """Client 1 leaves after the first round, client 2 comes in the last, client 3 is never there."""
    present = [[1, 1, 0, 0], [1, 0, 0, 0], [1, 0, 1, 0]]
    told = unit_figures(record(present=present))
    assert told["accuracy_best"] == pytest.approx((0.7 + 0.1 + 0.4) / 3)
    assert told["accuracy_final"] == pytest.approx((0.6 + 0.1 + 0.4) / 3)
    assert abs(told["welfare"]) < 10  # the cost at which the absent stand is nowhere in it
    assert told["utility_total"] == pytest.approx(told["welfare"]) == pytest.approx(6 - 3 - 0.75)


def test_markets_with_nobody_or_nobody_benign_have_figures():
    empty = unit_figures(record(present=np.zeros((3, 4))))
    assert (empty["accuracy_best"], empty["accuracy_final"], empty["utility_mean"]) == (0.0, 0.0, 0.0)
    bad = unit_figures(record((ATTACKER,) * 4))
    assert (bad["accuracy_best"], bad["utility_mean"], bad["utility_total"]) == (0.0, 0.0, 0.0)
    assert bad["accuracy_others"] == pytest.approx(3.1 / 4)
    assert bad["welfare"] > 0


def test_epsilon_is_the_most_that_a_client_spent():
    assert unit_figures(record(epsilon=[0.1, 0.7, 0.0, 0.3]))["epsilon"] == 0.7
    assert "epsilon" not in unit_figures(record())


@pytest.mark.parametrize("spent", [([0.2] * 4, [0.0] * 4), ([0.0] * 4, [0.2] * 4)])
def test_a_seed_under_which_nobody_could_train_spent_nothing(spent):
    """A budget may stop everybody before the first round under one seed and not under another."""
    told = summary({"local": [record(epsilon=e) for e in spent]}, [1.0, 1.0])
    assert told["local"]["epsilon"] == pytest.approx(0.1)


def test_means_and_deviations_are_over_seeds():
    seeds = [record(accuracy=ACCURACY * (1 - 0.1 * seed)) for seed in (0, 1, 2)]
    told = summary({"local": seeds, "ipfl/ipfl": seeds}, [1.0, 2.0, 6.0])
    assert list(told) == ["local", "ipfl/ipfl"]
    figures = told["local"]
    best = np.array([0.775, 0.775 * 0.9, 0.775 * 0.8])
    assert figures["accuracy_best"] == pytest.approx(best.mean())
    assert figures["accuracy_best_std"] == pytest.approx(best.std(ddof=1))
    assert figures["seconds"] == 3.0
    assert figures["welfare_std"] == pytest.approx(0.0, abs=1e-12)
    assert not any(key.endswith("_std") for key in summary({"local": seeds[:1]}, [1.0])["local"])


def summary(methods, seconds):
    """Return what `summarise` says of records by method, seconds of each seed alike."""
    traces = {name: books([[one] for one in records])[0] for name, records in methods.items()}
    seeds = list(range(len(seconds)))
    manifest = Manifest(
        task="toys", clients=4, seeds=seeds, methods=list(methods), mechanisms=dict.fromkeys(methods),
        judged=dict.fromkeys(methods, "trained"),
    )  # fmt: skip
    told = summarise(manifest, traces, {unit_key(n, k): s for n in methods for k, s in enumerate(seconds)}).as_json()
    assert (told["task"], told["seeds"], set(told)) == ("toys", seeds, {"task", "seeds", "methods", "judged", "audit"})
    return told["methods"]
