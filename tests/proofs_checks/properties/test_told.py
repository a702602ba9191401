"""How sentences call agents, what they tell of large profiles and of public numbers; verdicts as a table."""

import ast
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from mechanism import Market, Types, market_mechanism, single_parameter
from mechanism.catalogue import direct_mechanism
from mechanism.direct import SingleParameter, Space
from mechanism.errors import InvalidMechanismError
from proofs_checks import Witness, replay
from proofs_checks.evidence_errors import WitnessError
from proofs_checks.properties.property import row_words
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.cases import Cases, deviating, truthful
from proofs_checks.search.given_markets import GivenMarkets
from tests.proofs_checks.rules import rows, winners


def told(name, mechanism, case):
    prop = PROPERTY[name]
    return prop.sentence(mechanism, case, prop.numbers(mechanism, case))


def test_of_two_hundred_agents_those_are_told_for_whom_something_changes():
    """The 8th outbids the 151st, who had won and paid its bid: of 199 others that one matters."""
    mechanism = SingleParameter(lambda bids: (winners(bids), winners(bids) * 0.5 * bids), 200)
    types = np.linspace(0.1, 0.6, 200)[None, :, None].copy()
    types[0, 150] = 0.75
    case = deviating(types, np.array([7]), 0, np.array([0.875]))
    assert told("dsic", mechanism, case).endswith("(other reports: eu: value 0.75; 198 others not listed)")


def test_where_nothing_changes_those_are_told_who_report_most():
    mechanism = SingleParameter(lambda bids: (winners(bids), winners(bids) * 2 * bids), 200)
    types = np.full((1, 200, 1), 0.25)
    types[0, 3] = 0.5
    words = told("weak-budget-balance", mechanism, truthful(types))
    assert "d: value 0.5" in words
    assert len(words) < 240


def test_who_is_named_is_told_however_little_it_has():
    """The 200th loses a thousandth, while 199 others gain more."""
    mechanism = SingleParameter(lambda bids: (0.0 * bids, np.where(np.arange(200) == 199, 1e-3, -bids)), 200)
    types = np.linspace(0.6, 0.1, 200)[None, :, None].copy()
    words = told("ir", mechanism, truthful(types))
    assert words.startswith("buyer gr tells the truth and is left with -0.001 (a: value 0.6; b: ")
    assert "gr: value 0.1; 192 others not listed)" in words


def test_few_public_numbers_are_told_many_are_named():
    mechanism = direct_mechanism("ipfl", 4)
    types = np.zeros((1, 4, mechanism.space.k))
    types[0, :, :3] = [[100, 0, 3600], [300, 1.5, 0], [300, 1, 0], [50, 0, 0]]
    assert "public" not in told("budget-balance", mechanism, truthful(types))
    types[0, 0, 4] = 0.25
    assert told("budget-balance", mechanism, truthful(types)).endswith("; public: a: penalty for b 0.25)")
    types[0, :, 3:] = 0.5 * (1.0 - np.eye(4))
    assert told("budget-balance", mechanism, truthful(types)).endswith("; public numbers left out: pen)")


def test_the_sides_of_a_double_auction_are_told():
    """Seller c asks 0.6 for what costs it 0.2: at k = 1/2 the price rises from 0.4 to 0.6."""
    mechanism = direct_mechanism("k-double-auction", 4)
    types = np.array([[[0.6, 0], [0.0, 0], [0.2, 1], [1.0, 1]]])
    assert told("dsic", mechanism, deviating(types, np.array([2]), 0, np.array([0.6]))) == (
        "seller c has cost 0.2; reporting cost 0.6 takes its utility from 0.2 to 0.4 "
        "(other reports: buyer a: value 0.6; buyer b: value 0; seller d: cost 1)"
    )
    pair = mechanism.resized(2)
    assert told("ir", pair, truthful(types[:, [0, 2]])).startswith("the buyer tells the truth and is left with 0.2 (")


@pytest.mark.parametrize(
    ("name", "word"),
    [("mean-vote", "voter"), ("fact", "client"), ("second-price", "bidder"), ("moulin-shapley", "user"),
     ("ipfl", "client"), ("greedy-knapsack", "bidder"), ("serial-dictatorship", "agent")],
)  # fmt: skip
def test_agents_of_the_catalogue_are_called_what_they_are(name, word):
    space = direct_mechanism(name).space
    assert space.who(1) == f"{word} b"
    assert (space.number(0, 0) == "cost") == (space.names[0] == "cost")


