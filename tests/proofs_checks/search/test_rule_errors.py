"""Whose line an error is laid to, and when the advice about batches is given."""

from __future__ import annotations

import numpy as np
import pytest

from mechanism.catalogue import direct_mechanism
from mechanism.direct import SingleParameter
from mechanism.errors import InvalidMechanismError
from proofs_checks.search.cases import answer, place


def caught(function) -> BaseException:
    with pytest.raises(Exception) as told:
        function()
    return told.value


def test_the_last_line_of_the_users_own_file_is_named_not_the_librarys():
    def inner():
        return np.median("x")

    def outer():
        return inner()

    line = inner.__code__.co_firstlineno + 1
    assert place(caught(outer)) == f" in test_rule_errors.py, line {line}"


def test_an_error_that_came_through_no_line_of_the_users_has_no_place():
    assert place(ValueError("never raised")) == ""
    mechanism = direct_mechanism("second-price")
    error = caught(lambda: mechanism.outcome(None))
    frames = error.__traceback__.tb_next  # as where our engine asks: without the line of this file
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    assert place(error.with_traceback(frames)) == ""


def failing(rule) -> str:
    with pytest.raises(InvalidMechanismError) as told:
        answer(SingleParameter(rule, 2), np.full((16, 2, 1), 0.5))
    return str(told.value)


@pytest.mark.parametrize(
    "rule",
    [
        lambda bids: (1, 0) if bids[0] > bids[1] else (0, 1),
        lambda bids: float(bids[0]),
        lambda bids: bids[:, 5],
        lambda bids: bids + np.zeros(7),
        lambda bids: [0, 0][bids.argmax(axis=1)],
        lambda bids: np.zeros((2, 2))[np.argmax(bids), 16],
    ],
)
def test_what_fails_on_every_batch_is_told_its_shape_and_no_reports(rule):
    told = failing(rule)
    assert told.startswith("the mechanism failed in test_rule_errors.py, line ")
    assert told.endswith("; bids is [16, 2], one row per profile: compute all rows at once")
    assert "reports" not in told


def test_an_error_of_the_users_own_gets_no_advice():
    def rule(bids):
        raise ValueError("too high")

    assert failing(rule).endswith(", on reports [[0.5], [0.5]]: ValueError: too high")


@pytest.mark.parametrize("write", [lambda b: b.__setitem__(0, 0), lambda b: b.sort(), lambda b: b.__iadd__(1)])
def test_a_rule_that_writes_is_told_to_copy(write):
    assert failing(write).endswith("; copy bids first: bids = bids.copy()")
