"""The truths of the catalogue against a random search, and what every classic owes the interface."""

import zlib

import numpy as np
import pytest

from mechanism.catalogue import AUCTION_ENTRIES, CATALOGUE, direct_mechanism
from mechanism.direct import DirectMechanism
from mechanism.entry import PROPERTIES
from mechanism.errors import UnknownNameError
from tests.checks import fresh
from tests.mechanism.auctions.audit import CHECKS, lies, one_each, profiles

IDS = [
    "first-price", "second-price", "second-price-reserve", "all-pay", "uniform-price", "discriminatory", "gsp",
    "vcg-positions", "vcg-combinatorial", "myerson", "posted-price-single", "mcafee", "k-double-auction",
    "clarke-public-good", "agv", "moulin-shapley", "greedy-knapsack", "proportional-share", "median-vote",
    "mean-vote", "serial-dictatorship", "deferred-acceptance", "fact",
]  # fmt: skip
ELSEWHERE = {"split-proof", "revenue-monotonicity"}  # test_single_item, test_vcg_combinatorial; test_revenue
CASES = [(i, p) for i, entry in AUCTION_ENTRIES.items() for p in entry.truths if p not in ELSEWHERE]


def _rng(*key: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


@pytest.mark.parametrize(("name", "prop"), CASES, ids=[f"{name}-{prop}" for name, prop in CASES])
def test_a_truth_of_the_catalogue_is_what_random_search_finds(name, prop):
    """'yes' survives 20,000 random profiles or lies with no violation above 1e-9; 'no' is refuted among them."""
    entry = AUCTION_ENTRIES[name]
    violation = CHECKS[prop](direct_mechanism(name), 20_000, _rng(name, prop))
    assert (violation > 1e-9) == entry.truths[prop].startswith("no"), (entry.truths[prop], violation)


@pytest.mark.parametrize(("name", "prop"), CASES, ids=[f"{name}-{prop}" for name, prop in CASES])
def test_a_truth_holds_for_other_numbers_of_agents(name, prop):
    entry = AUCTION_ENTRIES[name]
    for agents in {entry.fewest, 5} - {entry.agents}:
        violation = CHECKS[prop](direct_mechanism(name, agents), 8_000, _rng(name, prop, agents))
        assert (violation > 1e-9) == entry.truths[prop].startswith("no"), (agents, entry.truths[prop], violation)


def test_the_catalogue_holds_exactly_twenty_two_classics_and_fact_with_a_source_and_a_domain():
    assert sorted(AUCTION_ENTRIES) == sorted(IDS)
    for name, entry in AUCTION_ENTRIES.items():
        assert CATALOGUE[name] is entry
        assert any(char.isdigit() for char in entry.citation)
        assert ("[0.5, 1.5]" if name == "fact" else "[0, 1]") in entry.domain
        assert set(entry.truths) <= set(PROPERTIES)
        assert all(truth.split()[0] in ("yes", "no") for truth in entry.truths.values())
        assert entry.agents >= entry.fewest


@pytest.mark.parametrize("name", IDS)
def test_truths_of_one_mechanism_do_not_contradict_each_other(name):
    """Each implication is a theorem: dsic ⇒ bic, ir ⇒ interim-ir, balance ⇒ weak balance, group-dsic ⇒ dsic."""
    truths = {p: t.startswith("yes") for p, t in AUCTION_ENTRIES[name].truths.items()}
    implications = [
        ("dsic", "bic"), ("ir", "interim-ir"), ("budget-balance", "weak-budget-balance"), ("group-dsic", "dsic"),
        ("dsic", "cyclic-monotonicity"),
    ]  # fmt: skip
    for cause, effect in implications:
        assert not truths.get(cause) or truths[effect], (cause, effect)
    if truths["efficiency"] and truths["dsic"] and truths.get("ir"):
        assert not truths["budget-balance"], "Green, Laffont 1979; Myerson, Satterthwaite 1983"


@pytest.mark.parametrize("name", IDS)
def test_a_batch_equals_its_rows_one_by_one(name):
    mechanism = direct_mechanism(name)
    assert isinstance(mechanism, DirectMechanism)
    rng = _rng(name)
    types = np.concatenate([profiles(mechanism, 20, rng), profiles(mechanism, 20, rng, ties=True)])
    reports = lies(mechanism, types, one_each(40, mechanism.space.agents, rng), rng)
    outcome = mechanism.outcome(reports)
    for row in range(40):
        alone = mechanism.outcome(reports[row : row + 1])
        for whole, part in (
            (mechanism.utility(types, outcome), mechanism.utility(types[row : row + 1], alone)),
            (mechanism.payments(outcome), mechanism.payments(alone)),
            (mechanism.consequences(outcome), mechanism.consequences(alone)),
        ):
            np.testing.assert_array_equal(whole[row], part[0])


@pytest.mark.parametrize("name", IDS)
def test_reports_are_never_written_to_and_the_same_reports_get_the_same_answer(name):
    mechanism = direct_mechanism(name)
    reports = profiles(mechanism, 100, _rng(name))
    reports.setflags(write=False)
    first, second = (mechanism.consequences(mechanism.outcome(reports)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", IDS)
def test_resized_is_the_same_rule_for_another_number_of_agents(name):
    """An added agent with all numbers 0 changes nothing for the others where 0 means no interest."""
    mechanism = direct_mechanism(name, 4)
    larger = mechanism.resized(5)
    assert larger.space.agents == 5
    assert larger.space.names == mechanism.space.names
    assert type(larger) is type(mechanism)
    reports = profiles(mechanism, 200, _rng(name))
    if mechanism.space.names[0] in ("value", "worth one", "A") and name not in ("mcafee", "k-double-auction", "agv"):
        nobody = np.zeros((200, 1, mechanism.space.k))
        nobody[..., ~mechanism.space.private[0]] = 0.5  # a size
        answer = larger.consequences(larger.outcome(np.concatenate([reports, nobody], axis=1)))
        if name == "clarke-public-good":  # the share of the cost falls with every agent, asked or not
            assert larger.cost == mechanism.cost
        else:
            np.testing.assert_allclose(answer[:, :4], mechanism.consequences(mechanism.outcome(reports)), atol=1e-12)


def test_too_few_agents_are_refused_in_words():
    with pytest.raises(UnknownNameError, match="mcafee needs at least 4 agents"):
        direct_mechanism("mcafee", 3)


def test_the_package_imports_without_solvers_or_compilers():
    heavy = "('scipy', 'numba', 'networkx', 'torch')"
    assert fresh(f"import sys, mechanism.catalogue; print([m for m in {heavy} if m in sys.modules])") == "[]\n"
