"""The market's metric of adapters is that of the explicit matrices ΔW = s B A."""

import numpy as np
import pytest
import torch

from learning.errors import LearningError
from learning.models.lora_geometry import inner_products, lora_geometry
from learning.models.network import Layout

R, SCALE = 3, 2.5
LAYOUT = Layout(
    ("q.lora_A.weight", "q.lora_B.weight", "v.lora_A.weight", "v.lora_B.weight"),
    ((R, 11), (7, R), (R, 11), (5, R)),
)
M = 6


@pytest.fixture
def rows():
    return torch.randn(M, LAYOUT.parameters, generator=torch.Generator().manual_seed(4))


def explicit(row):
    """ΔW of every matrix, multiplied out and laid end to end, in float64."""
    a1, b1, a2, b2 = (view.double() for view in LAYOUT.views(row))
    return SCALE * torch.cat([(b1 @ a1).flatten(), (b2 @ a2).flatten()])


def check(found, updates):
    norms = updates.norm(dim=1)
    cosines = (updates @ updates.T) / norms[:, None] / norms
    assert np.allclose(found.norms, norms.numpy(), rtol=1e-12)
    assert np.allclose(found.cosines, cosines.numpy(), atol=1e-12)
    assert np.array_equal(found.cosines, found.cosines.T)
    assert np.array_equal(np.diag(found.differences), np.zeros(len(updates)))


def fresh():
    row = torch.randn(LAYOUT.parameters, generator=torch.Generator().manual_seed(9))
    for k in (1, 3):
        LAYOUT.views(row)[k].zero_()
    return row


def test_it_is_the_geometry_of_the_products(rows):
    check(lora_geometry(rows, LAYOUT, SCALE, fresh()), torch.stack([explicit(r) for r in rows]))


def test_updates_are_relative_to_an_initial_adapter_that_is_not_zero(rows):
    start = torch.randn(LAYOUT.parameters, generator=torch.Generator().manual_seed(8))
    rows[2] = start
    found = lora_geometry(rows, LAYOUT, SCALE, start)
    assert found.norms[2] == 0.0
    assert found.zero.tolist() == [i == 2 for i in range(M)]
    assert np.all(found.differences[2, [0, 1, 3, 4, 5]] == 1.0)
    kept = [0, 1, 3, 4, 5]
    updates = torch.stack([explicit(rows[i]) - explicit(start) for i in kept])
    norms = updates.norm(dim=1)
    assert np.allclose(found.norms[kept], norms)
    expected = (updates @ updates.T) / norms[:, None] / norms
    assert np.allclose(found.cosines[np.ix_(kept, kept)], expected)


def test_each_row_may_have_a_start_of_its_own(rows):
    starts = torch.randn(M, LAYOUT.parameters, generator=torch.Generator().manual_seed(7))
    updates = torch.stack([explicit(r) - explicit(s) for r, s in zip(rows, starts, strict=True)])
    check(lora_geometry(rows, LAYOUT, SCALE, starts), updates)


def test_it_sees_the_weights_and_not_how_they_are_factored(rows):
    """B T⁻¹ and T A make the same ΔW: no difference, though the rows are far apart. A alone changes nothing."""
    twin = rows[0].clone()
    mix = torch.tensor([[2.0, 1.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 0.5]])
    for k in (0, 2):
        LAYOUT.views(twin)[k].copy_(mix @ LAYOUT.views(rows[0])[k])
        LAYOUT.views(twin)[k + 1].copy_(LAYOUT.views(rows[0])[k + 1] @ mix.inverse())
    unmoved = fresh()
    LAYOUT.views(unmoved)[0].mul_(3.0)
    found = lora_geometry(torch.stack([rows[0], twin, -rows[0], unmoved]), LAYOUT, SCALE, fresh())
    assert found.differences[0, 1] < 1e-6
    assert found.differences[0, 2] < 1e-6  # (−B)(−A) = B A: a flipped sign of the row is no flipped sign here
    assert found.norms[3] == 0.0
    assert found.differences[0, 3] == 1.0


def test_blocks_of_rows_do_not_change_it(rows, monkeypatch):
    whole = inner_products(rows, LAYOUT, SCALE)
    monkeypatch.setattr("learning.models.lora_geometry._BLOCK", 1)
    assert np.allclose(inner_products(rows, LAYOUT, SCALE), whole, rtol=1e-13)


def test_extreme_scales_keep_their_direction(rows):
    tiny, huge = rows[0] * 1e-12, rows[0] * 1e12
    found = lora_geometry(torch.stack([tiny, huge]), LAYOUT, SCALE, fresh())
    assert found.cosines[0, 1] == pytest.approx(1.0, abs=1e-9)
    assert np.all(np.isfinite(found.norms))


def test_a_layout_without_adapters_is_refused(rows):
    with pytest.raises(LearningError, match="no part of a LoRA adapter"):
        lora_geometry(torch.zeros(2, 4), Layout(("hidden.weight",), ((2, 2),)), 1.0, torch.zeros(4))
    with pytest.raises(LearningError, match="of the same rank"):
        inner_products(torch.zeros(2, 4), Layout(("q.lora_A.weight",), ((2, 2),)), 1.0)
