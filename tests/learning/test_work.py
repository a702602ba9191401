"""Rows, slots, modules that are views of a row, and streams that depend on their key alone."""

import itertools

import numpy as np
import pytest
import torch

from learning.errors import LearningError
from learning.models.build import network
from learning.streams import stream
from learning.work import RowModule, fresh_state


def test_parameters_and_gradients_are_views_of_two_flat_rows():
    module = RowModule(network("mlp", (64,), 10))
    module.row.copy_(torch.arange(4810.0) / 4810)
    assert torch.equal(torch.cat([p.detach().reshape(-1) for p in module.parameters()]), module.row)
    module(torch.ones(3, 64)).square().sum().backward()
    gradients = torch.cat([p.grad.reshape(-1) for p in module.parameters()])
    assert torch.equal(gradients, module.gradient)
    assert module.gradient.abs().sum() > 0
    for parameter, view in zip(module.parameters(), module.network.layout.views(module.row), strict=True):
        assert parameter.data_ptr() == view.data_ptr()


def test_a_fresh_state_starts_everybody_at_the_initial_model_in_memory_of_its_own():
    layout = network("mlp", (64,), 10).layout
    initial = torch.randn(layout.parameters)
    state = fresh_state(layout, initial, 3, ("target",))
    assert state.rows.is_contiguous()
    assert set(state.tensors()) == {"rows", "initial", "slot/target"}
    assert all(torch.equal(row, initial) for row in (*state.rows, *state.slots["target"], state.initial))
    state.rows[0] += 1
    assert torch.equal(state.rows[1], initial)
    assert torch.equal(state.slots["target"][0], initial)


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(LearningError, match="expects"):
        network("mlp", (64,), 10).layout.views(torch.zeros(4811))


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
