"""Shrinking keeps a witness a witness, with fewer clients and shorter numbers, the same way each time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mechanism import market_mechanism
from proofs_checks.evidence import replay, witness_of
from proofs_checks.search.cost_lies import best_cost_lies
from proofs_checks.search.markets import random_markets
from proofs_checks.search.shrink import _length, _rounder, shrink
from tests.proofs_checks.test_evidence import example


def letters(witness) -> int:
    d = witness.differences or ()
    numbers = [*witness.size, *witness.cost, *witness.gain, *(x for row in d for x in row)]
    return sum(_length(x) for x in [*numbers, witness.lam, *(x.report for x in witness.deviations)])


@pytest.mark.parametrize("keep", [0.3, 0.9])
@pytest.mark.parametrize("kind", ["small", "wide", "paper"])
def test_shrunk_witnesses_replay_and_keep_their_share_of_the_gain(kind, keep):
    types, market = random_markets(kind, np.random.default_rng(41), 40, 6)
    mechanism = market_mechanism("ipfl")
    witness = witness_of(best_cost_lies(mechanism, types, market), mechanism, types, market)
    small = shrink(witness, keep=keep)
    assert replay(small).bitwise
    assert small.rise >= keep * witness.rise
    assert len(small.size) <= 4 < len(witness.size)
    assert letters(small) < letters(witness) / 3
    assert shrink(witness, keep=keep) == small
    assert shrink(small, keep=1.0) == small or letters(shrink(small, keep=1.0)) < letters(small)


def test_the_book_example_is_left_with_three_clients():
    """Two sellers and a buyer are needed: with one seller there is nothing to overtake."""
    small = shrink(example(), keep=0.9)
    assert len(small.size) == 3
    assert letters(small) <= letters(example())


def test_a_witness_that_does_not_replay_is_returned_as_it_is():
    stored = replace(example(), mechanism="ipfl-exact")
    assert shrink(stored) is stored


def test_rounding_offers_shorter_numbers_only():
    assert list(_rounder(0.0)) == []
    assert list(_rounder(3.0)) == [0.0]
    assert list(_rounder(0.9876)) == [0.0, 1.0, 0.9, 1.0, 0.99, 0.98, 0.99, 0.988, 0.987, 0.988]
    assert _length(0.0) == 0
    assert _length(1200.0) == 2