def test_a_rule_declares_names_and_what_agents_are():
    @single_parameter(agents=3, called="farm", people=("ann", "bob", "cy"))
    def free(bids):
        return winners(bids), 0.0 * bids

    case = deviating(rows(0.75, 0.5, 0.25), np.array([1]), 0, np.array([1.0]))
    sentence = (
        "farm bob has value 0.5; reporting value 1 takes its utility from 0 to 0.5 (other reports: ann: value 0.75"
    )
    assert told("dsic", free, case) == f"{sentence}; cy: value 0.25)"
    witness = Witness.of(free, PROPERTY["dsic"], case).to_dict()
    assert witness["agents"] == ["farm ann", "farm bob", "farm cy"]
    assert replay(Witness.from_dict(witness), free).bitwise
    older = Witness.from_dict(replace(Witness.from_dict(witness), people=(), digest="").to_dict())
    assert replay(older, free).bitwise
    assert "agents" not in older.to_dict()
    assert refusal({"agents": ["ann"]}, witness).endswith("agents must be a name of each of the 3 agents")


def refusal(changed, witness):
    with pytest.raises(WitnessError) as caught:
        Witness.from_dict(witness | changed)
    return str(caught.value)


@pytest.mark.parametrize(
    ("declared", "complaint"),
    [({"called": ("buyer", "seller")}, "called of the space has 2 words for 3 agents; expected one each"),
     ({"people": ("ann", "ann", "bob")}, "people of the space has a name twice"),
     ({"people": ("ann", "bob", "c\x1b[2J")}, "people of the space holds 'c\\x1b[2J'; expected a word"),
     ({"called": "x" * 41}, "called of the space holds 'xxx"),
     ({"people": (1, 2, 3)}, "people of the space holds '1'")],
)  # fmt: skip
def test_names_that_would_spoil_a_sentence_are_refused(declared, complaint):
    with pytest.raises(InvalidMechanismError) as caught:
        single_parameter(agents=3, **declared)(lambda bids: (bids, bids))
    assert complaint in str(caught.value)


def test_clients_of_a_market_have_the_names_of_their_table():
    types = Types([100, 300, 300], [0, 1.1, 1.0], [3600, 0, 0])
    rule, profiles = GivenMarkets.of(market_mechanism("ipfl"), types, Market(), people=("ann", "bob", "cat"))
    case = deviating(profiles, np.array([1]), 1, np.array([0.9]))
    assert (
        told("dsic-cost", rule, case) == "client bob has cost 1.1; reporting cost 0.9 takes its utility from 0 to 1.9"
    )


def test_of_a_large_coalition_and_a_long_order_few_are_told():
    mechanism = SingleParameter(lambda bids: (winners(bids), 0.0 * bids), 200)
    types = np.linspace(0.1, 0.6, 200)[None, :, None].copy()
    after = types.copy()
    after[0, 7] = 1.0
    everybody = Cases(types, types, after[:, None], np.ones((1, 200), dtype=bool))
    words = told("group-dsic", mechanism, everybody)
    assert "buyer h has value 0.117588, reports value 1 and goes from utility 0 to 0.117588" in words
    assert "192 more members, who gain less or nothing" in words
    order = Cases(types, types, extra=(("order", np.roll(np.arange(200), 3)[None]),))
    assert "listed in the order gp, gq, gr, a, b, c, d, e, … (" in told("anonymity", mechanism, order)
    assert max(len(words), len(told("anonymity", mechanism, order))) < 800


def test_of_a_type_of_many_numbers_those_furthest_from_zero_are_told():
    class Bundles:
        space = Space(1, tuple(f"v{k}" for k in range(20)), 0.0, 9.0, called="bidder")

    row = np.zeros(20)
    row[[3, 17]] = 1.0, 2.5
    words = row_words(Bundles(), 0, row)
    assert "v3 1, " in words
    assert words.endswith("v17 2.5, 12 more numbers")


def test_verdicts_are_a_table_in_a_notebook():
    """A notebook shows the last expression of a cell by its `_repr_html_`."""
    cell = "from proofs_checks import verify\nfrom mechanism.catalogue import direct_mechanism\n"
    cell += "verify(direct_mechanism('first-price', 2), ['dsic', 'ir'], probes=3)"
    *before, last = ast.parse(cell).body
    names: dict = {}
    exec(compile(ast.Module(before, []), "cell", "exec"), names)
    shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    page = ElementTree.fromstring(shown._repr_html_())
    table = [["".join(cell.itertext()) for cell in row] for row in page.iter("tr")]
    assert table[0] == ["property", "holds", "grade", "evidence"]
    assert table[1] == ["dsic", "no", "refuted", shown[0].witness.sentence]
    assert table[2][:3] == ["ir", "yes", "proved"]
    assert table[2][3].startswith("code: ")
    assert [v.to_dict()["property"] for v in shown] == ["dsic", "ir"]
    assert "<td>ir</td><td>yes</td>" in shown[1]._repr_html_()
