"""What sentences tell of large profiles and of public numbers; verdicts as a table."""

import numpy as np

from mechanism.catalogue import direct_mechanism
from mechanism.direct import SingleParameter
from proofs_checks import Verdicts, verify
from proofs_checks.properties.registry import PROPERTY
from proofs_checks.search.cases import deviating, truthful


def winners(bids):
    return np.arange(bids.shape[1]) == bids.argmax(axis=1)[:, None]


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


def test_public_numbers_are_named_where_they_are_not_all_zero():
    mechanism = direct_mechanism("ipfl", 3)
    types = np.zeros((1, 3, mechanism.space.k))
    types[0, :, :3] = [[100, 0, 3600], [300, 1.5, 0], [300, 1, 0]]
    assert "public" not in told("budget-balance", mechanism, truthful(types))
    types[0, 0, 4] = 0.25
    assert told("budget-balance", mechanism, truthful(types)).endswith("; public numbers left out: pen)")


def test_verdicts_are_a_table_in_a_notebook():
    verdicts = verify(direct_mechanism("first-price", 2), ["dsic", "ir"], probes=3)
    page = Verdicts(verdicts)._repr_html_()
    assert page.count("<tr>") == 3
    assert f"<td>dsic</td><td>no</td><td>refuted</td><td>{verdicts[0].witness.sentence}</td>" in page
    assert "<td>ir</td><td>yes</td>" in verdicts[1]._repr_html_()
