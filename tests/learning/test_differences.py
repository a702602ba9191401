"""Model differences and combinations against their definitions."""

import numpy as np
import pytest
import torch

from learning import differences
from learning.differences import combine, geometry


@pytest.fixture
def models() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    initial = torch.randn(5000, generator=generator)
    return initial + 0.1 * torch.randn(7, 5000, generator=generator), initial


def test_differences_are_one_minus_cosine(models):
    rows, initial = models
    found = geometry(rows, initial)
    updates = rows.double() - initial.double()
    for i in range(7):
        assert found.norms[i] == pytest.approx(float(updates[i].norm()), rel=1e-6)
        for j in range(7):
            cosine = torch.nn.functional.cosine_similarity(updates[i], updates[j], dim=0)
            assert found.differences[i, j] == pytest.approx(1 - float(cosine) if i != j else 0.0, abs=1e-7)


def test_differences_are_exactly_symmetric_and_relabel_with_the_clients(models):
    rows, initial = models
    d = geometry(rows, initial).differences
    order = np.array([3, 1, 6, 0, 2, 5, 4])
    np.testing.assert_array_equal(d, d.T)
    np.testing.assert_allclose(geometry(rows[order], initial).differences, d[np.ix_(order, order)], atol=1e-8)


def test_range_for_equal_and_opposite_updates(models):
    rows, initial = models
    update = rows[0] - initial
    d = geometry(torch.stack([initial + update, initial + 3 * update, initial - update]), initial).differences
    np.testing.assert_allclose(d, [[0, 0, 2], [0, 0, 2], [2, 2, 0]], atol=1e-6)
    assert d.min() >= 0
    assert d.max() <= 2


def test_a_client_still_at_the_initial_model_is_recorded_and_at_difference_one(models):
    rows, initial = models
    rows[2] = initial
    found = geometry(rows, initial)
    assert found.zero.tolist() == [False, False, True, False, False, False, False]
    assert (np.delete(found.differences[2], 2) == 1).all()
    assert (np.delete(found.differences[:, 2], 2) == 1).all()
    assert found.differences[2, 2] == 0


@pytest.mark.parametrize("scale", [1e-36, 1e36])
def test_lengths_that_float32_cannot_square_are_no_trouble(models, scale):
    rows, initial = models
    expected = geometry(rows - initial, torch.zeros_like(initial))
    found = geometry((rows - initial) * scale, torch.zeros_like(initial))
    np.testing.assert_allclose(found.differences, expected.differences, atol=1e-6)
    np.testing.assert_allclose(found.norms, expected.norms * scale, rtol=1e-5)


@pytest.mark.parametrize("own", [False, True])
def test_tiles_out_of_a_memory_map_by_several_threads_are_the_whole_matrix(own, monkeypatch, tmp_path):
    generator = torch.Generator().manual_seed(2)
    rows = torch.randn(23, 2500, generator=generator)
    initial = torch.randn(23, 2500, generator=generator) if own else torch.randn(2500, generator=generator)
    rows[5] = initial[5] if own else initial
    whole = geometry(rows, initial)
    np.save(tmp_path / "rows.npy", rows.numpy())
    mapped = torch.from_numpy(np.load(tmp_path / "rows.npy", mmap_mode="c"))
    out = np.lib.format.open_memmap(tmp_path / "cosines.npy", "w+", np.float64, (23, 23))
    monkeypatch.setattr(differences, "TILE", 8)
    found = geometry(mapped, initial, workers=3, out=out)
    assert found.cosines is out
    np.testing.assert_array_equal(found.norms, whole.norms)
    np.testing.assert_allclose(out, whole.cosines, atol=1e-7)
    np.testing.assert_array_equal(out, out.T)
    np.testing.assert_array_equal(out, geometry(rows, initial).cosines)  # one thread


def test_combine_is_a_matrix_product_around_the_initial_model(models):
    rows, initial = models
    matrix = np.random.default_rng(0).normal(size=(7, 7))
    expected = initial.double() + torch.from_numpy(matrix) @ (rows.double() - initial.double())
    assert torch.allclose(combine(matrix, rows, initial).double(), expected, atol=1e-6)
    shares = matrix**2 / (matrix**2).sum(1, keepdims=True)
    plain = torch.from_numpy(shares) @ rows.double()
    assert torch.allclose(combine(shares, rows, initial).double(), plain, atol=1e-6)
