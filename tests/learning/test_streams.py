"""Random streams depend on their key alone."""

import itertools

import numpy as np
import pytest

from learning.streams import stream


def test_same_key_same_numbers_whatever_was_drawn_before():
    first = stream(3, "batches", 2, 1).random(5)
    stream(3, "batches", 2, 0).random(1000)
    np.testing.assert_array_equal(stream(3, "batches", 2, 1).random(5), first)


def test_every_part_of_the_key_matters_and_none_runs_into_another():
    numbers = (0, 1, 2, 2**32, 2**32 + 1)
    keys = itertools.product(numbers, ("split", "batches", "batches2"), numbers, numbers)
    drawn = [stream(*key).integers(2**63) for key in keys]
    assert len(set(drawn)) == len(drawn) == 375


@pytest.mark.parametrize("key", [(-1, "split"), (0, "split", -1), (0, "split", 0, 2**64)])
def test_keys_outside_the_domain_are_refused(key):
    with pytest.raises(ValueError, match="expected an integer"):
        stream(*key)
