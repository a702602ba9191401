"""What is public and what is decided without matrices: the same as with them, and what is refused."""

import pickle

import numpy as np
import pytest

from mechanism import InvalidMarketError, Types, account, market_mechanism, objective
from mechanism.market.large.books import SparseOutcome, Tally
from mechanism.market.large.clearing import LargeClearing, clear_large
from mechanism.market.large.sparse import LargeMarket, SparseMatrix


def clients(m: int, seed: int = 0) -> Types:
    rng = np.random.default_rng(seed)
    return Types(rng.uniform(500, 10_000, m), rng.uniform(0.05, 0.3, m), 10 ** rng.uniform(4.5, 6.5, m))


def listed(m: int, seed: int, low: float, high: float, rest: float = 0.0) -> SparseMatrix:
    rng = np.random.default_rng(seed)
    i, j = np.nonzero((rng.random((m, m)) < 0.3) & ~np.eye(m, dtype=bool))
    mixed = rng.permutation(len(i))
    return SparseMatrix.of_pairs(m, i[mixed], j[mixed], rng.uniform(low, high, len(i)), rest)


@pytest.mark.parametrize("kind", ["plain", "vectors", "pairs", "effective"])
def test_accounts_are_those_of_matrices(kind):
    m = 30
    types = clients(m)
    market = {
        "plain": LargeMarket(),
        "vectors": LargeMarket(1.0, vectors=np.random.default_rng(1).normal(size=(m, 3))),
        "pairs": LargeMarket(1.0, pairs=listed(m, 1, 0.0, 0.5, 1.0)),
        "effective": LargeMarket(0.5, pairs=listed(m, 1, 0.0, 0.5), effective=listed(m, 2, 0.0, 5_000.0)),
    }[kind]
    dense = market.dense(m)
    outcome = clear_large(types.truthful(), market)
    expected = market_mechanism("ipfl-exact").clear(types.truthful(), dense)
    np.testing.assert_array_equal(outcome.dense().imports, expected.imports)
    np.testing.assert_allclose(outcome.dense().prices, expected.prices, rtol=1e-12, atol=1e-12)
    assert market.weighs == dense.weighs == (kind != "plain")
    tally = Tally(types, market)
    for start in range(0, m, 7):
        tally.add(
            LargeClearing(types.truthful(), market, market_mechanism("ipfl-exact")).block(start, min(start + 7, m))
        )
    books, true = tally.accounts(), account(types, expected, dense)
    for name in ("gain", "cost", "paid", "received", "utility"):
        np.testing.assert_allclose(getattr(books, name), getattr(true, name), rtol=1e-12, atol=1e-12, err_msg=name)
    assert tally.objective == pytest.approx(float(objective(types, expected.imports, dense)), rel=1e-12)
    assert tally.exports.sum() == tally.imports.sum() == expected.imports.sum() > m


def test_a_clearing_pickles_and_its_blocks_join():
    clearing = LargeClearing(clients(12).truthful(), LargeMarket(), market_mechanism("ipfl"))
    again = pickle.loads(pickle.dumps(clearing))
    whole = SparseOutcome.joined([again.block(0, 5), again.block(5, 12)])
    np.testing.assert_array_equal(whole.prices, clearing.block(0, 12).prices)
    assert whole.importer().tolist() == sorted(whole.importer().tolist())
    with pytest.raises(InvalidMarketError, match="ends before importer 5, another begins at 6"):
        SparseOutcome.joined([again.block(0, 5), again.block(6, 12)])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SparseMatrix(np.array([0, 2]), np.array([0]), np.array([1.0])), "needs as many columns"),
        (lambda: SparseMatrix.of_pairs(3, [0, 0], [1, 1], [1.0, 2.0]), "row 0 .* lists column 1; .*each once"),
        (lambda: SparseMatrix.of_pairs(3, [1], [1], [1.0]), "row 1 .* lists column 1; expected other clients"),
        (lambda: SparseMatrix.of_pairs(3, [3], [1], [1.0]), "from 0 to 2"),
        (lambda: LargeMarket(1.0, vectors=np.zeros((2, 2))), "vector of client 0 is zero"),
        (lambda: LargeMarket(1.0, vectors=np.array([[1.0], [np.nan]])), "vector of client 1 is zero or not finite"),
        (lambda: LargeMarket(1.0, vectors=np.ones((2, 2)), pairs=listed(2, 0, 0, 1)), "got both"),
        (lambda: LargeMarket(1.0, pairs=listed(9, 0, 0, 1, rest=3.0)), "is 3.0; expected a number in"),
        (lambda: LargeMarket(1.0, pairs=listed(9, 0, -1, 0)), "expected a number in"),
        (lambda: LargeMarket(effective=listed(9, 0, -9, 0)), "effective size is -"),
        (lambda: LargeMarket(effective=listed(9, 0, 0, 9, rest=1.0)), "1.0 where it is not listed"),
        (lambda: LargeMarket(pairs=listed(9, 0, 0, 1), effective=listed(8, 0, 0, 1)), r"different numbers .*8, 9"),
        (lambda: LargeMarket(-1.0), "lam is -1.0"),
        (lambda: clear_large(clients(5).truthful(), LargeMarket(pairs=listed(9, 0, 0, 1))), r"for \{9\} clients"),
        (lambda: clear_large(clients(5).truthful(), LargeMarket(), "posted-price"), "posted-price does not clear"),
        (lambda: clear_large(clients(5).truthful(), LargeMarket(), "no-payment"), "no-payment does not clear"),
    ],
)
def test_what_is_wrong_is_said(make, words):
    with pytest.raises(InvalidMarketError, match=words):
        make()


def test_enormous_vectors_have_differences():
    market = LargeMarket(1.0, vectors=np.array([[1e300, 0.0], [0.0, 1e-300], [-3e200, 0.0]]))
    np.testing.assert_allclose(market.dense(3).differences, [[0, 1, 2], [1, 0, 1], [2, 1, 0]])
